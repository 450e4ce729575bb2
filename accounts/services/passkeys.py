"""What the history keeps of passkeys; the keys themselves are kept by django-allauth."""

from __future__ import annotations

from accounts.models import User
from core import history
from core.actors import Actor

MAX_NAME = 60


def note_added(*, user: User, name: str, actor: Actor) -> None:
    """Write that a passkey was added, by the name that the person gave it."""
    history.record(user, "accounts.passkey.added", actor=actor, data={"name": name[:MAX_NAME]})


def note_removed(*, user: User, name: str, actor: Actor) -> None:
    """Write that a passkey was removed."""
    history.record(user, "accounts.passkey.removed", actor=actor, data={"name": name[:MAX_NAME]})
