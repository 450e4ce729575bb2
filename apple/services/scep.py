"""The SCEP server: one challenge or one living identity in, one certificate out."""

from __future__ import annotations

import structlog
from cryptography import x509
from django.db import transaction

from core.actors import Actor
from core.models import KeyPurpose, Tenant
from core.pki import scep
from core.pki.scep import FailInfo, OpenedRequest, ScepFailure
from core.services import keys
from core.services.keys import LoadedKey
from devices.models import Identity
from devices.services import identities
from enrollment.errors import ChallengeRefused, SessionEnded
from enrollment.models import StoppedReason
from enrollment.services import challenges
from enrollment.services.challenges import Challenge

log = structlog.get_logger(__name__)


def ca_certificate(tenant: Tenant) -> tuple[str, bytes]:
    """Content type and body of the answer to GetCACert. One query. Raises KeyMissing."""
    authority = keys.current(tenant, KeyPurpose.DEVICE_CA)
    return scep.ca_certificates([authority.certificate, *authority.chain])


def answer(*, tenant: Tenant, message: bytes, ip: str = "") -> bytes:
    """The reply to a PKIOperation: SUCCESS with a certificate, or FAILURE with its reason.

    Everything that costs computing happens before the transaction, and the reply is signed by
    the authority that the client encrypted to: that is the one it knows. Raises CmsError when the
    message cannot be read at all, and PkiError or a database error when the fault is ours.
    """
    request = scep.read_request(message)
    authorities = keys.live(tenant, KeyPurpose.DEVICE_CA)
    recipients = [authority.recipient for authority in authorities]
    recipient = scep.addressed_to(request, recipients=recipients)
    authority = authorities[recipients.index(recipient)]
    actor = Actor("device", request.transaction_id[:64], "SCEP client", ip)
    try:
        opened = scep.open_request(request, recipients=recipients)
        identity = _certify(tenant=tenant, authority=authority, opened=opened, actor=actor)
    except ScepFailure as failure:
        log.warning(
            "apple.scep.refused",
            tenant=tenant.slug,
            fail_info=failure.code,
            reason=str(failure),
            transaction=request.transaction_id[:64],
            client_ip=ip,
        )
        return scep.build_failure(request, fail_info=failure.fail_info, authority=recipient)
    return scep.build_success(
        opened,
        issued=x509.load_der_x509_certificate(bytes(identity.certificate)),
        authority=recipient,
        chain=authority.chain,
    )


def _certify(
    *, tenant: Tenant, authority: LoadedKey, opened: OpenedRequest, actor: Actor
) -> Identity:
    """Decide by what the client shows, the strongest first. Raises ScepFailure.

    A Mac that renews sends its old challenge along, or none, and says PKCSReq: what makes a
    renewal is the signer, not the message type.
    """
    challenge = _known_challenge(tenant, opened.challenge)
    if challenge is not None and not challenge.refusal:
        return _redeem(challenge, authority=authority, opened=opened, actor=actor)
    if Identity.objects.filter(tenant=tenant, sha256=opened.signer.sha256).exists():
        return _renew(tenant=tenant, authority=authority, opened=opened, actor=actor)
    if challenge is None:
        raise ScepFailure(FailInfo.BAD_REQUEST, "unknown challenge")
    return _repeat(challenge, ChallengeRefused(challenge.refusal), opened=opened, actor=actor)


def _known_challenge(tenant: Tenant, token: str) -> Challenge | None:
    try:
        return challenges.look_up(tenant=tenant, token=token)
    except ChallengeRefused:
        return None


def _redeem(
    challenge: Challenge, *, authority: LoadedKey, opened: OpenedRequest, actor: Actor
) -> Identity:
    try:
        with transaction.atomic():
            session = challenges.redeem(challenge, actor=actor)
            return identities.issue(
                tenant=session.tenant,
                authority=authority,
                public_key=opened.public_key,
                session_id=session.pk,
                transaction_id=opened.request.transaction_id,
                actor=actor,
            )
    except ChallengeRefused as error:
        # Somebody was faster: the same client in a second connection, or a thief.
        return _repeat(challenge, error, opened=opened, actor=actor)
    except SessionEnded as error:
        raise ScepFailure(FailInfo.BAD_REQUEST, "the attempt has ended") from error


def _repeat(
    challenge: Challenge, error: ChallengeRefused, *, opened: OpenedRequest, actor: Actor
) -> Identity:
    """The certificate again for a client that lost the reply, and for nobody else."""
    identity = identities.find_issued(
        tenant=challenge.profile.tenant,
        session_id=challenge.session.pk,
        transaction_id=opened.request.transaction_id,
        public_key=opened.public_key,
    )
    if identity is not None and error.reason == StoppedReason.CHALLENGE_USED:
        return identity
    # A client tries several times; the history need not tell it several times.
    if challenge.session.stopped_reason != error.reason:
        challenges.refused(challenge, error, actor=actor)
    raise ScepFailure(FailInfo.BAD_REQUEST, error.reason)


def _renew(
    *, tenant: Tenant, authority: LoadedKey, opened: OpenedRequest, actor: Actor
) -> Identity:
    identity = identities.renew(
        signer_sha256=opened.signer.sha256,
        tenant=tenant,
        authority=authority,
        public_key=opened.public_key,
        transaction_id=opened.request.transaction_id,
        actor=actor,
    )
    if identity is None:
        raise ScepFailure(FailInfo.BAD_CERT_ID, "the signer may not renew")
    return identity
