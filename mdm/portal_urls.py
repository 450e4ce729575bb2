"""Routes of the portal. Pages that are composed of many apps have names without a namespace."""

from __future__ import annotations

from django.urls import include, path

from accounts.views import portal as accounts
from accounts.views import settings, terms, webhooks
from mdm.views import checks, device_page, history, home, mail, people, search, setup

urlpatterns = [
    path("", home.home, name="home"),
    path("search/", search.search, name="search"),
    path("language/", accounts.language_set, name="set-language"),
    path("", include("accounts.portal_urls")),
    path("", include("enrollment.portal_urls")),
    path("", include("enrollment.reminder_urls")),
    path("", include("mdm.group_urls")),
    path("devices/<uuid:pk>/", device_page.device_detail, name="device-detail"),
    path("users/", people.user_list, name="user-list"),
    path("users/<uuid:pk>/", people.user_detail, name="user-detail"),
    path("history/", history.history_list, name="history-list"),
    path("history/verify/", history.history_verify, name="history-verify"),
    path("history/<int:pk>/", history.history_detail, name="history-detail"),
    path("settings/", settings.settings_index, name="settings"),
    path("settings/organisation/", settings.organisation, name="settings-organisation"),
    path("settings/enrollment/", settings.policy, name="settings-policy"),
    path("settings/terms/", terms.terms_list, name="settings-terms"),
    path("settings/terms/new/", terms.terms_new, name="settings-terms-new"),
    path("settings/terms/<uuid:pk>/", terms.terms_detail, name="settings-terms-detail"),
    path("settings/terms/<uuid:pk>/retire/", terms.terms_retire, name="settings-terms-retire"),
    path("settings/terms/<uuid:pk>/delete/", terms.terms_delete, name="settings-terms-delete"),
    path("setup/", setup.setup_index, name="setup"),
    path("setup/<slug:key>/", setup.setup_step, name="setup-step"),
    path("setup/<slug:key>/skip/", setup.setup_skip, name="setup-skip"),
    path("settings/health/", checks.health, name="settings-health"),
    path("settings/history/", settings.retention, name="settings-history"),
    path("settings/mail/", mail.mail_page, name="settings-mail"),
    path("settings/mail/test/", mail.mail_test, name="settings-mail-test"),
    path("settings/mail/<uuid:pk>/retry/", mail.mail_retry, name="settings-mail-retry"),
    path("settings/mail/files/<str:name>/", mail.mail_file, name="settings-mail-file"),
    path("settings/webhooks/", webhooks.webhook_list, name="settings-webhooks"),
    path("settings/webhooks/new/", webhooks.webhook_new, name="settings-webhook-new"),
    path("settings/webhooks/<uuid:pk>/", webhooks.webhook_detail, name="settings-webhook"),
    path("settings/webhooks/<uuid:pk>/test/", webhooks.webhook_test, name="settings-webhook-test"),
    path(
        "settings/webhooks/<uuid:pk>/resume/",
        webhooks.webhook_resume,
        name="settings-webhook-resume",
    ),
    path(
        "settings/webhooks/<uuid:pk>/delete/",
        webhooks.webhook_delete,
        name="settings-webhook-delete",
    ),
    path("settings/tokens/", settings.token_list, name="settings-tokens"),
    path("settings/tokens/new/", settings.token_new, name="settings-token-new"),
    path("settings/tokens/<uuid:pk>/revoke/", settings.token_revoke, name="settings-token-revoke"),
]
