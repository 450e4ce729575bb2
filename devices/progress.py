"""How far a bulk order is, as its page tells it."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import Principal
from core.errors import DomainError
from devices import actions
from devices.actions import Action
from devices.errors import NotSupported
from devices.models import Hold, HoldState, Operation, OperationState, OperationTarget, TargetState
from devices.services import operation_rows, operations, requesters, safeguards
from devices.states import OPEN_COMMANDS, CommandStatus


class Progress:
    """Reads what changes while somebody looks: the order's row, and one count of the answers."""

    def __init__(self, operation: Operation, principal: Principal) -> None:
        self.operation, self.principal = operation, principal
        self.answers = self._answers()
        self.is_frozen = (
            operation.is_open
            and operation.action in operations.FREEZES
            and safeguards.of(operation.tenant_id).is_frozen
        )

    def _answers(self) -> list[tuple[str, int]]:
        rows = self.operation.targets.filter(command__isnull=False, state=TargetState.DONE)
        counted = rows.values_list("command__status").annotate(number=Count("pk"))
        return sorted((status, number) for status, number in counted.order_by())

    @property
    def action(self) -> Action | None:
        try:
            return actions.find(self.operation.action)
        except NotSupported:
            return None

    @property
    def title(self) -> str:
        label = actions.label_of(self.operation.action)
        count = self.operation.total
        words = ngettext("%(action)s, %(count)d device", "%(action)s, %(count)d devices", count)
        return words % {"action": label, "count": count}

    @property
    def parameters(self) -> list[tuple[str, str]]:
        fields = self.action.form_class.base_fields if self.action else {}
        return [
            (str(fields[name].label if name in fields else name), _shown(text))
            for name, text in self.operation.shown
        ]

    @property
    def segments(self) -> list[tuple[int, str]]:
        row = self.operation
        return [
            (row.done_count, "good"),
            (row.failed_count, "danger"),
            (row.skipped_count, "attention"),
            (row.cancelled_count, "neutral"),
        ]

    @property
    def refused_count(self) -> int:
        bad = (CommandStatus.ERROR, CommandStatus.EXPIRED)
        return sum(number for status, number in self.answers if status in bad)

    @property
    def failure_count(self) -> int:
        """Return what can be tried again: refused here, refused or ignored by the device."""
        return self.operation.failed_count + self.refused_count

    @property
    def has_waiting(self) -> bool:
        waiting = OPEN_COMMANDS - {CommandStatus.SENT}
        return any(number for status, number in self.answers if status in waiting)

    @property
    def is_live(self) -> bool:
        """Say whether the page may still change by itself."""
        return self.operation.is_open or any(status in OPEN_COMMANDS for status, _n in self.answers)

    @property
    def is_cancellable(self) -> bool:
        try:
            operations.check_may_cancel(self.operation, self.principal)
        except DomainError:
            return False
        state = self.operation.state
        running = state in (OperationState.HELD, OperationState.RUNNING)
        return running or (state == OperationState.DONE and self.has_waiting)

    @property
    def may_retry(self) -> bool:
        is_over = self.operation.state in (OperationState.DONE, OperationState.CANCELLED)
        may = self.action is not None and self.principal.has(self.action.permission)
        return is_over and may and self.failure_count > 0

    @property
    def hold(self) -> Hold | None:
        return getattr(self.operation, "hold", None)

    @property
    def is_waiting(self) -> bool:
        return self.hold is not None and self.hold.state == HoldState.WAITING

    @property
    def approvers(self) -> list[Any]:
        if not self.is_waiting:
            return []
        return requesters.approvers(self.operation.tenant_id, requester=self.operation.requester)

    @property
    def digest(self) -> str:
        row, hold = self.operation, self.hold
        facts = [row.state, row.pending_count, row.done_count, row.failed_count, row.skipped_count]
        facts += [row.cancelled_count, self.answers, self.is_frozen, hold and hold.state]
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]

    @staticmethod
    def explain(target: OperationTarget) -> str:
        """Return why it failed or was left out for a device, in words; reads `command`."""
        if target.reason_code:
            return operation_rows.reason_words(target.reason_code, target.reason)
        command = target.command
        if command is None or target.state != TargetState.DONE:
            return ""
        if command.status == CommandStatus.ERROR:
            told = [str(error.get("description", "")) for error in command.error[:2] if error]
            return _("The device refused: %(reason)s") % {
                "reason": " – ".join(filter(None, told)) or _("no explanation")
            }
        if command.status == CommandStatus.EXPIRED:
            return str(CommandStatus(command.status).label)
        return ""


def _shown(text: str) -> str:
    return _("yes") if text == "True" else text
