"""U-38 and U-48: which device and which browser opens the page."""

from __future__ import annotations

import pytest

from enrollment.detection import Detected, detect
from enrollment.instructions import IOS_12, IOS_15, MACOS_11, MACOS_13, MACOS_15, guides

KIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {KIT}"
IPAD_12 = f"Mozilla/5.0 (iPad; CPU OS 12_5_7 like Mac OS X) {KIT}"
MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {KIT}"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
MAC_CHROME = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {CHROME} Safari/537.36"


def found(agent: str, *, touch: str = "", chosen: str = "", **headers: str) -> Detected:
    sent = {"User-Agent": agent, **{k.replace("_", "-"): v for k, v in headers.items()}}
    return detect(sent, touch_points=touch, chosen=chosen)


@pytest.mark.parametrize(
    ("agent", "platform", "version"),
    [
        (f"{IPHONE} Version/18.6 Mobile/15E148 Safari/604.1", "iphone", 18),
        (f"{IPHONE} Version/26.1 Mobile/15E148 Safari/604.1", "iphone", 18),
        (f"{IPAD_12} Version/12.1.2 Mobile/15E148 Safari/604.1", "ipad", 12),
        (f"{MAC} Version/14.1 Safari/605.1.15", "mac", 11),
        (f"{MAC} Version/17.4 Safari/605.1.15", "mac", 14),
        (f"{MAC} Version/26.0 Safari/605.1.15", "mac", 26),
        (MAC_CHROME, "mac", 0),
        (f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {CHROME} Mobile Safari/537.36", "android", 15),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36", "other", 10),
        (f"Mozilla/5.0 (X11; Linux x86_64) {CHROME} Safari/537.36", "other", 0),
        (f"Mozilla/5.0 (X11; CrOS x86_64 15662.76.0) {CHROME} Safari/537.36", "other", 0),
        ("", "other", 0),
        ("curl/8.5.0", "other", 0),
        ("\x00" * 40 + "(((" * 2000, "other", 0),
    ],
)
def test_tells_the_system_and_its_version(agent, platform, version):
    answer = found(agent)
    assert (answer.platform, answer.version) == (platform, version)


def test_an_ipad_that_calls_itself_a_mac_is_given_away_by_its_touch_screen():
    safari = f"{MAC} Version/18.6 Safari/605.1.15"
    assert found(safari, touch="5") == Detected("ipad")
    assert found(safari, touch="0") == Detected("mac", 15)
    assert not found(safari).is_sure


def test_browsers_that_tell_the_real_version_of_macos_are_believed():
    hints = {"Sec_CH_UA_Platform": '"macOS"', "Sec_CH_UA_Platform_Version": '"14.6.1"'}
    assert found(MAC_CHROME, **hints) == Detected("mac", 14)


def test_what_the_person_picked_wins():
    assert found(f"{MAC} Version/18.6 Safari/605.1.15", chosen="ipad").platform == "ipad"
    assert found("curl/8.5.0", chosen="iphone") == Detected("iphone")
    assert found(MAC_CHROME, chosen="mac").is_sure
    assert found("curl/8.5.0", chosen="toaster").platform == "other"


@pytest.mark.parametrize(
    "tail",
    [
        "Mobile/15E148 [FBAN/FBIOS;FBAV/489.0.0]",
        "Mobile/15E148 Instagram 302.0.0.23.114",
        "Mobile/15E148",
        "CriOS/142.0.7444.77 Mobile/15E148 Safari/604.1",
        "FxiOS/144.0 Mobile/15E148 Safari/605.1.15",
        "GSA/395.0 Mobile/15E148 Safari/604.1",
    ],
)
def test_browsers_that_cannot_hand_over_a_profile_are_told_to_open_safari(tail):
    assert found(f"{IPHONE} {tail}").must_leave_app


def test_safari_and_browsers_of_macs_are_left_alone():
    assert not found(f"{IPHONE} Version/18.6 Mobile/15E148 Safari/604.1").must_leave_app
    assert not found(MAC_CHROME).must_leave_app


@pytest.mark.parametrize(
    ("platform", "version", "guide"),
    [
        ("iphone", 0, IOS_15),
        ("iphone", 18, IOS_15),
        ("ipad", 14, IOS_12),
        ("mac", 0, MACOS_15),
        ("mac", 26, MACOS_15),
        ("mac", 15, MACOS_15),
        ("mac", 14, MACOS_13),
        ("mac", 13, MACOS_13),
        ("mac", 12, MACOS_11),
        ("mac", 11, MACOS_11),
    ],
)
def test_the_steps_are_those_of_the_system(platform, version, guide):
    fitting, others = guides(platform, version)
    assert fitting is guide
    assert guide not in others
    assert others, "whoever was guessed wrong finds the right steps"
