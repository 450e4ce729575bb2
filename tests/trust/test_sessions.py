"""Sessions and forms: nobody borrows them, nobody plants them, nobody reuses them elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from django.conf import settings as django_settings
from django.test import Client

from accounts.models import UserSession as Session
from core.models import HistoryEntry, OutboxMessage
from tests import factories, lanes
from tests.architecture.objects import World, values_of
from tests.architecture.routes import Route, routes
from tests.factories import PASSWORD
from tests.portal import confirm

pytestmark = pytest.mark.django_db
BACKEND = "accounts.backends.PortalBackend"


def form_routes() -> list[Route]:
    """Every route that a browser with cookies could be made to call."""
    # What takes no cookie (devices, tokens of programs and of client apps) can borrow none.
    elsewhere = ("mdm/", "api/", "client/", "healthz", "readyz", "metrics")
    return [route for route in routes() if not route.pattern.startswith(elsewhere)]


@pytest.fixture
def world(tenant):
    return World(tenant)


def browser(user, settings) -> Client:
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(user, backend=BACKEND)
    confirm(client)
    return client


def token_of(client: Client) -> str:
    page = client.get("/users/new/").content.decode()
    return page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]


def written() -> tuple[int, int]:
    return HistoryEntry.objects.count(), OutboxMessage.objects.count()


EVERY_METHOD = ("POST", "PUT", "PATCH", "DELETE")
ATTACKS = {
    "without a token": ({}, "form", {}),
    "an invented token": ({"csrfmiddlewaretoken": "x" * 64}, "form", {}),
    "the token of another session": ({"csrfmiddlewaretoken": "theirs"}, "form", {}),
    "as plain text": ({"csrfmiddlewaretoken": "ours"}, "text/plain", {}),
    "as JSON": ({"csrfmiddlewaretoken": "ours"}, "application/json", {}),
    "from another origin": (
        {"csrfmiddlewaretoken": "ours"}, "form", {"Origin": "https://evil.test"},
    ),
    "from no origin": ({"csrfmiddlewaretoken": "ours"}, "form", {"Origin": "null"}),
    "from another site": (
        {"csrfmiddlewaretoken": "ours"}, "form", {"Sec-Fetch-Site": "cross-site"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_form_is_taken_from_elsewhere(world, settings, attack, stranger):
    fields, kind, headers = ATTACKS[attack]
    client = browser(world.owner, settings)
    tokens = {"ours": token_of(client), "theirs": token_of(browser(stranger, settings))}
    sent = {name: tokens.get(value, value) for name, value in fields.items()}
    body = "&".join(f"{name}={value}" for name, value in sent.items())
    content_type = "application/x-www-form-urlencoded" if kind == "form" else kind
    before, taken = written(), []
    for route in form_routes():
        values = values_of(route.pattern, world) if route.parameters else {}
        for method in (
            ("POST", "PUT", "PATCH", "DELETE") if attack == "without a token" else ["POST"]
        ):
            answer = client.generic(
                method, route.path(**values or {}), body, content_type=content_type, headers=headers
            )
            if answer.status_code not in (403, 404, 405):
                taken.append(f"{method} {route.pattern}: {answer.status_code}")
    assert not taken, "\n".join(taken)
    assert written() == before


def test_the_right_form_is_taken(world, settings):
    """Without this the test above would prove nothing."""
    client = browser(world.owner, settings)
    fields = {"csrfmiddlewaretoken": token_of(client), "first_name": "Grace"}
    answer = client.post(
        f"/users/{world.person.pk}/edit/",
        fields,
        headers={"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 302
    world.person.refresh_from_db()
    assert world.person.first_name == "Grace"


def test_looking_changes_nothing(world, settings):
    client, before = browser(world.owner, settings), written()
    for route in form_routes():
        values = values_of(route.pattern, world) if route.parameters else {}
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = client.generic(method, route.path(**values or {}) + "?confirm=1&step=start")
            assert answer.status_code < 500, route.pattern
    assert client.get("/").status_code == 200
    assert written() == before


def test_only_the_bearer_of_a_token_changes_anything_by_the_api(world, settings):
    """Calls of the API need no form token, because a cookie is no credential there."""
    client, before = browser(world.owner, settings), written()
    for route in routes():
        if not route.pattern.startswith("api/v1/"):
            continue
        path = route.path(**(values_of(route.pattern, world) or {}) if route.parameters else {})
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = client.generic(method, path, "{}", content_type="application/json")
            assert answer.status_code in (401, 405), f"{method} {path}"
    assert written() == before


# Cookies


def cookies_of(owner, settings) -> dict[str, object]:
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    client = Client()
    client.get("/sign-in/")
    client.post("/sign-in/", {"login": owner.email, "password": PASSWORD})
    client.post("/language/", {"language": "fr"})
    return dict(client.cookies)


def test_no_cookie_is_open_to_scripts_or_other_sites(owner, settings):
    cookies = cookies_of(owner, settings)
    assert {"muster-admin", "muster-known", "muster-language"} <= set(cookies)
    for name, cookie in cookies.items():
        assert cookie["httponly"], name
        assert cookie["samesite"] in ("Lax", "Strict"), name
        assert cookie["domain"] == "", name
        assert cookie["path"] == "/", name
        assert not cookie["secure"], f"{name} would be lost on plain http of this machine"


def test_on_https_cookies_are_bound_to_the_host(tmp_path):
    code = (
        "import json; from django.conf import settings as s; print(json.dumps({n: getattr(s, n) for"
        " n in dir(s) if 'COOKIE' in n and ('NAME' in n or 'SECURE' in n)}))"
    )
    environment = {
        "DJANGO_SETTINGS_MODULE": "mdm.settings",
        "MUSTER_PUBLIC_URL": "https://mdm.example.org",
        "MUSTER_DATA_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment, cwd=lanes.ROOT, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    names = ("SESSION", "CSRF", "ME", "ME_CSRF", "GO", "KNOWN")
    for name in names:
        assert found[f"{name}_COOKIE_NAME"].startswith("__Host-muster-"), name
    for name in ("SESSION", "CSRF", "LANGUAGE"):
        assert found[f"{name}_COOKIE_SECURE"] is True, name
    assert len({found[f"{name}_COOKIE_NAME"] for name in names}) == len(names)


def test_a_cookie_is_worthless_on_the_other_pages(owner, person, settings, tenant):
    from enrollment.models import EnrollmentSession
    from enrollment.services import invitations, registration

    portal = browser(owner, settings)
    admin_cookie = portal.cookies[django_settings.SESSION_COOKIE_NAME].value
    invitation = invitations.invite_user(user=owner, actor=owner.actor)
    entered = registration.begin(
        invitation=invitation, browser=registration.Browser("203.0.113.9", "iphone")
    )
    go, swapped = django_settings.GO_COOKIE_NAME, Client(raise_request_exception=False)
    swapped.cookies[go] = admin_cookie
    swapped.cookies[django_settings.SESSION_COOKIE_NAME] = entered.cookie
    assert swapped.get("/devices/").status_code == 302
    assert swapped.get("/go/status").status_code == 404
    portal.cookies[go] = "nothing"
    assert portal.get("/go/status").status_code == 404
    right = Client()
    right.cookies[go] = entered.cookie
    assert right.get("/go/status").status_code == 200
    assert right.get("/devices/").status_code == 302
    assert EnrollmentSession.objects.get().user == owner


# Sessions


def test_a_planted_session_is_not_the_one_that_signs_in(owner, settings):
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    thief = Client()
    thief.get("/sign-in/")
    session = thief.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    victim = Client()
    victim.cookies[django_settings.SESSION_COOKIE_NAME] = planted
    victim.post("/sign-in/", {"login": owner.email, "password": PASSWORD})
    fresh = victim.cookies[django_settings.SESSION_COOKIE_NAME].value
    assert fresh != planted
    assert not Session.objects.filter(session_key=planted).exists()
    thief.cookies[django_settings.SESSION_COOKIE_NAME] = planted
    assert thief.get("/devices/").status_code == 302
    assert victim.get("/devices/").status_code == 200


def test_confirming_the_password_changes_the_session(owner, settings):
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    client = Client()
    client.post("/sign-in/", {"login": owner.email, "password": PASSWORD})
    make_old(client)
    before = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    answer = client.post("/account/confirm/?next=/settings/tokens/new/", {"password": PASSWORD})
    assert answer.status_code == 302
    after = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    assert after != before
    assert not Session.objects.filter(session_key=before).exists()
    assert client.get("/settings/tokens/new/").status_code == 200


def test_signing_out_ends_the_session(owner, settings):
    client = browser(owner, settings)
    key = client.session.session_key
    client.post("/sign-out/", {"csrfmiddlewaretoken": token_of(client)})
    assert not Session.objects.filter(session_key=key).exists()


def test_a_new_password_ends_the_other_sessions(owner, settings):
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    here, elsewhere = browser(owner, settings), browser(owner, settings)
    new = "another four unrelated words"
    fields = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    fields["csrfmiddlewaretoken"] = token_of(here)
    assert here.post("/account/password/", fields).status_code == 302
    assert elsewhere.get("/devices/").status_code == 302


def make_old(client: Client) -> None:
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 301}]
    session.save()


STEP_UP = [
    ("devices:device-wipe", {"confirmation": "any", "reason": "lost"}),
    ("devices:pin-reveal", {}),
    ("accounts:user-roles", {"roles": []}),
    ("settings-token-new", {"name": "thief", "scopes": ["devices.view"], "days": "30"}),
    ("mfa_activate_totp", {"code": "123456"}),
    ("mfa_generate_recovery_codes", {}),
]


@pytest.mark.parametrize(("name", "fields"), STEP_UP, ids=[name for name, _ in STEP_UP])
def test_what_does_harm_takes_a_recent_sign_in(world, signed_in, name, fields):
    [route] = [one for one in routes() if one.name == name and not one.pattern.startswith("me/")]
    client = signed_in(world.owner)
    make_old(client)
    before = written()
    data = dict(fields)
    path = route.path(**(values_of(route.pattern, world) or {}) if route.parameters else {})
    for answer in (client.get(path), client.post(path, data)):
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/account/confirm/")
    assert written() == before
    confirm(client)
    assert client.get(path).status_code in (200, 302)


def test_removing_the_second_factor_takes_a_recent_sign_in(owner, signed_in):
    from allauth.mfa.models import Authenticator
    from allauth.mfa.totp.internal import auth as totp

    client = signed_in(owner)
    totp.TOTP.activate(owner, totp.generate_totp_secret())
    make_old(client)
    for path in ("/account/second-factor/app/off/", "/account/second-factor/codes/new/"):
        answer = client.post(path)
        assert answer.headers["Location"].startswith("/account/confirm/")
    assert Authenticator.objects.filter(user=owner).exists()


# Headers

# The same for everybody, like a static file; it must be served from where it is to act.
PUBLIC_FILES = {"go/push-worker.js"}


def test_every_page_forbids_frames_scripts_and_caches(world, signed_in):
    client = signed_in(world.owner)
    confirm(client)
    for route in form_routes():
        values = values_of(route.pattern, world) if route.parameters else {}
        for visitor in (client, Client(raise_request_exception=False)):
            answer = visitor.get(route.path(**values or {}))
            policy = answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in policy, route.pattern
            assert "default-src 'self'" in policy, route.pattern
            assert "unsafe" not in policy, route.pattern
            assert answer.headers["X-Frame-Options"] == "DENY", route.pattern
            assert answer.headers["X-Content-Type-Options"] == "nosniff", route.pattern
            if route.pattern not in PUBLIC_FILES:
                assert {"private", "no-store"} <= cache_rules(answer), route.pattern
            assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", route.pattern
            assert "Access-Control-Allow-Origin" not in answer.headers, route.pattern


def cache_rules(answer) -> set[str]:
    return set(answer.headers["Cache-Control"].replace(" ", "").split(","))


def test_somebody_else_signed_in_sees_none_of_it(world, settings):
    """The same address as one person and then as another: nothing is kept in between."""
    first = browser(world.owner, settings).get("/devices/")
    stranger = factories.user(factories.tenant(), "owner")
    second = browser(stranger, settings).get("/devices/")
    assert world.device.serial in first.content.decode()
    assert world.device.serial not in second.content.decode()
    assert "Cookie" in first.headers["Vary"]
