"""Models of the ground floor."""

from core.models.calls import AnsweredCall
from core.models.history import HistoryEntry
from core.models.keys import KeyPurpose, StoredKey
from core.models.limits import NamedLease, RateBucket
from core.models.onetime import OneTimeSecret
from core.models.outbox import OutboxMessage, OutboxStatus
from core.models.tenant import Tenant
from core.models.webhook import Webhook

__all__ = [
    "AnsweredCall",
    "HistoryEntry",
    "KeyPurpose",
    "NamedLease",
    "OneTimeSecret",
    "OutboxMessage",
    "OutboxStatus",
    "RateBucket",
    "StoredKey",
    "Tenant",
    "Webhook",
]
