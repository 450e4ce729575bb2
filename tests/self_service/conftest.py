"""The cast of the self-service portal: Pia with a password, her devices, and a colleague."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import UserSettings
from tests import factories
from tests.portal import sign_in_me


@pytest.fixture
def person(tenant):
    """An end user without a role, who has a password."""
    return factories.user(tenant, email="pia.person@acme.test", first_name="Pia")


@pytest.fixture
def colleague(tenant):
    return factories.user(tenant, email="carl.colleague@acme.test", first_name="Carl")


@pytest.fixture
def mac(tenant, person):
    return factories.device(tenant, person, name="Pia's Mac", platform="mac")


@pytest.fixture
def pia(person):
    """Pia's browser, signed in a while ago."""
    client = Client()
    sign_in_me(client, person)
    return client


@pytest.fixture
def fresh_pia(person):
    """Pia's browser just after she typed her password once more."""
    client = Client()
    sign_in_me(client, person, is_recent=True)
    return client


@pytest.fixture
def policy(tenant):
    """Change the policy: `policy(self_service_wipe=True)`."""

    def change(**fields):
        UserSettings.objects.filter(tenant=tenant).update(**fields)

    return change
