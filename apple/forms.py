"""Forms of the push certificate page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apple.protocol.push_certificate import MAX_FILE
from core.views.actions import WordedForm


class PushCertificateForm(WordedForm):
    """The certificate as a file or as text, and what confirms another topic, asked for only then.

    `content` of the cleaned data holds the bytes of whichever was given.
    """

    certificate = forms.FileField(
        label=gettext_lazy("Certificate file"),
        required=False,
        help_text=gettext_lazy("The .pem file that Apple's portal lets you download."),
        widget=forms.ClearableFileInput(attrs={"accept": ".pem,.cer,.crt"}),
    )
    text = forms.CharField(
        label=gettext_lazy("Or its text"),
        required=False,
        max_length=MAX_FILE,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("Begins with -----BEGIN CERTIFICATE-----"),
    )
    confirmation = forms.CharField(
        label=gettext_lazy("Name of the organisation"),
        required=False,
        max_length=200,
        help_text=gettext_lazy(
            "Only to install a certificate of another topic while devices are enrolled."
        ),
        widget=forms.HiddenInput,
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        file, text = cleaned.get("certificate"), cleaned.get("text", "")
        if file is not None and file.size > MAX_FILE:
            self.add_error("certificate", _("The file is too large to be a certificate."))
        elif file is not None:
            cleaned["content"] = file.read(MAX_FILE + 1)
        elif text.strip():
            cleaned["content"] = text.strip().encode()
        elif not self.errors:
            self.add_error("certificate", _("Choose the certificate file, or paste its text."))
        return cleaned

    def ask_for_confirmation(self) -> None:
        """Show the field for the name, and carry the certificate over to the next try as text: a
        browser forgets the chosen file."""
        self.fields["confirmation"].widget = forms.TextInput(attrs={"autocomplete": "off"})
        content = self.cleaned_data.get("content", b"")
        if content.isascii() and b"-----BEGIN" in content:
            self.data = self.data.copy()
            self.data["text"] = content.decode()
