"""Forms of custom attributes: their definitions, and their values on one device or person."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import AttributeDefinition, AttributeKind
from accounts.models.attribute import KEY
from accounts.services.attributes import MAX_TEXT
from core.views.actions import WordedForm, WordedModelForm

YES_NO = [("", _("Not set")), ("true", _("Yes")), ("false", _("No"))]


class AttributeEditForm(WordedModelForm):
    class Meta:
        model = AttributeDefinition
        fields: ClassVar = ["label", "description"]
        help_texts: ClassVar = {"label": _("What people read.")}


class AttributeForm(AttributeEditForm):
    key = forms.CharField(
        label=_("Key"),
        max_length=40,
        validators=[KEY],
        help_text=_("For rules, variables and programs, such as cost_centre. It never changes."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )

    class Meta(AttributeEditForm.Meta):
        fields: ClassVar = ["owner_kind", "label", "key", "kind", "description"]


class ValuesForm(WordedForm):
    """One field per attribute, named ``attr.<key>`` as in the errors of the service."""

    def __init__(self, *args: Any, definitions: list[Any], found: dict[str, Any], **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.definitions = definitions
        for one in definitions:
            field = self._field(one)
            field.initial = _shown(found.get(one.key))
            self.fields[f"attr.{one.key}"] = field

    @staticmethod
    def _field(one: AttributeDefinition) -> forms.Field:
        common = {"label": one.label, "help_text": one.description, "required": False}
        if one.kind == AttributeKind.BOOLEAN:
            return forms.ChoiceField(choices=YES_NO, **common)
        widgets = {
            AttributeKind.DATE: forms.TextInput(attrs={"type": "date"}),
            AttributeKind.NUMBER: forms.TextInput(attrs={"inputmode": "decimal"}),
        }
        longest = MAX_TEXT if one.kind == AttributeKind.TEXT else 40
        widget = widgets.get(AttributeKind(one.kind), forms.TextInput())
        return forms.CharField(max_length=longest, widget=widget, **common)

    @property
    def values(self) -> dict[str, str]:
        return {one.key: self.cleaned_data[f"attr.{one.key}"] for one in self.definitions}


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
