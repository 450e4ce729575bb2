"""From an app's first call to an active device: profile, status, cancel, resume, re-enroll."""

from __future__ import annotations

import pytest

from devices.states import DeviceState
from enrollment.errors import ChallengeRefused
from enrollment.models import EnrollmentSession, SessionOutcome, SessionStage, StoppedReason
from enrollment.services import challenges, sessions
from tests import factories
from tests.client_api.conftest import App
from tests.enrollment.conftest import ADMIN, hours_later

pytestmark = pytest.mark.django_db


@pytest.fixture
def installing(signed_in_app):
    """An app whose profile was downloaded, and its enrollment."""
    enrollment = signed_in_app.begin()
    enrollment = signed_in_app.of(enrollment, "profile")
    assert signed_in_app.client.get(path_of(enrollment)).status_code == 200
    return signed_in_app, enrollment


def path_of(enrollment):
    return "/enroll/" + enrollment["profile"]["url"].partition("/enroll/")[2]


def challenge_of(platform, user):
    return challenges.look_up(tenant=user.tenant, token=platform.challenges[-1])


def registered(backend, user, state=DeviceState.ACTIVE, **fields):
    """Let the device get as far as `state` with the newest profile."""
    session = challenges.redeem(challenge_of(backend, user), actor=ADMIN)
    device = factories.device(user.tenant, user, state=state, session_id=session.pk, **fields)
    sessions.record(session, SessionStage.CHECKED_IN, actor=ADMIN, device=device)
    if state == DeviceState.ACTIVE:
        sessions.record(session, SessionStage.ACTIVE, actor=ADMIN, device=device)
    return device


def test_the_whole_way_is_told(installing, user, platform):
    phone, enrollment = installing
    told = phone.of(enrollment)
    assert (told["state"], told["can_cancel"]) == ("downloaded", True)
    assert 0 < told["seconds"] <= 600
    assert told["until"]
    assert "Profile Downloaded" in " ".join(step["title"] for step in told["instructions"])
    registered(platform, user, name="Pia's iPhone", os_version="18.6")
    told = phone.of(enrollment)
    assert (told["state"], told["device"]["name"], told["note"]) == ("active", "Pia's iPhone", "")
    assert told["profile"] is None


def test_beginning_twice_goes_on_with_the_first(signed_in_app):
    assert signed_in_app.begin()["id"] == signed_in_app.begin()["id"]
    assert EnrollmentSession.objects.count() == 1


def test_words_are_in_the_language_of_the_person_or_of_the_call(tenant, app, user):
    type(user).objects.filter(pk=user.pk).update(language="fr")
    phone = app()
    phone.sign_in(user.email)
    phone.begin()
    assert phone.answer["Content-Language"] == "fr"
    phone.language = "en"
    assert "Everything is ready" in phone.begin()["message"]


def test_what_the_organisation_cannot_do_is_said(signed_in_app, platform):
    platform.reason = "Registration of Apple devices is not enabled yet."
    enrollment = signed_in_app.begin()
    assert (enrollment["state"], enrollment["message"]) == ("not_ready", platform.reason)
    signed_in_app.of(enrollment, "profile")
    assert (signed_in_app.status, signed_in_app.code) == (503, "platform_not_ready")


def test_android_is_told_that_it_cannot_be_registered_yet(app, user):
    phone = app()
    phone.sign_in(user.email, platform="android", os_version="15")
    enrollment = phone.begin()
    assert enrollment["state"] == "not_ready"
    assert "cannot be registered here yet" in enrollment["message"]


def test_a_cancelled_profile_pays_for_nothing_until_it_is_resumed(installing, user, platform):
    phone, enrollment = installing
    told = phone.of(enrollment, "cancel")
    assert (told["state"], told["can_resume"]) == ("cancelled", True)
    assert phone.client.get(path_of(enrollment)).status_code == 410
    with pytest.raises(ChallengeRefused):
        challenges.redeem(challenge_of(platform, user), actor=ADMIN)
    assert phone.of(enrollment, "cancel")["state"] == "cancelled"
    resumed = phone.of(enrollment, "resume")
    assert (resumed["state"], resumed["profile"]["sha256"]) == (
        "downloaded",
        enrollment["profile"]["sha256"],
    )
    registered(platform, user)
    assert phone.of(enrollment)["state"] == "active"


