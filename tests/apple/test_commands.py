"""Commands as they go out, and their results as they are kept."""

from __future__ import annotations

import base64
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple.commands import registry
from apple.commands.base import USER, CommandError, Target
from apple.protocol import plist
from apple.protocol.platforms import Platform, platform_of, version_of
from tests.apple import schema

GOLDEN = Path(__file__).parent / "golden" / "commands"
PHONE = Target(Platform.IPHONE, (17, 5, 1))
OLD_PHONE = Target(Platform.IPHONE, (12, 4))
TABLET = Target(Platform.IPAD, (18, 1))
MAC = Target(Platform.MAC, (15, 1))
OLD_MAC = Target(Platform.MAC, (10, 13, 6))
MAC_USER = Target(Platform.MAC, (15, 1), USER)
SUPERVISED = Target(Platform.IPHONE, (17, 5, 1), is_supervised=True)
TOKEN = base64.b64encode(b"unlock").decode()
EXAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "InstallProfile": ({"name": "Wi-Fi"}, {"payload": base64.b64encode(b"<plist/>").decode()}),
    "RemoveProfile": ({"identifier": "muster.x.enrollment"}, {}),
    "DeviceLock": ({"message": "Please return", "phone_number": "+33 1 23 45 67 89"}, {}),
    "ProfileList": ({"managed_only": True}, {}),
    "ClearPasscode": ({}, {"unlock_token": TOKEN}),
    "EnableLostMode": ({"message": "Lost", "phone_number": "1", "footnote": "Acme"}, {}),
    "Settings": ({"device_name": "Reception"}, {}),
    "RestartDevice": ({"notify_user": True}, {}),
    "InstalledApplicationList": ({"managed_only": True, "identifiers": ["com.a"]}, {}),
}
ERASERS = {"DeviceLock", "EraseDevice"}
FOR_USERS = {
    name
    for name, command in registry.COMMANDS.items()
    if "macOS" in command.availability and USER in command.availability["macOS"].channels
}


def system_of(name: str, target: Target) -> dict[str, Any]:
    return schema.find("commands", "requesttype", name)["os"].get(target.platform.system, {})


def is_absent(name: str, target: Target) -> bool:
    return system_of(name, target)["introduced"] == "n/a"


def build(name: str, target: Target) -> dict[str, Any]:
    params, secrets = EXAMPLES.get(name, ({}, {}))
    if target.is_mac and name in ERASERS:
        secrets = secrets | {"pin": "024680"}
    return registry.get(name).build(target, params, secrets)


@pytest.mark.schema
@pytest.mark.parametrize("target", [PHONE, OLD_PHONE, TABLET, MAC, OLD_MAC])
@pytest.mark.parametrize("name", sorted(registry.COMMANDS))
def test_every_command_follows_apples_schema(name: str, target: Target) -> None:
    if target.platform.system not in registry.get(name).availability:
        with pytest.raises(CommandError):
            build(name, target)
        assert is_absent(name, target)
        return
    command = build(name, target)
    problems = schema.command_problems(
        command, system=target.platform.system, version=target.os_version
    )
    assert problems == []


@pytest.mark.schema
@pytest.mark.parametrize("name", sorted(FOR_USERS))
def test_every_command_of_the_user_channel_follows_apples_schema(name: str) -> None:
    command = build(name, MAC_USER)
    problems = schema.command_problems(
        command, system="macOS", version=MAC_USER.os_version, channel="user"
    )
    assert problems == []


@pytest.mark.schema
@pytest.mark.parametrize("name", sorted(set(registry.COMMANDS) - {"Settings"}))
def test_what_only_supervised_devices_do_is_known_as_such(name: str) -> None:
    where = schema.find("commands", "requesttype", name)["os"]["iOS"]
    assert registry.get(name).availability["iOS"].is_supervised is where["supervised"]


