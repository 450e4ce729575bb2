"""Simulated devices against the stand-in: they enroll, obey, refuse, leave and come back."""

from __future__ import annotations

import json

import pytest

from simulator.errors import ProfileRejected, ScepRefused, ServerRefused, Unenrolled
from simulator.wire import Patience


def types(messages):
    return [message["MessageType"] for message in messages]


def test_an_iphone_enrolls(standin, iphone):
    iphone.install(standin.profile())
    assert types(standin.check_ins) == ["Authenticate", "TokenUpdate"]
    authenticate, update = standin.check_ins
    assert authenticate["UDID"] == update["UDID"] == iphone.udid
    assert authenticate["SerialNumber"] == iphone.facts.serial
    assert update["UnlockToken"]
    assert iphone.ledger.steps(iphone.udid)[-1] == "enrolled"
    assert iphone.oddities == []


def test_a_mac_brings_its_user_and_a_bootstrap_token(standin, mac):
    mac.install(standin.profile())
    assert types(standin.check_ins) == [
        "Authenticate", "TokenUpdate", "TokenUpdate", "SetBootstrapToken",
    ]  # fmt: skip
    device, user = standin.check_ins[1:3]
    assert "UserID" not in device
    assert user["UserShortName"] == "anna"
    assert user["PushMagic"] != device["PushMagic"]


@pytest.mark.parametrize("style", ["ber", "der"])
def test_both_signature_forms_are_sent(standin, iphone, style):
    iphone.style = style
    iphone.install(standin.profile())
    assert iphone.is_managed


def test_a_refused_challenge_rolls_everything_back(standin, iphone):
    standin.challenges.clear()
    with pytest.raises(ScepRefused):
        iphone.install(standin.profile())
    assert not iphone.is_managed
    assert standin.check_ins == []


def test_a_refused_authenticate_rolls_everything_back(standin, iphone):
    data = standin.profile()
    iphone.install(data, stop_before="authenticate")
    standin.challenges.add("secret-1")
    standin.fail_next = [(401, "", b"")]
    iphone.scep_options.use_get = True  # the stand-in fails PUT and POST only
    with pytest.raises(Unenrolled):
        iphone.install(data)
    assert not iphone.is_managed


def test_a_managed_device_takes_no_second_profile(standin, iphone):
    iphone.install(standin.profile())
    with pytest.raises(ProfileRejected, match="already managed"):
        iphone.install(standin.profile())


def test_answers_every_inventory_command(standin, iphone, mac):
    for device in (iphone, mac):
        standin.challenges = {"secret-1"}
        device.install(standin.profile())
        for kind in (
            "DeviceInformation", "SecurityInfo", "ProfileList", "CertificateList",
            "InstalledApplicationList",
        ):  # fmt: skip
            uuid = standin.order(kind, Queries=["SerialNumber", "Nonsense"])
            device.poll()
            assert standin.result_of(uuid)["Status"] == "Acknowledged"
        answers = next(r for r in standin.results if "QueryResponses" in r)["QueryResponses"]
        assert answers == {"SerialNumber": device.facts.serial}
        profiles = next(r for r in standin.results if "ProfileList" in r)["ProfileList"]
        assert profiles[0]["PayloadIdentifier"] == "standin.enrollment"
        standin.results.clear()


def test_an_unknown_command_is_an_error(standin, iphone):
    iphone.install(standin.profile())
    uuid = standin.order("MakeCoffee")
    iphone.poll()
    result = standin.result_of(uuid)
    assert (result["Status"], result["ErrorChain"][0]["ErrorCode"]) == ("Error", 12021)


def test_scripted_not_now_comes_once(standin, iphone):
    iphone.install(standin.profile())
    iphone.script.add("ProfileList", "not_now")
    uuid = standin.order("ProfileList")
    kept = list(standin.queue)
    iphone.poll()
    assert standin.result_of(uuid)["Status"] == "NotNow"
    assert iphone.device_channel.wants_retry
    standin.queue = kept
    iphone.poll()
    assert standin.results[-1]["Status"] == "Acknowledged"
    assert iphone.ledger.executed_twice() == []


def test_a_result_is_sent_again_until_it_is_accepted(standin, iphone):
    iphone.install(standin.profile())
    uuid = standin.order("ProfileList")
    real_connect = standin.connect

    def connect_then_fail(message):
        standin.fail_next = [(500, "", b"")]
        return real_connect(message)

    standin.connect = connect_then_fail
    with pytest.raises(ServerRefused):
        iphone.poll()
    standin.connect = real_connect
    assert iphone.device_channel.unsent["CommandUUID"] == uuid
    iphone.poll()
    assert standin.result_of(uuid)["Status"] == "Acknowledged"
    assert iphone.ledger.executed_twice() == []


