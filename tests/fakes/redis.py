"""A Redis server of the test run's own, on a free loopback port, in a temporary folder."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import redis

from tests.fakes.processes import Process, free_port
from tests.fakes.waiting import until


def find_program() -> str | None:
    return shutil.which("redis-server")


class RedisServer:
    """Start with `start()`, stop with `stop()`; `url` names its database 0."""

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="muster-redis-"))
        self.process: Process | None = None

    @property
    def url(self) -> str:
        return self.url_of(0)

    def url_of(self, database: int) -> str:
        return f"redis://127.0.0.1:{self.port}/{database}"

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=2, socket_connect_timeout=2)

    def start(self) -> RedisServer:
        program = find_program()
        if program is None:
            raise RuntimeError("redis-server is not installed")
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        self.process = Process(command, log=self.folder / "server.log", cwd=self.folder)
        until(self._answers, seconds=15, what="Redis to answer")
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        if self.process is not None and not self.process.is_running:
            raise RuntimeError(f"Redis ended: {self.process.output()[-2000:]}")
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False
