"""The cast that tests share: one organisation with its people, and one stranger."""

from __future__ import annotations

import pytest

from tests import factories


@pytest.fixture
def tenant(db):
    return factories.tenant("acme", name="Acme Aerospace")


@pytest.fixture
def other_tenant(db):
    return factories.tenant("globex", name="Globex")


@pytest.fixture
def owner(tenant):
    return factories.user(tenant, "owner", email="olga.owner@acme.test", first_name="Olga")


@pytest.fixture
def admin(tenant):
    return factories.user(tenant, "administrator", email="adam.admin@acme.test", first_name="Adam")


@pytest.fixture
def helpdesk(tenant):
    return factories.user(tenant, "helpdesk", email="hana.help@acme.test", first_name="Hana")


@pytest.fixture
def auditor(tenant):
    return factories.user(tenant, "auditor", email="aldo.audit@acme.test", first_name="Aldo")


@pytest.fixture
def person(tenant):
    """An end user without a role and without a password."""
    return factories.user(tenant, password=None, email="pia.person@acme.test", first_name="Pia")


@pytest.fixture
def stranger(other_tenant):
    """The owner of another organisation."""
    return factories.user(other_tenant, "owner", email="stan.stranger@globex.test")


@pytest.fixture
def device(tenant, person):
    return factories.device(tenant, person, name="Pia's iPhone")


@pytest.fixture
def foreign_device(other_tenant, stranger):
    return factories.device(other_tenant, stranger)


@pytest.fixture
def signed_in(client, settings):
    """Sign a user in to the portal; the second factor is not what most tests are about."""
    settings.MUSTER_REQUIRE_ADMIN_MFA = False

    def sign_in(user):
        client.force_login(user, backend="accounts.backends.PortalBackend")
        return client

    return sign_in
