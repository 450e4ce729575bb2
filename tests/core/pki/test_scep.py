"""SCEP messages as clients send them, and the replies that they can read."""

from __future__ import annotations

import base64
import datetime as dt
from urllib.parse import quote

import pytest
from asn1crypto import core as asn1
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from core.pki import ca, scep
from core.pki.envelope import Recipient
from core.pki.errors import CmsError
from core.pki.scep import FailInfo, ScepFailure
from tests.pki_material import NOW, der_of, ec_key, indefinite, rsa_key, self_signed
from tests.scep_client import RENEWAL_REQ, Client, csr


@pytest.fixture
def client(device_ca) -> Client:
    return Client(device_ca.certificate)


def opened(device_ca: Recipient, message: bytes) -> scep.OpenedRequest:
    return scep.open_request(scep.read_request(message), recipients=[device_ca])


def refusal(device_ca: Recipient, message: bytes) -> FailInfo:
    with pytest.raises(ScepFailure) as caught:
        opened(device_ca, message)
    return caught.value.fail_info


def issue(device_ca: Recipient, request: scep.OpenedRequest) -> x509.Certificate:
    return ca.issue_identity(
        authority=device_ca.certificate,
        authority_key=device_ca.key,
        public_key=request.public_key,
        subject=ca.name("session", "Acme"),
        not_before=NOW - dt.timedelta(hours=1),
        not_after=NOW + dt.timedelta(days=365),
    )


def answered(device_ca: Recipient, client: Client):
    request = opened(device_ca, client.request())
    certificate = issue(device_ca, request)
    reply = scep.build_success(request, issued=certificate, authority=device_ca)
    return certificate, client.read(reply)


@pytest.mark.parametrize("cipher", ["aes128", "aes256", "3des"])
@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_a_request_is_opened_and_answered_with_the_cipher_of_the_client(device_ca, cipher, digest):
    client = Client(device_ca.certificate, cipher=cipher, digest=digest)
    certificate, reply = answered(device_ca, client)
    assert reply.status == "0"
    assert reply.cipher == cipher
    assert reply.certificates == [certificate, device_ca.certificate]


def test_the_request_says_who_asks_and_with_what(device_ca, client):
    request = opened(device_ca, client.request())
    assert request.challenge == "secret"
    assert request.public_key == client.key.public_key()
    assert request.signer.der == der_of(client.signer)
    assert request.request.transaction_id == client.transaction_id


def test_the_outer_certificates_begin_with_the_issued_one(device_ca, client):
    certificate, reply = answered(device_ca, client)
    assert reply.outer == [certificate, device_ca.certificate]


def test_the_reply_echoes_transaction_and_nonce(device_ca, client):
    client.nonce = b"8 bytes!"
    client.transaction_id = "CAFE 0123"
    _, reply = answered(device_ca, client)
    assert reply.recipient_nonce == b"8 bytes!"
    assert reply.transaction_id == "CAFE 0123"
    assert reply.message_type == "3"
    assert len(reply.sender_nonce) == 16


def test_the_reply_says_rsa_encryption_for_strongswan(device_ca, client):
    assert answered(device_ca, client)[1].signature_oid == "1.2.840.113549.1.1.1"


def test_a_failure_carries_every_attribute(device_ca, client):
    request = scep.read_request(client.request())
    message = scep.build_failure(request, fail_info=FailInfo.BAD_REQUEST, authority=device_ca)
    reply = client.read(message)
    assert (reply.status, reply.fail_info, reply.message_type) == ("2", "2", "3")
    assert reply.recipient_nonce == client.nonce
    assert reply.transaction_id == client.transaction_id
    assert len(reply.sender_nonce) == 16
    assert reply.certificates == []


def test_the_signer_may_have_another_key_than_the_request(device_ca):
    client = Client(device_ca.certificate, signer_key=rsa_key("other signer"))
    certificate, reply = answered(device_ca, client)
    assert certificate.public_key() == client.key.public_key()
    assert reply.certificates[0] == certificate


def test_a_challenge_among_the_signed_attributes_is_ignored(device_ca, client):
    client.extra_attributes = (("1.2.840.113549.1.9.7", asn1.PrintableString("attribute")),)
    assert opened(device_ca, client.request()).challenge == "secret"


def test_unknown_attributes_are_ignored(device_ca, client):
    client.extra_attributes = (("1.2.3.4", asn1.Integer(1)), ("1.2.3.5", asn1.Null()))
    assert opened(device_ca, client.request())


