"""One challenge, one certificate; retries, renewals, and everything that gets none."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from core import clock
from core.models import HistoryEntry, OneTimeSecret
from core.pki import ca
from devices.models import Identity
from devices.services import identities
from enrollment.models import EnrollmentSession
from tests import factories
from tests.apple.enrolling import expire, give_profile, open_session
from tests.pki_material import der_of, is_issued_by, rsa_key
from tests.scep_client import RENEWAL_REQ

pytestmark = pytest.mark.django_db

BAD_ALG, BAD_MESSAGE_CHECK, BAD_REQUEST, BAD_CERT_ID = "0", "1", "2", "4"


@pytest.fixture
def session(scep, person) -> EnrollmentSession:
    return open_session(scep.tenant, person)


@pytest.fixture
def enrolled(scep, session, person):
    """A device with its bound identity; returns (identity, certificate, key)."""
    key = rsa_key("enrolled")
    reply = scep.enroll(give_profile(session)[1], key=key)
    identity = Identity.objects.get()
    identity.device = factories.device(scep.tenant, person)
    identity.first_used_at = clock.now()
    identity.save()
    return identity, reply.certificates[0], key


def renewal(scep, enrolled, name="renewed", **fields):
    _, certificate, key = enrolled
    client = scep.client(None, key=rsa_key(name), signer_key=key, signer=certificate, **fields)
    return scep.ask(client)


def test_a_challenge_turns_into_a_recorded_certificate(scep, session):
    profile, challenge = give_profile(session)
    reply = scep.enroll(challenge)
    identity = Identity.objects.get()
    assert reply.status == "0"
    assert der_of(reply.certificates[0]) == bytes(identity.certificate)
    assert identity.session_id == session.pk
    assert identity.device is None
    assert identity.transaction_id == reply.transaction_id
    profile.challenge.refresh_from_db()
    assert profile.challenge.used_at is not None


def test_the_server_says_who_the_certificate_is_for(scep, session):
    """S-37: what the client asks for is not what it gets."""
    options = {
        "subject": "administrator",
        "extensions": [
            x509.BasicConstraints(ca=True, path_length=None),
            x509.SubjectAlternativeName([x509.DNSName("*.example.com")]),
        ],
    }
    reply = scep.enroll(give_profile(session)[1], csr_options=options)
    certificate = reply.certificates[0]
    identity = Identity.objects.get()
    assert certificate.subject == ca.name(str(identity.pk), scep.tenant.name)
    extensions = certificate.extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert is_issued_by(certificate, scep.ca)


def test_the_session_moves_on_and_its_history_says_so(scep, session):
    scep.enroll(give_profile(session)[1])
    session.refresh_from_db()
    assert session.stage == "identity_issued"
    assert session.identity_issued_at is not None
    actions = set(HistoryEntry.objects.values_list("action", flat=True))
    assert {"enrollment.session.identity_issued", "devices.identity.issued"} <= actions


def test_using_one_profile_ends_the_others_of_the_session(scep, session):
    older, older_challenge = give_profile(session)
    _, newer_challenge = give_profile(session)
    assert scep.enroll(newer_challenge).status == "0"
    older.refresh_from_db()
    assert older.voided_at is not None
    reply = scep.enroll(older_challenge, key=rsa_key("second"))
    assert (reply.status, reply.fail_info) == ("2", BAD_REQUEST)
    assert Identity.objects.count() == 1


def test_an_older_profile_may_still_be_the_one_that_is_used(scep, session):
    _, older_challenge = give_profile(session)
    give_profile(session)
    assert scep.enroll(older_challenge).status == "0"


def test_a_retry_gets_the_same_certificate(scep, session):
    _, challenge = give_profile(session)
    replies = [scep.enroll(challenge) for _ in range(3)]
    assert len({der_of(reply.certificates[0]) for reply in replies}) == 1
    assert Identity.objects.count() == 1


def test_a_retry_after_the_end_of_the_challenge_gets_the_same_certificate(scep, session):
    profile, challenge = give_profile(session)
    first = scep.enroll(challenge)
    expire(profile)
    assert scep.enroll(challenge).certificates == first.certificates


def test_a_used_challenge_serves_no_other_key(scep, session):
    _, challenge = give_profile(session)
    scep.enroll(challenge)
    reply = scep.enroll(challenge, key=rsa_key("thief"))
    assert (reply.status, reply.fail_info) == ("2", BAD_REQUEST)
    session.refresh_from_db()
    assert session.stopped_reason == "challenge_used"


def test_a_used_challenge_serves_no_other_transaction(scep, session):
    _, challenge = give_profile(session)
    scep.enroll(challenge)
    assert scep.enroll(challenge, transaction_id="another").fail_info == BAD_REQUEST


def test_the_same_key_in_a_new_session_gets_a_certificate_of_that_session(scep, session, person):
    first = scep.enroll(give_profile(session)[1])
    again = open_session(scep.tenant, person)
    second = scep.enroll(give_profile(again)[1])
    assert first.transaction_id == second.transaction_id
    assert first.certificates[0] != second.certificates[0]
    assert set(Identity.objects.values_list("session_id", flat=True)) == {session.pk, again.pk}


@pytest.mark.parametrize("challenge", [None, "", "wrong", "x" * 5000])
def test_without_a_known_challenge_there_is_no_certificate(scep, challenge):
    reply = scep.enroll(challenge)
    assert (reply.status, reply.fail_info) == ("2", BAD_REQUEST)
    assert reply.recipient_nonce == b"n" * 16
    assert not Identity.objects.exists()


def test_an_expired_challenge_is_refused_and_the_page_learns_it(scep, session):
    """R5: the open page says that the profile is too old."""
    profile, challenge = give_profile(session)
    expire(profile)
    replies = [scep.enroll(challenge) for _ in range(3)]
    assert {(reply.status, reply.fail_info) for reply in replies} == {("2", BAD_REQUEST)}
    session.refresh_from_db()
    assert session.stopped_reason == "challenge_expired"
    assert session.outcome == "open"
    assert not Identity.objects.exists()
    refusals = HistoryEntry.objects.filter(action="enrollment.session.refused")
    assert refusals.count() == 1


def test_the_page_learns_it_too_when_a_sweep_was_faster(scep, session):
    profile, challenge = give_profile(session)
    expire(profile)
    OneTimeSecret.objects.filter(pk=profile.challenge_id).update(voided_at=clock.now())
    scep.enroll(challenge)
    session.refresh_from_db()
    assert session.stopped_reason == "challenge_expired"


def test_a_new_profile_after_an_expired_one_goes_through(scep, session):
    profile, challenge = give_profile(session)
    expire(profile)
    scep.enroll(challenge)
    assert scep.enroll(give_profile(session)[1]).status == "0"
    session.refresh_from_db()
    assert session.stopped_reason == ""


@pytest.mark.parametrize("outcome", ["active", "expired", "cancelled", "refused"])
def test_the_challenge_of_an_ended_session_is_worth_nothing(scep, person, outcome):
    session = open_session(scep.tenant, person, outcome=outcome)
    reply = scep.enroll(give_profile(session)[1])
    assert (reply.status, reply.fail_info) == ("2", BAD_REQUEST)
    session.refresh_from_db()
    assert session.outcome == outcome


def test_a_challenge_is_worth_nothing_at_another_tenant(scep, other_scep, session):
    """S-35: and it is not used up by the attempt."""
    profile, challenge = give_profile(session)
    assert other_scep.enroll(challenge).fail_info == BAD_REQUEST
    profile.challenge.refresh_from_db()
    assert profile.challenge.used_at is None
    assert scep.enroll(challenge).status == "0"


def test_another_kind_of_secret_is_no_challenge(scep, session):
    from core import onetime

    _, token = onetime.issue(
        tenant=scep.tenant,
        purpose="invitation",
        subject=onetime.subject_of(session),
        ttl=dt.timedelta(hours=1),
    )
    assert scep.enroll(token).fail_info == BAD_REQUEST


@pytest.mark.parametrize(
    "fields", [{"cipher": "des"}, {"key": "weak"}], ids=["single DES", "RSA-1024"]
)
def test_weak_requests_are_refused_and_use_nothing_up(scep, session, fields):
    profile, challenge = give_profile(session)
    if fields.get("key") == "weak":
        fields = {"key": rsa_key("weak", 1024), "signer_key": rsa_key("scep client")}
    assert scep.enroll(challenge, **fields).fail_info == BAD_ALG
    profile.challenge.refresh_from_db()
    assert profile.challenge.used_at is None


# --- renewal -----------------------------------------------------------------------------------


@pytest.mark.parametrize("message_type", [RENEWAL_REQ, "19"], ids=["RenewalReq", "PKCSReq"])
def test_a_living_identity_renews_itself(scep, enrolled, message_type):
    """S-44: and macOS says PKCSReq when it does."""
    reply = renewal(scep, enrolled, message_type=message_type)
    assert reply.status == "0"
    successor = Identity.objects.get(renewed_from=enrolled[0])
    assert successor.device_id == enrolled[0].device_id
    assert successor.session_id == enrolled[0].session_id
    assert der_of(reply.certificates[0]) == bytes(successor.certificate)


def test_a_renewal_may_carry_the_challenge_of_old(scep, session):
    _, challenge = give_profile(session)
    key = rsa_key("enrolled")
    first = scep.enroll(challenge, key=key)
    identity = Identity.objects.get()
    identity.device = factories.device(scep.tenant)
    identity.save()
    reply = scep.enroll(
        challenge, key=rsa_key("renewed"), signer_key=key, signer=first.certificates[0]
    )
    assert reply.status == "0"
    assert Identity.objects.get(renewed_from=identity)


def test_an_expired_identity_may_still_renew(scep, enrolled):
    Identity.objects.update(not_after=clock.now() - dt.timedelta(days=30))
    assert renewal(scep, enrolled).status == "0"


def test_a_retried_renewal_gets_the_same_certificate(scep, enrolled):
    first, second = (renewal(scep, enrolled) for _ in range(2))
    assert first.certificates == second.certificates
    assert Identity.objects.filter(renewed_from=enrolled[0]).count() == 1


def test_a_second_renewal_ends_the_first_one_that_nobody_used(scep, enrolled):
    renewal(scep, enrolled, "first")
    renewal(scep, enrolled, "second")
    live = Identity.objects.live().filter(renewed_from=enrolled[0])
    assert live.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"revoked_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)},
        {"superseded_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)},
        {"device": None},
    ],
    ids=["revoked", "superseded", "never bound"],
)
def test_an_identity_that_is_over_does_not_renew(scep, enrolled, change):
    Identity.objects.update(**change)
    reply = renewal(scep, enrolled)
    assert (reply.status, reply.fail_info) == ("2", BAD_CERT_ID)
    assert Identity.objects.count() == 1


@pytest.mark.parametrize("state", ["retired", "wiped", "unenrolled", "reset", "abandoned"])
def test_a_device_that_left_does_not_renew(scep, enrolled, state):
    device = enrolled[0].device
    type(device).objects.filter(pk=device.pk).update(state=state)
    assert renewal(scep, enrolled).fail_info == BAD_CERT_ID


def test_an_archived_entry_does_not_renew(scep, enrolled):
    device = enrolled[0].device
    type(device).objects.filter(pk=device.pk).update(archived_at=clock.now())
    assert renewal(scep, enrolled).fail_info == BAD_CERT_ID


def test_an_identity_of_another_tenant_does_not_renew_here(scep, other_scep, enrolled):
    _, certificate, key = enrolled
    client = other_scep.client(None, key=rsa_key("renewed"), signer_key=key, signer=certificate)
    assert other_scep.ask(client).fail_info == BAD_REQUEST


def test_a_lookalike_of_an_identity_does_not_renew(scep, enrolled):
    """Same names, serial number and all, but self-made: not the certificate that we issued."""
    _, certificate, _ = enrolled
    thief = rsa_key("thief")
    lookalike = (
        x509.CertificateBuilder(
            issuer_name=certificate.issuer,
            subject_name=certificate.subject,
            public_key=thief.public_key(),
            serial_number=certificate.serial_number,
            not_valid_before=certificate.not_valid_before_utc,
            not_valid_after=certificate.not_valid_after_utc,
        )
    ).sign(thief, certificate.signature_hash_algorithm)
    client = scep.client(None, key=rsa_key("renewed"), signer_key=thief, signer=lookalike)
    assert scep.ask(client).fail_info == BAD_REQUEST


def test_a_living_identity_with_a_fresh_challenge_enrolls_anew(scep, enrolled, person):
    """A profile that is installed again runs SCEP with its own challenge: a new enrollment."""
    again = open_session(scep.tenant, person)
    _, certificate, key = enrolled
    reply = scep.enroll(
        give_profile(again)[1], key=rsa_key("again"), signer_key=key, signer=certificate
    )
    assert reply.status == "0"
    newest = Identity.objects.get(session_id=again.pk)
    assert newest.renewed_from is None
    assert newest.device is None


# --- the end of identities ---------------------------------------------------------------------


def test_an_ended_session_revokes_what_nobody_used(scep, session):
    from core.actors import Actor

    _, challenge = give_profile(session)
    scep.enroll(challenge)
    assert identities.revoke_unused(session_id=session.pk, reason="timed out", actor=Actor.system())
    identity = Identity.objects.get()
    assert identity.revoked_reason == "timed out"
    assert HistoryEntry.objects.filter(action="devices.identity.revoked").count() == 1
    assert scep.enroll(challenge).fail_info == BAD_REQUEST


def test_an_ended_session_leaves_bound_identities_alone(scep, enrolled, session):
    from core.actors import Actor

    assert not identities.revoke_unused(session_id=session.pk, reason="over", actor=Actor.system())
    assert Identity.objects.live().exists()
