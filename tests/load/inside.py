"""What the benchmark does inside a running server's world, beside what the tests do there."""

from __future__ import annotations

import datetime as dt


def reminders_due(count: int, key: str, key_id: str, team_id: str, topic: str) -> None:
    """Make `count` people with an app on their phone, whose reminder is due now, and ring."""
    from core import clock
    from core.actors import Actor
    from core.models import Tenant
    from enrollment.models import EnrollmentSession
    from enrollment.services import push_keys
    from enrollment.tasks import sweep_reminders

    tenant = Tenant.objects.get()
    push_keys.install_apns(
        tenant=tenant,
        content=key.encode(),
        key_id=key_id,
        team_id=team_id,
        topic=topic,
        actor=Actor.system("bench"),
    )
    # Nobody is reminded at night: these people live where it is noon.
    ahead = 12 - clock.now().hour
    zone = f"Etc/GMT{-ahead:+d}"
    for number in range(count):
        _person(tenant, number, zone)
    EnrollmentSession.objects.filter(device=None).exclude(remind_at=None).update(
        remind_at=clock.now() - dt.timedelta(seconds=1)
    )
    sweep_reminders.ring()


def _person(tenant, number: int, zone: str) -> None:
    from accounts.models import User
    from core import clock
    from enrollment.models import ClientInstallation, EnrollmentSession, SessionStage
    from enrollment.services import push_addresses

    later = clock.now() + dt.timedelta(days=1)
    # A password that nobody knows: the reminder needs no PIN.
    user = User.objects.create(
        tenant=tenant,
        email=f"due{number}@bench.test",
        time_zone=zone,
        password="md5$x$0cc175b9c0f1b6a831c399e269772661",
    )
    session = EnrollmentSession.objects.create(
        tenant=tenant,
        user=user,
        platform="iphone",
        stage=SessionStage.DOWNLOADED,
        expires_at=later,
        remind_at=later,
    )
    app = ClientInstallation.objects.create(
        tenant=tenant, user=user, session=session, token_hash=f"{number:064x}", platform="iphone"
    )
    push_addresses.keep_app_token(installation=app, kind="apns", token=f"{number + 1:064x}")


def reminders_sent() -> int:
    """How many reminders were handed over, on either channel."""
    from enrollment.models import Notice

    return Notice.objects.filter(status="sent").count()
