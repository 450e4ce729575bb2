"""Keeps sessions in the database together with whose they are and what they are good for."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from accounts.models.session import SessionAudience, UserSession
from core import clock

SEEN_EVERY = dt.timedelta(minutes=1)


class SessionStore(DatabaseStore):
    """Django's database sessions with columns of our own.

    A session of another audience is none at all, whoever presents its key. However often it is
    used, it ends `SESSION_COOKIE_AGE` after the sign-in.
    """

    def __init__(
        self,
        session_key: str | None = None,
        *,
        audience: str = SessionAudience.PORTAL,
        ip: str = "",
        user_agent: str = "",
    ) -> None:
        super().__init__(session_key)
        self.audience, self.ip, self.user_agent = audience, ip[:45], user_agent[:300]
        self.row: UserSession | None = None

    @classmethod
    def get_model_class(cls):
        return UserSession

    def _get_session_from_db(self) -> UserSession | None:
        row = super()._get_session_from_db()
        if row is not None and row.audience != self.audience:
            self._session_key, row = None, None
        self.row = row
        return row

    def create_model_instance(self, data) -> UserSession:
        row = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        row.audience, row.ip, row.user_agent = self.audience, self.ip, self.user_agent
        if self.row is not None and str(self.row.user_id) == str(row.user_id):
            row.created_at = self.row.created_at
        ends_at = row.created_at + dt.timedelta(seconds=settings.SESSION_COOKIE_AGE)
        row.expire_date = min(row.expire_date, ends_at)
        self.row = row
        return row

    def cycle_key(self) -> None:
        """Take a new key; when the person signed in stays what it was."""
        self._get_session()
        before = self.row
        super().cycle_key()
        self.row = before

    def touch(self) -> None:
        """Note that the session is in use, at most once a minute."""
        row, now = self.row, clock.now()
        if row is None or row.user_id is None or row.last_seen_at > now - SEEN_EVERY:
            return
        row.last_seen_at = now
        UserSession.objects.filter(pk=self.session_key).update(
            last_seen_at=now, ip=self.ip, user_agent=self.user_agent
        )
