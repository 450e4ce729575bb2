"""The device endpoints under bad input: plain refusals, no redirect, no cookie, no stray 401."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from django.db import OperationalError
from django.test import RequestFactory

from apple.protocol import plist
from apple.services import connect
from core import net
from devices.models import Device
from tests.apple import messages, wire
from tests.apple.wire import CHECKIN, CONNECT, Phone

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("path", [CHECKIN, CONNECT])


@pytest.fixture
def phone(client, tenant, person):
    return Phone(client, tenant, person).enroll()


def signed(phone: Phone, path: str, body: bytes, **headers: str):
    from core.pki import cms

    signature = cms.sign_detached(body, certificate=phone.certificate, key=wire._key())
    header = base64.b64encode(signature).decode()
    return phone.put(path, body, **{"Mdm-Signature": header} | headers)


@BOTH
def test_without_credentials_it_is_a_plain_403(client, path):
    answer = client.generic("PUT", path, plist.write(messages.idle()))
    assert (answer.status_code, answer.content) == (403, b"")


@BOTH
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_only_put_is_spoken(client, path, method):
    assert client.generic(method, path).status_code == 405


@BOTH
@pytest.mark.parametrize("tail", ["/", "/x", "?a=b"])
def test_there_is_no_redirect_and_no_cookie(client, phone, path, tail):
    answer = client.generic("PUT", path + tail, b"")
    assert answer.status_code in (403, 404)
    assert not answer.cookies
    assert "Location" not in answer


@BOTH
def test_an_answer_sets_no_cookie(phone, path):
    answer = phone.send(path, messages.idle())
    assert answer.status_code == 200
    assert not answer.cookies


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<plist>",
        b'{"MessageType": "Authenticate"}',
        b"bplist00\xd0\x08\x00\x00\x00\x00\x00\x00\x01\x01",
        b'<!DOCTYPE p [<!ENTITY a "b">]><plist><dict/></plist>',
        b"<plist><dict><key>A</key>" + b"<array>" * 200_000,
        b"<plist version='1.0'><dict/></plist>",
        plist.write({"UDID": messages.UDID}),
        plist.write({"UDID": messages.UDID, "Status": "Sleeping"}),
        plist.write({"UDID": messages.UDID, "MessageType": "Surprise"}),
        plist.write({"UDID": messages.UDID, "Status": 7}),
        plist.write({"Status": "Idle"}),
        plist.write({"UDID": [messages.UDID], "Status": "Idle"}),
        plist.write({"UDID": "x" * 5000, "Status": "Idle"}),
    ],
)
@BOTH
def test_a_signed_body_that_is_no_message_is_a_plain_400(phone, path, body):
    state = phone.device.state
    if path == CHECKIN and len(body) > 1024 * 1024:
        assert signed(phone, path, body).status_code == 413
    else:
        assert signed(phone, path, body).status_code == 400
    assert phone.device.state == state


def test_both_addresses_may_be_one(phone):
    assert phone.send(CONNECT, messages.token_update(UDID=phone.udid)).status_code == 200
    assert phone.send(CHECKIN, messages.idle()).status_code == 200


def test_a_check_in_over_one_megabyte_is_too_large(phone):
    assert signed(phone, CHECKIN, b"x" * (1024 * 1024 + 1)).status_code == 413
    assert signed(phone, CONNECT, b"x" * (1024 * 1024 + 1)).status_code == 400


@BOTH
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
def test_an_encoded_body_is_refused_before_it_is_read(phone, path, encoding):
    answer = signed(phone, path, b"\x1f\x8b", **{"Content-Encoding": encoding})
    assert answer.status_code == 415


class Endless(io.RawIOBase):
    """A body that never ends and counts what was read of it."""

    def __init__(self) -> None:
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "an endless body was read whole"
        self.taken += size
        return b"x" * size


@pytest.mark.parametrize(("path", "limit"), [(CHECKIN, 1 << 20), (CONNECT, 32 << 20)])
def test_a_declared_size_over_the_limit_is_refused_before_a_byte_is_read(path, limit):
    body = Endless()
    request = RequestFactory().generic("PUT", path)
    request.META["CONTENT_LENGTH"] = str(limit + 1)
    request._stream = body
    with pytest.raises(net.BodyTooLarge):
        net.read_body(request, limit)
    assert body.taken == 0


def chunked(body: Any, **meta: Any) -> Any:
    request = RequestFactory().generic("PUT", CONNECT)
    request.META |= {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    request.META |= {"wsgi.input": body, "wsgi.input_terminated": True} | meta
    return request


@pytest.mark.parametrize("limit", [1 << 20, 32 << 20])
def test_a_body_without_a_size_is_read_up_to_the_limit_and_no_further(limit):
    body = Endless()
    with pytest.raises(net.BodyTooLarge):
        net.read_body(chunked(body), limit)
    assert body.taken <= limit + 65536


def test_a_body_in_chunks_is_read_to_its_end():
    assert net.read_body(chunked(io.BytesIO(b"x" * 100_000)), 1 << 20) == b"x" * 100_000


def test_a_server_that_does_not_end_its_input_is_not_waited_for():
    with pytest.raises(net.LengthRequired):
        net.read_body(chunked(Endless(), **{"wsgi.input_terminated": False}), 1 << 20)


def test_a_large_inventory_is_accepted(phone):
    from devices.services import commands, lifecycle

    phone.drain()
    commands.enqueue(
        channel=lifecycle.device_channel(phone.device),
        kind="InstalledApplicationList",
        actor=phone.user.actor,
    )
    sent = phone.say("Idle")
    apps = [{"Identifier": f"com.example.app{n}", "Name": "x" * 900} for n in range(3000)]
    phone.say("Acknowledged", sent["CommandUUID"], InstalledApplicationList=apps)
    section = phone.device.inventory.get(kind="applications")
    assert len(section.data["items"]) == 3000


@BOTH
def test_a_fault_of_ours_is_503_and_never_401(phone, path, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("the database is down")

    monkeypatch.setattr(connect.polls, "find", fail)
    answer = phone.send(path, messages.idle())
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0


def test_a_database_that_is_away_during_authentication_is_503(phone, monkeypatch):
    from apple.services import authentication

    def fail(*args, **kwargs):
        raise OperationalError("gone")

    monkeypatch.setattr(connect.polls, "_ask", fail)
    monkeypatch.setattr(authentication, "_caller", fail)
    assert phone.send(CONNECT, messages.idle()).status_code == 503
    assert phone.update_token().status_code == 503


def test_a_changed_body_is_refused(phone):
    from core.pki import cms

    body = plist.write(messages.idle())
    signature = cms.sign_detached(body, certificate=phone.certificate, key=wire._key())
    header = {"Mdm-Signature": base64.b64encode(signature).decode()}
    assert phone.put(CONNECT, body + b" ", **header).status_code == 400


@BOTH
def test_headers_that_claim_an_identity_change_nothing(phone, client, tenant, path):
    other = wire.other_phone(client, tenant).enroll()
    claims = {
        "X-User-ID": "1",
        "X-Remote-User": "admin",
        "X-Tenant": "globex",
        "X-HTTP-Method-Override": "DELETE",
        "X-Forwarded-Host": "evil.example",
        "X-Original-URL": "/",
        "X-Device-UDID": other.udid,
    }
    body = plist.write(messages.idle(UDID=phone.udid))
    assert signed(phone, path, body, **claims).status_code == 200
    assert Device.objects.filter(tenant=tenant).count() == 2


def test_an_unknown_host_name_does_not_matter_to_a_device(phone):
    body = plist.write(messages.idle(UDID=phone.udid))
    answer = signed(phone, CONNECT, body, Host="elsewhere.example")
    assert answer.status_code == 200
