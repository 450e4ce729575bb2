"""Fleets, the doorbell and scripted behaviours."""

from __future__ import annotations

import threading

import pytest

from simulator.behaviours import Script
from simulator.devices import IPhone, facts
from simulator.fleet import Fleet


def test_reads_a_script():
    script = Script.parse("DeviceLock:not_now*2, InstallProfile:error=12009, *:repeat*always")
    taken = [script.take("DeviceLock").kind for _ in range(3)]
    assert taken == ["not_now", "not_now", "repeat"]
    assert script.take("InstallProfile").code == 12009
    assert script.take("InstallProfile").kind == "repeat"


@pytest.mark.parametrize("text", ["DeviceLock", "DeviceLock:explode", "*:not_now*x", "a b:error"])
def test_refuses_a_script_that_it_cannot_read(text):
    with pytest.raises(ValueError, match="unknown behaviour"):
        Script.parse(text)


def test_a_ring_reaches_the_owner_of_token_and_magic(standin, iphone, mac):
    fleet = Fleet([iphone, mac])
    iphone.install(standin.profile())
    channel = iphone.device_channel
    assert fleet.doorbell.ring(channel.token.hex().upper(), channel.magic)
    assert fleet.doorbell.take_awake() == {iphone.udid}
    assert not fleet.doorbell.ring(channel.token.hex(), "another magic")
    assert fleet.doorbell.take_awake() == set()


def test_a_ring_makes_a_living_device_poll(standin, iphone):
    fleet = Fleet([iphone], poll_seconds=3600)
    iphone.install(standin.profile())
    executed, stop = threading.Event(), threading.Event()
    life = threading.Thread(
        target=fleet.live, args=(stop, lambda outcome: outcome.executed and executed.set())
    )
    life.start()
    try:
        standin.order("ProfileList")
        fleet.doorbell.ring(iphone.device_channel.token.hex(), iphone.device_channel.magic)
        assert executed.wait(10)
    finally:
        stop.set()
        life.join()


def test_one_failing_device_does_not_stop_the_others(standin, iphone, http, next_key):
    stranger = IPhone(facts.mobile(facts.new_random(9), "Ben"), http, new_key=next_key)
    fleet = Fleet([stranger, iphone])
    outcomes = fleet.each(lambda device: device.install(standin.profile()) and 1)
    assert sorted(bool(outcome.error) for outcome in outcomes) == [False, True]  # one challenge


def test_made_up_hardware_is_plausible_and_unique():
    rng = facts.new_random(3)
    made = [facts.mobile(rng, "") for _ in range(50)] + [facts.mac(rng, "") for _ in range(50)]
    assert len({one.udid for one in made}) == len({one.serial for one in made}) == 100
    digits = [int(d) for d in made[0].imei if d.isdigit()]
    doubled = [d if i % 2 == 0 else sum(divmod(d * 2, 10)) for i, d in enumerate(digits)]
    assert len(digits) == 15
    assert sum(doubled) % 10 == 0
