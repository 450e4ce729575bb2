from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx2

from tests.fakes.waiting import until


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def answers(server):
    try:
        return server.get("/healthz").status_code == 200
    except httpx2.TransportError:
        return False


def test_the_first_start_shows_address_owner_and_one_time_password(new_server):
    server = new_server(is_fresh=True, MUSTER_ADMIN_PASSWORD="")
    server.start()
    until(server.one_time_password)
    assert server.environment["MUSTER_ADMIN_EMAIL"] in server.output()
    assert server.get("/readyz").json()["status"] == "ready"
    password = server.one_time_password()
    server.stop()
    server.start()
    until(lambda: "Ctrl-C" in server.output())
    assert server.one_time_password() == ""
    assert password not in server.output()
    logs = "".join(server.log(name) for name in ("web", "worker", "beat"))
    assert password not in logs


def test_ctrl_c_leaves_no_process(new_server):
    server = new_server().start()
    family = until(lambda: len(server.family()) >= 5 and server.family())
    assert server.stop(is_hurried=False) == 0
    assert [pid for pid in family if is_alive(pid)] == []


def test_killed_web_processes_are_back_within_ten_seconds(new_server):
    server = new_server("--no-worker").start()
    for which in ("its worker", "itself"):
        main, worker = until(lambda: len(server.pids("web")) == 2 and server.pids("web"))
        os.kill(worker if which == "its worker" else main, signal.SIGKILL)
        until(lambda: not answers(server), step=0.01, what=f"the end of {which}")
        until(lambda: answers(server), seconds=10, what=f"the return of {which}")


def test_a_killed_worker_is_back_within_ten_seconds(new_server):
    server = new_server().start()
    first = until(lambda: server.pids("worker"))[0]
    os.kill(first, signal.SIGKILL)
    until(lambda: [pid for pid in server.pids("worker")[:1] if pid != first], seconds=10)


def test_beat_and_worker_do_the_sweeps(server):
    until(lambda: "core.tasks.sweep_outbox" in server.log("beat"), seconds=30)
    until(lambda: "Task core.tasks.sweep_outbox" in server.log("worker"), seconds=30)
    until(lambda: "succeeded" in server.log("worker"), seconds=30)


def test_a_taken_port_is_told_in_plain_words(new_server):
    server = new_server("--no-worker").start()
    second = new_server(MUSTER_PORT=str(server.port))
    process = second.launch()
    assert process.popen.wait(30) != 0
    assert f"Port {server.port} of 127.0.0.1 cannot be used" in process.output()
    assert "Traceback" not in process.output()
    assert answers(server)


def test_two_servers_do_not_share_a_data_folder(new_server):
    server = new_server("--no-worker").start()
    second = new_server("--no-worker", MUSTER_DATA_DIR=str(server.data))
    process = second.launch()
    assert process.popen.wait(30) != 0
    assert "Another server is running" in process.output()
    assert answers(server)


def test_a_weak_password_for_the_first_owner_is_refused(new_server):
    process = new_server(MUSTER_ADMIN_PASSWORD="password").launch()
    assert process.popen.wait(30) != 0
    assert "MUSTER_ADMIN_PASSWORD is not accepted" in process.output()
    assert "Traceback" not in process.output()


def test_what_stands_on_disk_is_readable_by_its_owner_only(new_server):
    server = new_server("--no-worker").start()
    assert server.data.stat().st_mode & 0o077 == 0
