"""Sign-in and the own account on the plane of end users, under the names that allauth knows."""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.urls import URLPattern, path, re_path
from django.utils.translation import gettext_lazy as _

from accounts.views import passkeys, self_service, sessions, sign_in

FORM, MESSAGE, CONFIRM = "me/account_form.html", "me/account_message.html", "me/confirm.html"


def form(view, title, submit, lead="", **words):
    """Show a view of allauth as one card with one form."""
    context = {"title": title, "submit_label": submit, "lead": lead, **words}
    return view.as_view(template_name=FORM, extra_context=context)


def message(view, title, text, label):
    context = {"title": title, "text": text, "label": label}
    return view.as_view(template_name=MESSAGE, extra_context=context)


entrance: list[URLPattern] = [
    path(
        "sign-in/",
        account.LoginView.as_view(template_name="me/sign_in.html"),
        name="account_login",
    ),
    path(
        "sign-in/code/",
        mfa.AuthenticateView.as_view(template_name="me/second_step.html"),
        name="mfa_authenticate",
    ),
    path("sign-in/passkey/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path(
        "sign-out/",
        account.LogoutView.as_view(template_name="me/sign_out.html"),
        name="account_logout",
    ),
    path(
        "password/reset/",
        form(
            account.PasswordResetView,
            _("Set a new password"),
            _("Send the link"),
            _(
                "Enter your e-mail address. If it has an account here, a link to set a new"
                " password is on its way."
            ),
            is_entrance=True,
        ),
        name="account_reset_password",
    ),
    path(
        "password/reset/sent/",
        message(
            account.PasswordResetDoneView,
            _("Look at your mail"),
            _(
                "If the address has an account here, a message with a link has been sent. It can"
                " take a few minutes; look in the spam folder too."
            ),
            _("Back to sign-in"),
        ),
        name="account_reset_password_done",
    ),
    re_path(
        r"^password/reset/(?P<uidb36>[0-9A-Za-z]{1,40})-(?P<key>[^/]{1,200})/$",
        account.PasswordResetFromKeyView.as_view(template_name="me/new_password.html"),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/done/",
        message(
            account.PasswordResetFromKeyDoneView,
            _("Your password is changed"),
            _("Sign in with the new one. Everywhere else you are signed out."),
            _("Sign in"),
        ),
        name="account_reset_password_from_key_done",
    ),
    path(
        "inactive/",
        message(
            account.AccountInactiveView,
            _("This account is disabled"),
            _("Ask the people who look after devices in your organisation."),
            _("Back to sign-in"),
        ),
        name="account_inactive",
    ),
]
own: list[URLPattern] = [
    path("account/", self_service.profile, name="me-account"),
    path("account/sessions/", sessions.session_list, name="account_sessions"),
    path("account/sessions/end/", sessions.session_end, name="account_session_end"),
    path(
        "account/confirm/",
        sign_in.ConfirmView.as_view(template_name=CONFIRM),
        name="account_reauthenticate",
    ),
    path(
        "account/confirm/code/",
        sign_in.ConfirmByCodeView.as_view(template_name=CONFIRM),
        name="mfa_reauthenticate",
    ),
    path(
        "account/confirm/passkey/",
        passkeys.ConfirmByPasskeyView.as_view(template_name="me/confirm_by_passkey.html"),
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "account/password/",
        form(
            account.PasswordChangeView,
            _("Change password"),
            _("Change password"),
            _("Everywhere else you are signed out then."),
        ),
        name="account_change_password",
    ),
    path(
        "account/security/",
        mfa.IndexView.as_view(template_name="me/security.html"),
        name="mfa_index",
    ),
    path(
        "account/security/app/",
        totp.ActivateTOTPView.as_view(template_name="me/authenticator_app.html"),
        name="mfa_activate_totp",
    ),
    path(
        "account/security/app/off/",
        form(
            totp.DeactivateTOTPView,
            _("Switch off two-step sign-in?"),
            _("Switch off"),
            _("Your password alone will then sign you in, and your recovery codes are deleted."),
            is_danger=True,
        ),
        name="mfa_deactivate_totp",
    ),
    path(
        "account/security/codes/new/",
        form(
            recovery.GenerateRecoveryCodesView,
            _("Make new recovery codes?"),
            _("Make new codes"),
            _("The codes that you have now stop working at once."),
        ),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "account/security/codes/",
        recovery.ViewRecoveryCodesView.as_view(template_name="me/recovery_codes.html"),
        name="mfa_view_recovery_codes",
    ),
    path(
        "account/security/codes/download/",
        recovery.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
    path("account/passkeys/", passkeys.PasskeysView.as_view(), name="mfa_list_webauthn"),
    path(
        "account/passkeys/add/",
        passkeys.AddPasskeyView.as_view(template_name="me/passkey_add.html"),
        name="mfa_add_webauthn",
    ),
    path(
        "account/passkeys/<int:pk>/edit/",
        form(webauthn.EditWebAuthnView, _("Rename this passkey"), _("Save")),
        name="mfa_edit_webauthn",
    ),
    path(
        "account/passkeys/<int:pk>/remove/",
        form(
            passkeys.RemovePasskeyView,
            _("Remove this passkey?"),
            _("Remove"),
            _(
                "It no longer signs you in here. Delete it on your device, too: it stays there"
                " otherwise, and does nothing."
            ),
            is_danger=True,
        ),
        name="mfa_remove_webauthn",
    ),
]
urlpatterns = entrance + own
