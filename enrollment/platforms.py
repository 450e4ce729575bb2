"""The registry of platforms: each protocol above says which devices it enrolls, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from core.models import Tenant
from enrollment.models import EnrollmentSession


@dataclass(frozen=True, slots=True)
class BuiltProfile:
    """What the device's browser downloads: signed, complete, for one attempt only."""

    content: bytes
    identifier: str
    content_type: str
    filename: str


class PlatformBackend(Protocol):
    """What a protocol must be able to do to enroll devices of its `platforms`."""

    platforms: tuple[str, ...]

    def not_ready_reason(self, tenant: Tenant) -> str | None:
        """Return why the organisation cannot enroll such devices yet, for the person to read."""

    def build_profile(
        self, *, session: EnrollmentSession, challenge: str, language: str
    ) -> BuiltProfile:
        """Make the signed profile. Raises rather than return one that is not signed."""


_backends: dict[str, PlatformBackend] = {}


def register(backend: PlatformBackend) -> None:
    """Let `backend` enroll devices of its platforms; called in `AppConfig.ready()`."""
    for platform in backend.platforms:
        _backends[platform] = backend


def backend_of(platform: str) -> PlatformBackend | None:
    return _backends.get(platform)


def offered() -> frozenset[str]:
    """Return the platforms that this server knows how to enroll."""
    return frozenset(_backends)
