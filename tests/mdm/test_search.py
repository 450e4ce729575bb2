"""Search over everything: what the person may see, and nothing else."""

from __future__ import annotations

import pytest

from tests import factories
from tests.portal import path, text

pytestmark = pytest.mark.django_db


def hits(client, words: str = "") -> dict[str, list[str]]:
    response = client.get(path("search"), {"q": words})
    assert response.status_code == 200
    return {label: [hit.label for hit in found] for label, found in response.context["groups"]}


def test_without_a_word_it_shows_the_way_to_every_page(signed_in, owner):
    found = hits(signed_in(owner))
    assert set(found) == {"Go to"}
    assert {"Devices", "History", "Push certificate", "Invite people"} <= set(found["Go to"])


@pytest.mark.parametrize("of", ["name", "serial", "identifier", "person"])
def test_a_device_is_found_by_what_is_known_of_it(signed_in, owner, device, of):
    words = {
        "name": "pia's",
        "serial": device.serial.lower(),
        "identifier": device.physical.key,
        "person": device.user.email,
    }
    assert hits(signed_in(owner), words[of])["Devices"] == [device.label]


def test_people_are_found_with_their_address(signed_in, owner, person):
    response = signed_in(owner).get(path("search"), {"q": "pia.person"})
    assert person.email in text(response)
    assert path("user-detail", person.pk) in text(response)


def test_pages_are_found_without_accents(signed_in, owner):
    owner.language = "fr"
    owner.save()
    [found] = hits(signed_in(owner), "parametres").values()
    assert found == ["Paramètres"]


def test_other_organisations_and_other_rights_stay_outside(
    signed_in, helpdesk, stranger, device, foreign_device
):
    assert "Devices" not in hits(signed_in(stranger), device.serial)
    assert "Devices" not in hits(signed_in(helpdesk), foreign_device.serial)
    assert "API tokens" not in hits(signed_in(helpdesk)).get("Go to", [])


def test_nothing_found_says_so(signed_in, owner):
    page = text(signed_in(owner).get(path("search"), {"q": '<b>"zzz"\x00'}))
    assert "Nothing was found for" in page
    assert "<b>&quot;" not in page
    assert "&lt;b&gt;" in page


def test_a_few_of_many_are_shown_at_a_constant_cost(
    signed_in, owner, tenant, django_assert_max_num_queries
):
    for number in range(30):
        factories.device(tenant, owner, name=f"Phone {number}")
    client = signed_in(owner)
    with django_assert_max_num_queries(12):
        assert len(hits(client, "phone")["Devices"]) == 6
