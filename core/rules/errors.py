"""What is wrong with a rule, condition by condition."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from core.errors import DomainError


class RuleInvalid(DomainError):
    """`errors` tells by path (``0.2`` is the third condition of the first branch) what is wrong."""

    code = "rule_invalid"
    message = gettext_lazy("The rule has conditions that cannot be used.")

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        path, reason = next(iter(errors.items()))
        super().__init__(f"{path}: {reason}" if path else reason, field="rule")
