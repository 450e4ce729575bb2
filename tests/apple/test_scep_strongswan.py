"""strongSwan's SCEP client against the real endpoint: an implementation that shares nothing."""

from __future__ import annotations

import http.client
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from core.models import KeyPurpose
from core.pki import ca
from core.services import keys
from devices.models import Identity
from tests import factories
from tests.apple.enrolling import expire, give_profile, open_session
from tests.pki_material import key_pem, rsa_key

pytestmark = [pytest.mark.strongswan, pytest.mark.django_db(transaction=True)]

# strongSwan 5.9.8 counts lines instead of reading names: it needs all of its own, in its order.
ITS_CAPABILITIES = (
    *("AES", "DES3", "SHA-256", "SHA-384", "SHA-512", "SHA-224", "SHA-1"),
    *("POSTPKIOperation", "SCEPStandard", "GetNextCACert", "Renewal"),
)


class CapabilityRewriter(BaseHTTPRequestHandler):
    """Passes everything on to the server; only the capabilities are put as the client needs."""

    target = ""

    def _pass_on(self) -> None:
        parts = urlsplit(self.target)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kept = {name: value for name, value in self.headers.items() if name != "Host"}
        connection.request(self.command, self.path, body=body or None, headers=kept)
        answer = connection.getresponse()
        content = answer.read()
        if "GetCACaps" in self.path:
            assert {"AES", "SHA-256", "POSTPKIOperation"} <= set(content.decode().split())
            content = "\n".join(ITS_CAPABILITIES).encode() + b"\n"
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.getheader("Content-Type") or "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    do_GET = do_POST = _pass_on

    def log_message(self, *_) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def url(live_server, tenant, monkeypatch) -> Iterator[str]:
    factories.with_keys(tenant, monkeypatch)
    monkeypatch.setattr(CapabilityRewriter, "target", live_server.url)
    server = ThreadingHTTPServer(("127.0.0.1", 0), CapabilityRewriter)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/mdm/apple/scep/{tenant.slug}"
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


class Pki:
    """Runs `pki` in a folder of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url

    def run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["pki", *arguments], cwd=self.folder, capture_output=True, timeout=60)

    def fetch_ca(self) -> x509.Certificate:
        done = self.run("--scepca", "--url", self.url, "--caout", "ca.crt")
        assert done.returncode == 0, done.stderr.decode()
        return x509.load_der_x509_certificate((self.folder / "ca.crt").read_bytes())

    def enroll(
        self, challenge: str, *options: str, key: str = "strongswan"
    ) -> x509.Certificate | None:
        (self.folder / f"{key}.key").write_bytes(key_pem(rsa_key(key)))
        authority = ("--cacert-enc", "ca.crt", "--cacert-sig", "ca.crt")
        secret = ("--password", challenge) if challenge else ()
        done = self.run(
            *("--scep", "--url", self.url, "--in", f"{key}.key", "--dn", "CN=whoever"),
            *authority,
            *secret,
            *options,
        )
        self.log = done.stderr.decode()
        return x509.load_der_x509_certificate(done.stdout) if done.returncode == 0 else None


@pytest.fixture
def pki(tmp_path, url) -> Pki:
    client = Pki(tmp_path, url)
    client.fetch_ca()
    return client


@pytest.fixture
def challenge(tenant, person) -> str:
    return give_profile(open_session(tenant, person))[1]


def test_it_fetches_the_authority(pki, tenant):
    authority = keys.current(tenant, KeyPurpose.DEVICE_CA)
    assert pki.fetch_ca() == authority.certificate


@pytest.mark.parametrize("cipher", ["aes", "des3"])
@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_it_obtains_a_certificate(pki, tenant, challenge, cipher, digest):
    certificate = pki.enroll(challenge, "--cipher", cipher, "--digest", digest)
    assert certificate is not None, pki.log
    identity = Identity.objects.get()
    assert certificate.subject == ca.name(str(identity.pk), tenant.name)
    assert certificate.public_key() == rsa_key("strongswan").public_key()


def test_it_obtains_the_same_certificate_again(pki, challenge):
    assert pki.enroll(challenge) == pki.enroll(challenge) is not None
    assert Identity.objects.count() == 1


def test_it_is_refused_with_a_wrong_challenge(pki):
    assert pki.enroll("not the challenge") is None
    assert "badRequest" in pki.log, pki.log
    assert not Identity.objects.exists()


def test_it_is_refused_with_an_expired_challenge(pki, tenant, person):
    profile, challenge = give_profile(open_session(tenant, person))
    expire(profile)
    assert pki.enroll(challenge) is None
    profile.session.refresh_from_db()
    assert profile.session.stopped_reason == "challenge_expired"


def test_it_renews_its_certificate(pki, tenant, challenge):
    certificate = pki.enroll(challenge)
    (pki.folder / "old.crt").write_bytes(certificate.public_bytes(Encoding.DER))
    identity = Identity.objects.get()
    identity.device = factories.device(tenant)
    identity.save()
    renewed = pki.enroll(
        "", "--cert", "old.crt", "--key", "strongswan.key", key="strongswan renewed"
    )
    assert renewed is not None, pki.log
    assert renewed.public_key() == rsa_key("strongswan renewed").public_key()
    assert Identity.objects.get(renewed_from=identity).device_id == identity.device_id
