"""How django-allauth fits into the server."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter

from accounts.services import mails, users
from core import net, secrets


class AccountAdapter(DefaultAccountAdapter):
    """No sign-up; our own mails, passwords by our service, the client's address by our rule."""

    def is_open_for_signup(self, request) -> bool:
        return False

    def get_client_ip(self, request) -> str:
        return net.client_ip(request)

    def send_notification_mail(self, template_prefix: str, user, context=None, email=None) -> None:
        mails.tell(template_prefix, user)

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """Nothing: every mail of ours is asked for by its own name."""

    def set_password(self, user, password: str) -> None:
        users.set_password(user=user, password=password, actor=user.actor)
        user.refresh_from_db()


class MFAAdapter(DefaultMFAAdapter):
    """Seals the TOTP secrets and recovery seeds at rest."""

    def encrypt(self, text: str) -> str:
        return secrets.seal(text.encode(), context="mfa").hex()

    def decrypt(self, encrypted_text: str) -> str:
        return secrets.unseal(bytes.fromhex(encrypted_text), context="mfa").decode()
