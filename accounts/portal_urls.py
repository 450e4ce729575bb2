"""Routes of the portal about people."""

from __future__ import annotations

from django.urls import path

from accounts.views import portal

app_name = "accounts"
urlpatterns = [
    path("users/<uuid:pk>/edit/", portal.user_edit, name="user-edit"),
    path("users/<uuid:pk>/roles/", portal.user_roles, name="user-roles"),
    path("users/<uuid:pk>/disable/", portal.user_disable, name="user-disable"),
    path("users/<uuid:pk>/enable/", portal.user_enable, name="user-enable"),
]
