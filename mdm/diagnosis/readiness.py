"""Whether this process can serve: asked every few seconds, so that each check is quick."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterable

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from core import clock
from core.models import KeyPurpose, OutboxMessage, StoredKey, Tenant
from core.secrets import SecretError
from core.services import keys
from mdm.diagnosis.findings import Check, Finding, Level

LEAST_FREE_BYTES = 100 * 1024**2
COMFORTABLE_FREE_BYTES = 1024**3
LATE = dt.timedelta(minutes=5)
EXPIRY_WARNING = dt.timedelta(days=60)
NEEDED_KEYS = (
    KeyPurpose.DEVICE_CA,
    KeyPurpose.SIGNING_ROOT,
    KeyPurpose.PROFILE_SIGNER,
)


def check_database() -> Finding:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError) as error:
        return Finding(
            "database",
            Level.ERROR,
            _("The database does not answer: %(error)s") % {"error": type(error).__name__},
            _("Start it, and see that DATABASE_URL names it rightly."),
        )
    return Finding("database", Level.OK, _("The database answers."))


def check_migrations() -> Finding:
    """Found complete once is complete for the life of the process: the code does not change."""
    if not _are_migrations_done():
        return Finding(
            "migrations",
            Level.ERROR,
            _("The database is not up to date with this version."),
            _("Run: %(command)s") % {"command": "manage.py migrate"},
        )
    return Finding("migrations", Level.OK, _("The database is up to date with this version."))


_known_done = False


def _are_migrations_done() -> bool:
    global _known_done
    if not _known_done:
        executor = MigrationExecutor(connection)
        _known_done = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _known_done


def check_signer(tenants: Iterable[Tenant] | None = None) -> Finding:
    """The keys of every organisation can be opened and are not about to end. One query each."""
    soonest = None
    for tenant in Tenant.objects.all() if tenants is None else tenants:
        for purpose in NEEDED_KEYS:
            try:
                loaded = keys.current(tenant, purpose)
            except keys.KeyMissing:
                return _signer_error(_("A key is missing: the server was not set up."))
            except SecretError:
                return _signer_error(
                    _("The keys of %(tenant)s cannot be opened.") % {"tenant": tenant.name}
                )
            end = loaded.certificate.not_valid_after_utc
            soonest = end if soonest is None else min(soonest, end)
    if soonest is None:
        return _signer_error(_("There is no organisation yet: the server was not set up."))
    return _expiry(soonest)


def _signer_error(text: str) -> Finding:
    remedy = _(
        "Run: %(command)s. After a restore, put back the MUSTER_KEK that belongs to this database."
    ) % {"command": "manage.py bootstrap"}
    return Finding("signer", Level.ERROR, text, remedy)


def _expiry(end: dt.datetime) -> Finding:
    left = end - clock.now()
    if left > EXPIRY_WARNING:
        return Finding("signer", Level.OK, _("The signing keys are ready."))
    remedy = _("Make a new key for the purpose that ends; docs/operations.md tells how.")
    if left > dt.timedelta(0):
        text = _("A signing certificate ends in %(days)d days.") % {"days": left.days}
        return Finding("signer", Level.WARNING, text, remedy)
    return Finding("signer", Level.ERROR, _("A signing certificate has ended."), remedy)


def check_disk() -> Finding:
    free = shutil.disk_usage(settings.DATA_DIR).free
    megabytes = {"free": free // 1024**2, "folder": settings.DATA_DIR}
    remedy = _("Make room, or move MUSTER_DATA_DIR to a larger volume.")
    if free < LEAST_FREE_BYTES:
        text = _("The disk is full: %(free)d MB left in %(folder)s.") % megabytes
        return Finding("disk", Level.ERROR, text, remedy)
    text = _("%(free)d MB of disk left in %(folder)s.") % megabytes
    level = Level.OK if free >= COMFORTABLE_FREE_BYTES else Level.WARNING
    return Finding("disk", level, text, "" if level == Level.OK else remedy)


def check_queue(tenants: Iterable[Tenant] | None = None) -> Finding:
    """A warning at most: a web process without a worker still serves devices and people."""
    waiting = OutboxMessage.objects.due(clock.now() - LATE)
    late = (waiting if tenants is None else waiting.filter(tenant__in=tenants)).count()
    if late:
        return Finding(
            "queue",
            Level.WARNING,
            _("%(count)d messages are waiting for more than five minutes.") % {"count": late},
            _("See that worker and beat are running, and read their logs."),
        )
    return Finding("queue", Level.OK, _("Nothing is waiting for a worker."))


CHECKS: tuple[Check, ...] = (
    check_database,
    check_migrations,
    check_signer,
    check_disk,
    check_queue,
)


def look() -> list[Finding]:
    """Run the checks in order; when the database is down the rest would only say so again."""
    found: list[Finding] = []
    for check in CHECKS:
        found.append(check())
        if found[-1].level == Level.ERROR and check in (check_database, check_migrations):
            break
    return found


def next_certificate_end(purpose: KeyPurpose) -> dt.datetime | None:
    """When the current certificate of the purpose ends that ends first; one query."""
    ends = StoredKey.objects.current().filter(purpose=purpose, not_after__isnull=False)
    return ends.order_by("not_after").values_list("not_after", flat=True).first()
