"""The errors that the PKI modules raise: one class per module family, each with a stable code."""

from __future__ import annotations


class PkiError(Exception):
    """Base class. `code` is a stable lower-case word for callers, the message is for logs."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


class KeyPolicyError(PkiError):
    """A key that may not be certified or trusted: `weak_key`, `unsupported_key`, `malformed`."""


class CmsError(PkiError):
    """Anything wrong with a CMS message.

    Codes: `malformed`, `too_large`, `too_complex`, `unsupported_algorithm`, `digest_refused`,
    `signer_count`, `signer_not_found`, `weak_key`, `content_missing`, `content_unexpected`,
    `attributes_mismatch`, `bad_signature`, `wrong_recipient`, `undecryptable`.
    """
