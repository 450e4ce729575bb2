"""Routes."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from enrollment.api import views
from enrollment.api.pins import UserPinView
from enrollment.api.reminders import ReminderChannelView, ReminderViewSet

router = SimpleRouter(use_regex_path=False)
router.register("invitations", views.InvitationViewSet, basename="api-invitation")
router.register("enrollments", views.EnrollmentViewSet, basename="api-enrollment")
router.register("reminders", ReminderViewSet, basename="api-reminder")
CHANNEL = {"put": "install", "delete": "remove"}
urlpatterns = [
    *router.urls,
    path(
        "users/<uuid:pk>/pin/",
        UserPinView.as_view({"get": "retrieve", "post": "create"}),
        name="api-user-pin",
    ),
    path(
        "reminder-channels/",
        ReminderChannelView.as_view({"get": "list"}),
        name="api-reminder-channels",
    ),
    path(
        "reminder-channels/<slug:purpose>/",
        ReminderChannelView.as_view(CHANNEL),
        name="api-reminder-channel",
    ),
    path(
        "reminder-channels/<slug:purpose>/test/",
        ReminderChannelView.as_view({"post": "test"}),
        name="api-reminder-channel-test",
    ),
]
