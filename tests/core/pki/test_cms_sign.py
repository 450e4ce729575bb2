"""What the server signs is read by openssl and gpgsm, with the chain, and not when changed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess

import pytest
from asn1crypto import cms as asn1_cms

from core.pki import cms
from tests.pki_material import NOW, der_of, pem_of, rsa_key, self_signed

PROFILE = b"<?xml version='1.0' encoding='UTF-8'?>\n<plist>\r\n<dict/>\n</plist>\n"


@pytest.fixture
def profile(profile_signer) -> bytes:
    leaf, key, root = profile_signer
    return cms.sign_attached(PROFILE, certificate=leaf, key=key, chain=[root], signing_time=NOW)


@pytest.mark.openssl
def test_openssl_verifies_the_profile_against_the_tenants_root(openssl, profile, profile_signer):
    openssl.write("root.pem", pem_of(profile_signer[2]))
    out = openssl.run(
        "cms", "-verify", "-inform", "DER", "-binary", "-CAfile", "root.pem", data=profile
    )
    assert out == PROFILE


@pytest.mark.openssl
def test_openssl_refuses_the_profile_under_another_root(openssl, profile):
    arguments = ("cms", "-verify", "-inform", "DER", "-CAfile", "rsa.crt")
    assert not openssl.accepts(*arguments, data=profile)


@pytest.mark.openssl
def test_openssl_refuses_a_changed_byte(openssl, profile, profile_signer):
    openssl.write("root.pem", pem_of(profile_signer[2]))
    changed = profile.replace(b"<dict/>", b"<dicT/>")
    assert not openssl.accepts(
        "cms", "-verify", "-inform", "DER", "-CAfile", "root.pem", data=changed
    )


def test_the_whole_chain_is_embedded(profile, profile_signer):
    leaf, _, root = profile_signer
    embedded = asn1_cms.ContentInfo.load(profile)["content"]["certificates"]
    assert [one.chosen.serial_number for one in embedded] == [
        leaf.serial_number,
        root.serial_number,
    ]


def test_the_message_is_der_with_sorted_attributes(profile):
    parsed = asn1_cms.ContentInfo.load(profile, strict=True)
    signer = parsed["content"]["signer_infos"][0]
    encodings = [one.dump() for one in signer["signed_attrs"]]
    assert encodings == sorted(encodings)
    assert signer["digest_algorithm"]["algorithm"].native == "sha256"
    times = [one for one in signer["signed_attrs"] if one["type"].native == "signing_time"]
    assert times[0]["values"][0].native == NOW


@pytest.mark.openssl
def test_openssl_verifies_a_detached_signature(openssl):
    key = rsa_key("signer")
    certificate = self_signed(key, "detached")
    openssl.write("detached.pem", pem_of(certificate))
    openssl.write("content", PROFILE)
    signature = cms.sign_detached(PROFILE, certificate=certificate, key=key)
    arguments = ("cms", "-verify", "-binary", "-inform", "DER", "-content", "content")
    out = openssl.run(*arguments, "-CAfile", "detached.pem", "-purpose", "any", data=signature)
    assert out == PROFILE


def test_a_foreign_key_cannot_sign_for_a_certificate(profile_signer):
    leaf, _, _ = profile_signer
    with pytest.raises(ValueError, match="key"):
        cms.sign_attached(PROFILE, certificate=leaf, key=rsa_key("other"))


@pytest.mark.openssl
def test_certificates_only_keeps_the_order_given(openssl, profile_signer):
    leaf, _, root = profile_signer
    for order in ([leaf, root], [root, leaf]):
        listed = openssl.run(
            "pkcs7", "-inform", "DER", "-print_certs", "-noout", data=cms.certificates_only(order)
        ).decode()
        assert (listed.index("CN = Profiles") < listed.index("subject=O = Acme, CN = Root")) == (
            order[0] is leaf
        )


@pytest.mark.skipif(shutil.which("gpgsm") is None, reason="gpgsm is not installed")
def test_gpgsm_reads_the_signature_too(tmp_path, profile, profile_signer):
    root = profile_signer[2]
    fingerprint = hashlib.sha1(der_of(root), usedforsecurity=False).hexdigest().upper()
    (tmp_path / "trustlist.txt").write_text(f"{fingerprint} S relax\n")
    (tmp_path / "gpgsm.conf").write_text("disable-crl-checks\ndisable-dirmngr\n")
    tmp_path.chmod(0o700)
    (tmp_path / "profile").write_bytes(profile)
    done = subprocess.run(
        ["gpgsm", "--homedir", str(tmp_path), "--batch", "--verify", str(tmp_path / "profile")],
        capture_output=True,
        timeout=60,
    )
    subprocess.run(["gpgconf", "--homedir", str(tmp_path), "--kill", "all"], timeout=20)
    assert b"Good signature" in done.stderr, done.stderr.decode()
