"""Forms for credentials of push services; a file is read and never shown again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.views.actions import WordedForm
from enrollment.services.push_keys import MAX_FILE


class _FileForm(WordedForm):
    """`arguments` are those of the service."""

    lead: Any = ""
    file = forms.FileField(label=gettext_lazy("Key file"))

    def clean_file(self) -> bytes:
        file = self.cleaned_data["file"]
        if file.size > MAX_FILE:
            raise forms.ValidationError(_("The file is too large to be a key."))
        return file.read(MAX_FILE + 1)

    @property
    def arguments(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        return {"content": data.pop("file"), **data}


class AppleKeyForm(_FileForm):
    lead = gettext_lazy(
        "For an app of your own on iPhones and iPads. The key comes from developer.apple.com, "
        "“Keys”, with “Apple Push Notifications service” ticked."
    )
    file = forms.FileField(
        label=gettext_lazy("Key file"),
        help_text=gettext_lazy("The .p8 file, which Apple lets you download once."),
        widget=forms.FileInput(attrs={"accept": ".p8"}),
    )
    key_id = forms.CharField(
        label=gettext_lazy("Key ID"),
        max_length=20,
        help_text=gettext_lazy("Ten characters, beside the key in Apple's list."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    team_id = forms.CharField(
        label=gettext_lazy("Team ID"),
        max_length=20,
        help_text=gettext_lazy("Ten characters, under “Membership details”."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    topic = forms.CharField(
        label=gettext_lazy("Bundle identifier of the app"),
        max_length=155,
        help_text=gettext_lazy("For example com.example.registration."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class ServiceAccountForm(_FileForm):
    lead = gettext_lazy(
        "For an app of your own on Android phones. The file comes from the Firebase console, "
        "project settings, “Service accounts”, “Generate new private key”."
    )
    file = forms.FileField(
        label=gettext_lazy("Service account"),
        help_text=gettext_lazy("The .json file. Only what pushing needs is kept of it."),
        widget=forms.FileInput(attrs={"accept": ".json"}),
    )
