"""Notes that a device was heard of, at most once a minute."""

from __future__ import annotations

import datetime as dt
import uuid

from core import clock
from devices.models import DeviceContact

WRITE_EVERY = dt.timedelta(seconds=60)


def seen(device_id: uuid.UUID, *, last_seen_at: dt.datetime | None) -> bool:
    """Write the contact unless `last_seen_at`, as read before, is less than a minute old."""
    now = clock.now()
    if last_seen_at is not None and now - last_seen_at < WRITE_EVERY:
        return False
    updated = DeviceContact.objects.filter(device_id=device_id).update(last_seen_at=now)
    if not updated:
        DeviceContact.objects.get_or_create(device_id=device_id, defaults={"last_seen_at": now})
    return True
