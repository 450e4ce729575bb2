"""What one message on the command channel needs to know, in one prepared query.

The queryset says what is asked; it is compiled once per thread and planned once per connection,
because both cost several times more than asking.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import threading
import uuid
import weakref
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from apple.protocol.enrollment import EnrollmentId
from apple.services import lines
from core import clock
from devices.models import Command, Identity
from devices.states import MANAGED, DeviceState

# A wipe that was sent needs a second look (`orders.reconsider`).
PLAIN_STATES = sorted(MANAGED - {DeviceState.WIPE_SENT})
_CERTIFICATE, _USER = "<certificate>", "<user>"
_STATEMENT = "muster_poll"
_thread = threading.local()
# Connections of the database driver on which the statement was prepared.
_prepared: weakref.WeakSet[Any] = weakref.WeakSet()


@dataclass(frozen=True, slots=True)
class Poll:
    """A caller about whom everything is in order, and the channel that it speaks on."""

    device_id: uuid.UUID
    last_seen_at: dt.datetime | None
    line: lines.Line


def find(certificate_sha256: str, enrollment: EnrollmentId) -> Poll | None:
    """Return who speaks and what waits; None when anything at all is out of the ordinary.

    In order means: an identity that is neither revoked, replaced, expired nor new, a
    managed current entry, the UDID that the certificate is bound to, and a known channel. For
    everything else the caller looks more closely. One query.
    """
    row = _ask(certificate_sha256, enrollment.user_key)
    if row is None:
        return None
    not_after, device_id, key, last_seen_at, channel_id, push_due_at, has_work = row
    if key != enrollment.device_key or not_after <= clock.now():
        return None
    line = lines.Line(channel_id, has_work=has_work, push_due_at=push_due_at)
    return Poll(device_id=device_id, last_seen_at=last_seen_at, line=line)


def _question() -> QuerySet[Identity, Any]:
    waiting = Command.objects.open().filter(channel_id=OuterRef("device__channels__pk"))
    question: QuerySet[Identity, Any] = (
        Identity.objects.live()
        .filter(
            sha256=_CERTIFICATE,
            issuer_key__retired_at=None,
            superseded_at=None,
            first_used_at__isnull=False,
            device__archived_at=None,
            device__state__in=PLAIN_STATES,
            device__channels__kind=lines.KIND,
            device__channels__user_key=_USER,
        )
        .annotate(has_work=Exists(waiting))
        .values_list(
            "not_after",
            "device_id",
            "device__physical__key",
            "device__contact__last_seen_at",
            "device__channels__pk",
            "device__channels__push_due_at",
            "has_work",
        )
    )
    return question


def _ask(certificate_sha256: str, user_key: str) -> tuple[Any, ...] | None:
    # A compiler belongs to a connection, and a connection to a thread.
    if getattr(_thread, "vendor", None) != connection.vendor:
        compiler = _question().query.get_compiler(connection=connection)
        _thread.sql, _thread.params = compiler.as_sql()
        _thread.converters = compiler.get_converters([column[0] for column in compiler.select])
        _thread.compiler, _thread.vendor = compiler, connection.vendor
    given = {_CERTIFICATE: certificate_sha256, _USER: user_key}
    with connection.cursor() as cursor:
        _execute(cursor, [given.get(value, value) for value in _thread.params])
        row = cursor.fetchone()
    if row is None:
        return None
    return tuple(next(iter(_thread.compiler.apply_converters([row], _thread.converters))))


def _execute(cursor: Any, values: list[Any]) -> None:
    if connection.vendor != "postgresql":
        cursor.execute(_thread.sql, values)
        return
    # Planning these joins costs PostgreSQL several times more than running them.
    if connection.connection not in _prepared:
        numbers = itertools.count(1)
        numbered = re.sub("%s", lambda _match: f"${next(numbers)}", _thread.sql)
        cursor.execute(f"PREPARE {_STATEMENT} AS {numbered}")
        _prepared.add(connection.connection)
    places = ", ".join(["%s"] * len(values))
    cursor.execute(f"EXECUTE {_STATEMENT} ({places})", values)
