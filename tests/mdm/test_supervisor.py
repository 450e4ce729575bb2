from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.fakes.processes import Process
from tests.fakes.waiting import until

ROOT = Path(__file__).resolve().parents[2]
DRIVER = """
import sys
from pathlib import Path
from mdm.supervisor import Program, Supervisor

child = sys.argv[2]
supervisor = Supervisor(
    [Program("child", [sys.executable, "-u", "-c", child])],
    log_folder=Path(sys.argv[1]),
    say=lambda text: print(text, flush=True),
)
supervisor.run(is_ready=lambda: True, announce=lambda: print("announced", flush=True))
print("stopped", flush=True)
"""
TELL = "os.write(1, b'%d\\n' % os.getpid())"
SLEEPER = f"import os, time; {TELL}; time.sleep(600)"
# The first process tells both ids in one write, its own first: numbers wrap around.
WITH_GRANDCHILD = (
    "import os, time; other = os.fork();"
    " other and os.write(1, b'%d\\n%d\\n' % (os.getpid(), other)); time.sleep(600)"
)
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEPER


@pytest.fixture
def supervise(tmp_path):
    started = []

    def start(child):
        command = [sys.executable, "-u", "-c", DRIVER, tmp_path, child]
        process = Process(command, log=tmp_path / "supervisor.out", cwd=ROOT)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def pids(tmp_path):
    """Every process id that the supervised program has printed so far, once there are `count`."""

    def read(count=1):
        def printed():
            path = tmp_path / "child.log"
            found = [int(line) for line in path.read_text().split()] if path.exists() else []
            return found if len(found) >= count else None

        return until(printed, seconds=20, what=f"{count} process ids")

    return read


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def are_gone(pids):
    until(lambda: not any(is_alive(pid) for pid in pids), what="the end of every child")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_children_and_returns(supervise, pids, number):
    process = supervise(SLEEPER)
    found = pids()
    process.signal(number)
    assert process.popen.wait(10) == 0
    assert "stopped" in process.output()
    are_gone(found)


def test_the_announcement_comes_once_ready(supervise, pids):
    process = supervise(SLEEPER)
    pids()
    until(lambda: "announced" in process.output())
    assert process.output().count("announced") == 1


def test_a_killed_child_is_replaced_within_seconds(supervise, pids):
    process = supervise(SLEEPER)
    os.kill(pids()[0], signal.SIGKILL)
    replacement = pids(2)[1]
    assert is_alive(replacement)
    assert "child ended (signal 9); starting it again in 1 s" in process.output()


def test_what_a_killed_child_had_started_goes_with_it(supervise, pids):
    supervise(WITH_GRANDCHILD)
    family = pids(2)[:2]
    os.kill(family[0], signal.SIGKILL)
    are_gone(family)


def test_a_stubborn_child_is_ended_by_the_second_signal(supervise, pids):
    process = supervise(STUBBORN)
    found = pids()
    process.signal(signal.SIGINT)
    process.signal(signal.SIGINT)
    until(lambda: not process.is_running or process.signal(signal.SIGINT), seconds=10)
    are_gone(found)


def test_children_do_not_outlive_a_killed_supervisor(supervise, pids):
    process = supervise(SLEEPER)
    found = pids()
    os.kill(process.pid, signal.SIGKILL)
    are_gone(found)