@pytest.mark.schema
def test_a_name_is_given_to_supervised_phones_only() -> None:
    keys = schema.find("commands", "requesttype", "Settings")["keys"][0]["subkeys"]
    item = next(key for key in keys if key["key"] == "DeviceName")
    assert registry.get("Settings").availability["iOS"].is_supervised
    assert item["os"]["iOS"]["supervised"] is True
    assert item["os"]["macOS"]["introduced"] == "10.10"


@pytest.mark.parametrize("name", sorted(registry.COMMANDS))
def test_the_bytes_of_a_command_stay_the_same(name: str) -> None:
    target = SUPERVISED if "iOS" in registry.get(name).availability else MAC
    written = plist.write(build(name, target))
    golden = GOLDEN / f"{name}.xml"
    # Delete a file to have it written anew, and look at what changed.
    if not golden.exists():
        golden.write_bytes(written)
        pytest.fail(f"{golden.name} was missing and is written now: look at it")
    assert written == golden.read_bytes()


@pytest.mark.parametrize(
    "name", ["EnableLostMode", "DeviceLocation", "RestartDevice", "ShutDownDevice", "Settings"]
)
def test_a_device_that_is_not_supervised_is_not_asked(name: str) -> None:
    alone = Target(Platform.IPHONE, (17, 5, 1), is_supervised=False)
    with pytest.raises(CommandError, match="supervised"):
        build(name, alone)
    assert build(name, SUPERVISED)["RequestType"] == name


def test_a_mac_restarts_without_supervision_and_can_ask_first() -> None:
    alone = Target(Platform.MAC, (15, 1), is_supervised=False)
    assert build("RestartDevice", alone) == {"RequestType": "RestartDevice", "NotifyUser": True}
    assert build("RestartDevice", OLD_MAC) == {"RequestType": "RestartDevice"}


@pytest.mark.parametrize("name", ["ClearPasscode", "EnableLostMode", "PlayLostModeSound"])
def test_a_mac_does_not_know_what_is_for_phones(name: str) -> None:
    with pytest.raises(CommandError, match="unknown on mac"):
        build(name, MAC)


@pytest.mark.schema
def test_a_device_that_returns_to_service_gets_its_network() -> None:
    profile = base64.b64encode(b"wifi").decode()
    command = registry.get("EraseDevice").build(
        PHONE, {"return_to_service": True}, {"wifi_profile": profile}
    )
    assert command["ReturnToService"] == {"Enabled": True, "WiFiProfileData": b"wifi"}
    assert schema.command_problems(command, system="iOS", version=PHONE.os_version) == []
    old = registry.get("EraseDevice").build(OLD_PHONE, {"return_to_service": True})
    assert "ReturnToService" not in old


def test_where_a_device_is_goes_nowhere_but_into_its_location() -> None:
    outcome = registry.get("DeviceLocation").parse(
        {"Latitude": 48.5, "Longitude": -2.25, "HorizontalAccuracy": 9.0, "UDID": "x"}
    )
    assert outcome.location == {"Latitude": 48.5, "Longitude": -2.25, "HorizontalAccuracy": 9.0}
    assert not (outcome.sections or outcome.facts or outcome.detail)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"Latitude": 1.0},
        {"Latitude": 91.0, "Longitude": 0.0},
        {"Latitude": 0.0, "Longitude": -180.5},
        {"Latitude": math.nan, "Longitude": 0.0},
        {"Latitude": "48", "Longitude": "2"},
    ],
)
def test_a_place_that_is_none_is_dropped(answer: dict) -> None:
    assert registry.get("DeviceLocation").parse(answer).location == {}


