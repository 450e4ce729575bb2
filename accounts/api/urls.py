"""Routes."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from accounts.api import views
from accounts.api.attributes import AttributeViewSet
from accounts.api.groups import UserGroupViewSet
from accounts.api.terms import TermsViewSet
from accounts.api.webhooks import WebhookViewSet

ONE = {"get": "retrieve", "patch": "partial_update"}
router = SimpleRouter(use_regex_path=False)
router.register("users", views.UserViewSet, basename="api-user")
router.register("roles", views.RoleViewSet, basename="api-role")
router.register("tokens", views.TokenViewSet, basename="api-token")
router.register("user-groups", UserGroupViewSet, basename="api-user-group")
router.register("attributes", AttributeViewSet, basename="api-attribute")
router.register("terms", TermsViewSet, basename="api-terms")
router.register("webhooks", WebhookViewSet, basename="api-webhook")
urlpatterns = [
    *router.urls,
    path("policy/", views.PolicyView.as_view(ONE), name="api-policy"),
    path("organisation/", views.OrganisationView.as_view(ONE), name="api-organisation"),
]
