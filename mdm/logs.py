"""Logs as lines of JSON, without the one-time links and query strings that pass by."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

import structlog

# What follows these prefixes opens something: an invitation, a profile, a password.
_LINKS = re.compile(r"(/(?:go|enroll|account/password/reset)/)[^\s\"'?#,)]+", re.IGNORECASE)
_QUERY = re.compile(r"\?\S*")


def hide_secrets(
    logger: object, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Cut links and query strings out of every text of a log line; a structlog processor."""
    for name, value in event.items():
        if isinstance(value, str) and not name.startswith("_"):
            event[name] = _LINKS.sub(r"\1…", value)
    request = event.get("request")
    if isinstance(request, str):
        event["request"] = _QUERY.sub("", request)
    return event


def configured(level: str) -> dict[str, Any]:
    """Set structlog up, and return what LOGGING says of all other loggers."""
    origin = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *origin,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    written = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        hide_secrets,
        structlog.processors.JSONRenderer(),
    ]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": written,
        "foreign_pre_chain": origin,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["console"], "level": level},
        # It only says once more, and without the request's id, what is logged anyway.
        "loggers": {"django.request": {"level": "CRITICAL"}},
    }
