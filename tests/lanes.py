"""The lanes of the test suite: what some tests need installed, and how to tell that it is."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.fakes import postgres, redis

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT.parent / "shared" / "apple-schema"
REQUIRE_ALL = os.environ.get("MUSTER_TEST_REQUIRE_ALL", "") not in ("", "0")
# Set by tests/run.py: "services" runs what touches the database again on PostgreSQL and Redis.
CURRENT = os.environ.get("MUSTER_TEST_LANE", "embedded")
# Set by tests/run.py, which runs tests that start servers or browsers ("servers") apart from the
# rest ("rest"); everything without it.
PART = os.environ.get("MUSTER_TEST_PART", "")


@dataclass(frozen=True)
class Lane:
    """Tests marked with `name` need `what`; `missing` says why they cannot run, or ""."""

    name: str
    what: str
    missing: Callable[[], str]


def _program(name: str) -> Callable[[], str]:
    return lambda: "" if shutil.which(name) else f"{name} is not installed"


def find_chromium() -> str | None:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    return None


@cache
def _missing_scep_client() -> str:
    pki = shutil.which("pki")
    if pki is None:
        return "strongSwan's pki is not installed"
    answer = subprocess.run([pki, "--help"], capture_output=True, text=True, timeout=20)
    return "" if "--scep" in answer.stdout + answer.stderr else "pki knows no --scep"


def _missing_browser() -> str:
    if find_chromium() is None:
        return "chromium is not installed"
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "the package playwright is not installed"
    return ""


LANES = {
    lane.name: lane
    for lane in (
        Lane(
            "postgres",
            "PostgreSQL 15 or newer",
            lambda: "" if postgres.find_programs() else "PostgreSQL 15 is not installed",
        ),
        Lane(
            "redis",
            "Redis",
            lambda: "" if redis.find_program() else "redis-server is not installed",
        ),
        Lane("browser", "Chromium and Playwright", _missing_browser),
        Lane("caddy", "the Caddy web server", _program("caddy")),
        Lane("openssl", "the openssl program", _program("openssl")),
        Lane("strongswan", "strongSwan's SCEP client", _missing_scep_client),
        Lane("zbar", "zbar's zbarimg, which reads QR codes", _program("zbarimg")),
        Lane(
            "schema",
            "Apple's schema in ../shared/apple-schema",
            lambda: "" if SCHEMA.is_dir() else "the folder with Apple's schema is not here",
        ),
    )
}


def missing_for_services() -> str:
    """Return why the suite cannot run again on PostgreSQL and Redis, or ""."""
    reasons = (LANES[name].missing() for name in ("postgres", "redis"))
    return ", ".join(reason for reason in reasons if reason)
