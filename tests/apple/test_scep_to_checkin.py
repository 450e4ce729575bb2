"""From a challenge to an active device and through renewals, all of it over the wire."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from apple.protocol import plist
from core.pki import cms
from devices.models import Identity
from devices.states import DeviceState
from tests.apple import messages, wire
from tests.apple.enrolling import Endpoint, give_profile, open_session
from tests.apple.wire import Phone
from tests.pki_material import indefinite, rsa_key

pytestmark = pytest.mark.django_db
BAD_CERT_ID = "4"


class ScepPhone(Phone):
    """A phone with a key of its own, whose certificates come from SCEP."""

    def __init__(self, endpoint: Endpoint, user: Any) -> None:
        self.endpoint, self.key = endpoint, rsa_key("phone 1")
        super().__init__(endpoint.http, endpoint.tenant, user)

    def get_profile(self) -> None:
        self.session = open_session(self.tenant, self.user)
        _, challenge = give_profile(self.session)
        self._take(self.endpoint.enroll(challenge, key=self.key))

    def ask_to_renew(self, key_name: str = "phone 2"):
        client = self.endpoint.client(
            None, key=rsa_key(key_name), signer_key=self.key, signer=self.certificate
        )
        return self.endpoint.ask(client)

    def renew(self) -> None:
        reply = self.ask_to_renew()
        self.key = rsa_key("phone 2")
        self._take(reply)

    def _take(self, reply) -> None:
        self.certificate = reply.certificates[0]
        self.identity = Identity.objects.get(serial_number=f"{self.certificate.serial_number:x}")

    def sign(self, body: bytes) -> bytes:
        return cms.sign_detached(body, certificate=self.certificate, key=self.key)

    def send(self, path: str, message: dict[str, Any]) -> Any:
        body = plist.write({"UDID": self.udid} | message)
        signature = base64.b64encode(self.sign(body)).decode()
        return self.put(path, body, **{"Mdm-Signature": signature})

    @property
    def idle_status(self) -> int:
        return self.send(wire.CONNECT, messages.idle()).status_code


@pytest.fixture
def phone(scep, person) -> ScepPhone:
    return ScepPhone(scep, person)


def test_a_challenge_becomes_an_active_device(phone, person):
    phone.enroll()
    assert phone.device.state == DeviceState.ACTIVE
    assert phone.device.user == person
    phone.session.refresh_from_db()
    assert phone.session.outcome == "active"


def test_a_certificate_that_never_authenticated_may_not_speak(phone):
    """S-39."""
    assert phone.idle_status == 400
    assert phone.update_token().status_code == 400


@pytest.mark.openssl
@pytest.mark.parametrize("encode", [bytes, indefinite], ids=["der", "ber"])
def test_a_device_that_signs_as_real_ones_do_enrolls(phone, openssl_sign, encode):
    def sign(body: bytes) -> bytes:
        options = ("-noattr", "-md", "sha1")
        return encode(openssl_sign(phone.certificate, phone.key, body, *options))

    phone.sign = sign
    phone.enroll()
    assert phone.device.state == DeviceState.ACTIVE


def test_a_renewed_certificate_takes_over_and_the_old_one_is_retired(phone):
    """S-44."""
    phone.enroll()
    device, old = phone.device, (phone.identity, phone.certificate, phone.key)
    phone.renew()
    assert phone.identity.renewed_from == old[0]
    assert phone.idle_status == 200
    assert phone.device == device
    phone.identity, phone.certificate, phone.key = old
    assert phone.idle_status == 400
    assert phone.ask_to_renew("phone 3").fail_info == BAD_CERT_ID


def test_the_old_certificate_works_until_the_new_one_is_used(phone):
    phone.enroll()
    phone.ask_to_renew()
    assert phone.idle_status == 200


def test_who_checked_out_does_not_renew(phone):
    phone.enroll()
    assert phone.check_in({"MessageType": "CheckOut", "Topic": messages.TOPIC}).status_code == 200
    assert phone.ask_to_renew().fail_info == BAD_CERT_ID


def test_after_a_new_enrollment_the_old_certificate_does_not_renew(phone):
    phone.enroll()
    old = phone.identity, phone.certificate, phone.key
    phone.key = rsa_key("phone 3")
    phone.get_profile()
    phone.enroll()
    phone.identity, phone.certificate, phone.key = old
    assert phone.ask_to_renew().fail_info == BAD_CERT_ID
