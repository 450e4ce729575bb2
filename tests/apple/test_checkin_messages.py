"""Check-in messages become typed values, or one clear refusal."""

from __future__ import annotations

from typing import Any

import pytest

from apple.protocol import checkin
from apple.protocol.enrollment import SHARED_IPAD_USER_ID, EnrollmentId, read_enrollment_id
from apple.protocol.errors import ProtocolError, UnknownMessageError
from tests.apple import messages

FULL = {
    "Authenticate": messages.authenticate(),
    "TokenUpdate": messages.token_update(),
    "CheckOut": {"MessageType": "CheckOut", "Topic": messages.TOPIC, "UDID": messages.UDID},
    "SetBootstrapToken": {
        "MessageType": "SetBootstrapToken",
        "UDID": messages.MAC_UDID,
        "BootstrapToken": b"token",
    },
    "GetBootstrapToken": {"MessageType": "GetBootstrapToken", "UDID": messages.MAC_UDID},
    "UserAuthenticate": {
        "MessageType": "UserAuthenticate",
        "UDID": messages.MAC_UDID,
        "UserID": messages.USER_ID,
    },
    "GetToken": {
        "MessageType": "GetToken",
        "UDID": messages.UDID,
        "TokenServiceType": "com.apple.maid",
    },
    "DeclarativeManagement": {
        "MessageType": "DeclarativeManagement",
        "UDID": messages.UDID,
        "Endpoint": "declaration/configuration/com.example.one%20two",
        "Data": b"{}",
    },
}


@pytest.mark.parametrize("name", FULL)
def test_every_message_type_has_its_class(name: str) -> None:
    assert type(checkin.parse(FULL[name])).__name__ == name


@pytest.mark.parametrize("name", FULL)
def test_every_message_needs_to_say_which_device_it_is(name: str) -> None:
    body = {key: value for key, value in FULL[name].items() if key != "UDID"}
    with pytest.raises(ProtocolError):
        checkin.parse(body)


def test_an_iphone_authenticates() -> None:
    message = checkin.parse(messages.authenticate())
    assert isinstance(message, checkin.Authenticate)
    assert message.enrollment == EnrollmentId(messages.UDID)
    assert (message.product_name, message.os_version) == ("iPhone15,2", "17.5.1")
    assert message.device_name == ""


def test_a_mac_authenticates_with_names_and_keys_that_nobody_knows() -> None:
    message = checkin.parse(messages.authenticate_mac())
    assert isinstance(message, checkin.Authenticate)
    assert message.device_name == "Ada's MacBook Air"


def test_a_later_token_update_carries_no_unlock_token() -> None:
    body = messages.token_update()
    del body["UnlockToken"]
    message = checkin.parse(body)
    assert isinstance(message, checkin.TokenUpdate)
    assert message.unlock_token is None


def test_an_empty_unlock_token_counts_as_none() -> None:
    message = checkin.parse(messages.token_update(UnlockToken=b""))
    assert isinstance(message, checkin.TokenUpdate)
    assert message.unlock_token is None


def test_an_absent_bootstrap_token_asks_for_deletion() -> None:
    body = {"MessageType": "SetBootstrapToken", "UDID": messages.MAC_UDID}
    message = checkin.parse(body)
    assert isinstance(message, checkin.SetBootstrapToken)
    assert message.token == b""


@pytest.mark.parametrize(
    "change",
    [
        {"MessageType": None},
        {"MessageType": 7},
        {"MessageType": ["Authenticate"]},
        {"UDID": b"bytes"},
        {"UDID": {"a": 1}},
        {"UDID": "x" * 129},
        {"UDID": "two words"},
        {"UDID": "line\nbreak"},
        {"UDID": "ünïcode"},
        {"Topic": ""},
        {"Topic": 1},
        {"Token": b""},
        {"Token": "text"},
        {"Token": b"x" * 257},
        {"PushMagic": ""},
        {"PushMagic": b"x"},
        {"PushMagic": "x" * 256},
        {"UnlockToken": "text"},
        {"UnlockToken": b"x" * 65_537},
        {"AwaitingConfiguration": "yes"},
        {"AwaitingConfiguration": 1},
    ],
)
def test_a_wrong_type_or_length_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as caught:
        checkin.parse(messages.token_update(**change))
    assert caught.value.status == 400


@pytest.mark.parametrize("name", ["ReturnToService", "authenticate", "", "Idle", "__class__"])
def test_an_unknown_message_type_is_a_plain_400(name: str) -> None:
    with pytest.raises(UnknownMessageError) as caught:
        checkin.parse(messages.authenticate(MessageType=name))
    assert caught.value.status == 400


def test_a_user_cannot_authenticate_a_device() -> None:
    with pytest.raises(ProtocolError):
        checkin.parse(messages.authenticate_mac(UserID=messages.USER_ID))


def test_descriptive_text_is_tidied_and_cut_instead_of_refused() -> None:
    hostile = "\u202eeno\x07 <svg onload=alert(1)>\n" + "x" * 5000
    message = checkin.parse(messages.authenticate_mac(DeviceName=hostile))
    assert isinstance(message, checkin.Authenticate)
    assert message.device_name.startswith("eno <svg onload=alert(1)>")
    assert len(message.device_name) == 200


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"UDID": "A"}, EnrollmentId("A")),
        ({"UDID": "A", "UserID": ""}, EnrollmentId("A")),
        ({"UDID": "A", "UserID": "U"}, EnrollmentId("A", "U")),
        ({"UDID": "A", "EnrollmentID": "E"}, EnrollmentId("A")),
        (
            {"UDID": "A", "UserID": SHARED_IPAD_USER_ID, "UserShortName": "ada@example.com"},
            EnrollmentId("A", "ada@example.com"),
        ),
        ({"EnrollmentID": "E"}, EnrollmentId("E", is_user_enrollment=True)),
        ({"EnrollmentID": "E", "UserID": "U"}, EnrollmentId("E", is_user_enrollment=True)),
        (
            {"EnrollmentID": "E", "EnrollmentUserID": "U"},
            EnrollmentId("E", "U", is_user_enrollment=True),
        ),
    ],
)
def test_the_enrollment_is_normalised(keys: dict[str, Any], expected: EnrollmentId) -> None:
    assert read_enrollment_id(keys) == expected


def test_the_enrollment_is_compared_as_received() -> None:
    assert read_enrollment_id({"UDID": "abc"}) != read_enrollment_id({"UDID": "ABC"})


def test_a_shared_ipad_user_without_a_name_is_refused() -> None:
    with pytest.raises(ProtocolError):
        read_enrollment_id({"UDID": "A", "UserID": SHARED_IPAD_USER_ID})
