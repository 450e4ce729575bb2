"""`manage.py simulate`, and the tenant that `serve --demo` brings to life."""

from __future__ import annotations

import pytest

from simulator.mailbox import MailFolder
from tests.e2e.inside import Inside
from tests.e2e.server import Server
from tests.fakes.waiting import until


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A server that writes its mails to files, as a newcomer has it."""
    server = Server(tmp_path_factory.mktemp("alone")).start()
    yield server
    server.stop()


def test_an_iphone_and_a_mac_go_from_the_mail_to_retirement(alone):
    done = alone.manage("simulate", "--orders", "lock,retire", timeout=120)
    assert done.returncode == 0, done.stderr
    story = done.stdout
    assert story.count("got the mail “Register your device") == 2
    assert story.count("is “retired” in the portal") == 2
    assert "reveals the PIN" in story
    with Inside(alone) as inside:
        found = inside.call("look")
    assert [device["state"] for device in found["devices"]] == ["retired", "retired"]
    assert found["invitations"] == {"completed": 2}


def test_somebody_else_follows_a_link(alone):
    with Inside(alone) as inside:
        inside.call("invite", emails=["guest@people.test"])
        [invitation] = until(
            lambda: mails_of(alone).invitations("guest@people.test"), seconds=30, step=0.2
        )
        options = ("--link", invitation.link, "--pin", invitation.pin, "--macs", "1")
        done = alone.manage("simulate", *options, timeout=60)
        assert done.returncode == 0, done.stderr
        mine = [d for d in inside.call("look")["devices"] if d["email"] == "guest@people.test"]
    assert [device["state"] for device in mine] == ["active"]


def mails_of(server):
    return MailFolder(server.data / "mail")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--script", "DeviceLock:explode"), "unknown behaviour 'DeviceLock:explode'"),
        (("--orders", "sing"), "sing is not one of"),
        (("--iphones", "-1"), "Between 0 and 1,000"),
        (("--link", "http://localhost/go/a", "--macs", "2"), "--link is for one device"),
    ],
)
def test_what_makes_no_sense_is_refused_in_plain_words(alone, options, message):
    done = alone.manage("simulate", *options)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_demo_tenant_has_people_and_devices_in_every_state(new_server):
    server = new_server("--demo").start()
    mark = server.data / "simulator" / "furnished.json"
    until(mark.exists, seconds=240, step=0.5, what="the demo to be furnished")
    with Inside(server) as inside:
        found = inside.call("look")
    assert {device["state"] for device in found["devices"]} >= {
        "active", "enrolling", "retired", "retire_pending", "wiped", "unenrolled", "reset",
    }  # fmt: skip
    assert set(found["invitations"]) >= {
        "pending", "opened", "in_progress", "completed", "revoked",
    }  # fmt: skip
    assert "not_now" in found["commands"]
    assert "got stuck" not in server.log("demo")
