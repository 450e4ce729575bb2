"""How django-allauth fits into the server."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import backends, planes
from core import clock, net, secrets


class AccountAdapter(DefaultAccountAdapter):
    """No sign-up; mails go through the outbox; the client's address by our own rule."""

    def is_open_for_signup(self, request) -> bool:
        return False

    def get_client_ip(self, request) -> str:
        return net.client_ip(request)

    def login(self, request: HttpRequest, user) -> None:
        user.backend = planes.BACKENDS[planes.audience_of(request)]
        super().login(request, user)

    def pre_login(self, request: HttpRequest, user, **kwargs) -> HttpResponse | None:
        """A passkey says who somebody is, not that they belong here: that is asked again."""
        if backends.may_enter(user, planes.audience_of(request)):
            return None
        messages.error(request, _("You cannot sign in here with this passkey."))
        return redirect("account_login")

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        is_own = planes.is_self_service(request.path_info)
        return reverse("me-home") if is_own else super().get_login_redirect_url(request)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link of a mail names the configured address, never the host of a request."""
        uidb36, _dash, temporary = key.partition("-")
        path = reverse(
            "account_reset_password_from_key", kwargs={"uidb36": uidb36, "key": temporary}
        )
        return f"{settings.MUSTER_PUBLIC_URL}{path}"

    def send_notification_mail(self, template_prefix: str, user, context=None, email=None) -> None:
        from accounts.services import mails

        mails.send_account_mail(template_prefix, user.email, context or {})

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        from accounts.services import mails

        mails.send_account_mail(template_prefix, email, context)

    def set_password(self, user, password: str) -> None:
        user.must_change_password = False
        user.password_changed_at = clock.now()
        super().set_password(user, password)
        self._end_what_the_old_one_opened(user)

    @staticmethod
    def _end_what_the_old_one_opened(user) -> None:
        from accounts.services import users

        session = getattr(allauth_context.request, "session", None)
        users.end_everything(user, but_session=session.session_key if session else None)


class MFAAdapter(DefaultMFAAdapter):
    """Seals the TOTP secrets and recovery seeds at rest; names passkeys in plain words."""

    def generate_authenticator_name(self, user, type) -> str:
        return _("Passkey of %(date)s") % {"date": date_format(timezone.localdate())}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity = super().get_public_key_credential_rp_entity()
        return entity | {"name": settings.MFA_TOTP_ISSUER}

    def encrypt(self, text: str) -> str:
        return secrets.seal(text.encode(), context="mfa").hex()

    def decrypt(self, encrypted_text: str) -> str:
        return secrets.unseal(bytes.fromhex(encrypted_text), context="mfa").decode()