@pytest.mark.parametrize(
    ("answered", "count"),
    [
        ([{"Status": "Acknowledged"}], 0),
        ({"Status": "Acknowledged"}, 0),
        ([{"Status": "Error"}], 1),
        ({"Status": "Error", "ErrorChain": [{"ErrorCode": 1}, {"ErrorCode": 2}]}, 2),
        ([5, None], 0),
        ("nonsense", 0),
        (None, 0),
    ],
)
def test_a_setting_that_was_refused_is_noticed(answered: object, count: int) -> None:
    assert len(registry.get("Settings").parse({"Settings": answered}).refused) == count


@pytest.mark.schema
def test_the_checker_itself_finds_mistakes() -> None:
    wrong = {"RequestType": "DeviceLock", "PIN": 123456, "Colour": "red"}
    assert schema.command_problems(wrong, system="macOS") == [
        "PIN: int instead of string",
        "Colour: unknown",
    ]
    assert schema.command_problems(wrong, system="iOS")[0] == "PIN: not on iOS"
    erase = {"RequestType": "EraseDevice", "ObliterationBehavior": "Gently"}
    assert len(schema.command_problems(erase, system="macOS", version=(11, 0))) == 2


@pytest.mark.parametrize("name", sorted(ERASERS))
def test_locking_and_erasing_a_user_channel_is_refused(name: str) -> None:
    with pytest.raises(CommandError):
        registry.get(name).build(MAC_USER, {}, {"pin": "123456"})


@pytest.mark.parametrize("name", sorted(ERASERS))
@pytest.mark.parametrize(
    "pin", [None, "", "12345", "1234567", "12345a", "\uff11\uff12\uff13\uff14\uff15\uff16", 123456]
)
def test_a_mac_needs_a_pin_of_six_digits(name: str, pin: object) -> None:
    with pytest.raises(CommandError):
        registry.get(name).build(MAC, {}, {"pin": pin})


@pytest.mark.parametrize("name", sorted(ERASERS))
def test_a_phone_takes_no_pin(name: str) -> None:
    with pytest.raises(CommandError):
        registry.get(name).build(PHONE, {}, {"pin": "123456"})


def test_a_parameter_that_nobody_declared_is_refused() -> None:
    with pytest.raises(CommandError):
        registry.get("DeviceLock").build(PHONE, {"PIN": "123456"})


@pytest.mark.parametrize(
    ("name", "params", "secrets"),
    [
        ("DeviceLock", {"message": "x" * 501}, {}),
        ("DeviceLock", {"message": 5}, {}),
        ("DeviceLock", {"message": "bell \x07"}, {}),
        ("DeviceLock", {"phone_number": "1" * 41}, {}),
        ("EraseDevice", {"obliteration_behavior": "Gently"}, {}),
        ("EraseDevice", {"preserve_data_plan": "yes"}, {}),
        ("RemoveProfile", {}, {}),
        ("RemoveProfile", {"identifier": ""}, {}),
        ("InstallProfile", {}, {}),
        ("InstallProfile", {}, {"payload": "not base64!"}),
        ("InstallProfile", {}, {"payload": b"bytes"}),
        ("InstalledApplicationList", {"identifiers": "com.a"}, {}),
        ("InstalledApplicationList", {"identifiers": [1]}, {}),
        ("InstalledApplicationList", {"identifiers": ["a"] * 501}, {}),
        ("ProfileList", {"managed_only": 1}, {}),
        ("ClearPasscode", {}, {}),
        ("ClearPasscode", {}, {"unlock_token": "not base64!"}),
        ("ClearPasscode", {}, {"unlock_token": b"bytes"}),
        ("EnableLostMode", {}, {}),
        ("EnableLostMode", {"footnote": "Acme"}, {}),
        ("EnableLostMode", {"message": "x" * 501}, {}),
        ("RestartDevice", {"notify_user": "yes"}, {}),
        ("Settings", {}, {}),
        ("Settings", {"device_name": "x" * 101}, {}),
        ("EraseDevice", {"return_to_service": 1}, {}),
        ("EraseDevice", {"return_to_service": True}, {"wifi_profile": "not base64!"}),
        ("EraseDevice", {"return_to_service": True}, {"wifi_profile": "A" * 90_000}),
    ],
)
def test_bad_parameters_are_refused(name: str, params: dict, secrets: dict) -> None:
    with pytest.raises(CommandError):
        registry.get(name).build(PHONE, params, secrets)


