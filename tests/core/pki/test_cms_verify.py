"""Verification of what devices sign: every form that is seen in the field, and every forgery."""

from __future__ import annotations

import random
from functools import cache

import pytest
from asn1crypto import cms as asn1_cms
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from core.pki import cms
from core.pki.errors import CmsError
from tests.pki_material import der_of, ec_key, indefinite, rsa_key, self_signed

BODY = b"<?xml version='1.0'?><plist><dict><key>Status</key><string>Idle</string></dict></plist>"
RSA, EC = rsa_key("signer"), ec_key("signer")


@cache
def signed(kind: str = "rsa", *, attached: bool = False) -> bytes:
    key = RSA if kind == "rsa" else EC
    sign = cms.sign_attached if attached else cms.sign_detached
    return sign(BODY, certificate=self_signed(key, f"{kind} signer"), key=key)


def rebuilt(change, message: bytes | None = None) -> bytes:
    """The message with its parsed form changed by `change(signed_data, signer_info)`."""
    info = asn1_cms.ContentInfo.load(message or signed())
    content = info["content"]
    change(content, content["signer_infos"][0])
    return info.dump(force=True)


def refusal(signature: bytes, body: bytes = BODY, **options) -> str:
    with pytest.raises(CmsError) as caught:
        cms.verify_detached(signature, body, **options)
    return caught.value.code


pytestmark = pytest.mark.openssl


@pytest.mark.parametrize("signer", ["rsa", "ec"])
@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize(
    "options", [(), ("-noattr",), ("-keyid",)], ids=["plain", "noattr", "keyid"]
)
def test_it_verifies_every_form_that_openssl_signs(openssl, signer, digest, options):
    signature = openssl.sign(BODY, "-md", digest, *options, signer=signer)
    verified = cms.verify_detached(signature, BODY)
    assert verified.digest == digest
    assert verified.has_signed_attributes == ("-noattr" not in options)
    assert verified.signer.der == openssl.run("x509", "-in", f"{signer}.crt", "-outform", "DER")
    assert verified.content == BODY


def test_it_verifies_what_real_devices_send(openssl):
    """Indefinite lengths, SHA-1, no signed attributes."""
    signature = indefinite(openssl.sign(BODY, "-noattr", "-md", "sha1"))
    assert signature[:2] == b"\x30\x80"
    assert cms.verify_detached(signature, BODY).digest == "sha1"


def test_it_verifies_streamed_signatures(openssl):
    signature = openssl.sign(BODY, "-noattr", "-md", "sha1", "-stream")
    assert signature[:2] == b"\x30\x80"
    assert cms.verify_detached(signature, BODY).content == BODY
    assert cms.verify_attached(signature).content == BODY


def test_streamed_content_in_several_segments_is_joined(openssl):
    body = random.Random(7).randbytes(40_000)
    signature = openssl.sign(body, "-stream", "-nodetach")
    assert cms.verify_attached(signature).content == body


def test_a_streamed_signature_over_another_body_is_refused(openssl):
    assert refusal(openssl.sign(b"other", "-noattr", "-stream")) == "content_unexpected"


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_a_byte_changed_in_the_body_is_refused(kind):
    for index in range(0, len(BODY), 7):
        changed = BODY[:index] + bytes((BODY[index] ^ 1,)) + BODY[index + 1 :]
        assert refusal(signed(kind), changed) == "attributes_mismatch"


def test_a_byte_changed_in_the_body_is_refused_without_attributes(openssl):
    signature = openssl.sign(BODY, "-noattr", "-md", "sha1")
    assert refusal(signature, BODY + b" ") == "bad_signature"


def test_a_byte_changed_in_what_is_signed_is_refused():
    """Flip every byte in turn: only what no signature covers may still verify, and the same."""
    original = signed()
    expected = cms.verify_detached(original, BODY)
    survived = 0
    for index in range(len(original)):
        changed = original[:index] + bytes((original[index] ^ 0x04,)) + original[index + 1 :]
        try:
            verified = cms.verify_detached(changed, BODY)
        except CmsError:
            continue
        survived += 1
        assert verified.signer.public_key() == expected.signer.public_key()
    # Version numbers, algorithm parameters and the certificate itself are not signed by its key.
    assert survived < len(expected.signer.der)


def test_another_certificate_changes_who_signed():
    changed = signed().replace(b"rsa signer", b"rsa Signer")
    verified = cms.verify_detached(changed, BODY)
    assert verified.signer.sha256 != cms.verify_detached(signed(), BODY).signer.sha256


def test_a_signature_with_content_is_not_detached():
    assert refusal(signed(attached=True)) == "content_unexpected"


