"""The API of an organisation's own phone app: sign in, register, follow, cancel, again."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.http import Http404
from django.utils import translation
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.services import tenants
from core import net, ratelimit
from core.api.views import TooManyCalls
from enrollment.api import client_serializers as shapes
from enrollment.api.client_authentication import ClientAuthentication, IsInstallation
from enrollment.models import ClientInstallation, EnrollmentSession
from enrollment.services import client_status, installations, profiles, stopping
from enrollment.services.installations import Facts, SignedIn

CALLS_PER_MINUTE = 120
OPEN_CALLS_PER_MINUTE = 60


class ClientView(APIView):
    """A call of an installation, in the language that it asks for or else its person's."""

    authentication_classes = (ClientAuthentication,)
    permission_classes = (IsInstallation,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not request.headers.get("Accept-Language"):
            self._speak_as_the_person(request)
        self._count(request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
        return answer

    def _count(self, request: Request) -> None:
        key = str(self.installation.pk)
        if not ratelimit.allow("client", key, capacity=CALLS_PER_MINUTE, refill_seconds=60):
            raise TooManyCalls

    def _speak_as_the_person(self, request: Request) -> None:
        row = request.auth
        if isinstance(row, ClientInstallation):
            wanted = row.user.language or row.tenant.language
            if wanted in dict(settings.LANGUAGES):
                # The middleware puts the language back when the call ends.
                translation.activate(wanted)

    @property
    def installation(self) -> ClientInstallation:
        return self.request.auth

    @property
    def ip(self) -> str:
        return net.client_ip(self.request)

    def _session(self, pk: uuid.UUID) -> EnrollmentSession:
        """The attempt of this installation; any other does not exist."""
        session = installations.current(self.installation)
        if session is None or session.pk != pk:
            raise Http404
        return session

    def _shown(self, session: EnrollmentSession, status: int = 200) -> Response:
        session = installations.current(self.installation) or session
        found = client_status.of(session, self.installation)
        return Response(shapes.ClientEnrollmentSerializer(found).data, status=status)


class OpenView(ClientView):
    """What an app may call that has no token yet."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def _count(self, request: Request) -> None:
        network = net.network_of(self.ip)
        if not ratelimit.allow(
            "client-open", network, capacity=OPEN_CALLS_PER_MINUTE, refill_seconds=60
        ):
            raise TooManyCalls

    def _signed_in(self, found: SignedIn) -> Response:
        answer = shapes.SignedInSerializer(
            {"token": found.token, "installation": found.installation}
        )
        return Response(answer.data, status=201)


def _read(kind: type, request: Request) -> dict[str, Any]:
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    return body.validated_data


class SignInView(OpenView):
    @extend_schema(request=shapes.SignInSerializer, responses={201: shapes.SignedInSerializer})
    def post(self, request: Request) -> Response:
        """Sign in with an e-mail address and a password or PIN.

        The answer is the same for an unknown address and a wrong secret. A PIN is used up. What
        policy asks for beyond it is named by `needs` of the enrollment.
        """
        body = _read(shapes.SignInSerializer, request)
        tenant = tenants.for_host(request.get_host())
        if tenant is None:
            raise Http404
        return self._signed_in(
            installations.sign_in(
                tenant=tenant,
                email=body["email"],
                secret=body["secret"],
                facts=Facts(**body["device"]),
                ip=self.ip,
            )
        )


class RedeemView(OpenView):
    @extend_schema(request=shapes.RedeemSerializer, responses={201: shapes.SignedInSerializer})
    def post(self, request: Request) -> Response:
        """Sign in with a code that a confirmed person shows on another screen; it works once."""
        body = _read(shapes.RedeemSerializer, request)
        return self._signed_in(
            installations.redeem_code(text=body["code"], facts=Facts(**body["device"]), ip=self.ip)
        )


class InstallationView(ClientView):
    @extend_schema(responses=shapes.InstallationSerializer)
    def get(self, request: Request) -> Response:
        """What the server knows of this app."""
        return self._installation()

    @extend_schema(request=shapes.TellSerializer, responses=shapes.InstallationSerializer)
    def patch(self, request: Request) -> Response:
        """Tell facts of the phone, and where the app takes pushes."""
        body = _read(shapes.TellSerializer, request)
        if "device" in body:
            installations.tell(installation=self.installation, facts=body["device"])
        if "push" in body:
            push = body["push"] or {"kind": "", "token": ""}
            installations.keep_push_token(installation=self.installation, **push)
        return self._installation()

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        """Sign out: the token and the push token end. A registered device stays registered."""
        installations.sign_out(installation=self.installation, ip=self.ip)
        return Response(status=204)

    def _installation(self) -> Response:
        row = ClientInstallation.objects.select_related("user", "tenant").get(
            pk=self.installation.pk
        )
        return Response(shapes.InstallationSerializer(row).data)


class EnrollmentsView(ClientView):
    @extend_schema(request=None, responses={201: shapes.ClientEnrollmentSerializer})
    def post(self, request: Request) -> Response:
        """Begin to register this phone, or go on with what is under way."""
        session = installations.begin(installation=self.installation, ip=self.ip)
        return self._shown(session, status=201)


class EnrollmentView(ClientView):
    @extend_schema(responses=shapes.ClientEnrollmentSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """How far it came, and what to do now. Ask every three seconds at most."""
        return self._shown(self._session(pk))


class ProofView(ClientView):
    @extend_schema(request=shapes.ProofSerializer, responses=shapes.ClientEnrollmentSerializer)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Show the PIN or password that `needs` asks for."""
        session, body = self._session(pk), _read(shapes.ProofSerializer, request)
        installations.prove(installation=self.installation, session=session, ip=self.ip, **body)
        return self._shown(session)


class PasswordView(ClientView):
    @extend_schema(
        request=shapes.NewPasswordSerializer, responses=shapes.ClientEnrollmentSerializer
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Choose the first password of the account, where `needs` is `new_password`."""
        session, body = self._session(pk), _read(shapes.NewPasswordSerializer, request)
        installations.choose_password(
            installation=self.installation, session=session, ip=self.ip, **body
        )
        return self._shown(session)


class TermsView(ClientView):
    @extend_schema(
        request=shapes.AcceptTermsSerializer, responses=shapes.ClientEnrollmentSerializer
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Accept the terms for the person who read them, where `needs` is `terms`.

        409 `terms_outdated` when a newer version was published in the meantime.
        """
        session, body = self._session(pk), _read(shapes.AcceptTermsSerializer, request)
        installations.accept_terms(
            installation=self.installation, session=session, terms_id=body["terms"], ip=self.ip
        )
        return self._shown(session)


class ProfileView(ClientView):
    @extend_schema(request=None, responses={201: shapes.ClientEnrollmentSerializer})
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Make a profile. Its address is opened in the phone's browser, within minutes."""
        session = self._session(pk)
        language = translation.get_language() or settings.LANGUAGE_CODE
        profiles.issue(session=session, language=language, actor=request.user.actor)
        return self._shown(session, status=201)


class CancelView(ClientView):
    @extend_schema(request=None, responses=shapes.ClientEnrollmentSerializer)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Stop: the enrollment ends, and a device that got as far is not managed any more."""
        session = self._session(pk)
        stopping.cancel(session=session, actor=request.user.actor)
        return self._shown(session)


class ResumeView(ClientView):
    @extend_schema(request=None, responses=shapes.ClientEnrollmentSerializer)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Go on after a cancel with the profile that was downloaded, within its minutes.

        410 when it is too old or was used: start again with `re-enroll`.
        """
        session = self._session(pk)
        stopping.resume(session=session, actor=request.user.actor)
        return self._shown(session)


class ReEnrollView(ClientView):
    @extend_schema(
        request=shapes.ReEnrollSerializer, responses={201: shapes.ClientEnrollmentSerializer}
    )
    def post(self, request: Request) -> Response:
        """Register this phone again from the start.

        Without `confirmed` the refusal `confirmation_missing` carries the question to show.
        """
        body = _read(shapes.ReEnrollSerializer, request)
        session = installations.re_enroll(
            installation=self.installation, is_confirmed=body["confirmed"], ip=self.ip
        )
        return self._shown(session, status=201)
