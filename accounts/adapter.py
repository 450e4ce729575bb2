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

from accounts import backends, known_devices, planes
from accounts.services import mails, users
from core import net, secrets


class AccountAdapter(DefaultAccountAdapter):
    """No sign-up; our own mails, passwords by our service, the client's address by our rule."""

    def is_open_for_signup(self, request) -> bool:
        return False

    def get_client_ip(self, request) -> str:
        return net.client_ip(request)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: str) -> str:
        """Count the tries from a browser that is known for the address apart from the others."""
        key = super()._get_login_attempts_cache_key(request, **credentials)
        known = known_devices.read(request).key_for(credentials.get("email", ""))
        return f"{key}:{known}" if known else key

    def post_login(self, request: HttpRequest, user, **options) -> HttpResponse:
        response = super().post_login(request, user, **options)
        known_devices.note(request, response, user.email)
        return response

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

    def send_notification_mail(self, template_prefix: str, user, context=None, email=None) -> None:
        mails.tell(template_prefix, user)

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """Nothing: every mail of ours is asked for by its own name."""

    def set_password(self, user, password: str) -> None:
        session = getattr(allauth_context.request, "session", None)
        users.set_password(
            user=user,
            password=password,
            actor=user.actor,
            but_session=session.session_key if session else None,
        )
        user.refresh_from_db()


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
