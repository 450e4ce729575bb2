"""Lets an API view declare the permission of each of its actions."""

from __future__ import annotations

from rest_framework.permissions import BasePermission


class HasDeclaredPermission(BasePermission):
    """A view names `permission`, or `permissions` by action; without one nobody passes."""

    def has_permission(self, request, view) -> bool:
        declared = getattr(view, "permissions", {})
        action = getattr(view, "action", None) or request.method.lower()
        name = declared.get(action) or getattr(view, "permission", None)
        return bool(name) and bool(request.user.is_authenticated) and request.user.has(name)
