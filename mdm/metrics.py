"""What a monitor can read: requests of this server, and the state that the database holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector

from core import clock
from core.models import KeyPurpose, OutboxMessage, OutboxStatus
from devices.models import Command, Device
from devices.states import OPEN_COMMANDS
from mdm.diagnosis.readiness import next_certificate_end

REQUESTS = Counter(
    "muster_requests", "Requests answered.", ("plane", "method", "status"), registry=REGISTRY
)
SECONDS = Histogram(
    "muster_request_seconds",
    "Time to answer a request.",
    ("plane",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)
# A label from outside must never make a new time series.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PLANES = (
    ("/mdm/", "device"),
    ("/api/", "api"),
    ("/go", "registration"),
    ("/enroll/", "registration"),
    ("/static/", "static"),
    ("/healthz", "operator"),
    ("/readyz", "operator"),
    ("/metrics", "operator"),
)


def plane_of(path: str) -> str:
    return next((plane for prefix, plane in PLANES if path.startswith(prefix)), "portal")


class RequestMetricsMiddleware:
    """Counts and times every request; the first of all, so that it sees every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        start = time.perf_counter()
        response = self.get_response(request)
        plane = plane_of(request.path_info)
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(plane, method, f"{response.status_code // 100}xx").inc()
        SECONDS.labels(plane).observe(time.perf_counter() - start)
        return response


class StateCollector(Collector):
    """Counts rows when a monitor asks, so that any process answers for the whole installation."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield _grouped(
            "muster_devices",
            "Device entries that are not archived.",
            ("state", "platform"),
            Device.objects.current().values_list("state", "platform").annotate(n=Count("pk")),
        )
        yield _grouped(
            "muster_commands_open",
            "Commands without a final answer.",
            ("status",),
            Command.objects.filter(status__in=OPEN_COMMANDS)
            .values_list("status")
            .annotate(n=Count("pk")),
        )
        yield from self._outbox()
        yield self._certificates()

    def _outbox(self) -> Iterator[GaugeMetricFamily]:
        unfinished = (OutboxStatus.PENDING, OutboxStatus.QUARANTINED)
        yield _grouped(
            "muster_outbox_messages",
            "Messages that have not left.",
            ("status",),
            OutboxMessage.objects.filter(status__in=unfinished)
            .values_list("status")
            .annotate(n=Count("pk")),
        )
        now = clock.now()
        oldest = OutboxMessage.objects.due(now).order_by("due_at").first()
        waited = (now - oldest.due_at).total_seconds() if oldest else 0
        lag = GaugeMetricFamily(
            "muster_outbox_lag_seconds", "How long the oldest due message waits."
        )
        lag.add_metric((), waited)
        yield lag

    def _certificates(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily(
            "muster_certificate_end_timestamp_seconds",
            "When the first current certificate of a purpose ends.",
            labels=("purpose",),
        )
        for purpose in KeyPurpose.values:
            end = next_certificate_end(KeyPurpose(purpose))
            if end is not None:
                family.add_metric((purpose,), end.timestamp())
        return family


def _grouped(name: str, text: str, labels: tuple[str, ...], rows: Iterable) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for *values, count in rows:
        family.add_metric([str(value) for value in values], count)
    return family


def render(*, is_multiprocess: bool) -> bytes:
    """Return everything in the text format. With several processes their files are added up."""
    state = CollectorRegistry()
    state.register(StateCollector())
    requests: CollectorRegistry = REGISTRY
    if is_multiprocess:
        requests = CollectorRegistry()
        multiprocess.MultiProcessCollector(requests)  # type: ignore[no-untyped-call]
    return generate_latest(requests) + generate_latest(state)
