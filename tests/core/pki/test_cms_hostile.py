"""Hostile CMS (S-34): whatever is sent, the work is bounded and the end is a CmsError."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pki import ber, cms, envelope, scep
from core.pki.errors import CmsError
from tests.pki_material import ec_key, indefinite, rsa_key, self_signed
from tests.scep_client import Client, csr

BODY = b"body"
KEY = rsa_key("signer")
CERTIFICATE = self_signed(KEY, "signer")
RECIPIENT = envelope.Recipient(CERTIFICATE, KEY)


def attempt(data: bytes) -> None:
    """Give the bytes to every reader; CmsError is the only exception that may come out."""
    for read in (
        lambda: cms.verify_detached(data, BODY),
        lambda: cms.verify_attached(data),
        lambda: envelope.decrypt(data, recipients=[RECIPIENT]),
        lambda: scep.open_request(scep.read_request(data), recipients=[RECIPIENT]),
    ):
        try:
            read()
        except (CmsError, scep.ScepFailure) as error:
            assert error.code


def seeds() -> list[bytes]:
    small = ec_key("signer")
    messages = [
        cms.sign_detached(BODY, certificate=CERTIFICATE, key=KEY, chain=[self_signed(small)]),
        cms.sign_attached(BODY, certificate=self_signed(small), key=small),
        envelope.encrypt(BODY * 20, recipient=CERTIFICATE),
        cms.certificates_only([CERTIFICATE]),
        Client(CERTIFICATE).request(),
    ]
    return [*messages, *(indefinite(one) for one in messages)]


INSERTED = (b"\x30\x80", b"\x00\x00", b"\x24\x80", b"\x84\xff\xff\xff\xff", b"\x1f\x8f")


def mutate(data: bytes, randomness: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(randomness.randint(1, 4)):
        at = randomness.randrange(len(changed))
        source = randomness.randrange(len(changed))
        length = randomness.randint(1, 60)
        match randomness.randrange(5):
            case 0:
                changed[at] ^= 1 << randomness.randrange(8)
            case 1:
                del changed[at : min(at + length, len(changed) - 1)]
            case 2:
                changed[at:at] = randomness.choice(INSERTED)
            case 3:
                changed[at:at] = changed[source : source + length]
            case 4:
                changed[at] = randomness.choice((0x00, 0x80, 0x84, 0xFF, 0x30, 0xA0))
    return bytes(changed)


def test_mutated_messages_end_in_an_answer_or_a_cms_error():
    randomness = random.Random(20260)
    originals = seeds()
    for _ in range(10_000):
        attempt(mutate(randomness.choice(originals), randomness))


def test_mutated_certification_requests_end_in_an_answer_or_a_cms_error():
    randomness = random.Random(41)
    original = csr(KEY, "challenge")
    answered = 0
    for _ in range(3_000):
        try:
            scep._read_csr(mutate(original, randomness))
        except CmsError:
            answered += 1
    assert answered > 2_900


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_end_in_a_cms_error(data):
    attempt(data)
    attempt(b"\x30\x80" + data)


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x30\x80" * 30_000,
        b"\x30\x84\x00\x00\xff\xff" * 5_000,
        b"\x30\x80" + b"\x24\x80" * 30_000,
        b"\x30\x80" + b"\x05\x00" * 30_000 + b"\x00\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\xff" + b"\xff" * 200,
        b"\x1f" + b"\xff" * 60_000,
        (b"\x30\x80" * 20 + b"\x05\x00" * 200) * 200,
    ],
    ids=lambda bomb: bomb[:6].hex(),
)
def test_deep_long_and_lying_messages_cost_little(bomb):
    started = time.process_time()
    attempt(bomb[: cms.MAX_DETACHED])
    assert time.process_time() - started < 1


def test_the_reader_counts_what_it_visits():
    reader = ber.BerReader(b"\x30\x08" + b"\x05\x00" * 4, max_elements=3)
    with pytest.raises(CmsError) as caught:
        reader.children(reader.root())
    assert caught.value.code == "too_complex"


def test_nesting_of_indefinite_elements_is_limited():
    depth = ber.MAX_DEPTH + 2
    with pytest.raises(CmsError) as caught:
        ber.BerReader(b"\x30\x80" * depth + b"\x00\x00" * depth).root()
    assert caught.value.code == "too_complex"


def test_too_many_certificates_are_refused():
    crowd = [CERTIFICATE] * 17
    message = cms.sign_detached(BODY, certificate=CERTIFICATE, key=KEY, chain=crowd)
    with pytest.raises(CmsError) as caught:
        cms.verify_detached(message, BODY)
    assert caught.value.code == "too_complex"
