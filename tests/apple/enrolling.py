"""Builders for SCEP tests: an open attempt with a profile, and a client on Django's test client."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from core import clock, onetime
from core.models import OneTimeSecret, Tenant
from enrollment.models import EnrollmentSession, IssuedProfile
from tests.scep_client import Client, Reply

CHALLENGE = "scep_challenge"
TTL = dt.timedelta(minutes=10)


def open_session(tenant: Tenant, user=None, **fields: Any) -> EnrollmentSession:
    now = clock.now()
    defaults = {
        "stage": "downloaded",
        "platform": "iphone",
        "downloaded_at": now,
        "expires_at": now + dt.timedelta(hours=24),
    }
    return EnrollmentSession.objects.create(tenant=tenant, user=user, **defaults | fields)


def give_profile(
    session: EnrollmentSession, *, ttl: dt.timedelta = TTL
) -> tuple[IssuedProfile, str]:
    """A downloaded profile of the attempt, and the challenge in it."""
    secrets = [
        onetime.issue(
            tenant=session.tenant, purpose=purpose, subject=onetime.subject_of(session), ttl=ttl
        )
        for purpose in ("profile", CHALLENGE)
    ]
    (link, _), (challenge, token) = secrets
    profile = IssuedProfile.objects.create(
        tenant=session.tenant,
        session=session,
        identifier="muster.test.enrollment",
        sealed_content=b"sealed",
        sha256="0" * 64,
        link=link,
        challenge=challenge,
        first_downloaded_at=clock.now(),
    )
    return profile, token


def expire(profile: IssuedProfile) -> None:
    past = clock.now() - dt.timedelta(seconds=1)
    OneTimeSecret.objects.filter(pk=profile.challenge_id).update(expires_at=past)


@dataclass
class Endpoint:
    """A tenant's SCEP endpoint as a client sees it."""

    http: Any
    tenant: Tenant
    ca: x509.Certificate

    @property
    def url(self) -> str:
        return f"/mdm/apple/scep/{self.tenant.slug}"

    def post(self, message: bytes, **options: Any):
        options = {"content_type": "application/x-pki-message", **options}
        return self.http.generic(
            "POST", f"{self.url}?operation=PKIOperation", data=message, **options
        )

    def client(self, challenge: str | None = "", **fields: Any) -> Client:
        return Client(self.ca, challenge=challenge, **fields)

    def ask(self, client: Client) -> Reply:
        response = self.post(client.request())
        assert response.status_code == 200
        assert response["Content-Type"] == "application/x-pki-message"
        return client.read(response.content)

    def enroll(self, challenge: str, **fields: Any) -> Reply:
        return self.ask(self.client(challenge, **fields))
