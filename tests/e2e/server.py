"""The server as an administrator runs it: `manage.py serve` in a folder of its own."""

from __future__ import annotations

import base64
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx2

from tests import lanes
from tests.fakes.postgres import create_database
from tests.fakes.processes import Process, free_port
from tests.fakes.waiting import until

OWNER = "olga.owner@acme.test"
PASSWORD = "correct horse battery staple"
START_SECONDS = 60
_numbers = itertools.count(1)


class Server:
    """Start with `start()`, stop with `stop()`; `url` is what people and devices use.

    In the services lane it runs on PostgreSQL and Redis, each with a database of its own,
    otherwise on the embedded default. `environment` adds to or replaces the settings. With a
    `template`, a server that was started and stopped once, it begins with a copy of its data.
    """

    def __init__(
        self, folder: Path, *options: str, template: Server | None = None, **environment: str
    ) -> None:
        self.folder, self.options = folder, options
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.data = folder / "var"
        self.process: Process | None = None
        self.environment = {
            **_inherited(),
            **_services(template),
            "MUSTER_DATA_DIR": str(self.data),
            "MUSTER_PORT": str(self.port),
            "MUSTER_ADMIN_EMAIL": OWNER,
            "MUSTER_ADMIN_PASSWORD": PASSWORD,
            "MUSTER_REQUIRE_ADMIN_MFA": "0",
            **environment,
        }
        if template is not None:
            shutil.copytree(template.data, self.data, ignore=shutil.ignore_patterns("log", "queue"))

    def start(self) -> Server:
        """Start it, for the first time or again, and wait until it answers."""
        self.launch()
        until(self._is_announced, seconds=START_SECONDS, step=0.05, what="the server's start")
        return self

    def launch(self) -> Process:
        """Start it without waiting."""
        command = [sys.executable, "manage.py", "serve", *self.options]
        number = next(_numbers)
        self.process = Process(
            command,
            log=self.folder / f"serve-{number}.out",
            env=self.environment,
            cwd=lanes.ROOT,
        )
        return self.process

    def stop(self, *, is_hurried: bool = True) -> int:
        """Stop it as Ctrl-C does, in a hurry as twice Ctrl-C does; return the exit code."""
        if self.process is None:
            return 0
        self.process.signal(signal.SIGINT)
        if is_hurried:
            until(lambda: "Stopping." in self.output() or not self.process.is_running)
            self.process.signal(signal.SIGINT)
        return self.process.popen.wait(30)

    def output(self) -> str:
        return self.process.output() if self.process else ""

    def log(self, name: str) -> str:
        """The log of "web", "worker" or "beat"."""
        path = self.data / "log" / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def manage(self, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a management command beside the running server."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=self.environment,
            cwd=lanes.ROOT,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )

    def get(self, path: str, **options) -> httpx2.Response:
        return httpx2.get(f"{self.url}{path}", timeout=10, **options)

    def api(self) -> httpx2.Client:
        """A client of the API with everything that the owner may do."""
        made = self.manage("create_token", "end-to-end", "--owner", OWNER)
        assert made.returncode == 0, made.stderr
        headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        return httpx2.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=10)

    def pids(self, name: str) -> list[int]:
        """The process ids of "web", "worker" or "beat", the program's own first."""
        marks = {"web": "granian", "worker": " worker ", "beat": " beat "}
        lines = subprocess.run(
            ["ps", "-ewwo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        rows = [line.split(None, 2) for line in lines]
        children = [row for row in rows if int(row[1]) == self.process.pid]
        firsts = [int(pid) for pid, _, command in children if marks[name] in command]
        return firsts + [int(pid) for pid, parent, _ in rows if int(parent) in firsts]

    def family(self) -> list[int]:
        """The process ids of everything that this server consists of."""
        return [self.process.pid, *(pid for name in _NAMES for pid in self.pids(name))]

    def one_time_password(self) -> str:
        found = re.search(r"One-time password (\S+)", self.output())
        return found.group(1) if found else ""

    def _is_announced(self) -> bool:
        if not self.process.is_running:
            raise RuntimeError(f"the server ended: {self.output()[-3000:]}")
        return "Muster is running at" in self.output()


_NAMES = ("web", "worker", "beat")


def _inherited() -> dict[str, str]:
    """What a shell would have, and nothing that configures a server."""
    names = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in names if name in os.environ}


def _services(template: Server | None) -> dict[str, str]:
    if lanes.CURRENT != "services":
        return {}
    number = next(_numbers)
    redis = os.environ["REDIS_URL"].rpartition("/")[0]
    model, secrets = "template1", {name: _random_key() for name in ("SECRET_KEY", "MUSTER_KEK")}
    if template is not None:
        model = template.environment["DATABASE_URL"].rpartition("/")[2]
        secrets = {name: template.environment[name] for name in secrets}
    name = f"server_{number}"
    return {
        "DATABASE_URL": create_database(os.environ["DATABASE_URL"], name, template=model),
        "REDIS_URL": f"{redis}/{number % 15 + 1}",
        **secrets,
    }


def _random_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()