def test_an_unknown_command_and_a_foreign_platform_are_refused() -> None:
    with pytest.raises(CommandError):
        registry.get("RotateFileVaultKey")
    with pytest.raises(CommandError):
        registry.get("DeviceLock").build(Target(Platform.OTHER))


def test_a_version_from_before_the_command_is_refused() -> None:
    with pytest.raises(CommandError):
        registry.get("InstalledApplicationList").build(Target(Platform.IPHONE, (4, 3)))


def test_keys_that_an_old_system_does_not_know_are_left_out() -> None:
    command = build("EraseDevice", OLD_MAC)
    assert command == {"RequestType": "EraseDevice", "PIN": "024680"}
    assert "Message" not in build("DeviceLock", OLD_MAC)


def test_an_unknown_version_leaves_nothing_out() -> None:
    assert build("EraseDevice", Target(Platform.MAC))["ObliterationBehavior"] == "Default"


def test_nothing_private_reaches_the_history() -> None:
    lock = registry.get("DeviceLock")
    shown = lock.history_params({"message": "hello", "pin": "123456", "undeclared": 1})
    assert shown == {"message": "hello"}


@pytest.mark.parametrize("command", registry.COMMANDS.values(), ids=lambda c: c.request_type)
def test_secrets_are_never_public(command: Any) -> None:
    assert not command.secret_names & (command.public_params | command.param_names)
    assert command.public_params <= command.param_names


def test_what_a_busy_phone_still_does() -> None:
    at_once = {n for n, c in registry.COMMANDS.items() if c.answers_at_once(Platform.IPAD)}
    assert at_once == {
        "DeviceInformation",
        "ProfileList",
        "DeviceLock",
        "EraseDevice",
        "InstalledApplicationList",
        "ClearPasscode",
    }


def test_what_a_sleeping_mac_still_does() -> None:
    at_once = {n for n, c in registry.COMMANDS.items() if c.answers_at_once(Platform.MAC)}
    assert at_once == {"DeviceLock", "EraseDevice", "RestartDevice", "ShutDownDevice"}


def test_an_order_to_erase_stands_for_years() -> None:
    assert registry.get("EraseDevice").deadline.days > 3000


def test_device_information_becomes_facts_and_a_section() -> None:
    body = {
        "QueryResponses": {
            "DeviceName": "Ada's\u202e iPhone",
            "OSVersion": "17.5.1",
            "ProductName": "iPhone15,2",
            "BatteryLevel": 0.42,
            "DeviceCapacity": 128,
            "IsSupervised": True,
            "LastCloudBackupDate": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            "ServiceSubscriptions": [{"Slot": "1", "IMEI": "35", "Secret": "x"}, "junk"],
            "PushToken": b"never asked for",
        }
    }
    outcome = registry.get("DeviceInformation").parse(body)
    section = outcome.sections["device"]
    assert outcome.facts == {
        "name": "Ada's iPhone",
        "os_version": "17.5.1",
        "product_name": "iPhone15,2",
        "is_supervised": True,
    }
    assert section["ServiceSubscriptions"] == [{"Slot": "1", "IMEI": "35"}]
    assert section["LastCloudBackupDate"] == "2026-01-02T03:04:05+00:00"
    assert "PushToken" not in section


def test_numbers_that_no_database_keeps_are_left_out() -> None:
    answers = {"BatteryLevel": math.nan, "DeviceCapacity": math.inf, "CellularTechnology": 2**64}
    outcome = registry.get("DeviceInformation").parse({"QueryResponses": answers})
    assert outcome.sections["device"] == {}