def test_a_detached_signature_has_no_content_of_its_own():
    with pytest.raises(CmsError) as caught:
        cms.verify_attached(signed())
    assert caught.value.code == "content_missing"


def test_two_signers_are_refused(openssl):
    signature = openssl.sign(BODY, "-signer", "ec.crt", "-inkey", "ec.key")
    assert refusal(signature) == "signer_count"


def test_no_signer_is_refused():
    assert refusal(cms.certificates_only([self_signed(RSA)])) == "signer_count"


def test_a_message_without_the_certificate_of_its_signer_is_refused(openssl):
    assert refusal(openssl.sign(BODY, "-nocerts")) == "signer_not_found"


def test_a_certificate_of_the_same_name_but_another_key_does_not_verify():
    mine = self_signed(RSA, "rsa signer")
    theirs = self_signed(rsa_key("thief"), "rsa signer", serial=mine.serial_number)
    signature = cms.sign_detached(BODY, certificate=mine, key=RSA)
    assert refusal(signature.replace(der_of(mine), der_of(theirs))) == "bad_signature"


def test_md5_is_refused(openssl):
    signature = openssl.sign(BODY, "-md", "md5")
    assert refusal(signature) == "unsupported_algorithm"


def test_the_caller_can_forbid_digests(openssl):
    signature = openssl.sign(BODY, "-md", "sha1")
    assert refusal(signature, digests={"sha256"}) == "digest_refused"


def test_a_signature_algorithm_of_another_digest_is_refused():
    def change(_, signer):
        signer["signature_algorithm"] = {"algorithm": "sha512_rsa"}

    assert refusal(rebuilt(change)) == "unsupported_algorithm"


def test_a_signature_algorithm_of_another_family_is_refused():
    def change(_, signer):
        signer["signature_algorithm"] = {"algorithm": "sha256_ecdsa"}

    assert refusal(rebuilt(change)) == "bad_signature"


def test_a_weak_key_is_refused():
    key = rsa_key("weak", 1024)
    signature = cms.sign_detached(BODY, certificate=self_signed(key), key=key)
    assert refusal(signature) == "weak_key"


def test_attributes_without_a_message_digest_are_refused():
    def change(_, signer):
        signer["signed_attrs"] = [
            a for a in signer["signed_attrs"] if a["type"].native != "message_digest"
        ]

    assert refusal(rebuilt(change)) == "attributes_mismatch"


def test_attributes_for_another_content_type_are_refused():
    def change(_, signer):
        for attribute in signer["signed_attrs"]:
            if attribute["type"].native == "content_type":
                attribute["values"] = ["signed_data"]

    assert refusal(rebuilt(change)) == "attributes_mismatch"


def test_a_repeated_attribute_is_refused():
    def change(_, signer):
        signer["signed_attrs"] = [*signer["signed_attrs"], signer["signed_attrs"][0]]

    assert refusal(rebuilt(change)) == "malformed"


def test_attributes_cannot_be_passed_off_as_content():
    """The signature of a message with attributes also fits those attributes as bare content."""
    info = asn1_cms.ContentInfo.load(signed())
    signer = info["content"]["signer_infos"][0]
    bare = b"\x31" + signer["signed_attrs"].dump()[1:]

    def change(_, signer):
        signer["signed_attrs"] = None

    assert refusal(rebuilt(change), bare) == "bad_signature"


@pytest.mark.parametrize("signs", ["as sent", "sorted"])
def test_unsorted_attributes_verify_whichever_order_was_signed(signs):
    info = asn1_cms.ContentInfo.load(signed())
    signer = info["content"]["signer_infos"][0]
    pieces = sorted((one.dump() for one in signer["signed_attrs"]), reverse=True)
    joined = b"".join(pieces)
    in_order = b"".join(sorted(pieces))
    header = bytes((len(joined),))
    to_sign = b"\x31" + header + (joined if signs == "as sent" else in_order)
    value = RSA.sign(to_sign, padding.PKCS1v15(), hashes.SHA256())
    message = signed().replace(in_order, joined).replace(signer["signature"].native, value)
    assert joined in message
    assert cms.verify_detached(message, BODY).has_signed_attributes


def test_serial_numbers_longer_than_allowed_are_tolerated():
    certificate = self_signed(RSA, "rsa signer", serial=(1 << 158) + 5)
    signature = cms.sign_detached(BODY, certificate=certificate, key=RSA)
    assert cms.verify_detached(signature, BODY)


def test_a_message_over_the_limit_is_not_read():
    assert refusal(signed() + b"\x00" * cms.MAX_DETACHED) == "too_large"


def test_trailing_bytes_are_refused():
    assert refusal(signed() + b"\x00") == "malformed"
