from __future__ import annotations

import pytest

from accounts.grouping import get
from accounts.models import AttributeDefinition
from accounts.services import attributes, users
from devices.errors import VariableMistake
from devices.services import variables
from devices.variables import BUILTIN, NAMES
from tests import factories
from tests.portal import path, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def attribute(tenant, admin, device, person):
    for kind, key, member in (("device", "place", device), ("user", "team", person)):
        AttributeDefinition.objects.create(
            tenant=tenant, owner_kind=kind, key=key, kind="text", label=key.title()
        )
        attributes.set_values(
            shape=get(kind), member=member, values={key: f"the {key}"}, actor=admin.actor
        )


def become(device, written):
    return variables.resolve(device=device, text=written).text


def test_a_device_and_its_person_are_known(device, person, attribute, admin):
    users.edit(user=person, last_name="Person", language="fr", actor=admin.actor)
    device.refresh_from_db()
    written = (
        "${device.serial}|${device.udid}|${device.name}|${device.model_name}|${user.email}|"
        "${user.email_local}|${user.email_domain}|${user.first_name}|${user.last_name}|"
        "${user.language}|${user.time_zone}|${organisation.name}|${device.attr.place}|"
        "${user.attr.team}|{$userWorkEmailAddress}"
    )
    assert become(device, written).split("|") == [
        device.serial,
        device.physical.key,
        "Pia's iPhone",
        "iPhone 15 Pro",
        "pia.person@acme.test",
        "pia.person",
        "acme.test",
        "Pia",
        "Person",
        "fr",
        "UTC",
        "Acme Aerospace",
        "the place",
        "the team",
        "pia.person@acme.test",
    ]


def test_every_variable_can_be_read_for_every_device(tenant, device):
    bare = factories.device(tenant, None, name="", serial="", enrolled_at=None)
    bare.contact.delete()
    bare.refresh_from_db()
    for one in (device, bare):
        for name in NAMES:
            variables.resolve(device=one, text=f"${{{name}}}")
    found = variables.resolve(device=bare, text="[${user.email}${device.last_contact}]")
    assert (found.text, found.missing) == ("[]", ("user.email", "device.last_contact"))


def test_no_name_is_given_twice():
    written = [name for one in BUILTIN for name in (one.name, *one.aliases)]
    assert len(written) == len(set(written)) == len(NAMES)


def test_unknown_names_are_refused_when_saving(tenant, attribute, stranger):
    AttributeDefinition.objects.create(
        tenant=stranger.tenant, owner_kind="device", key="theirs", kind="text", label="Theirs"
    )
    for name in ("device.attr.theirs", "user.password", "device.sealed_pin", "user.attr.place"):
        with pytest.raises(VariableMistake, match=r"character 3"):
            variables.check(tenant_id=tenant.pk, text=f"x ${{{name}}}")
    assert variables.check(tenant_id=tenant.pk, text="${device.attr.place}")


def test_the_number_of_queries_is_constant(
    device, attribute, django_assert_max_num_queries, tenant
):
    for number in range(20):
        AttributeDefinition.objects.create(
            tenant=tenant, owner_kind="user", key=f"k{number}", kind="text", label="K"
        )
    with django_assert_max_num_queries(6):
        become(device, "${user.attr.team} ${device.attr.place} ${user.email}" * 20)


def test_the_page_shows_what_a_text_becomes(signed_in, helpdesk, device, attribute):
    client, address = signed_in(helpdesk), path("device-variables", device.pk)
    page = text(client.get(address))
    assert "${device.attr.place}" in page
    assert "the place" in page
    page = text(client.post(address, {"text": "<b>${device.serial}</b> {$device.build}"}))
    assert f"&lt;b&gt;{device.serial}&lt;/b&gt;" in page
    assert "Without a value here, and therefore empty: device.build." in page
    wrong = client.post(address, {"text": "a ${nothing}"})
    assert wrong.status_code == 422
    assert "There is no variable “nothing” (character 3)." in text(wrong)
    broken = text(client.post(address, {"text": "${7*7}"}))
    assert "A variable begins at character 1" in broken
    assert "49" not in broken.partition("<main")[2].partition("All variables")[0]
