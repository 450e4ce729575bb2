"""The registry of actions: what is offered to whom, for which device, in which state."""

from __future__ import annotations

import pytest

from accounts.access import PERMISSIONS
from core import clock
from devices import actions
from devices.actions import Action
from devices.errors import NotSupported
from devices.forms import ActionForm
from devices.models import Device
from devices.states import DELETABLE, MANAGED, DeviceState
from tests import factories

pytestmark = pytest.mark.django_db
ORDERS = {"retire", "wipe"}


def keys(found) -> set[str]:
    return {action.key for action in found}


@pytest.mark.parametrize("action", actions.every(), ids=lambda action: action.key)
def test_every_action_is_declared_in_full(action):
    assert action.permission in PERMISSIONS
    assert issubclass(action.form_class, ActionForm)
    assert str(action.label)
    assert str(action.done)
    if action.has_page:
        assert "%(name)s" in str(action.question)


@pytest.mark.parametrize("state", DeviceState)
def test_each_state_offers_what_fits_it(tenant, owner, backend, state):
    found = keys(actions.available(device=factories.device(tenant, state=state), user=owner))
    assert bool(found & {"check_in", "lock"}) == (state in MANAGED)
    assert bool(found & ORDERS) == (state == DeviceState.ACTIVE)
    assert ("delete" in found) == (state in DELETABLE)
    assert ("cancel" in found) == state.endswith("_pending")


def test_what_the_channel_does_not_carry_is_not_offered(device, owner, backend):
    backend.offered = frozenset({"check_in"})
    assert keys(actions.available(device=device, user=owner)) & {"lock", *ORDERS} == set()


def test_a_channel_that_nobody_speaks_offers_nothing(tenant, owner):
    device = factories.device(tenant, channel_kind="carrier-pigeon")
    assert {one.key for one in actions.fitting(device) if one.is_of_channel} == set()


def test_an_archived_entry_can_only_be_deleted(tenant, owner, backend):
    device = factories.device(tenant, state="retired", archived_at=clock.now())
    assert keys(actions.available(device=device, user=owner)) == {"delete"}
    Device.objects.filter(pk=device.pk).update(state="active")
    device.refresh_from_db()
    assert actions.available(device=device, user=owner) == []


def test_nobody_is_offered_what_they_may_not(device, auditor, helpdesk, backend):
    assert actions.available(device=device, user=auditor) == []
    assert not keys(actions.available(device=device, user=helpdesk)) & {*ORDERS, "delete"}
    assert keys(actions.for_many(user=helpdesk)) >= {"check_in", "lock"}
    assert not keys(actions.for_many(user=helpdesk)) & ORDERS


def test_a_word_that_is_no_action_is_refused():
    with pytest.raises(NotSupported):
        actions.find("explode")


def test_a_key_is_registered_once():
    with pytest.raises(ValueError, match="lock"):
        actions.register(
            Action(
                key="lock",
                label="Lock",
                icon="lock",
                permission="devices.lock",
                run=print,
                done="Done",
            )
        )


def test_the_form_for_many_asks_for_no_single_name(device):
    wipe = actions.find("wipe").form_class
    many, one = wipe({"reason": "Sold"}), wipe({"reason": "Sold"}, device=device)
    assert many.is_valid()
    assert many.params()["reason"] == "Sold"
    assert "confirmation" in one.errors
