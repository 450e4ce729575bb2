"""A tenant's own keys: made once, sealed, opened only as they were stored."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from core import secrets
from core.actors import Actor
from core.models import HistoryEntry, KeyPurpose, StoredKey
from core.pki import cms
from core.services import keys
from tests import factories
from tests.pki_material import is_issued_by

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("tests")


@pytest.fixture
def acme(tenant, monkeypatch):
    return factories.with_keys(tenant, monkeypatch)


def row_of(tenant, purpose) -> StoredKey:
    return StoredKey.objects.current().filter(tenant=tenant, purpose=purpose)[0]


def test_a_new_tenant_gets_every_key_and_its_history_says_so(acme):
    purposes = set(StoredKey.objects.filter(tenant=acme).values_list("purpose", flat=True))
    assert purposes == {"device_ca", "signing_root", "profile_signer", "script_signer"}
    made = HistoryEntry.objects.filter(tenant=acme, action="core.key.created")
    assert made.count() == 4


def test_making_them_again_makes_nothing(acme):
    assert keys.create_tenant_keys(tenant=acme, actor=ACTOR) == []
    assert StoredKey.objects.filter(tenant=acme).count() == 4


def test_only_what_is_missing_is_made(acme):
    StoredKey.objects.filter(tenant=acme, purpose="script_signer").delete()
    made = keys.create_tenant_keys(tenant=acme, actor=ACTOR)
    assert [row.purpose for row in made] == ["script_signer"]


def test_the_device_authority_is_rsa_and_the_signers_hang_on_one_root(acme):
    authority = keys.current(acme, KeyPurpose.DEVICE_CA)
    assert isinstance(authority.key, rsa.RSAPrivateKey)
    assert authority.chain == ()
    root = keys.current(acme, KeyPurpose.SIGNING_ROOT)
    for purpose in (KeyPurpose.PROFILE_SIGNER, KeyPurpose.SCRIPT_SIGNER):
        signer = keys.current(acme, purpose)
        assert isinstance(signer.key, ec.EllipticCurvePrivateKey)
        assert signer.chain == (root.certificate,)
        assert is_issued_by(signer.certificate, root.certificate)
    assert not is_issued_by(authority.certificate, root.certificate)


def test_a_loaded_signer_signs_for_its_certificate(acme):
    signer = keys.current(acme, KeyPurpose.PROFILE_SIGNER)
    message = cms.sign_attached(
        b"profile", certificate=signer.certificate, key=signer.key, chain=signer.chain
    )
    assert cms.verify_attached(message).content == b"profile"


def test_no_private_key_lies_open_in_the_database(acme):
    for row in StoredKey.objects.filter(tenant=acme):
        sealed = bytes(row.sealed_key)
        opened = secrets.unseal(sealed, context=keys.seal_context(row.pk))
        assert opened[:1] == b"\x30"
        assert opened[20:60] not in sealed


def test_a_key_is_opened_once_per_process(acme, monkeypatch):
    first = keys.current(acme, KeyPurpose.DEVICE_CA)
    monkeypatch.setattr(secrets, "unseal", None)
    assert keys.current(acme, KeyPurpose.DEVICE_CA) is first


def test_opening_costs_one_query(acme, django_assert_num_queries):
    with django_assert_num_queries(1):
        keys.current(acme, KeyPurpose.DEVICE_CA)


def test_a_key_moved_to_another_row_does_not_open(acme):
    profile, script = (row_of(acme, name) for name in ("profile_signer", "script_signer"))
    StoredKey.objects.filter(pk=profile.pk).update(sealed_key=script.sealed_key)
    with pytest.raises(secrets.SecretError):
        keys.current(acme, KeyPurpose.PROFILE_SIGNER)


def test_an_exchanged_certificate_is_noticed(acme):
    profile, script = (row_of(acme, name) for name in ("profile_signer", "script_signer"))
    StoredKey.objects.filter(pk=profile.pk).update(certificate=bytes(script.certificate))
    with pytest.raises(secrets.SecretError):
        keys.current(acme, KeyPurpose.PROFILE_SIGNER)


def test_a_tenant_without_keys_says_so(tenant):
    with pytest.raises(keys.KeyMissing):
        keys.current(tenant, KeyPurpose.PROFILE_SIGNER)


def test_one_tenant_never_gets_the_keys_of_another(acme, other_tenant):
    with pytest.raises(keys.KeyMissing):
        keys.live(other_tenant, KeyPurpose.DEVICE_CA)


def test_after_a_rotation_the_newer_key_is_current_and_the_older_one_lives(acme):
    older = keys.current(acme, KeyPurpose.DEVICE_CA)
    newer = keys.rotate(tenant=acme, purpose=KeyPurpose.DEVICE_CA, actor=ACTOR)
    live = keys.live(acme, KeyPurpose.DEVICE_CA)
    assert [key.row_id for key in live] == [str(newer.pk), older.row_id]


def test_a_retired_key_is_gone_and_the_history_says_so(acme):
    older = row_of(acme, "device_ca")
    newer = keys.rotate(tenant=acme, purpose=KeyPurpose.DEVICE_CA, actor=ACTOR)
    keys.retire(row=older, actor=ACTOR)
    keys.retire(row=older, actor=ACTOR)
    assert [key.row_id for key in keys.live(acme, KeyPurpose.DEVICE_CA)] == [str(newer.pk)]
    assert HistoryEntry.objects.filter(action="core.key.retired").count() == 1


def test_a_new_profile_signer_keeps_the_root_that_people_trust(acme):
    root = keys.current(acme, KeyPurpose.SIGNING_ROOT)
    keys.rotate(tenant=acme, purpose=KeyPurpose.PROFILE_SIGNER, actor=ACTOR)
    assert keys.current(acme, KeyPurpose.PROFILE_SIGNER).chain == (root.certificate,)


def test_a_long_organisation_name_fits_its_certificates(other_tenant, monkeypatch):
    other_tenant.name = "Ä" * 100
    factories.with_keys(other_tenant, monkeypatch)
    subjects = {
        keys.current(other_tenant, KeyPurpose(row.purpose)).certificate.subject
        for row in StoredKey.objects.filter(tenant=other_tenant)
    }
    assert len(subjects) == 4


def test_a_key_that_is_not_rsa_opens_no_envelopes(acme):
    with pytest.raises(TypeError):
        _ = keys.current(acme, KeyPurpose.PROFILE_SIGNER).recipient
