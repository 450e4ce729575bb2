"""An organisation's phone app against a running server: from signing in to active, and back."""

from __future__ import annotations

import threading

import pytest

from simulator.client_app import ClientApp, ClientRefused
from simulator.errors import SimulatorError
from simulator.person import Person
from tests.fakes.waiting import until


@pytest.fixture
def on(field, server):
    """Install the app on a phone: `on(device)`."""
    return lambda device, **options: ClientApp.on(device, server.url, **options)


def code_made_by(field, person: Person) -> str:
    """The address in a code that a person makes on another screen."""
    return field.inside.call("make_code", email=person.email)


def test_pin_password_profile_active(field, on):
    person, invitation = field.newcomer()
    device = field.device()
    app = on(device)
    app.sign_in(person.email, invitation.pin)
    assert app.begin()["needs"] == "new_password"
    app.choose_password(person.password)
    app.register_push("apns", "5a" * 32)
    data = app.get_profile()
    assert app.status()["state"] == "downloaded"
    assert app.download() == data
    device.install(data)
    told = app.status()
    assert (told["state"], told["device"]["os_version"]) == ("active", device.facts.os_version)
    assert field.state(device) == "active"
    assert field.entry(device)["email"] == person.email


def test_a_code_scanned_by_the_app_needs_no_typing(field, on, settled):
    device = field.device("ipad")
    app = on(device)
    app.scan(code_made_by(field, settled))
    app.enroll(device)
    assert field.entry(device)["email"] == settled.email


def test_a_code_scanned_by_two_at_once_serves_one(field, on, settled):
    code = code_made_by(field, settled)
    apps = [on(field.device()) for _ in range(2)]
    barrier, answers = threading.Barrier(2), []

    def scan(app):
        barrier.wait(timeout=20)
        try:
            app.scan(code)
            answers.append("ok")
        except ClientRefused as refusal:
            answers.append(refusal.code)

    threads = [threading.Thread(target=scan, args=(app,)) for app in apps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(answers) == ["code_used", "ok"]


def test_cancel_before_the_device_spoke_then_resume_with_the_same_profile(field, on, settled):
    device = field.device()
    app = on(device)
    app.sign_in(settled.email, settled.password)
    app.begin()
    data = app.get_profile()
    assert app.cancel()["can_resume"]
    with pytest.raises(SimulatorError):
        device.install(data)
    assert app.resume()["state"] == "downloaded"
    device.install(data)
    assert app.status()["state"] == "active"


def test_cancel_while_it_installs_takes_management_away(field, on, settled):
    device = field.device()
    app = on(device)
    app.sign_in(settled.email, settled.password)
    app.begin()
    device.install(app.get_profile(), stop_before="token_update")
    told = app.cancel()
    assert (told["state"], told["can_resume"]) == ("cancelled", False)
    assert field.state(device) == "unenrolled"
    with pytest.raises(SimulatorError):
        device.token_update(device.device_channel, first=True)
    with pytest.raises(ClientRefused) as refused:
        app.resume()
    assert refused.value.code == "profile_unavailable"
    fresh = field.device()
    fresh.facts = device.facts
    app.re_enroll()
    fresh.install(app.get_profile())
    assert app.status()["state"] == "active"
    assert field.state(fresh) == "active"


def test_cancel_just_after_the_last_step_retires_the_device(field, on, settled):
    device = field.device()
    app = on(device)
    app.sign_in(settled.email, settled.password)
    app.enroll(device)
    app.cancel()
    until(lambda: device.poll() == 0 and not device.is_managed, seconds=20)
    assert field.state(device) == "retired"


def test_re_enroll_asks_and_makes_a_new_entry(field, on, settled):
    device, questions = field.device(), []
    app = on(device, ask=lambda question: questions.append(question) is None)
    app.sign_in(settled.email, settled.password)
    app.enroll(device)
    app.re_enroll()
    assert len(questions) == 1
    device.leave(online=False)
    device.install(app.get_profile())
    assert app.status()["state"] == "active"
    entries = field.entries(device)
    assert [entry["epoch"] for entry in entries] == [2, 1]


def test_somebody_who_says_no_is_left_alone(field, on, settled):
    device = field.device()
    app = on(device, ask=lambda _question: False)
    app.sign_in(settled.email, settled.password)
    app.enroll(device)
    with pytest.raises(ClientRefused):
        app.re_enroll()
    assert app.status()["state"] == "active"


def test_what_the_device_says_counts(field, on, settled):
    device = field.device()
    app = on(device)
    app.claims |= {"os_version": "99.1", "model": "Toaster"}
    app.sign_in(settled.email, settled.password)
    app.enroll(device)
    told = app.status()
    assert "99.1" in told["note"]
    assert told["device"]["os_version"] == device.facts.os_version


def test_signed_out_the_token_is_worth_nothing(field, on, settled):
    app = on(field.device())
    app.sign_in(settled.email, settled.password)
    token = app.token
    app.sign_out()
    app.token = token
    with pytest.raises(ClientRefused) as refused:
        app.begin()
    assert refused.value.status == 401
