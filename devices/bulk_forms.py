"""Forms of bulk orders and of wipe protection."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.views.actions import WordedForm
from devices.actions import Action
from devices.forms import MAX_REASON, ActionForm
from devices.models.governance import MAX_WIPE_LIMIT
from devices.services.operations import phrase


class ConfirmForm(WordedForm):
    """Beside the form of the action: how many were shown, and for destructive ones a phrase."""

    expected = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    confirmation = forms.CharField(
        label=_("Type the order"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any = None, *, action: Action, count: int) -> None:
        super().__init__(data, initial={"expected": count}, prefix="bulk")
        if not action.is_destructive:
            del self.fields["confirmation"]
            return
        self.fields["confirmation"].help_text = _("Exactly as here: %(name)s") % {
            "name": phrase(action, count)
        }


def values_of(form: ActionForm) -> dict[str, list[str]]:
    """Return what was filled in, to be kept and read again by the same form."""
    data: Any = form.data
    kept = {form.add_prefix(name): data.getlist(form.add_prefix(name)) for name in form.fields}
    return {name: values for name, values in kept.items() if values}


def shown_of(form: ActionForm) -> list[list[str]]:
    """Return the values that a page may show, by the names of their fields; no secrets."""
    shown = []
    for name, field in form.fields.items():
        value = form.cleaned_data.get(name)
        is_secret = getattr(field.widget, "input_type", "") == "password"
        if name != "reason" and not is_secret and value not in (None, "", [], False):
            shown.append([name, str(value)[:200]])
    return shown


class StopForm(WordedForm):
    reason = forms.CharField(
        label=_("Reason"), max_length=MAX_REASON, help_text=_("Kept in the history.")
    )


class LimitForm(WordedForm):
    wipe_limit = forms.IntegerField(
        label=_("Wipes under way at the same time"),
        min_value=1,
        max_value=MAX_WIPE_LIMIT,
        help_text=_("1 to 200. A lower number holds at once."),
        widget=forms.NumberInput(attrs={"min": 1, "max": MAX_WIPE_LIMIT}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON,
        required=False,
        help_text=_("Needed for a higher number. Kept in the history."),
    )
