"""The server's own settings in a world of the test run's own: temporary folder, fast hashes."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

# Nothing of the developer's shell may reach the tests, save what the runner sets on purpose.
_KEPT = {"MUSTER_TEST_LANE", "MUSTER_TEST_PART", "MUSTER_TEST_REQUIRE_ALL"}
_FOREIGN = {"SECRET_KEY", "DEBUG", "EMAIL_URL", "DATABASE_URL", "REDIS_URL"}
if os.environ.get("MUSTER_TEST_LANE") == "services":
    _KEPT |= {"DATABASE_URL", "REDIS_URL"}
for _name in list(os.environ):
    if (_name.startswith("MUSTER_") or _name in _FOREIGN) and _name not in _KEPT:
        del os.environ[_name]

_folder = tempfile.mkdtemp(prefix="muster-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["MUSTER_DATA_DIR"] = _folder
if "DATABASE_URL" in os.environ:
    # With a database of its own a server is in production and brings its secrets along.
    os.environ["SECRET_KEY"] = os.urandom(32).hex()
    os.environ["MUSTER_KEK"] = __import__("base64").b64encode(os.urandom(32)).decode()

from mdm.settings import *  # noqa: E402
from mdm.settings import DATA_DIR, DATABASES, STATIC_ROOT, STORAGES  # noqa: E402

STATIC_ROOT.mkdir(exist_ok=True)

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
# A message is only a doorbell; tests run the sweeps, or the task itself.
CELERY_BROKER_URL = "memory://"
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, because connections of several threads to one in-memory database lock each other out.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"