def test_after_its_minutes_a_cancelled_registration_starts_again(installing, monkeypatch):
    phone, enrollment = installing
    phone.of(enrollment, "cancel")
    hours_later(monkeypatch, 0.5)
    assert phone.of(enrollment)["can_resume"] is False
    phone.of(enrollment, "resume")
    assert (phone.status, phone.code) == (410, "profile_unavailable")
    again = phone.post("re-enroll/", {"confirmed": True})
    assert again["id"] != enrollment["id"]
    assert phone.of(again, "profile")["profile"]["url"]


def test_a_used_profile_cannot_be_resumed(installing, user, platform):
    phone, enrollment = installing
    registered(platform, user, DeviceState.ENROLLING)
    assert phone.of(enrollment, "cancel")["can_resume"] is False
    phone.of(enrollment, "resume")
    assert phone.code == "profile_unavailable"


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (DeviceState.ENROLLING, {DeviceState.UNENROLLED}),
        (DeviceState.ACTIVE, {DeviceState.RETIRE_PENDING, DeviceState.UNENROLLED}),
    ],
)
def test_cancel_lets_go_of_the_device(installing, user, platform, state, after):
    phone, enrollment = installing
    device = registered(platform, user, state)
    phone.of(enrollment, "cancel")
    assert phone.status == 200
    device.refresh_from_db()
    assert device.state in after


def test_what_has_been_active_for_a_while_is_not_cancelled(installing, user, platform, monkeypatch):
    phone, enrollment = installing
    device = registered(platform, user)
    hours_later(monkeypatch, 1)
    phone.of(enrollment, "cancel")
    assert (phone.status, phone.code) == (409, "session_ended")
    device.refresh_from_db()
    assert device.state == DeviceState.ACTIVE


def test_registering_again_asks_first(installing, user, platform):
    phone, enrollment = installing
    registered(platform, user)
    phone.post("re-enroll/", {})
    assert (phone.status, phone.code) == (409, "confirmation_missing")
    assert "Register this device again?" in phone.answer.json()["error"]["message"]
    again = phone.post("re-enroll/", {"confirmed": True})
    assert (phone.status, again["state"]) == (201, "waiting")
    phone.of(enrollment)
    assert phone.status == 404


def test_starting_again_ends_what_was_under_way(installing, user):
    phone, enrollment = installing
    phone.post("re-enroll/", {"confirmed": True})
    first = EnrollmentSession.objects.get(pk=enrollment["id"])
    assert first.outcome == SessionOutcome.CANCELLED
    assert first.stopped_reason == StoppedReason.SUPERSEDED
    assert phone.client.get(path_of(enrollment)).status_code == 410


def test_an_app_that_lies_about_its_phone_is_corrected(app, user, platform):
    phone = app()
    phone.sign_in(user.email, os_version="99.1")
    enrollment = phone.of(phone.begin(), "profile")
    phone.client.get(path_of(enrollment))
    registered(platform, user, platform="mac", model_name="MacBook Air", os_version="15.1")
    told = phone.of(enrollment)
    assert "another kind of device" in told["note"]
    assert "MacBook Air" in told["note"]
    assert (told["device"]["platform"], told["device"]["os_version"]) == ("mac", "15.1")


def test_a_made_up_version_is_corrected(app, user, platform):
    phone = app()
    phone.sign_in(user.email, os_version="99.1")
    enrollment = phone.of(phone.begin(), "profile")
    phone.client.get(path_of(enrollment))
    registered(platform, user, os_version="18.1")
    assert "99.1" in phone.of(enrollment)["note"]


def test_only_the_own_enrollment_exists(signed_in_app, tenant, app, installing):
    _phone, enrollment = installing
    other = factories.user(tenant)
    stranger = App()
    stranger.sign_in(other.email)
    for verb in ("", "profile", "cancel", "resume"):
        stranger.of(enrollment, verb)
        assert (stranger.status, stranger.code) == (404, "not_found")
    same_person = app()
    same_person.sign_in(EnrollmentSession.objects.get(pk=enrollment["id"]).user.email)
    same_person.of(enrollment, "cancel")
    assert same_person.status == 404
