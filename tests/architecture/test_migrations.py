from __future__ import annotations

import io

import pytest
from django.core.management import call_command


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say():
    output = io.StringIO()
    try:
        call_command("makemigrations", "--check", "--dry-run", stdout=output, verbosity=1)
    except SystemExit:
        pytest.fail(output.getvalue())


def test_the_system_checks_find_nothing():
    call_command("check", fail_level="WARNING")


def test_the_deployment_checks_find_nothing_on_a_public_server(settings, monkeypatch):
    # The browser tests set it, for the event loop that they keep on this thread.
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE", raising=False)
    settings.MUSTER_PUBLIC_URL = "https://mdm.example.com"
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SILENCED_SYSTEM_CHECKS = [
        # It counts characters; 32 random bytes in base64 are enough, and mdm.E001 checks that.
        "security.W009",
        # The proxy ends TLS and redirects; a redirect of ours would break the device endpoints.
        "security.W008",
        # HSTS for subdomains and browsers' preload lists is the organisation's own decision.
        "security.W005",
        "security.W021",
    ]
    call_command("check", deploy=True, fail_level="WARNING")
