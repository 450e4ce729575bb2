"""What `serve` starts, and what it looks at before."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from mdm.environment import env
from mdm.supervisor import Program

ANSWER_SECONDS = 2


class Refused(Exception):
    """The server cannot start; the text says why and what to do."""


def lock_data_folder(folder: Path) -> IO[str]:
    """Make sure that no other server uses the folder; the lock lives as long as the file is open.

    Raises Refused.
    """
    handle = (folder / "serve.lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise Refused(
            f"Another server is running with the data in {folder}. "
            "Stop it, or give this one a folder of its own: MUSTER_DATA_DIR."
        ) from error
    return handle


def refuse_taken_port(host: str, port: int) -> None:
    """Raise Refused unless the server can listen on `host` and `port`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refused(
                f"Port {port} of {host} cannot be used ({error.strerror}). Stop the program that "
                f"has it, or choose another port, for example MUSTER_PORT={port + 1}."
            ) from error


def collect_static() -> None:
    """Gather and compress the static files, unless they are the same as the last time."""
    mark = settings.STATIC_ROOT / ".collected"
    fingerprint = _static_fingerprint()
    if mark.exists() and mark.read_text() == fingerprint:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    mark.write_text(fingerprint)


def _static_fingerprint() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in sorted(finder.list([]), key=lambda found: found[0]):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def share_metrics() -> None:
    """Let all processes count into one folder, emptied at each start as counters begin anew."""
    folder = settings.DATA_DIR / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def web_program() -> Program:
    workers = env.int("MUSTER_WEB_WORKERS", default=1)
    options = {
        "--interface": "wsgi",
        "--host": settings.MUSTER_HOST,
        "--port": settings.MUSTER_PORT,
        "--http": "1",
        "--workers": workers,
        "--blocking-threads": env.int("MUSTER_WEB_THREADS", default=4),
        "--respawn-interval": 1,
        "--workers-kill-timeout": 10,
        "--workers-max-rss": env.int("MUSTER_WEB_MAX_RSS_MB", default=700),
        "--log-level": "warning",
    }
    switches = ["--no-ws", "--respawn-failed-workers"]
    return Program("web", [*_python("granian"), *_flat(options), *switches, "mdm.wsgi:application"])


def worker_program() -> Program:
    options = {
        # Without Redis the children of a worker share pipes and their locks: one that is killed
        # while it holds a lock would leave the others waiting for ever. Threads die together, and
        # the supervisor starts them again.
        "--pool": "prefork" if settings.REDIS_URL else "threads",
        "--concurrency": env.int("MUSTER_TASK_WORKERS", default=2),
        "--loglevel": "INFO",
        "--hostname": "worker@%h",
    }
    switches = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Program("worker", [*_celery("worker"), *_flat(options), *switches])


def beat_program() -> Program:
    return Program("beat", [*_celery("beat"), "--loglevel", "INFO", "--pidfile="])


def demo_program() -> Program:
    manage = settings.BASE_DIR / "manage.py"
    return Program("demo", [sys.executable, str(manage), "simulate", "--demo"])


def does_web_answer() -> bool:
    host = settings.MUSTER_HOST
    loopback = "127.0.0.1" if host in ("0.0.0.0", "") else host  # noqa: S104 - compared, not bound
    loopback = f"[{loopback}]" if ":" in loopback else loopback
    url = f"http://{loopback}:{settings.MUSTER_PORT}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        # It refuses our host name, as it may: but it is there.
        return True
    except OSError:
        return False


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def _celery(command: str) -> list[str]:
    return [*_python("celery"), "--app", "mdm.celery", "--quiet", command]


def _flat(options: dict[str, object]) -> list[str]:
    return [str(part) for pair in options.items() for part in pair]
