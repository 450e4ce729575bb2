"""The simulator's CMS against `openssl cms`, in both directions."""

from __future__ import annotations

import subprocess

import pytest

from simulator import cms, envelopes
from simulator.errors import SignatureInvalid

BODY = b"<plist><dict><key>Status</key><string>Idle</string></dict></plist>"


def openssl(*arguments: object, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["openssl", *map(str, arguments)], input=stdin, capture_output=True, timeout=30, check=False
    )


@pytest.mark.openssl
@pytest.mark.parametrize("style", ["ber", "der"])
def test_openssl_accepts_the_detached_signature(tmp_path, device_identity, style):
    if style == "ber":
        signature = cms.sign_detached_ber(BODY, device_identity)
    else:
        signature = cms.sign(BODY, device_identity, attributes={}, detached=True)
    (tmp_path / "sig").write_bytes(signature)
    (tmp_path / "body").write_bytes(BODY)
    arguments = ["cms", "-verify", "-binary", "-inform", "DER", "-in", tmp_path / "sig"]
    arguments += ["-noverify", "-out", "/dev/null", "-content"]
    assert openssl(*arguments, tmp_path / "body").returncode == 0
    (tmp_path / "other").write_bytes(BODY.replace(b"Idle", b"idle"))
    assert openssl(*arguments, tmp_path / "other").returncode != 0


def test_the_device_form_is_what_was_captured(device_identity):
    signature = cms.sign_detached_ber(BODY, device_identity)
    assert signature.startswith(b"\x30\x80\x06")
    parsed = cms.asn1_cms.ContentInfo.load(signature)["content"]
    signer = parsed["signer_infos"][0]
    assert signer["digest_algorithm"]["algorithm"].native == "sha1"
    assert not signer["signed_attrs"]
    assert len(parsed["certificates"]) == 1


@pytest.mark.openssl
def test_reads_what_openssl_signed_and_refuses_a_changed_byte(tmp_path, pem_identity):
    certificate, key = pem_identity
    signed = openssl(
        "cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-signer", certificate,
        "-inkey", key, stdin=BODY,
    ).stdout  # fmt: skip
    assert cms.verify_attached(signed).content == BODY
    at = signed.index(b"Idle")
    changed = signed[:at] + b"X" + signed[at + 1 :]
    with pytest.raises(SignatureInvalid):
        cms.verify_attached(changed)


@pytest.mark.openssl
def test_refuses_a_message_without_its_signers_certificate(tmp_path, pem_identity):
    certificate, key = pem_identity
    signed = openssl(
        "cms", "-sign", "-binary", "-nodetach", "-nocerts", "-outform", "DER", "-signer",
        certificate, "-inkey", key, stdin=BODY,
    ).stdout  # fmt: skip
    with pytest.raises(SignatureInvalid, match="not embedded"):
        cms.verify_attached(signed)


@pytest.mark.openssl
@pytest.mark.parametrize("cipher", ["aes256", "aes128", "3des"])
def test_openssl_opens_the_envelope(tmp_path, pem_identity, device_identity, cipher):
    certificate, key = pem_identity
    sealed = envelopes.seal(BODY, device_identity.certificate, cipher=cipher)
    opened = openssl(
        "cms", "-decrypt", "-inform", "DER", "-binary", "-recip", certificate, "-inkey", key,
        stdin=sealed,
    )  # fmt: skip
    assert opened.stdout == BODY, opened.stderr
    assert envelopes.unseal(sealed, device_identity) == BODY


def test_single_des_is_really_single_des(device_identity):
    sealed = envelopes.seal(BODY, device_identity.certificate, cipher="des")
    assert b"\x06\x05\x2b\x0e\x03\x02\x07" in sealed
    assert envelopes.unseal(sealed, device_identity) == BODY


def test_garbage_is_refused_without_a_surprise(device_identity):
    for junk in (b"", b"\x30\x80", b"\x30\x03\x02\x01\x01", BODY):
        with pytest.raises(SignatureInvalid):
            cms.verify_attached(junk)
        with pytest.raises(SignatureInvalid):
            envelopes.unseal(junk, device_identity)
