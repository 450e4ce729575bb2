"""The stand-in server, devices on it, and identities as files for openssl."""

from __future__ import annotations

import itertools

import pytest

from core.pki import ca
from simulator import wire
from simulator.cms import Identity
from simulator.devices import IPhone, Mac, facts
from tests.pki_material import NOW, key_pem, pem_of, rsa_key
from tests.simulator.standin import LATER, StandIn


@pytest.fixture(scope="session")
def device_identity():
    """An identity that is not the stand-in's, for signing and enveloping."""
    key, authority = rsa_key("device"), rsa_key("other-ca")
    root = ca.make_device_ca(
        key=authority, subject=ca.name("Other CA"), not_before=NOW, not_after=LATER
    )
    certificate = ca.issue_identity(
        authority=root,
        authority_key=authority,
        public_key=key.public_key(),
        subject=ca.name("device"),
        not_before=NOW,
        not_after=LATER,
    )
    return Identity(key, certificate)


@pytest.fixture(scope="session")
def pem_identity(tmp_path_factory, device_identity):
    """Paths of the device identity's certificate and key, for openssl."""
    folder = tmp_path_factory.mktemp("pem")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(pem_of(device_identity.certificate))
    key.write_bytes(key_pem(device_identity.key))
    return certificate, key


@pytest.fixture
def standin():
    with StandIn() as server:
        yield server


@pytest.fixture
def http():
    with wire.open_client() as client:
        yield client


@pytest.fixture
def next_key():
    """A key source for devices: shared keys, because making one costs more than a test."""
    numbers = itertools.count()
    return lambda bits: rsa_key(f"simulated-{next(numbers) % 4}", bits)


@pytest.fixture
def iphone(http, next_key):
    return IPhone(facts.mobile(facts.new_random(1), "Anna"), http, new_key=next_key)


@pytest.fixture
def mac(http, next_key):
    return Mac(facts.mac(facts.new_random(2), "Anna"), http, new_key=next_key)
