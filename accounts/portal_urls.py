"""Routes of the portal about people."""

from __future__ import annotations

from django.urls import path

from accounts.views import portal, saved

app_name = "accounts"
urlpatterns = [
    path("views/new/", saved.view_new, name="view-new"),
    path("views/<uuid:pk>/default/", saved.view_default, name="view-default"),
    path("views/<uuid:pk>/delete/", saved.view_delete, name="view-delete"),
    path("users/<uuid:pk>/edit/", portal.user_edit, name="user-edit"),
    path("users/<uuid:pk>/roles/", portal.user_roles, name="user-roles"),
    path("users/<uuid:pk>/disable/", portal.user_disable, name="user-disable"),
    path("users/<uuid:pk>/enable/", portal.user_enable, name="user-enable"),
]
