"""S-68: many guesses are stopped, and the person who is guessed at is not locked out by them."""

from __future__ import annotations

import pytest
from django.conf import settings as configured
from django.core import signing
from django.test import Client

from accounts import known_devices
from enrollment.models import EnrollmentSession
from tests import factories
from tests.enrollment.conftest import IPHONE, Pages, platform, quick_pins
from tests.factories import PASSWORD
from tests.portal import me

pytestmark = pytest.mark.django_db
__all__ = ["platform", "quick_pins"]


@pytest.fixture
def victim(tenant, settings, platform):
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    return factories.user(tenant, "helpdesk", email="vera.victim@acme.test")


def by_portal(client: Client, email: str, password: str) -> bool:
    client.post("/sign-in/", {"login": email, "password": password})
    return client.get("/devices/").status_code == 200


def by_own_devices(client: Client, email: str, password: str) -> bool:
    client.post(me("account_login"), {"login": email, "password": password})
    return client.get("/me/").status_code == 200


def by_registration(client: Client, email: str, password: str) -> bool:
    before = EnrollmentSession.objects.count()
    body = {"step": "sign-in", "email": email, "password": password}
    client.post("/go", body, headers={"User-Agent": IPHONE})
    return EnrollmentSession.objects.count() > before


WAYS = (by_portal, by_own_devices, by_registration)


def browser(ip: str = "203.0.113.9") -> Client:
    return Client(REMOTE_ADDR=ip)


def leave(client: Client) -> Client:
    """Sign out, as by closing the browser: what it is known for stays."""
    for name in (configured.SESSION_COOKIE_NAME, configured.ME_COOKIE_NAME):
        client.cookies.pop(name, None)
    client.cookies.pop(configured.GO_COOKIE_NAME, None)
    return client


def attack(way, email: str, times: int = 15) -> list[bool]:
    """Guess from a different network each time."""
    return [way(browser(f"198.51.{n}.7"), email, f"guess {n}") for n in range(times)]


@pytest.mark.parametrize("way", WAYS)
def test_many_guesses_lock_strangers_out_and_not_a_known_browser(victim, way):
    home = browser()
    assert way(home, victim.email, PASSWORD)
    leave(home)
    assert not any(attack(way, victim.email))
    assert not way(browser("192.0.2.1"), victim.email, PASSWORD), "locked for strangers"
    assert way(home, victim.email, PASSWORD), "and not at home"


@pytest.mark.parametrize("way", WAYS)
def test_a_browser_known_from_one_way_is_known_on_the_others(victim, way):
    home = browser()
    assert by_own_devices(home, victim.email, PASSWORD)
    leave(home)
    attack(way, victim.email)
    assert way(home, victim.email, PASSWORD)


@pytest.mark.parametrize("way", WAYS)
def test_a_known_browser_has_five_tries_of_its_own(victim, way):
    home = browser()
    assert way(home, victim.email, PASSWORD)
    leave(home)
    for number in range(5):
        assert not way(home, victim.email, f"wrong {number}")
    assert not way(home, victim.email, PASSWORD)
    assert way(browser("192.0.2.1"), victim.email, PASSWORD), "elsewhere nobody guessed"


def test_a_sign_in_at_home_does_not_end_the_lock_for_strangers(victim):
    home = browser()
    by_registration(home, victim.email, PASSWORD)
    attack(by_registration, victim.email)
    leave(home)
    assert by_registration(home, victim.email, PASSWORD)
    assert not by_registration(browser("192.0.2.1"), victim.email, PASSWORD)


def test_the_password_on_the_page_of_a_link_makes_a_browser_known(victim, owner):
    from enrollment.services import invitations, links

    invitation = invitations.invite_user(user=victim, actor=owner.actor)
    page = Pages(IPHONE).open("/go" + links.create(invitation).partition("/go")[2]).send("start")
    page.send("sign-in", password=PASSWORD)
    assert configured.KNOWN_COOKIE_NAME in page.client.cookies


def test_a_browser_is_known_for_one_person_only(victim, tenant):
    other = factories.user(tenant)
    shared = browser()
    assert by_own_devices(shared, other.email, PASSWORD)
    leave(shared)
    attack(by_own_devices, victim.email)
    assert not by_own_devices(shared, victim.email, PASSWORD)


@pytest.mark.parametrize(
    "forged",
    [
        "x",
        "a" * 5000,
        signing.dumps(["a", "b"], salt="another purpose"),
        signing.dumps("no list", salt=known_devices.SALT),
        signing.dumps([1], salt=known_devices.SALT),
        signing.dumps([1, 2], salt=known_devices.SALT),
    ],
    ids=range(6),
)
def test_a_forged_cookie_knows_nobody_and_breaks_nothing(victim, forged):
    thief = browser("198.51.100.9")
    thief.cookies[configured.KNOWN_COOKIE_NAME] = forged
    for way in WAYS:
        attack(way, victim.email, 6)
        assert not way(thief, victim.email, PASSWORD)


def test_an_old_cookie_is_forgotten(victim, time_machine):
    import datetime as dt

    from django.utils import timezone

    home = browser()
    assert by_own_devices(home, victim.email, PASSWORD)
    leave(home)
    time_machine.move_to(timezone.now() + dt.timedelta(days=181))
    attack(by_own_devices, victim.email)
    assert not by_own_devices(home, victim.email, PASSWORD)


def test_the_cookie_opens_nothing_and_names_nobody(victim):
    home = browser()
    by_own_devices(home, victim.email, PASSWORD)
    cookie = home.cookies[configured.KNOWN_COOKIE_NAME]
    assert cookie["httponly"]
    assert victim.email not in signing.b64_decode(cookie.value.partition(":")[0].encode()).decode()
    leave(home)
    assert home.get("/me/").status_code == 302
    assert home.get("/go/status").status_code == 404


@pytest.mark.parametrize("way", WAYS)
def test_signing_in_again_brings_no_new_tries(victim, way):
    home = browser()
    assert way(home, victim.email, PASSWORD)
    first = home.cookies[configured.KNOWN_COOKIE_NAME].value
    leave(home)
    assert way(home, victim.email, PASSWORD)
    again = home.cookies[configured.KNOWN_COOKIE_NAME].value
    names = [signing.loads(value, salt=known_devices.SALT)[1] for value in (first, again)]
    assert names[0] == names[1]
