from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from core.pki import ca
from core.pki.errors import KeyPolicyError, PkiError
from tests.pki_material import NOW, ec_key, is_issued_by, pem_of, rsa_key

YEAR = dt.timedelta(days=365)


def issue(authority, *, key=None, name=None, start=NOW, end=NOW + YEAR) -> x509.Certificate:
    return ca.issue_identity(
        authority=authority.certificate,
        authority_key=authority.key,
        public_key=(key or rsa_key("device")).public_key(),
        subject=name or ca.name("3f2a", "Acme"),
        not_before=start,
        not_after=end,
    )


def extension(certificate, oid):
    return certificate.extensions.get_extension_for_oid(oid)


def used_bits(certificate) -> set[str]:
    usage = extension(certificate, ExtensionOID.KEY_USAGE).value
    signing = ("digital_signature", "content_commitment", "key_cert_sign", "crl_sign")
    names = (*signing, "key_encipherment", "data_encipherment", "key_agreement")
    return {name for name in names if getattr(usage, name)}


def test_the_device_ca_can_be_encrypted_to_and_issues(device_ca):
    basic = extension(device_ca.certificate, ExtensionOID.BASIC_CONSTRAINTS)
    assert basic.critical
    assert basic.value.ca
    assert used_bits(device_ca.certificate) == {
        "digital_signature",
        "key_encipherment",
        "key_cert_sign",
        "crl_sign",
    }


def test_an_identity_is_a_tls_client_and_nothing_else(device_ca):
    identity = issue(device_ca)
    assert extension(identity, ExtensionOID.BASIC_CONSTRAINTS).value.ca is False
    purposes = extension(identity, ExtensionOID.EXTENDED_KEY_USAGE).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert used_bits(identity) == {"digital_signature", "key_encipherment"}
    assert identity.subject == ca.name("3f2a", "Acme")


def test_an_identity_names_its_issuer_by_key(device_ca):
    identity = issue(device_ca)
    authority = extension(device_ca.certificate, ExtensionOID.SUBJECT_KEY_IDENTIFIER).value
    named = extension(identity, ExtensionOID.AUTHORITY_KEY_IDENTIFIER).value
    assert named.key_identifier == authority.digest
    assert extension(identity, ExtensionOID.SUBJECT_KEY_IDENTIFIER)


def test_serial_numbers_are_long_and_random(device_ca):
    serials = {issue(device_ca).serial_number for _ in range(20)}
    assert len(serials) == 20
    assert min(serial.bit_length() for serial in serials) > 100


def test_an_identity_never_outlives_its_authority(device_ca):
    identity = issue(device_ca, start=NOW - 50 * YEAR, end=NOW + 50 * YEAR)
    assert identity.not_valid_after_utc == device_ca.certificate.not_valid_after_utc
    assert identity.not_valid_before_utc == device_ca.certificate.not_valid_before_utc


def test_an_expired_authority_issues_nothing(device_ca):
    with pytest.raises(PkiError) as caught:
        issue(device_ca, start=NOW + 20 * YEAR, end=NOW + 21 * YEAR)
    assert caught.value.code == "authority_expired"


def test_a_weak_key_gets_no_certificate(device_ca):
    with pytest.raises(KeyPolicyError):
        issue(device_ca, key=rsa_key("weak", 1024))


def test_a_foreign_key_cannot_issue(device_ca):
    with pytest.raises(ValueError, match="authority"):
        ca.issue_identity(
            authority=device_ca.certificate,
            authority_key=rsa_key("other"),
            public_key=rsa_key("device").public_key(),
            subject=ca.name("x"),
            not_before=NOW,
            not_after=NOW + YEAR,
        )


def test_issuance_is_proven_by_the_signature(device_ca):
    namesake_key = rsa_key("namesake", 3072)
    namesake = ca.make_device_ca(
        key=namesake_key,
        subject=device_ca.certificate.subject,
        not_before=NOW,
        not_after=NOW + YEAR,
    )
    identity = issue(device_ca)
    assert is_issued_by(identity, device_ca.certificate)
    assert not is_issued_by(identity, namesake)


def test_names_that_are_too_long_are_cut_and_empty_ones_left_out():
    assert ca.name("c" * 100, "o" * 100).rfc4514_string() == f"CN={'c' * 64},O={'o' * 64}"
    assert ca.name("é" * 40).rfc4514_string() == f"CN={'é' * 32}"
    assert ca.name("Only", "  ").rfc4514_string() == "CN=Only"


def test_what_the_signers_may_do_is_told_apart_by_purpose(signing_root, profile_signer):
    root, root_key = signing_root
    script_signer = ca.issue_script_signer(
        root=root,
        root_key=root_key,
        public_key=ec_key("script").public_key(),
        subject=ca.name("Scripts", "Acme"),
        not_before=NOW,
        not_after=NOW + YEAR,
    )
    purposes = [
        list(extension(one, ExtensionOID.EXTENDED_KEY_USAGE).value)
        for one in (profile_signer[0], script_signer)
    ]
    assert purposes == [
        [ExtendedKeyUsageOID.EMAIL_PROTECTION],
        [ExtendedKeyUsageOID.CODE_SIGNING],
    ]


@pytest.mark.openssl
def test_openssl_accepts_the_identity_as_a_tls_client_only(openssl, device_ca):
    openssl.write("ca.pem", pem_of(device_ca.certificate))
    openssl.write("identity.pem", pem_of(issue(device_ca, start=NOW - dt.timedelta(hours=1))))
    verify = ("verify", "-x509_strict", "-CAfile", "ca.pem")
    assert openssl.accepts(*verify, "-purpose", "sslclient", "identity.pem", data=b"")
    assert not openssl.accepts(*verify, "-purpose", "sslserver", "identity.pem", data=b"")


@pytest.mark.openssl
def test_openssl_finds_the_signing_chain_strictly_correct(openssl, profile_signer):
    leaf, _, root = profile_signer
    openssl.write("root.pem", pem_of(root))
    openssl.write("leaf.pem", pem_of(leaf))
    verify = ("verify", "-x509_strict", "-CAfile", "root.pem")
    assert openssl.accepts(*verify, "-purpose", "smimesign", "leaf.pem", data=b"")