def test_recovery_keys_never_reach_the_inventory() -> None:
    info = {
        "FDE_Enabled": True,
        "FDE_PersonalRecoveryKeyCMS": b"secret",
        "FDE_PersonalRecoveryKeyDeviceKey": "secret",
        "ManagementStatus": {"UserApprovedEnrollment": True, "Other": "x"},
    }
    outcome = registry.get("SecurityInfo").parse({"SecurityInfo": info})
    assert outcome.sections["security"] == {
        "FDE_Enabled": True,
        "ManagementStatus": {"UserApprovedEnrollment": True},
    }


def test_a_long_list_is_cut_and_says_so() -> None:
    apps = [{"Identifier": f"com.example.{n}", "Name": "x" * 9999} for n in range(5001)]
    outcome = registry.get("InstalledApplicationList").parse({"InstalledApplicationList": apps})
    section = outcome.sections["applications"]
    assert (len(section["items"]), section["total"], section["is_cut"]) == (5000, 5001, True)
    assert len(section["items"][0]["Name"]) == 255


def test_certificates_are_described_and_their_bytes_dropped(any_certificate: bytes) -> None:
    items = [
        {"CommonName": "One", "IsIdentity": True, "Data": any_certificate},
        {"CommonName": "Broken", "IsIdentity": False, "Data": b"\x30\x80junk"},
        {"CommonName": "Huge", "Data": b"x" * 70_000},
        "junk",
    ]
    outcome = registry.get("CertificateList").parse({"CertificateList": items})
    first, second, third = outcome.sections["certificates"]["items"]
    assert first["NotAfter"].startswith("20") and len(first["SHA256"]) == 64
    assert "Data" not in first and "NotAfter" not in second
    assert third == {"CommonName": "Huge"}


def test_a_lock_tells_whether_its_message_was_shown() -> None:
    outcome = registry.get("DeviceLock").parse({"MessageResult": "NoPasscodeSet"})
    assert outcome.detail == {"message_result": "NoPasscodeSet"}


_noise = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_RESULT_KEYS = {
    "CertificateList": "CertificateList",
    "DeviceInformation": "QueryResponses",
    "DeviceLock": "MessageResult",
    "InstalledApplicationList": "InstalledApplicationList",
    "ProfileList": "ProfileList",
    "SecurityInfo": "SecurityInfo",
    "Settings": "Settings",
    "DeviceLocation": "Latitude",
}


@given(noise=_noise, name=st.sampled_from(sorted(_RESULT_KEYS)), in_list=st.booleans())
def test_no_result_makes_a_reader_fail(noise: Any, name: str, in_list: bool) -> None:
    body = {_RESULT_KEYS[name]: [noise] if in_list else noise}
    outcome = registry.get(name).parse(body)
    json.dumps([outcome.sections, outcome.facts, outcome.detail], allow_nan=False)


@pytest.mark.parametrize(
    ("product", "platform"),
    [
        ("iPhone15,2", Platform.IPHONE),
        ("iPod9,1", Platform.IPHONE),
        ("iPad13,4", Platform.IPAD),
        ("Mac14,2", Platform.MAC),
        ("MacBookPro18,1", Platform.MAC),
        ("iMac21,1", Platform.MAC),
        ("VirtualMac2,1", Platform.MAC),
        ("AppleTV11,1", Platform.OTHER),
        ("", Platform.OTHER),
        ("Pixel 9", Platform.OTHER),
    ],
)
def test_the_product_name_tells_the_platform(product: str, platform: Platform) -> None:
    assert platform_of(product) == platform


@pytest.mark.parametrize(
    ("text", "version"),
    [("17.5.1", (17, 5, 1)), ("15", (15,)), ("14.5 (a)", (14, 5)), ("", ()), ("beta", ())],
)
def test_versions_are_compared_as_numbers(text: str, version: tuple[int, ...]) -> None:
    assert version_of(text) == version