def test_the_ledger_sees_a_command_that_is_handed_out_twice(standin, iphone):
    iphone.install(standin.profile())
    uuid = standin.order("ProfileList")
    kept = list(standin.queue)
    iphone.poll()
    standin.queue = kept
    iphone.poll()
    assert iphone.ledger.deliveries_of(uuid) == 2
    assert iphone.ledger.executed_twice() == [uuid]


def test_removing_the_enrollment_profile_checks_out(standin, iphone):
    iphone.install(standin.profile())
    uuid = standin.order("RemoveProfile", Identifier="standin.enrollment")
    iphone.poll()
    assert standin.result_of(uuid)["Status"] == "Acknowledged"
    assert types(standin.check_ins)[-1] == "CheckOut"
    assert not iphone.is_managed


def test_removing_a_foreign_profile_is_an_error(standin, iphone):
    iphone.install(standin.profile())
    uuid = standin.order("RemoveProfile", Identifier="nobody.knows")
    iphone.poll()
    assert standin.result_of(uuid)["ErrorChain"][0]["ErrorCode"] == 12013


def test_an_erased_device_is_silent(standin, iphone):
    iphone.install(standin.profile())
    uuid = standin.order("EraseDevice")
    standin.order("ProfileList")
    iphone.poll()
    assert standin.result_of(uuid)["Status"] == "Acknowledged"
    assert iphone.is_erased
    assert iphone.poll() == 0
    assert types(standin.check_ins)[-1] == "TokenUpdate"


def test_a_mac_locks_with_a_pin_only(standin, mac):
    mac.install(standin.profile())
    refused = standin.order("DeviceLock")
    mac.poll()
    assert standin.result_of(refused)["Status"] == "Error"
    standin.order("DeviceLock", PIN="123456")
    mac.poll()
    assert mac.is_locked
    assert mac.poll() == 0
    assert not mac.unlock("000000")
    assert mac.unlock("123456")


def test_device_commands_are_refused_on_the_user_channel(standin, mac):
    mac.install(standin.profile())
    mac.channels.reverse()
    uuid = standin.order("EraseDevice")
    mac.poll()
    assert standin.result_of(uuid)["Status"] == "Error"
    assert not mac.is_erased


def test_an_updated_enrollment_profile_brings_a_new_identity(standin, iphone):
    iphone.install(standin.profile())
    before = iphone.client.identity.certificate
    standin.challenges.add("secret-2")
    uuid = standin.order(
        "InstallProfile", Payload=standin.profile(standin.plist(challenge="secret-2"))
    )
    iphone.poll()
    assert standin.result_of(uuid)["Status"] == "Acknowledged"
    assert types(standin.check_ins)[-2:] == ["Authenticate", "TokenUpdate"]
    assert iphone.client.identity.certificate != before


def test_a_failed_update_keeps_the_old_identity(standin, iphone):
    iphone.install(standin.profile())
    before = iphone.client.identity.certificate
    uuid = standin.order("InstallProfile", Payload=standin.profile())  # its challenge is used up
    iphone.poll()
    assert standin.result_of(uuid)["Status"] == "Error"
    assert iphone.client.identity.certificate == before
    assert iphone.poll() == 0


@pytest.mark.parametrize("modern", [False, True])
def test_an_order_to_unenroll_is_obeyed(standin, iphone, modern):
    iphone.install(standin.profile())
    body = json.dumps({"code": "com.apple.unrecognized.device"}).encode()
    standin.fail_next = [(403, "application/json", body) if modern else (401, "", b"")]
    iphone.poll()
    assert not iphone.is_managed
    assert iphone.ledger.steps(iphone.udid)[-1] == "unenrolled_by_server"


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_other_failures_do_not_unenroll(standin, iphone, status):
    iphone.install(standin.profile())
    standin.fail_next = [(status, "text/html", b"<p>no</p>")]
    with pytest.raises(ServerRefused):
        iphone.poll()
    assert iphone.is_managed


def test_a_check_out_is_tried_once(standin, iphone):
    iphone.patience = Patience(seconds=5, pause=0.01)
    iphone.install(standin.profile())
    standin.fail_next = [(500, "", b""), (500, "", b"")]
    iphone.leave()
    assert len(standin.fail_next) == 1
    assert not iphone.is_managed


def test_an_empty_dictionary_is_not_a_command(standin, iphone):
    iphone.install(standin.profile())
    standin.connect = lambda message: b"<plist version='1.0'><dict/></plist>"
    with pytest.raises(ServerRefused):
        iphone.poll()