def test_a_signer_certificate_with_a_very_long_serial_number_is_accepted(device_ca, client):
    long_serial = int.from_bytes(b"\x41" * 33, "big")
    client.signer = _long_serial(client, long_serial)
    certificate, reply = answered(device_ca, client)
    assert reply.certificates[0] == certificate


def _long_serial(client: Client, serial: int) -> x509.Certificate:
    """cryptography does not build such; nobody checks the signature of a self-signed one."""
    parsed = asn1_x509.Certificate.load(der_of(client.signer))
    parsed["tbs_certificate"]["serial_number"] = serial
    return x509.load_der_x509_certificate(parsed.dump(force=True))


def test_indefinite_lengths_are_read(device_ca, client):
    assert opened(device_ca, indefinite(client.request())).challenge == "secret"


def test_a_request_without_a_challenge_is_opened(device_ca, client):
    client.challenge = None
    assert opened(device_ca, client.request()).challenge == ""


def test_a_renewal_request_is_opened(device_ca, client):
    client.message_type = RENEWAL_REQ
    assert opened(device_ca, client.request())


def test_a_request_to_an_older_authority_is_opened(device_ca, client):
    newer_key = rsa_key("newer ca", 3072)
    newer = Recipient(self_signed(newer_key, "newer"), newer_key)
    request = scep.read_request(client.request())
    assert scep.open_request(request, recipients=[newer, device_ca])
    assert scep.addressed_to(request, recipients=[newer, device_ca]) is device_ca


def test_single_des_is_bad_alg(device_ca, client):
    client.cipher = "des"
    assert refusal(device_ca, client.request()) == FailInfo.BAD_ALG


def test_a_weak_key_is_bad_alg(device_ca):
    client = Client(
        device_ca.certificate, key=rsa_key("weak", 1024), signer_key=rsa_key("scep client")
    )
    assert refusal(device_ca, client.request()) == FailInfo.BAD_ALG


@pytest.mark.parametrize("curve", ["secp256r1", "secp224r1"])
def test_a_key_that_is_not_rsa_is_bad_alg(device_ca, curve):
    client = Client(
        device_ca.certificate, key=ec_key(curve=curve), signer_key=rsa_key("scep client")
    )
    assert refusal(device_ca, client.request()) == FailInfo.BAD_ALG


def test_a_weak_signer_is_bad_alg(device_ca):
    client = Client(device_ca.certificate, signer_key=rsa_key("weak", 1024))
    assert refusal(device_ca, client.request()) == FailInfo.BAD_ALG


@pytest.mark.parametrize("message_type", ["3", "18", "20", "21", "22", "99", "x"])
def test_other_messages_are_bad_requests(device_ca, client, message_type):
    client.message_type = message_type
    assert refusal(device_ca, client.request()) == FailInfo.BAD_REQUEST


def test_a_request_for_another_authority_is_refused(device_ca):
    other_key = rsa_key("newer ca", 3072)
    client = Client(self_signed(other_key, "other"))
    assert refusal(device_ca, client.request()) == FailInfo.BAD_MESSAGE_CHECK
    request = scep.read_request(client.request())
    assert scep.addressed_to(request, recipients=[device_ca, device_ca]) is device_ca


def test_content_changed_after_signing_is_refused(device_ca, client):
    message = client.request()
    other = Client(device_ca.certificate).request()
    envelope = scep.read_request(other).signed.content
    changed = message.replace(scep.read_request(message).signed.content, envelope)
    assert changed != message
    assert refusal(device_ca, changed) == FailInfo.BAD_MESSAGE_CHECK


def test_a_certification_request_with_a_wrong_signature_is_refused(device_ca, client):
    good = csr(client.key, "secret")
    client.payload = good[:-1] + bytes((good[-1] ^ 1,))
    assert refusal(device_ca, client.request()) == FailInfo.BAD_MESSAGE_CHECK


def test_a_certification_request_for_another_key_is_refused(device_ca, client):
    """Somebody else's public key with one's own signature: no proof of possession."""
    mine, theirs = csr(client.key, "secret"), csr(rsa_key("victim"), "secret")
    numbers = [key.public_key().public_numbers().n for key in (client.key, rsa_key("victim"))]
    old, new = (number.to_bytes(256, "big") for number in numbers)
    assert len(mine) == len(theirs)
    client.payload = mine.replace(old, new)
    assert refusal(device_ca, client.request()) == FailInfo.BAD_MESSAGE_CHECK


