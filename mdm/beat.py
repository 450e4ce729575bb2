"""Celery's scheduler, of which only one rings in the whole installation."""

from __future__ import annotations

import datetime as dt
import os
import secrets
import socket

import structlog
from celery.beat import Scheduler
from django.db import DatabaseError, InterfaceError, close_old_connections

from core.services import leases

LEASE_NAME = "beat"
LEASE = dt.timedelta(seconds=30)
RENEW_SECONDS = 5

log = structlog.get_logger(__name__)


class LeasedScheduler(Scheduler):
    """Rings only while it holds the lease; a second beat waits for the first one to go.

    The lease is asked for at every tick, at least every `RENEW_SECONDS`. When the database does
    not answer nothing is rung: there would be no work to find.
    """

    def __init__(self, *args, **kwargs) -> None:
        self.holder = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.has_lease = False
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        super().setup_schedule()
        # Whatever became due while nobody rang is found at once, not after one more interval.
        long_ago = self.app.now() - dt.timedelta(days=1)
        for entry in self.schedule.values():
            entry.last_run_at = long_ago

    def tick(self, *args, **kwargs) -> float:
        if not self._renew():
            return RENEW_SECONDS
        return min(super().tick(*args, **kwargs), RENEW_SECONDS)

    def close(self) -> None:
        if self.has_lease:
            try:
                leases.release(name=LEASE_NAME, holder=self.holder)
            except (DatabaseError, InterfaceError):
                log.warning("beat.lease_not_released")
        super().close()

    def _renew(self) -> bool:
        close_old_connections()
        try:
            has_lease = leases.hold(name=LEASE_NAME, holder=self.holder, ttl=LEASE)
        except (DatabaseError, InterfaceError) as error:
            log.warning("beat.no_database", error=str(error))
            has_lease = False
        if has_lease != self.has_lease:
            log.info("beat.lease_taken" if has_lease else "beat.lease_waiting", holder=self.holder)
        self.has_lease = has_lease
        return has_lease
