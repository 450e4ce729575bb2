"""Keeps sessions in the database together with whose they are and what they are good for."""

from __future__ import annotations

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from accounts.models.session import SessionAudience, UserSession

# What the session middleware writes into a session about where it is used from.
AUDIENCE, IP, USER_AGENT = "_audience", "_ip", "_user_agent"


class SessionStore(DatabaseStore):
    """Django's database sessions with columns of our own."""

    @classmethod
    def get_model_class(cls):
        return UserSession

    def create_model_instance(self, data) -> UserSession:
        row = super().create_model_instance(data)
        row.user_id = data.get("_auth_user_id")
        row.audience = data.get(AUDIENCE, SessionAudience.PORTAL)
        row.ip = str(data.get(IP, ""))[:45]
        row.user_agent = str(data.get(USER_AGENT, ""))[:300]
        return row
