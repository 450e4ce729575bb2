"""Routes."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from enrollment.api import views

router = SimpleRouter(use_regex_path=False)
router.register("invitations", views.InvitationViewSet, basename="api-invitation")
router.register("enrollments", views.EnrollmentViewSet, basename="api-enrollment")
urlpatterns = router.urls
