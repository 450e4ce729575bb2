"""Profiles: the same bytes, a short life, no signature no download, a page instead of rubbish."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
import time_machine
from django.db import connections

from accounts.models import UserSettings
from core import clock
from core.models import OneTimeSecret, Tenant
from core.services.keys import KeyMissing
from enrollment.errors import ChallengeRefused, PlatformNotReady, SessionEnded, WrongStep
from enrollment.models import (
    EnrollmentSession,
    IssuedProfile,
    SessionOutcome,
    SessionStage,
    StoppedReason,
)
from enrollment.services import challenges, expiry, journey, profiles, sessions
from tests import factories
from tests.enrollment.conftest import ADMIN, MAC

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


def later(minutes: float):
    return time_machine.travel(clock.now() + minutes * MINUTE)


def redeem(platform, number: int = -1) -> EnrollmentSession:
    tenant = Tenant.objects.get(slug="acme")
    challenge = challenges.look_up(tenant=tenant, token=platform.challenges[number])
    try:
        return challenges.redeem(challenge, actor=ADMIN)
    except ChallengeRefused as error:
        challenges.refused(challenge, error, actor=ADMIN)
        raise


def refusal(platform, number: int = -1) -> str:
    with pytest.raises(ChallengeRefused) as caught:
        redeem(platform, number)
    return caught.value.reason


def test_a_profile_is_for_the_device_and_language_of_the_page(confirmed):
    page, session = confirmed(MAC)
    page.send("profile", device="mac")
    answer = page.client.get(page.download)
    assert answer.content.startswith(b"signed for mac in en: ")
    assert answer["Content-Disposition"] == 'attachment; filename="a.mobileconfig"'
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    session.refresh_from_db()
    assert session.stage == SessionStage.DOWNLOADED


def test_phones_fetch_twice_and_get_the_same_bytes(confirmed):
    page, session = confirmed()
    page.send("profile")
    first = page.client.get(page.download)
    assert first.content == page.client.get(page.download).content
    profile = IssuedProfile.objects.get()
    assert profile.download_count == 2
    assert first.content not in bytes(profile.sealed_content)
    assert session.has_reached(SessionStage.AUTHENTICATED)


def test_asking_for_the_head_is_no_download(confirmed):
    page, _session = confirmed()
    page.send("profile")
    answer = page.client.head(page.download)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-apple-aspen-config")
    assert IssuedProfile.objects.get().first_downloaded_at is None


@pytest.mark.parametrize("minutes", [5, 10, 60])
def test_the_link_lives_as_long_as_the_policy_says(confirmed, minutes):
    UserSettings.objects.update(profile_minutes=minutes)
    page, _session = confirmed()
    page.send("profile")
    with later(minutes - 0.1):
        assert page.client.get(page.download).status_code == 200
    with later(minutes + 0.1):
        answer = page.client.get(page.download)
        assert answer.status_code == 410
        assert "text/html" in answer["Content-Type"]
        assert "too old" in answer.content.decode()
        assert "Content-Disposition" not in answer


@pytest.mark.parametrize("token", ["", "x", "a" * 26, "a" * 4000, "%00", "..%2f"])
def test_a_link_that_gives_nothing_is_a_page(tenant, client, token):
    answer = client.get(f"/enroll/{token}/profile")
    assert answer.status_code in (404, 410)
    assert "text/html" in answer["Content-Type"]


def test_the_challenge_lives_ten_minutes_from_the_first_download(confirmed, platform):
    page, _session = confirmed()
    page.send("profile")
    with later(9):
        page.client.get(page.download)
    with later(9.5):
        page.client.get(page.download)
    with later(18.9):
        assert redeem(platform).stage == SessionStage.IDENTITY_ISSUED


def test_a_challenge_that_is_too_old_says_what_to_do(confirmed, platform, mails):
    """R5: with the clock 11 minutes on, the page offers the profile again."""
    page, session = confirmed()
    page.send("profile")
    page.client.get(page.download)
    with later(11):
        assert refusal(platform) == StoppedReason.CHALLENGE_EXPIRED
        assert page.state()["state"] == "refused"
        assert "too old: download it again" in page.state()["message"]
        page.open(page.path)
        assert page.step == "profile"
        assert page.send("profile").download
        assert page.state()["state"] == "waiting"
        page.client.get(page.download)
        assert redeem(platform).stopped_reason == ""
    session.refresh_from_db()
    assert session.outcome == SessionOutcome.OPEN


def test_without_anybody_visiting_beat_ends_it_and_the_page_says_so(confirmed, platform):
    page, session = confirmed()
    page.send("profile")
    page.client.get(page.download)
    with later(11):
        assert expiry.sweep() == 1
        profile = IssuedProfile.objects.get()
        assert (bytes(profile.sealed_content), bytes(profile.sealed_link)) == (b"", b"")
        assert profile.erased_at is not None
        session.refresh_from_db()
        assert session.stopped_reason == StoppedReason.PROFILE_EXPIRED
        assert refusal(platform) == StoppedReason.CHALLENGE_EXPIRED
        assert "too old" in page.open(page.path).html
        assert expiry.sweep() == 0


def test_a_challenge_pays_once(confirmed, platform):
    page, session = confirmed()
    page.send("profile")
    page.client.get(page.download)
    redeem(platform)
    assert refusal(platform) == StoppedReason.CHALLENGE_USED
    session.refresh_from_db()
    assert session.stopped_reason == StoppedReason.CHALLENGE_USED
    # The device that was first goes on, and that is news.
    device = factories.device(session.tenant, session.user)
    sessions.record(session, SessionStage.CHECKED_IN, actor=ADMIN, device=device)
    session.refresh_from_db()
    assert session.stopped_reason == ""


def test_an_older_profile_dies_when_a_newer_one_is_used(confirmed, platform):
    page, _session = confirmed()
    page.send("profile")
    old = page.download
    page.client.get(old)
    page.send("profile")
    page.client.get(page.download)
    assert page.client.get(old).status_code == 200
    redeem(platform, 1)
    assert page.client.get(old).status_code == 410
    assert refusal(platform, 0) == StoppedReason.CHALLENGE_EXPIRED


def test_the_older_one_can_be_the_one_that_is_used(confirmed, platform):
    page, _session = confirmed()
    page.send("profile")
    page.client.get(page.download)
    page.send("profile")
    redeem(platform, 0)
    assert page.client.get(page.download or "/enroll/x/profile").status_code == 410
    assert refusal(platform, 1) == StoppedReason.CHALLENGE_EXPIRED


def test_a_challenge_of_another_organisation_is_unknown(confirmed, platform, other_tenant):
    """S-35."""
    page, session = confirmed()
    page.send("profile")
    with pytest.raises(ChallengeRefused) as caught:
        challenges.look_up(tenant=other_tenant, token=platform.challenges[0])
    assert caught.value.reason == ""
    session.refresh_from_db()
    assert session.stopped_reason == ""


@pytest.mark.parametrize("token", ["", "x", "a" * 52, "a" * 10_000, "é"])
def test_a_challenge_that_we_never_made_is_unknown(tenant, token):
    with pytest.raises(ChallengeRefused):
        challenges.look_up(tenant=tenant, token=token)


def test_a_challenge_of_an_ended_attempt_pays_for_nothing(confirmed, platform):
    page, session = confirmed()
    page.send("profile")
    page.client.get(page.download)
    sessions.end(session, SessionOutcome.CANCELLED, StoppedReason.REVOKED, actor=ADMIN)
    assert refusal(platform) == StoppedReason.CHALLENGE_EXPIRED
    assert page.client.get(page.download).status_code == 410
    assert bytes(IssuedProfile.objects.get().sealed_content) == b""


def test_no_signature_no_download(confirmed, platform):
    page, session = confirmed()
    platform.failure = KeyMissing("no profile_signer")
    with pytest.raises(KeyMissing):
        profiles.issue(session=session, language="en", actor=ADMIN)
    assert not IssuedProfile.objects.exists()
    assert not OneTimeSecret.objects.filter(purpose__in=("profile", "scep_challenge")).exists()
    page.client.raise_request_exception = False
    page.send("profile")
    assert page.response.status_code == 500
    assert not page.download


def test_bytes_that_changed_are_never_served(confirmed):
    page, _session = confirmed()
    page.send("profile")
    IssuedProfile.objects.update(sha256="0" * 64)
    assert page.client.get(page.download).status_code == 410


def test_a_platform_that_is_not_ready_says_why(confirmed, platform):
    page, session = confirmed()
    platform.reason = "Not enabled yet. Ask Adam."
    page.send("profile")
    assert page.response.status_code == 503
    assert "Ask Adam." in page.errors
    with pytest.raises(PlatformNotReady):
        profiles.issue(session=session, language="en", actor=ADMIN)
    EnrollmentSession.objects.update(platform="toaster")
    session.refresh_from_db()
    with pytest.raises(PlatformNotReady):
        profiles.issue(session=session, language="en", actor=ADMIN)


def test_nobody_gets_a_profile_before_the_proof(invited, pages, platform):
    _invitation, letter = invited()
    pages().open(letter.link).send("start").send("pin", pin=letter.pin)
    session = EnrollmentSession.objects.get()
    with pytest.raises(WrongStep):
        profiles.issue(session=session, language="en", actor=ADMIN)
    sessions.end(session, SessionOutcome.EXPIRED, StoppedReason.TIMED_OUT, actor=ADMIN)
    with pytest.raises(SessionEnded):
        profiles.issue(session=session, language="en", actor=ADMIN)


def test_tapping_often_leaves_ten_profiles(confirmed):
    _page, session = confirmed()
    for _number in range(14):
        profiles.issue(session=session, language="en", actor=ADMIN)
    live = IssuedProfile.objects.filter(voided_at=None)
    assert (IssuedProfile.objects.count(), live.count()) == (14, 10)
    assert profiles.current(session) in live


def test_ios_has_eight_minutes_and_a_mac_ten(confirmed):
    page, session = confirmed()
    page.send("profile")
    profile = profiles.current(session)
    assert journey.deadline(profile)[1] == 600
    page.client.get(page.download)
    profile.refresh_from_db()
    assert journey.deadline(profiles.current(session))[1] == 480
    assert "eight minutes" in page.open(page.path).html
    assert "Cancel” is safe" in page.html
    IssuedProfile.objects.update(platform="mac")
    assert journey.deadline(profiles.current(session))[1] == 600


def test_after_eight_minutes_an_iphone_is_offered_a_new_one_though_the_old_still_works(
    confirmed, platform
):
    page, _session = confirmed()
    page.send("profile")
    page.client.get(page.download)
    with later(8.1):
        assert page.state()["state"] == "expired"
        assert page.open(page.path).step == "profile"
        redeem(platform)
        assert page.state()["state"] == "identity_issued"


def test_somebody_with_too_many_devices_is_told_before(confirmed):
    UserSettings.objects.update(device_limit=2)
    page, session = confirmed()
    assert "as many as your organisation allows" not in page.html
    for _number in range(2):
        factories.device(session.tenant, session.user)
    assert "You have 2 registered devices, as many" in page.open(page.path).html


def test_another_browser_learns_nothing_of_the_state(confirmed, pages):
    page, _session = confirmed()
    page.send("profile")
    answer = pages().client.get("/go/status")
    assert answer.status_code == 404
    assert answer.json()["device"] is None


def test_a_profile_costs_a_fixed_number_of_queries(confirmed, django_assert_max_num_queries):
    page, session = confirmed()
    with django_assert_max_num_queries(18):
        profiles.issue(session=session, language="en", actor=ADMIN)
    token = profiles.link_token(profiles.current(session))
    with django_assert_max_num_queries(15):
        profiles.download(token=token)
    with django_assert_max_num_queries(8):
        profiles.download(token=token)
    assert page.client


@pytest.mark.django_db(transaction=True)
def test_fifty_devices_with_one_profile_get_one_identity(confirmed, platform):
    """S-35: one certificate for each challenge."""
    page, session = confirmed()
    page.send("profile")
    page.client.get(page.download)
    start, results = threading.Barrier(50), []

    def submit() -> None:
        start.wait()
        try:
            redeem(platform)
            results.append("paid")
        except ChallengeRefused as error:
            results.append(str(error.reason))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=submit) for _number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["challenge_used"] * 49 + ["paid"]
    session.refresh_from_db()
    assert session.stage == SessionStage.IDENTITY_ISSUED
