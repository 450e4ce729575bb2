"""Serializers that say so when a call names something that it may not set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers


class _Strict:
    """Refuses unknown and read-only fields in place of dropping them silently."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            writable = {name for name, field in self.fields.items() if not field.read_only}
            surplus = {
                str(name)[:80]: [_("This field cannot be set.")]
                for name in list(data)[:50]
                if name not in writable
            }
            if surplus:
                raise serializers.ValidationError(surplus)
        return super().to_internal_value(data)


class StrictSerializer(_Strict, serializers.Serializer): ...


class StrictModelSerializer(_Strict, serializers.ModelSerializer): ...
