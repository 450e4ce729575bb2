"""Tells what kind of device and browser opens a page, from what it sends; pure, and often a guess.

iPads call themselves Macs and Macs hide their version, so that a person can always correct it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from ua_parser import parse

IPHONE, IPAD, MAC, ANDROID, OTHER = "iphone", "ipad", "mac", "android", "other"
CHOICES = (IPHONE, IPAD, MAC)
MAX_USER_AGENT = 512

# A web view inside another app says so, or lacks the word Safari.
_IN_APP = re.compile(
    r"FBAN|FBAV|FB_IAB|Instagram|Line/|MicroMessenger|GSA/|Snapchat|Pinterest|LinkedInApp|Twitter|"
    r"TikTok|musical_ly|BytedanceWebview|DuckDuckGo/|Slack|Teams|Outlook|YahooMobile|; wv\)",
    re.IGNORECASE,
)
# Browsers of iOS other than Safari cannot hand a profile to Settings.
_OTHER_IOS_BROWSER = re.compile(r"CriOS|FxiOS|EdgiOS|OPiOS|OPT/|Brave|Focus/")
# Which Safari came with which macOS; later ones are offered to two earlier systems as well.
_SAFARI_OF_MACOS = {14: 11, 15: 12, 16: 13, 17: 14, 18: 15}
_FIRST_YEAR_NUMBER = 26


@dataclass(frozen=True, slots=True)
class Detected:
    """`version` is the major version of the system, or 0 for unknown. `is_sure` is False for a
    Mac that may be an iPad. `must_leave_app` asks for Safari."""

    platform: str
    version: int = 0
    is_sure: bool = True
    must_leave_app: bool = False

    @property
    def is_enrollable_kind(self) -> bool:
        return self.platform in CHOICES


def detect(headers: Mapping[str, str], *, touch_points: str = "", chosen: str = "") -> Detected:
    """Return what opens the page.

    `touch_points` is what a script reads from the browser, `chosen` what the person picked, which
    wins. Header names as in `request.headers`.
    """
    user_agent = headers.get("User-Agent", "")[:MAX_USER_AGENT]
    found = _from_user_agent(user_agent)
    if found.platform == MAC:
        found = _mac_or_ipad(found, headers, user_agent, touch_points)
    if chosen in CHOICES and chosen != found.platform:
        # Of the version of another system than the one that asks we know nothing.
        return Detected(chosen)
    return replace(found, is_sure=True) if chosen else found


@lru_cache(maxsize=2048)
def _from_user_agent(user_agent: str) -> Detected:
    parsed = parse(user_agent)
    system = parsed.os.family if parsed.os else ""
    version = _number(parsed.os.major) if parsed.os else 0
    if system == "iOS":
        is_ipad = "iPad" in user_agent
        leave = _must_leave_app(user_agent)
        return Detected(IPAD if is_ipad else IPHONE, version, must_leave_app=leave)
    if system in ("Mac OS X", "macOS"):
        return Detected(MAC, _macos_version(user_agent, parsed.user_agent), is_sure=False)
    return Detected(ANDROID if system == "Android" else OTHER, version)


def browser_words(user_agent: str) -> str:
    """Return which browser it is, such as ``Chrome · Windows``; "" for one that does not say."""
    parsed = parse(user_agent[:MAX_USER_AGENT])
    browser = parsed.user_agent.family if parsed.user_agent else ""
    system = parsed.os.family if parsed.os else ""
    return " · ".join(name for name in (browser, system) if name)


def _must_leave_app(user_agent: str) -> bool:
    if _IN_APP.search(user_agent) or _OTHER_IOS_BROWSER.search(user_agent):
        return True
    return "Safari/" not in user_agent and "AppleWebKit/" in user_agent


def _macos_version(user_agent: str, browser) -> int:
    """A guess from Safari's own version, since the system's is frozen at 10.15."""
    if browser is None or browser.family != "Safari":
        return 0
    safari = _number(browser.major)
    return safari if safari >= _FIRST_YEAR_NUMBER else _SAFARI_OF_MACOS.get(safari, 0)


def _mac_or_ipad(
    found: Detected, headers: Mapping[str, str], user_agent: str, touch_points: str
) -> Detected:
    if _number(touch_points) > 1:
        return Detected(IPAD, must_leave_app=_must_leave_app(user_agent))
    hinted = headers.get("Sec-CH-UA-Platform", "").strip('" ')
    if hinted == "macOS":
        told = headers.get("Sec-CH-UA-Platform-Version", "").strip('" ')
        version = _number(told.partition(".")[0]) or found.version
        return Detected(MAC, version)
    # Without a touch screen it is a Mac; without a script that could say so it may be either.
    return replace(found, is_sure=touch_points != "")


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 5 else 0
