"""A tenant's authorities, and the openssl program as the other side."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path

import pytest

from core.pki import ca
from core.pki.envelope import Recipient
from tests.pki_material import NOW, ec_key, key_pem, pem_of, rsa_key, self_signed

VALIDITY = {"not_before": NOW - dt.timedelta(hours=1), "not_after": NOW + dt.timedelta(days=3650)}


class OpenSSL:
    """Runs `openssl` in a folder that holds the two test signers as PEM files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, key in (("rsa", rsa_key("signer")), ("ec", ec_key("signer"))):
            (folder / f"{name}.crt").write_bytes(pem_of(self_signed(key, f"{name} signer")))
            (folder / f"{name}.key").write_bytes(key_pem(key))

    def run(self, *arguments: str, data: bytes = b"") -> bytes:
        done = subprocess.run(
            ["openssl", *arguments], input=data, capture_output=True, cwd=self.folder, timeout=30
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def accepts(self, *arguments: str, data: bytes) -> bool:
        return not subprocess.run(
            ["openssl", *arguments], input=data, capture_output=True, cwd=self.folder, timeout=30
        ).returncode

    def sign(self, content: bytes, *options: str, signer: str = "rsa") -> bytes:
        files = ("-signer", f"{signer}.crt", "-inkey", f"{signer}.key")
        return self.run(
            "cms", "-sign", "-binary", "-outform", "DER", *files, *options, data=content
        )

    def write(self, name: str, data: bytes) -> str:
        (self.folder / name).write_bytes(data)
        return name


@pytest.fixture(scope="session")
def openssl(tmp_path_factory: pytest.TempPathFactory) -> OpenSSL:
    """Mark the test with `openssl` too, so that it is skipped by name where there is none."""
    return OpenSSL(tmp_path_factory.mktemp("openssl"))


@pytest.fixture(scope="session")
def device_ca() -> Recipient:
    key = rsa_key("device ca", 3072)
    certificate = ca.make_device_ca(key=key, subject=ca.name("Device CA", "Acme"), **VALIDITY)
    return Recipient(certificate, key)


@pytest.fixture(scope="session")
def signing_root():
    key = ec_key("signing root")
    certificate = ca.make_signing_root(key=key, subject=ca.name("Root", "Acme"), **VALIDITY)
    return certificate, key


@pytest.fixture(scope="session")
def profile_signer(signing_root):
    root, root_key = signing_root
    key = ec_key("profile signer")
    certificate = ca.issue_profile_signer(
        root=root,
        root_key=root_key,
        public_key=key.public_key(),
        subject=ca.name("Profiles", "Acme"),
        **VALIDITY,
    )
    return certificate, key, root
