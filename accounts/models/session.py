"""Sign-in sessions that know whose they are, so that people can see and end them."""

from __future__ import annotations

from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models

from core import clock


class SessionAudience(models.TextChoices):
    PORTAL = "portal", "portal"
    SELF_SERVICE = "me", "me"


class UserSession(AbstractBaseSession):
    """A session of one audience: a cookie of the self-service portal opens nothing of the
    administrators', and the other way round."""

    user = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.CASCADE, related_name="sessions"
    )
    audience = models.CharField(
        max_length=8, choices=SessionAudience.choices, default=SessionAudience.PORTAL
    )
    ip = models.CharField(max_length=45, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    last_seen_at = models.DateTimeField(default=clock.now)

    objects = BaseSessionManager()

    @classmethod
    def get_session_store_class(cls):
        from accounts.session_store import SessionStore

        return SessionStore
