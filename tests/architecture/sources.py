"""The project's own files, as the architecture tests read them."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("mdm", "apple", "enrollment", "devices", "accounts", "core", "simulator")
BINARY = {".png", ".woff2", ".mo", ".ico", ".jpg", ".gz", ".br", ".p7m", ".der", ".cer"}


@cache
def listed() -> tuple[Path, ...]:
    """Every file that is or will be committed; vendored files are other people's."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    paths = [ROOT / name.decode() for name in output.split(b"\0") if name]
    return tuple(path for path in paths if path.is_file() and "vendor" not in path.parts)


def modules() -> list[Path]:
    """The Python modules of the server and the simulator, without migrations."""
    return [
        path
        for path in listed()
        if path.suffix == ".py"
        and path.relative_to(ROOT).parts[0] in PACKAGES
        and "migrations" not in path.parts
    ]


def templates() -> list[Path]:
    return [path for path in listed() if path.is_relative_to(ROOT / "templates")]


def texts() -> list[tuple[Path, str]]:
    found = [path for path in listed() if path.suffix not in BINARY]
    return [(path, path.read_text(errors="replace")) for path in found]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))