def test_what_does_not_decrypt_and_what_makes_no_sense_are_answered_alike(device_ca, client):
    """No padding oracle: the answer never says how far the envelope opened."""
    answers = set()
    for payload in (b"", b"\x30\x00", b"noise" * 100, csr(client.key, "x")[:-3]):
        client.payload = payload
        answers.add(refusal(device_ca, client.request()))
    client.payload = csr(client.key, "secret")
    message = client.request()
    sealed = scep.read_request(message).signed.content
    for index in (-1, -17, -33, -200):
        changed = bytearray(sealed)
        changed[index] ^= 1
        answers.add(refusal(device_ca, client.sign(bytes(changed))))
    assert answers == {FailInfo.BAD_MESSAGE_CHECK}


def test_extensions_asked_for_are_not_given(device_ca, client):
    client.csr_options = {
        "subject": "CN of a colleague",
        "extensions": [
            x509.BasicConstraints(ca=True, path_length=None),
            x509.SubjectAlternativeName([x509.DNSName("*.example.com")]),
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        ],
    }
    certificate, _ = answered(device_ca, client)
    assert certificate.subject == ca.name("session", "Acme")
    extensions = certificate.extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    with pytest.raises(x509.ExtensionNotFound):
        extensions.get_extension_for_class(x509.SubjectAlternativeName)


@pytest.mark.parametrize(
    "field, value",
    [
        ("nonce", None),
        ("nonce", b""),
        ("nonce", b"n" * 65),
        ("transaction_id", None),
        ("transaction_id", "x" * 256),
    ],
)
def test_a_message_without_what_a_reply_needs_is_unreadable(device_ca, field, value):
    client = Client(device_ca.certificate)
    setattr(client, field, value)
    with pytest.raises(CmsError) as caught:
        scep.read_request(client.request())
    assert caught.value.code == "malformed"


def test_a_message_over_the_limit_is_not_read(device_ca, client):
    client.payload = b"x" * scep.MAX_MESSAGE
    with pytest.raises(CmsError) as caught:
        scep.read_request(client.request())
    assert caught.value.code == "too_large"


def test_the_capabilities_offer_nothing_that_is_refused():
    lines = scep.capabilities().decode().splitlines()
    assert {"AES", "POSTPKIOperation", "Renewal", "SHA-256", "SCEPStandard"} <= set(lines)
    assert not {"DES", "MD5", "GetNextCACert"} & set(lines)


def test_one_ca_certificate_is_sent_as_it_is_and_a_chain_as_cms(device_ca, signing_root):
    kind, body = scep.ca_certificates([device_ca.certificate])
    assert kind == "application/x-x509-ca-cert"
    assert x509.load_der_x509_certificate(body) == device_ca.certificate
    kind, body = scep.ca_certificates([device_ca.certificate, signing_root[0]])
    assert kind == "application/x-x509-ca-ra-cert"
    assert body[:1] == b"\x30"


MESSAGE = bytes(range(256)) * 3
STANDARD = base64.b64encode(MESSAGE).decode()


@pytest.mark.parametrize(
    "text",
    [
        STANDARD,
        quote(STANDARD, safe=""),
        STANDARD.rstrip("="),
        base64.urlsafe_b64encode(MESSAGE).decode(),
        STANDARD.replace("+", " "),
        STANDARD.replace("+", "%20"),
        quote(base64.encodebytes(MESSAGE).decode()),
    ],
    ids=["bare", "escaped", "unpadded", "url-safe", "spaces", "escaped spaces", "lines"],
)
def test_a_message_in_the_query_is_read_however_it_was_escaped(text):
    query = f"operation=PKIOperation&message={text}"
    operation, text = scep.parse_query(query)
    assert operation == "PKIOperation"
    assert scep.decode_message(text) == MESSAGE


@pytest.mark.parametrize("query", ["operation=GetCACaps", "operation=GetCACaps&message="])
def test_other_operations_need_no_message(query):
    assert scep.parse_query(query)[0] == "GetCACaps"


def test_a_ca_name_in_the_query_is_no_base64():
    assert scep.parse_query("operation=GetCACert&message=My%20CA!")[0] == "GetCACert"


@pytest.mark.parametrize("text", ["a", "%00%01", "!!!!", "é"])
def test_a_message_that_is_no_base64_is_malformed(text):
    with pytest.raises(CmsError):
        scep.decode_message(scep.parse_query(f"operation=PKIOperation&message={text}")[1])


def test_an_empty_operation_is_tolerated():
    assert scep.parse_query("") == ("", b"")
    assert scep.parse_query("operation=PKIOperation") == ("PKIOperation", b"")
