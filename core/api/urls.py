"""Routes."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from core.api import log

router = SimpleRouter(use_regex_path=False)
router.register("history", log.HistoryViewSet, basename="api-history")
router.register("messages", log.MessageViewSet, basename="api-message")
urlpatterns = router.urls
