"""Certificates that a tenant's authorities are made of, and those that they issue.

Two hierarchies. The device CA stands alone: SCEP clients encrypt to it and it issues device
identities. The signing root issues the profile-signing and the script-signing certificate, so
that either can be renewed without anybody having to trust something new; what separates them is
the extended key usage, which every verifier has to check. No clock inside: the caller says when.
"""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.pki import keys
from core.pki.errors import PkiError

_MAX_NAME = 64  # ub-common-name and ub-organization-name (RFC 5280, appendix A.1)


def cut(text: str, size: int = _MAX_NAME) -> str:
    """The text, cut between two characters to at most `size` bytes of UTF-8."""
    return text.encode()[:size].decode(errors="ignore").strip()


def name(common_name: str, organization: str = "") -> x509.Name:
    """A subject. Texts longer than X.509 allows are cut, an empty organization is left out."""
    attributes = []
    if organization.strip():
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, cut(organization)))
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, cut(common_name)))
    return x509.Name(attributes)


def make_device_ca(
    *, key: rsa.RSAPrivateKey, subject: x509.Name, not_before: datetime, not_after: datetime
) -> x509.Certificate:
    """A self-signed CA for device identities. SCEP can only use an RSA one: clients encrypt to it.

    Clients refuse to encrypt to a CA without the keyEncipherment bit.
    """
    usage = _key_usage(
        digital_signature=True, key_encipherment=True, key_cert_sign=True, crl_sign=True
    )
    return _authority(key, subject, usage, not_before, not_after)


def make_signing_root(
    *, key: keys.PrivateKey, subject: x509.Name, not_before: datetime, not_after: datetime
) -> x509.Certificate:
    """The tenant's trust anchor for everything that the server signs for people and agents."""
    usage = _key_usage(key_cert_sign=True, crl_sign=True)
    return _authority(key, subject, usage, not_before, not_after)


def issue_profile_signer(
    *,
    root: x509.Certificate,
    root_key: keys.PrivateKey,
    public_key: keys.PublicKey,
    subject: x509.Name,
    not_before: datetime,
    not_after: datetime,
) -> x509.Certificate:
    """Signs configuration profiles: EKU emailProtection, the default of CMS verifiers."""
    return _leaf(
        issuer=root,
        issuer_key=root_key,
        public_key=public_key,
        subject=subject,
        usage=_key_usage(digital_signature=True, content_commitment=True),
        purpose=ExtendedKeyUsageOID.EMAIL_PROTECTION,
        not_before=not_before,
        not_after=not_after,
    )


def issue_script_signer(
    *,
    root: x509.Certificate,
    root_key: keys.PrivateKey,
    public_key: keys.PublicKey,
    subject: x509.Name,
    not_before: datetime,
    not_after: datetime,
) -> x509.Certificate:
    """Signs scripts: EKU codeSigning, which an agent insists on."""
    return _leaf(
        issuer=root,
        issuer_key=root_key,
        public_key=public_key,
        subject=subject,
        usage=_key_usage(digital_signature=True),
        purpose=ExtendedKeyUsageOID.CODE_SIGNING,
        not_before=not_before,
        not_after=not_after,
    )


def issue_identity(
    *,
    authority: x509.Certificate,
    authority_key: keys.PrivateKey,
    public_key: keys.PublicKey,
    subject: x509.Name,
    not_before: datetime,
    not_after: datetime,
) -> x509.Certificate:
    """A device's identity: TLS client and nothing else, with the subject that the server chose.

    Never valid outside the authority's own validity (`authority_expired` when that leaves
    nothing). Raises `KeyPolicyError` for a key that the policy refuses.
    """
    return _leaf(
        issuer=authority,
        issuer_key=authority_key,
        public_key=public_key,
        subject=subject,
        usage=_key_usage(digital_signature=True, key_encipherment=True),
        purpose=ExtendedKeyUsageOID.CLIENT_AUTH,
        not_before=not_before,
        not_after=not_after,
    )


def _key_usage(
    *,
    digital_signature: bool = False,
    content_commitment: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(
    key: keys.PrivateKey,
    subject: x509.Name,
    usage: x509.KeyUsage,
    not_before: datetime,
    not_after: datetime,
) -> x509.Certificate:
    public_key = keys.check_public_key(key.public_key())
    return (
        _builder(public_key, subject, subject, not_before, not_after)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )


def _leaf(
    *,
    issuer: x509.Certificate,
    issuer_key: keys.PrivateKey,
    public_key: keys.PublicKey,
    subject: x509.Name,
    usage: x509.KeyUsage,
    purpose: x509.ObjectIdentifier,
    not_before: datetime,
    not_after: datetime,
) -> x509.Certificate:
    if issuer_key.public_key() != issuer.public_key():
        raise ValueError("the key is not the authority's")
    public_key = keys.check_public_key(public_key)
    not_before = max(not_before, issuer.not_valid_before_utc)
    not_after = min(not_after, issuer.not_valid_after_utc)
    if not_before >= not_after:
        raise PkiError("authority_expired", "the authority is not valid at that time")
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        _builder(public_key, subject, issuer.subject, not_before, not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .sign(issuer_key, hashes.SHA256())
    )


def _builder(
    public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    subject: x509.Name,
    issuer: x509.Name,
    not_before: datetime,
    not_after: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )
