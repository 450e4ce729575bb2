"""When beat rings for each sweep; a sweep finds its own work: a lost ring costs only time."""

from __future__ import annotations

from typing import Any

# Task name -> seconds between two runs.
SWEEPS: dict[str, int] = {
    "core.tasks.sweep_outbox": 15,
    "core.tasks.seal_history": 30,
    "core.tasks.sweep_webhooks": 15,
    "core.tasks.forget_old": 6 * 3600,
    "core.tasks.prune_history": 3600,
    "accounts.tasks.forget_sessions": 6 * 3600,
    "accounts.tasks.sweep_groups": 15,
    "accounts.tasks.warn_of_key_expiry": 6 * 3600,
    "apple.tasks.sweep_pushes": 15,
    "apple.tasks.sweep_inventory": 300,
    "apple.tasks.wake_silent": 1800,
    "apple.tasks.warn_of_push_expiry": 6 * 3600,
    "devices.tasks.sweep_cleanups": 300,
    "devices.tasks.sweep_command_deadlines": 30,
    "devices.tasks.sweep_unfinished": 60,
    "devices.tasks.sweep_operations": 15,
    "devices.tasks.settle_holds": 30,
    "enrollment.tasks.sweep_expiries": 15,
    "enrollment.tasks.sweep_reminders": 60,
}


def beat_schedule() -> dict[str, dict[str, Any]]:
    """Return the entries for Celery; a ring that nobody heard in time is thrown away."""
    return {
        task: {"task": task, "schedule": seconds, "options": {"expires": max(seconds, 15)}}
        for task, seconds in SWEEPS.items()
    }
