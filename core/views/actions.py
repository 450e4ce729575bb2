"""What views share when they call a service: its refusals become errors of the form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from core.errors import DomainError


class WordedForm(forms.Form):
    """Names the field in its "missing" error, which is read apart from it in the summary."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_missing_fields(self)


class WordedModelForm(forms.ModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_missing_fields(self)


def name_missing_fields(form: forms.BaseForm) -> None:
    for field in form.fields.values():
        if field.error_messages.get("required") == forms.Field.default_error_messages["required"]:
            words = _("Fill in “%(label)s”.") % {"label": field.label}
            field.error_messages["required"] = words


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what a form is bound to: an empty form that was sent is bound too."""
    return request.POST if request.method == "POST" else None


def attempt(form: forms.Form, service: Callable[..., Any], /, **arguments: Any) -> bool:
    """Call the service; a refusal is shown at its field, or above the form."""
    try:
        service(**arguments)
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error.message))
    except ValidationError as error:
        form.add_error(None, error)
    else:
        return True
    return False
