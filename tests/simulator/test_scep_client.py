"""The SCEP client: what it sends, what it insists on, how it misbehaves when told to."""

from __future__ import annotations

import pytest

from simulator import profile
from simulator.errors import ScepProtocolError, ScepRefused
from simulator.scep_client import ScepClient
from simulator.wire import Patience
from tests.pki_material import rsa_key


@pytest.fixture
def enrollment(standin):
    return profile.read_enrollment(standin.profile())


def test_obtains_an_identity_from_the_ca(standin, iphone, enrollment):
    identity = iphone.obtain_identity(enrollment)
    assert identity.certificate.issuer == standin.device_ca.subject
    assert standin.scep_requests[0].cipher == "aes-256-cbc"
    assert standin.scep_requests[0].challenge == "secret-1"


def test_follows_a_ca_without_aes(standin, iphone, enrollment):
    standin.capabilities = b"DES3\nSHA-1\nRenewal\nPOSTPKIOperation\n"
    iphone.obtain_identity(enrollment)
    request = standin.scep_requests[0]
    assert (request.cipher, request.digest) == ("des-ede3-cbc", "sha1")


def test_can_send_by_get_with_unescaped_base64(standin, iphone, enrollment):
    iphone.scep_options.use_get = True
    assert iphone.obtain_identity(enrollment)


def test_a_retry_with_the_same_key_gets_the_same_certificate(standin, iphone, enrollment):
    first = iphone.obtain_identity(enrollment, rsa_key("one"))
    again = iphone.obtain_identity(enrollment, rsa_key("one"))
    assert first.certificate == again.certificate


def test_a_used_challenge_with_another_key_is_refused(standin, iphone, enrollment):
    iphone.obtain_identity(enrollment, rsa_key("one"))
    with pytest.raises(ScepRefused) as refused:
        iphone.obtain_identity(enrollment, rsa_key("two"))
    assert refused.value.fail_info == "badRequest"


@pytest.mark.parametrize("weakness", ["single DES", "RSA-1024"])
def test_weak_algorithms_can_be_tried(standin, iphone, enrollment, weakness):
    key = rsa_key("weak", 1024) if weakness == "RSA-1024" else rsa_key("one")
    iphone.scep_options.cipher = "des" if weakness == "single DES" else None
    with pytest.raises(ScepRefused) as refused:
        iphone.obtain_identity(enrollment, key)
    assert refused.value.fail_info == "badAlg"


def test_renews_with_the_old_identity_as_signer(standin, iphone, enrollment):
    old = iphone.obtain_identity(enrollment)
    client = iphone.scep(enrollment)
    for as_pkcs_req in (True, False):
        key = rsa_key(f"renewal-{as_pkcs_req}")
        new = client.renew(old, key, old.certificate.subject, as_pkcs_req=as_pkcs_req)
        assert new.certificate.public_key() == key.public_key()


def test_refuses_a_ca_with_another_fingerprint(standin, http):
    client = ScepClient(f"{standin.url}/scep", http, fingerprint=bytes(20))
    with pytest.raises(ScepProtocolError, match="CAFingerprint"):
        client.authorities()


@pytest.mark.parametrize("words", [b"", b"DES\nMD5\nRenewal\n", b"AES\nSHA-256\n"])
def test_refuses_a_ca_without_the_required_capabilities(standin, http, words):
    standin.capabilities = words
    with pytest.raises(ScepProtocolError):
        ScepClient(f"{standin.url}/scep", http).capabilities()


def test_refuses_a_reply_from_somebody_else(standin, iphone, enrollment, device_identity):
    standin.recipient = type(standin.recipient)(device_identity.certificate, device_identity.key)
    with pytest.raises(ScepProtocolError):
        iphone.obtain_identity(enrollment)


def test_repeats_the_same_message_when_the_server_fails(standin, iphone, enrollment):
    iphone.patience = Patience(seconds=5, pause=0.01)
    standin.fail_next = [(503, "", b""), (500, "", b"")]
    assert iphone.obtain_identity(enrollment)
    assert len(standin.scep_requests) == 1
