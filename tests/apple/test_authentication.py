"""Who may speak for a device: signatures and client certificates, accepted and refused (S-33)."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
from urllib.parse import quote

import pytest
from cryptography import x509
from django.test import RequestFactory

from apple.errors import IdentityMissing, IdentityRefused, SignatureInvalid
from apple.services import authentication
from core import clock
from core.actors import Actor
from core.models import KeyPurpose, StoredKey
from core.pki import cms
from core.services import keys
from devices.models import Identity
from devices.services import identities
from tests import factories
from tests.pki_material import der_of, indefinite, pem_of, rsa_key, self_signed

pytestmark = pytest.mark.django_db

BODY = b"<?xml version='1.0'?><plist><dict/></plist>"
KEY = rsa_key("enrolled")
PROXY = "10.1.2.3"


@pytest.fixture
def identity(tenant, device, monkeypatch) -> Identity:
    factories.with_keys(tenant, monkeypatch)
    issued = identities.issue(
        tenant=tenant,
        authority=keys.current(tenant, KeyPurpose.DEVICE_CA),
        public_key=KEY.public_key(),
        session_id=None,
        actor=Actor.system(),
    )
    issued.device = device
    issued.save()
    return issued


@pytest.fixture
def certificate(identity) -> x509.Certificate:
    return x509.load_der_x509_certificate(bytes(identity.certificate))


@pytest.fixture(autouse=True)
def trusted_proxy(settings):
    settings.MUSTER_TRUSTED_PROXIES = [ipaddress.ip_network("10.0.0.0/8")]


def request(*, peer: str = "203.0.113.9", **headers: str):
    named = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return RequestFactory().put("/mdm/apple/connect", BODY, REMOTE_ADDR=peer, **named)


def signed(signature: bytes):
    return request(mdm_signature=base64.b64encode(signature).decode())


def by_signature(signature: bytes, body: bytes = BODY) -> authentication.Caller:
    return authentication.authenticate(signed(signature), body)


def detached(certificate, key=KEY, body: bytes = BODY) -> bytes:
    return cms.sign_detached(body, certificate=certificate, key=key)


def test_a_signature_tells_which_identity_speaks(identity, certificate):
    caller = by_signature(detached(certificate))
    assert caller.identity == identity
    assert caller.digest == "sha256"
    assert not caller.is_expired


@pytest.mark.openssl
@pytest.mark.parametrize("form", ["der", "ber", "stream"])
def test_a_signature_as_real_devices_make_it_is_accepted(identity, certificate, openssl_sign, form):
    """SHA-1, no signed attributes, indefinite lengths."""
    options = ["-noattr", "-md", "sha1", *(["-stream"] if form == "stream" else [])]
    signature = openssl_sign(certificate, KEY, BODY, *options)
    if form == "ber":
        signature = indefinite(signature)
    caller = by_signature(signature)
    assert caller.identity == identity
    assert caller.digest == "sha1"


def test_it_costs_one_query_and_loads_the_device(identity, certificate, django_assert_num_queries):
    with django_assert_num_queries(1):
        caller = by_signature(detached(certificate))
        assert caller.identity.device.physical.key
        assert caller.identity.device.contact


@pytest.mark.parametrize("forgery", ["body", "attached", "noise", "empty", "huge"])
def test_a_forged_signature_is_400_and_costs_no_query(
    identity, certificate, django_assert_num_queries, forgery
):
    forged = {
        "body": detached(certificate, body=b"another body"),
        "attached": cms.sign_attached(BODY, certificate=certificate, key=KEY),
        "noise": b"\x30\x80noise",
        "empty": b"",
        "huge": b"\x30" * 80_000,
    }[forgery]
    with django_assert_num_queries(0), pytest.raises(SignatureInvalid) as caught:
        by_signature(forged)
    assert caught.value.status == 400


def test_a_header_that_is_no_base64_is_refused(identity):
    for text in ("%%%", "é", "a", "=" * 8):
        with pytest.raises(SignatureInvalid):
            authentication.authenticate(request(mdm_signature=text), BODY)


@pytest.mark.openssl
@pytest.mark.parametrize("options", [("-md", "md5"), ("-nocerts",)], ids=["MD5", "no certificate"])
def test_what_no_device_sends_is_refused(identity, certificate, openssl_sign, options):
    with pytest.raises(SignatureInvalid):
        by_signature(openssl_sign(certificate, KEY, BODY, *options))


@pytest.mark.openssl
def test_two_signers_are_refused(identity, certificate, openssl_sign):
    signature = openssl_sign(certificate, KEY, BODY, second=self_signed(rsa_key("thief")))
    with pytest.raises(SignatureInvalid):
        by_signature(signature)


def test_a_certificate_of_somebody_else_is_refused(identity):
    """A foreign CA, or self-made: it verifies, and it is nobody here."""
    thief = rsa_key("thief")
    with pytest.raises(IdentityRefused) as caught:
        by_signature(detached(self_signed(thief), thief))
    assert caught.value.status == 400


def test_a_lookalike_with_its_own_key_is_refused(identity, certificate):
    thief = rsa_key("thief")
    lookalike = x509.CertificateBuilder(
        issuer_name=certificate.issuer,
        subject_name=certificate.subject,
        public_key=thief.public_key(),
        serial_number=certificate.serial_number,
        not_valid_before=certificate.not_valid_before_utc,
        not_valid_after=certificate.not_valid_after_utc,
    ).sign(thief, certificate.signature_hash_algorithm)
    with pytest.raises(IdentityRefused):
        by_signature(detached(lookalike, thief))


def test_somebody_elses_certificate_with_ones_own_signature_is_refused(identity, certificate):
    thief = rsa_key("thief")
    namesake = self_signed(thief, "x" * 40)
    message = cms.sign_detached(BODY, certificate=namesake, key=thief)
    with pytest.raises(SignatureInvalid):
        by_signature(message.replace(der_of(namesake), der_of(certificate)))


def test_a_revoked_identity_is_refused(identity, certificate):
    Identity.objects.update(revoked_at=clock.now())
    with pytest.raises(IdentityRefused):
        by_signature(detached(certificate))


def test_an_identity_of_a_retired_authority_is_refused(identity, certificate, tenant):
    row = StoredKey.objects.get(pk=identity.issuer_key_id)
    keys.retire(row=row, actor=Actor.system())
    with pytest.raises(IdentityRefused):
        by_signature(detached(certificate))


def test_an_expired_identity_is_accepted_and_flagged(identity, certificate):
    Identity.objects.update(not_after=clock.now() - dt.timedelta(days=1))
    assert by_signature(detached(certificate)).is_expired


def test_without_anything_it_is_a_plain_403(identity):
    with pytest.raises(IdentityMissing) as caught:
        authentication.authenticate(request(), BODY)
    assert caught.value.status == 403


def test_no_refusal_is_ever_a_401():
    assert {error.status for error in (IdentityMissing, IdentityRefused, SignatureInvalid)} == {
        400,
        403,
    }


# --- certificates handed on by a proxy ---------------------------------------------------------


def structured(certificate) -> str:
    return f":{base64.b64encode(der_of(certificate)).decode()}:"


def escaped(certificate) -> str:
    return quote(pem_of(certificate).decode(), safe="")


@pytest.mark.parametrize(
    "header, encode", [("client_cert", structured), ("x_ssl_client_cert", escaped)]
)
def test_a_trusted_proxy_may_hand_on_a_client_certificate(identity, certificate, header, encode):
    handed_on = request(peer=PROXY, **{header: encode(certificate)})
    caller = authentication.authenticate(handed_on, BODY)
    assert caller.identity == identity
    assert caller.digest == ""


@pytest.mark.parametrize(
    "header, encode", [("client_cert", structured), ("x_ssl_client_cert", escaped)]
)
def test_anybody_elses_header_is_not_looked_at(identity, certificate, header, encode):
    """S-04: as if it were not there."""
    with pytest.raises(IdentityMissing):
        authentication.authenticate(request(**{header: encode(certificate)}), BODY)


def test_a_forwarded_address_makes_no_proxy(identity, certificate):
    forged = request(client_cert=structured(certificate), x_forwarded_for=PROXY)
    with pytest.raises(IdentityMissing):
        authentication.authenticate(forged, BODY)


def test_a_client_certificate_that_we_did_not_issue_is_refused(identity):
    handed_on = request(peer=PROXY, client_cert=structured(self_signed(rsa_key("thief"))))
    with pytest.raises(IdentityRefused):
        authentication.authenticate(handed_on, BODY)


@pytest.mark.parametrize("value", ["", "::", ":", " "])
def test_an_empty_header_of_the_proxy_means_no_certificate(identity, value):
    """What a proxy sends when the device showed none."""
    handed_on = request(peer=PROXY, client_cert=value, x_ssl_client_cert="")
    with pytest.raises(IdentityMissing):
        authentication.authenticate(handed_on, BODY)


@pytest.mark.parametrize("value", ["abc", ":%%%:", ":abc", '"text"', ":é:"])
def test_a_malformed_header_of_the_proxy_is_400(identity, value):
    with pytest.raises(SignatureInvalid):
        authentication.authenticate(request(peer=PROXY, client_cert=value), BODY)


@pytest.mark.parametrize("value", ["abc", "-----BEGIN CERTIFICATE-----%0A", "%ff%00"])
def test_a_malformed_pem_of_the_proxy_is_400(identity, value):
    with pytest.raises(SignatureInvalid):
        authentication.authenticate(request(peer=PROXY, x_ssl_client_cert=value), BODY)


def test_a_bad_signature_is_not_made_good_by_a_client_certificate(identity, certificate):
    both = request(peer=PROXY, client_cert=structured(certificate), mdm_signature="bm9uc2Vuc2U=")
    with pytest.raises(SignatureInvalid):
        authentication.authenticate(both, BODY)
