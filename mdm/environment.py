"""Reads the environment that every setting comes from, and keeps the embedded secrets file."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

import environ

env = environ.Env()


def data_dir(base: Path) -> Path:
    """Return the folder for everything the server writes; created with mode 0700."""
    folder = Path(env("MUSTER_DATA_DIR", default=str(base / "var"))).resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def kept_secret(name: str, folder: Path, *, embedded: bool) -> str:
    """Return the secret `name` from the environment, or in the embedded default from a file.

    The file is written once (mode 0600) so that two processes starting together agree. In
    production an absent secret is an empty string, which the system checks refuse.
    """
    value = env(name, default="")
    if value or not embedded:
        return value
    path = folder / "secrets" / name.lower()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        fresh = base64.b64encode(secrets.token_bytes(32)).decode()
        temporary = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(fresh)
        try:
            os.link(temporary, path)
        except FileExistsError:
            # Another process was first; its secret is the one that counts.
            pass
        finally:
            temporary.unlink()
    return path.read_text().strip()
