"""How django-allauth fits into the server."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.urls import reverse

from core import clock, net, secrets


class AccountAdapter(DefaultAccountAdapter):
    """No sign-up; mails go through the outbox; the client's address by our own rule."""

    def is_open_for_signup(self, request) -> bool:
        return False

    def get_client_ip(self, request) -> str:
        return net.client_ip(request)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link of a mail names the configured address, never the host of a request."""
        uidb36, _dash, temporary = key.partition("-")
        path = reverse(
            "account_reset_password_from_key", kwargs={"uidb36": uidb36, "key": temporary}
        )
        return f"{settings.MUSTER_PUBLIC_URL}{path}"

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        from accounts.services import mails

        mails.send_account_mail(template_prefix, email, context)

    def set_password(self, user, password: str) -> None:
        user.must_change_password = False
        user.password_changed_at = clock.now()
        super().set_password(user, password)


class MFAAdapter(DefaultMFAAdapter):
    """Seals the TOTP secrets and recovery seeds at rest."""

    def encrypt(self, text: str) -> str:
        return secrets.seal(text.encode(), context="mfa").hex()

    def decrypt(self, encrypted_text: str) -> str:
        return secrets.unseal(bytes.fromhex(encrypted_text), context="mfa").decode()
