"""CMS signatures as a device makes and reads them: attached ones and Mdm-Signature (RFC 5652)."""

from __future__ import annotations

from dataclasses import dataclass

from asn1crypto import cms as asn1_cms
from asn1crypto import core as asn1_core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from . import der
from .errors import SignatureInvalid

HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - real devices sign with it
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True)
class Identity:
    """A private key with its certificate."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True)
class SignedContent:
    """A verified attached signature."""

    content: bytes
    signer: x509.Certificate
    certificates: tuple[x509.Certificate, ...]
    attributes: dict[str, object]


def digest(algorithm: str, data: bytes) -> bytes:
    context = hashes.Hash(HASHES[algorithm])
    context.update(data)
    return context.finalize()


def to_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    der = certificate.public_bytes(serialization.Encoding.DER)
    return asn1_x509.Certificate.load(der)


def verify_attached(message: bytes) -> SignedContent:
    """Check an attached SignedData: one signer, its digest and its signature, not its chain.

    Raises SignatureInvalid.
    """
    try:
        info = asn1_cms.ContentInfo.load(message)
        if info["content_type"].native != "signed_data":
            raise SignatureInvalid("not SignedData")
        signed = info["content"]
        content_field = signed["encap_content_info"]["content"]
        content = content_field.native if content_field else b""
        certificates = tuple(
            x509.load_der_x509_certificate(choice.chosen.dump())
            for choice in signed["certificates"] or []
        )
        signer_infos = list(signed["signer_infos"])
    except (ValueError, TypeError) as error:
        raise SignatureInvalid(f"unreadable CMS: {error}") from error
    if len(signer_infos) != 1:
        raise SignatureInvalid(f"{len(signer_infos)} signers instead of one")
    signer = _find_signer(signer_infos[0], certificates)
    attributes = _verify_signer_info(signer_infos[0], signer, content)
    return SignedContent(content or b"", signer, certificates, attributes)


def _find_signer(
    info: asn1_cms.SignerInfo, certificates: tuple[x509.Certificate, ...]
) -> x509.Certificate:
    sid = info["sid"]
    for certificate in certificates:
        parsed = to_asn1(certificate)
        if sid.name == "issuer_and_serial_number":
            same_issuer = parsed.issuer.dump() == sid.chosen["issuer"].dump()
            if same_issuer and parsed.serial_number == sid.chosen["serial_number"].native:
                return certificate
        elif parsed.key_identifier == sid.chosen.native:
            return certificate
    raise SignatureInvalid("the signer's certificate is not embedded")


def _verify_signer_info(
    info: asn1_cms.SignerInfo, signer: x509.Certificate, content: bytes
) -> dict[str, object]:
    algorithm = info["digest_algorithm"]["algorithm"].native
    if algorithm not in HASHES:
        raise SignatureInvalid(f"digest {algorithm} is not accepted")
    attributes: dict[str, object] = {}
    to_verify = content
    if info["signed_attrs"]:
        for attribute in info["signed_attrs"]:
            attributes[attribute["type"].dotted] = attribute["values"][0].native
        if attributes.get("1.2.840.113549.1.9.4") != digest(algorithm, content):
            raise SignatureInvalid("messageDigest does not match the content")
        # RFC 5652 §5.4: the signature covers the attributes as an explicit SET OF
        to_verify = b"\x31" + info["signed_attrs"].dump()[1:]
    verify_signature(signer.public_key(), info["signature"].native, to_verify, HASHES[algorithm])
    return attributes


def verify_signature(
    public_key: object, signature: bytes, data: bytes, algorithm: hashes.HashAlgorithm
) -> None:
    """RSA PKCS#1 v1.5 or ECDSA; raises SignatureInvalid."""
    try:
        if isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, data, PKCS1v15(), algorithm)
        elif isinstance(public_key, ec.EllipticCurvePublicKey):
            public_key.verify(signature, data, ec.ECDSA(algorithm))
        else:
            raise SignatureInvalid("unsupported signer key")
    except InvalidSignature as error:
        raise SignatureInvalid("the signature does not match") from error


def _attribute(oid: str, value: asn1_core.Asn1Value) -> bytes:
    values = asn1_core.SetOf(spec=type(value))
    values.append(value)
    return der.oid(oid) + bytes(values.dump())


def signer_info(
    content: bytes,
    identity: Identity,
    *,
    algorithm: str = "sha256",
    attributes: dict[str, asn1_core.Asn1Value] | None = None,
) -> bytes:
    """DER SignerInfo over `content`; without `attributes` (None) it signs the bytes themselves."""
    certificate = to_asn1(identity.certificate)
    sid = der.encode(
        0x30, certificate.issuer.dump() + asn1_core.Integer(certificate.serial_number).dump()
    )
    digest_algorithm = asn1_cms.DigestAlgorithm({"algorithm": algorithm}).dump()
    signed, to_sign = b"", content
    if attributes is not None:
        every = {
            "1.2.840.113549.1.9.3": asn1_core.ObjectIdentifier("1.2.840.113549.1.7.1"),
            "1.2.840.113549.1.9.4": asn1_core.OctetString(digest(algorithm, content)),
            **attributes,
        }
        encoded = sorted(der.encode(0x30, _attribute(oid, value)) for oid, value in every.items())
        to_sign = der.encode(0x31, b"".join(encoded))
        signed = b"\xa0" + to_sign[1:]
    signature = identity.key.sign(to_sign, PKCS1v15(), HASHES[algorithm])
    body = b"\x02\x01\x01" + sid + digest_algorithm + signed + der.RSA_ENCRYPTION
    return der.encode(0x30, body + asn1_core.OctetString(signature).dump())


def sign(
    content: bytes,
    identity: Identity,
    *,
    algorithm: str = "sha256",
    attributes: dict[str, asn1_core.Asn1Value] | None = None,
    detached: bool = False,
) -> bytes:
    """DER ContentInfo with one signer and its certificate."""
    certificate = identity.certificate.public_bytes(serialization.Encoding.DER)
    signer = signer_info(content, identity, algorithm=algorithm, attributes=attributes)
    inner = b"" if detached else der.encode(0xA0, asn1_core.OctetString(content).dump())
    signed = (
        b"\x02\x01\x01"
        + der.encode(0x31, asn1_cms.DigestAlgorithm({"algorithm": algorithm}).dump())
        + der.encode(0x30, der.DATA + inner)
        + der.encode(0xA0, certificate)
        + der.encode(0x31, signer)
    )
    return der.encode(0x30, der.SIGNED_DATA + der.encode(0xA0, der.encode(0x30, signed)))


def sign_detached_ber(body: bytes, identity: Identity, *, algorithm: str = "sha1") -> bytes:
    """The form captured from real devices: BER indefinite lengths, SHA-1, no signedAttrs."""
    end = b"\x00\x00"
    certificate = identity.certificate.public_bytes(serialization.Encoding.DER)
    return (
        b"\x30\x80"
        + der.SIGNED_DATA
        + b"\xa0\x80\x30\x80\x02\x01\x01"
        + der.encode(0x31, asn1_cms.DigestAlgorithm({"algorithm": algorithm}).dump())
        + b"\x30\x80"
        + der.DATA
        + end
        + b"\xa0\x80"
        + certificate
        + end
        + der.encode(0x31, signer_info(body, identity, algorithm=algorithm))
        + end * 3
    )
