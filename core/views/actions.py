"""What views share when they call a service: its refusals become errors of the form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.errors import DomainError


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
