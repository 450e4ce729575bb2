"""Envelopes in both directions with openssl, and what must not open."""

from __future__ import annotations

import pytest
from asn1crypto import cms as asn1_cms
from cryptography.hazmat.primitives.asymmetric import padding

from core.pki import envelope
from core.pki.certificates import view_of
from core.pki.envelope import Recipient
from core.pki.errors import CmsError
from tests.pki_material import ec_key, indefinite, key_pem, pem_of, rsa_key, self_signed

SECRET = b"certification request" * 30
KEY = rsa_key("recipient")
ME = Recipient(self_signed(KEY, "recipient"), KEY)
OTHER = Recipient(self_signed(rsa_key("other"), "other"), rsa_key("other"))


def refusal(message: bytes, recipients=(ME,)) -> str:
    with pytest.raises(CmsError) as caught:
        envelope.decrypt(message, recipients=recipients)
    return caught.value.code


@pytest.fixture
def files(openssl):
    openssl.write("recipient.crt", pem_of(ME.certificate))
    openssl.write("recipient.key", key_pem(KEY))
    return openssl


@pytest.mark.openssl
@pytest.mark.parametrize("cipher", ["aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "des-ede3-cbc"])
@pytest.mark.parametrize("form", [(), ("-keyid",), ("-stream",)], ids=["der", "keyid", "ber"])
def test_it_opens_what_openssl_encrypts(files, cipher, form):
    options = ("-binary", f"-{cipher}", "-outform", "DER", *form)
    message = files.run("cms", "-encrypt", *options, "recipient.crt", data=SECRET)
    assert envelope.decrypt(message, recipients=[OTHER, ME]) == SECRET
    assert envelope.read_envelope(message).cipher == cipher


@pytest.mark.openssl
@pytest.mark.parametrize("cipher", ["aes-128-cbc", "aes-256-cbc", "des-ede3-cbc"])
def test_openssl_opens_what_it_encrypts(files, cipher):
    message = envelope.encrypt(SECRET, recipient=ME.certificate, cipher=cipher)
    arguments = ("cms", "-decrypt", "-inform", "DER", "-inkey", "recipient.key")
    assert files.run(*arguments, "-recip", "recipient.crt", data=message) == SECRET


def test_it_opens_indefinite_lengths():
    message = indefinite(envelope.encrypt(SECRET, recipient=ME.certificate), levels=5)
    assert envelope.decrypt(message, recipients=[ME]) == SECRET


@pytest.mark.openssl
def test_one_of_several_recipients_can_open(files):
    files.write("other.crt", pem_of(OTHER.certificate))
    options = ("-binary", "-aes256", "-outform", "DER", "other.crt", "recipient.crt")
    message = files.run("cms", "-encrypt", *options, data=SECRET)
    assert envelope.decrypt(message, recipients=[ME]) == SECRET


@pytest.mark.openssl
def test_oaep_is_not_offered(files):
    options = ("-binary", "-outform", "DER", "-recip", "recipient.crt")
    message = files.run(
        "cms", "-encrypt", *options, "-keyopt", "rsa_padding_mode:oaep", data=SECRET
    )
    assert refusal(message) == "unsupported_algorithm"


def with_cipher(dotted: str) -> bytes:
    info = asn1_cms.ContentInfo.load(envelope.encrypt(SECRET, recipient=ME.certificate))
    algorithm = info["content"]["encrypted_content_info"]["content_encryption_algorithm"]
    algorithm["algorithm"] = asn1_cms.EncryptionAlgorithmId(dotted)
    return info.dump(force=True)


@pytest.mark.parametrize(
    "oid",
    ["1.3.14.3.2.7", "1.2.840.113549.3.2", "2.16.840.1.101.3.4.1.46", "1.2.3.4"],
    ids=["single DES", "RC2", "AES-GCM", "unknown"],
)
def test_ciphers_that_are_not_offered_are_refused_by_name(oid):
    assert refusal(with_cipher(oid)) == "unsupported_algorithm"


def test_an_envelope_for_somebody_else_is_not_tried():
    assert refusal(envelope.encrypt(SECRET, recipient=OTHER.certificate)) == "wrong_recipient"


def is_closed(message: bytes, recipient: Recipient = ME) -> bool:
    """Refused as undecryptable, or, once in 256 times, opened to noise by a lucky padding."""
    try:
        return envelope.decrypt(message, recipients=[recipient]) != SECRET
    except CmsError as error:
        return error.code == "undecryptable"


def test_a_namesake_key_does_not_open():
    impostor = Recipient(ME.certificate, rsa_key("stranger"))
    assert is_closed(envelope.encrypt(SECRET, recipient=ME.certificate), impostor)


def test_a_key_of_the_wrong_size_looks_like_wrong_content():
    """A wrapped key that is no AES key must not be told apart from a bad padding."""
    message = envelope.encrypt(SECRET, recipient=ME.certificate)
    sealed = envelope.read_envelope(message)
    short = KEY.public_key().encrypt(b"short", padding.PKCS1v15())
    _, wrapped = sealed.wrapped_keys[0]
    assert is_closed(message.replace(wrapped, short))


def test_a_wrong_padding_is_undecryptable():
    message = envelope.encrypt(SECRET, recipient=ME.certificate)
    # In CBC a bit of the block before the last turns the same bit of the padding.
    changed = message[:-17] + bytes((message[-17] ^ 1,)) + message[-16:]
    assert refusal(changed) == "undecryptable"


def test_every_message_has_its_own_key_and_iv():
    first, second = (
        envelope.read_envelope(envelope.encrypt(SECRET, recipient=ME.certificate)) for _ in range(2)
    )
    assert first.iv != second.iv
    keys = {KEY.decrypt(one.wrapped_keys[0][1], padding.PKCS1v15()) for one in (first, second)}
    assert len(keys) == 2


def test_a_recipient_needs_an_rsa_key():
    with pytest.raises(CmsError) as caught:
        envelope.encrypt(SECRET, recipient=self_signed(ec_key("x")))
    assert caught.value.code == "unsupported_algorithm"


def test_a_certificate_is_known_by_its_raw_names():
    view = view_of(ME.certificate)
    assert view.subject_key_identifier() is not None
    assert view.issuer[0] == 0x30
