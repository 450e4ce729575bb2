"""S-53 and S-124: what opens something is in no log line."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog
from django.conf import settings as django_settings

SECRET = "mzxw6ytboi2gk5dtmzxw6ytboi"


@pytest.fixture
def lines():
    """What the console handler writes, line by line."""
    handler = next(h for h in logging.getLogger().handlers if hasattr(h.formatter, "processors"))
    stream, previous = io.StringIO(), handler.stream
    handler.setStream(stream)
    yield lambda: stream.getvalue().splitlines()
    handler.setStream(previous)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        f"/go/{SECRET}",
        f"/GO/{SECRET}/go",
        f"/enroll/{SECRET}/profile",
        f"/account/password/reset/1-{SECRET}/",
        f"/sign-in/?next={SECRET}",
        f"/nowhere/?pin={SECRET}",
    ],
)
def test_links_and_queries_are_not_logged(client, lines, path, tenant):
    client.raise_request_exception = False
    client.get(path)
    logged = lines()
    assert logged
    assert [line for line in logged if SECRET in line] == []


def test_a_foreign_library_cannot_log_a_link_either(lines):
    logging.getLogger("some.library").warning("Gone: /enroll/%s/profile", SECRET)
    assert json.loads(lines()[-1])["event"] == "Gone: /enroll/…"


def test_a_fault_is_logged_with_its_traceback(lines):
    try:
        raise ValueError(f"cannot open /enroll/{SECRET}/profile")
    except ValueError:
        structlog.get_logger("test").exception("fault")
        logging.getLogger("foreign").exception("fault")
    for line in lines()[-2:]:
        assert "ValueError" in json.loads(line)["exception"]
        assert SECRET not in line


def test_every_line_is_json_with_time_and_level(lines):
    logging.getLogger("plain").error("one")
    structlog.get_logger("structured").error("two", number=2)
    for line in lines()[-2:]:
        assert {"timestamp", "level", "logger"} <= json.loads(line).keys()


def test_the_logging_of_the_tests_is_that_of_the_server():
    assert "json" in django_settings.LOGGING["formatters"]
