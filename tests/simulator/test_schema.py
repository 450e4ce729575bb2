"""What simulated devices answer, held against Apple's schema."""

from __future__ import annotations

import pytest

from tests.apple import schema

QUERIES = (
    "DeviceInformation",
    "SecurityInfo",
    "ProfileList",
    "CertificateList",
    "InstalledApplicationList",
)
ENVELOPE = ("UDID", "Status", "CommandUUID", "UserID", "UserShortName", "UserLongName")


@pytest.mark.schema
@pytest.mark.parametrize(("kind", "system"), [("iphone", "iOS"), ("mac", "macOS")])
def test_answers_follow_the_schema(standin, request, kind, system):
    device = request.getfixturevalue(kind)
    device.install(standin.profile())
    for query in QUERIES:
        standin.order(query)
        device.poll()
        result = {k: v for k, v in standin.results[-1].items() if k not in ENVELOPE}
        assert result
        assert schema.response_problems(query, result, system=system) == []


@pytest.mark.schema
def test_check_ins_follow_the_schema(standin, mac):
    """The schema lists every kind of enrollment's keys as required, so only the rest can count."""
    mac.install(standin.profile())
    for message in standin.check_ins:
        problems = schema.checkin_problems(message)
        assert [p for p in problems if "missing" not in p and "unknown" not in p] == []
