from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mdm import checks

ROOT = Path(__file__).resolve().parents[2]
GOOD_KEY = base64.b64encode(os.urandom(32)).decode()


def ids(found):
    return [message.id for message in found]


@pytest.mark.parametrize("key", ["short", "a" * 64, "django-insecure-" + GOOD_KEY, "changeme" * 8])
def test_an_unsafe_secret_key_is_refused(settings, key):
    settings.SECRET_KEY = key
    assert ids(checks.check_secret_key()) == ["mdm.E001"]


@pytest.mark.parametrize(
    "kek",
    [
        "",
        "not base64!",
        base64.b64encode(b"too short").decode(),
        base64.b64encode(bytes(32)).decode(),
        f"{GOOD_KEY},{base64.b64encode(b'ab' * 16).decode()}",
    ],
)
def test_an_unsafe_key_encryption_key_is_refused(settings, kek):
    settings.MUSTER_KEK = kek
    assert ids(checks.check_kek()) == ["mdm.E002"]


def test_a_second_key_encryption_key_is_accepted_for_rotation(settings):
    other = base64.b64encode(os.urandom(32)).decode()
    settings.MUSTER_KEK = f"{GOOD_KEY}, {other}"
    assert checks.check_kek() == []


@pytest.mark.parametrize(
    "url",
    [
        "http://mdm.example.com",
        "http://10.0.0.7:8000",
        "ftp://mdm.example.com",
        "https://mdm.example.com/path",
        "https://user@mdm.example.com",
        "mdm.example.com",
        "",
    ],
)
def test_a_public_url_that_devices_must_not_get_is_refused(settings, url):
    settings.MUSTER_PUBLIC_URL = url
    assert ids(checks.check_public_url()) == ["mdm.E003"]


@pytest.mark.parametrize(
    "url",
    ["https://mdm.example.com", "http://localhost:8000", "http://127.0.0.1", "http://[::1]:8000"],
)
def test_https_and_loopback_urls_are_accepted(settings, url):
    settings.MUSTER_PUBLIC_URL = url
    assert checks.check_public_url() == []


def test_debug_on_a_public_server_is_refused(settings):
    settings.DEBUG, settings.MUSTER_PUBLIC_URL = True, "https://mdm.example.com"
    assert ids(checks.check_debug()) == ["mdm.E004"]


def test_switched_off_second_factors_are_reported(settings):
    settings.MUSTER_REQUIRE_ADMIN_MFA = False
    assert ids(checks.check_mfa()) == ["mdm.W001"]


def start(tmp_path, *command, **environment):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        env={**kept, "MUSTER_DATA_DIR": str(tmp_path), **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    "environment",
    [
        {"SECRET_KEY": "changeme"},
        {"MUSTER_KEK": "c2hvcnQ="},
        {"DEBUG": "1", "MUSTER_PUBLIC_URL": "https://mdm.example.com"},
        {"MUSTER_PUBLIC_URL": "http://mdm.example.com"},
        {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"},
    ],
    ids=["sample key", "short kek", "debug in public", "http in public", "no keys in production"],
)
def test_the_web_process_does_not_start_with_unsafe_settings(tmp_path, environment):
    ended = start(tmp_path, "-c", "import mdm.wsgi", **environment)
    assert ended.returncode != 0
    assert "ImproperlyConfigured" in ended.stderr


def test_a_management_command_does_not_start_with_unsafe_settings(tmp_path):
    ended = start(tmp_path, "manage.py", "check", SECRET_KEY="changeme")
    assert ended.returncode != 0
    assert "mdm.E001" in ended.stderr


def test_two_fresh_installations_share_no_key(tmp_path):
    show = "from mdm import settings as s; print(s.SECRET_KEY, s.MUSTER_KEK)"
    printed = [start(tmp_path / name, "-c", show).stdout.split() for name in ("one", "two")]
    assert len({key for keys in printed for key in keys}) == 4


def test_kept_keys_are_readable_by_their_owner_only(tmp_path):
    start(tmp_path, "-c", "from mdm import settings")
    files = list((tmp_path / "secrets").iterdir())
    assert len(files) == 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
