"""S-35 under load: however many connections try at once, a challenge is one certificate."""

from __future__ import annotations

import http.client
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from core.models import KeyPurpose
from core.services import keys
from devices.models import Identity
from tests import factories
from tests.apple.enrolling import give_profile, open_session
from tests.pki_material import rsa_key
from tests.scep_client import Client

pytestmark = pytest.mark.django_db(transaction=True)

TRIES = 50


@pytest.fixture
def authority(tenant, monkeypatch):
    factories.with_keys(tenant, monkeypatch)
    return keys.current(tenant, KeyPurpose.DEVICE_CA).certificate


@pytest.fixture
def challenge(tenant, person) -> str:
    return give_profile(open_session(tenant, person))[1]


def post_all(url: str, tenant, clients: list[Client]):
    """Send every request from its own thread; returns the replies, each read by its client."""
    parts = urlsplit(url)
    path = f"/mdm/apple/scep/{tenant.slug}?operation=PKIOperation"

    def post(prepared):
        client, message = prepared
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        for _ in range(20):
            connection.request("POST", path, body=message)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != 503:  # a busy database may say "later", never anything else
                break
        connection.close()
        assert answer.status == 200
        return client.read(content)

    prepared = [(client, client.request()) for client in clients]
    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(post, prepared))


def test_fifty_thieves_share_one_challenge_and_one_gets_a_certificate(
    live_server, tenant, authority, challenge
):
    clients = [
        Client(
            authority,
            key=rsa_key(f"thief {number % 5}"),
            challenge=challenge,
            transaction_id=f"thief {number}",
        )
        for number in range(TRIES)
    ]
    replies = post_all(live_server.url, tenant, clients)
    assert [reply.status for reply in replies].count("0") == 1
    assert {reply.fail_info for reply in replies if reply.status != "0"} == {"2"}
    assert Identity.objects.count() == 1


def test_fifty_retries_of_one_client_all_get_the_one_certificate(
    live_server, tenant, authority, challenge
):
    clients = [Client(authority, challenge=challenge) for _ in range(TRIES)]
    replies = post_all(live_server.url, tenant, clients)
    assert {reply.status for reply in replies} == {"0"}
    assert len({reply.certificates[0] for reply in replies}) == 1
    assert Identity.objects.count() == 1


def test_parallel_renewals_leave_one_living_successor(live_server, tenant, authority, challenge):
    old_key = rsa_key("scep client")
    first = post_all(live_server.url, tenant, [Client(authority, challenge=challenge)])[0]
    identity = Identity.objects.get()
    identity.device = factories.device(tenant)
    identity.save()
    clients = [
        Client(
            authority,
            key=rsa_key(f"thief {number % 3}"),
            challenge=None,
            signer_key=old_key,
            signer=first.certificates[0],
        )
        for number in range(12)
    ]
    replies = post_all(live_server.url, tenant, clients)
    assert {reply.status for reply in replies} == {"0"}
    assert Identity.objects.live().filter(renewed_from=identity).count() == 1
