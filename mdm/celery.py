"""The Celery application: a doorbell for the work that the database holds."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init

from mdm.schedule import beat_schedule

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mdm.settings")

SOFT_LIMIT_SECONDS = 240
HARD_LIMIT_SECONDS = 300
# A request that rings the doorbell never waits longer for a broker that is gone or stuck.
BROKER_PATIENCE_SECONDS = 2


def _filesystem_broker(folder) -> dict[str, Any]:
    """Messages as files: no further server to run, at most once, found again by the sweeps."""
    messages, control = folder / "messages", folder / "control"
    for path in (messages, control):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        "broker_url": "filesystem://",
        "worker_enable_remote_control": False,
        # The transport looks for a message once per interval when it may not take a further one:
        # one at a time would be five in a second. What a dead worker had taken is found again.
        "worker_prefetch_multiplier": 32,
        "broker_transport_options": {
            "data_folder_in": str(messages),
            "data_folder_out": str(messages),
            "control_folder": str(control),
            "store_processed": False,
            "polling_interval": 0.1,
        },
    }


def _redis_broker(url: str) -> dict[str, Any]:
    return {
        "broker_url": url,
        "broker_transport_options": {
            "global_keyprefix": "muster:",
            "socket_timeout": BROKER_PATIENCE_SECONDS,
            "socket_connect_timeout": BROKER_PATIENCE_SECONDS,
            # Without these a publisher would try for ever to reach a broker that is down.
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0,
            "interval_max": 0,
        },
    }


def _defaults() -> dict[str, Any]:
    from django.conf import settings

    broker = (
        _redis_broker(settings.REDIS_URL)
        if settings.REDIS_URL
        else _filesystem_broker(settings.DATA_DIR / "queue")
    )
    return {
        "broker_connection_timeout": BROKER_PATIENCE_SECONDS,
        "broker_connection_retry_on_startup": True,
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "task_default_queue": "muster",
        "task_ignore_result": True,
        # Acknowledged after the work, one at a time where the broker can: a lost worker costs a
        # repetition, and every task can be repeated. What a killed child held is found by the
        # sweeps, not redelivered, because a task that kills its worker would otherwise come back
        # at once for ever.
        "task_acks_late": True,
        "task_reject_on_worker_lost": False,
        "worker_prefetch_multiplier": 1,
        "task_soft_time_limit": SOFT_LIMIT_SECONDS,
        "task_time_limit": HARD_LIMIT_SECONDS,
        "worker_soft_shutdown_timeout": 8.0,
        "worker_max_tasks_per_child": 2000,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": False,
        "timezone": "UTC",
        "beat_scheduler": "mdm.beat:LeasedScheduler",
        "beat_schedule": beat_schedule(),
        **broker,
    }


app = Celery("muster")
app.add_defaults(_defaults)
# Settings named CELERY_* win; the tests use this to put another broker in place.
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def _refuse_unsafe_settings(**_: object) -> None:
    from mdm.checks import refuse_unsafe_settings

    refuse_unsafe_settings()
