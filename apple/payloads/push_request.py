"""The file for Apple's push certificate portal: a signing request, countersigned by a vendor.

Source: "Setting Up Push Notifications for Your MDM Customers".
"""

from __future__ import annotations

import base64
import plistlib
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class VendorMismatch(ValueError):
    """The vendor's key does not belong to the first certificate of the vendor's chain."""


def build(
    request_pem: bytes, *, vendor_key: rsa.RSAPrivateKey, vendor_chain: Sequence[x509.Certificate]
) -> bytes:
    """Return the base64 text to upload.

    `vendor_chain` is the vendor's certificate, Apple's intermediate and Apple's root, in this
    order. Raises VendorMismatch.
    """
    if not vendor_chain or vendor_chain[0].public_key() != vendor_key.public_key():
        raise VendorMismatch("the vendor's key and certificate do not belong together")
    request = x509.load_pem_x509_csr(request_pem).public_bytes(serialization.Encoding.DER)
    signature = vendor_key.sign(request, padding.PKCS1v15(), hashes.SHA256())
    chain = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in vendor_chain)
    document = {
        "PushCertRequestCSR": base64.b64encode(request).decode(),
        "PushCertSignature": base64.b64encode(signature).decode(),
        "PushCertCertificateChain": chain.decode(),
    }
    return base64.b64encode(plistlib.dumps(document, fmt=plistlib.FMT_XML))
