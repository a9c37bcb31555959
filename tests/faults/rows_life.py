"""What may happen to the master, and how workers leave."""

import fcntl
import os
import pty
import signal
import subprocess
import termios
import time

from oracle import BIN, DEADLINE, JOB, REPORT, SIZE, Outcome, check, send_all, state, until, workers_of
from row import RIGHT, Row, expect, fails, survives

AT_ONCE = 10.0  # seconds: what is promised within one second, with a factor for a loaded machine
BUSY = (*SIZE, "--chunks", 40, "--chaos", "delay=50@computing")


def stubborn(place):
    yield survives(place, "hang@stopping", "--grace", 0.2, job=(*SIZE, "--chunks", 40))


def all_there(place, master):
    return until(lambda: workers_of(master.pid) if len(workers_of(master.pid)) == place.procs else None,
                 "all workers are there")


def killed_master(place):
    """The workers have more to do than the deadline allows: to look for the master between chunks is too late."""
    for moment in (0, 1):
        with place.oracle(grace=AT_ONCE) as oracle:
            with place.master(*JOB, "--chaos", "delay=60000@computing") as master:
                oracle.watch(master.pid)
                if moment == 0:
                    until(lambda: workers_of(master.pid), "a worker is there")
                else:
                    all_there(place, master)
                master.send(signal.SIGKILL)
                master.wait()
            until(lambda: not workers_of(master.pid), "the workers are gone", AT_ONCE)
            code, report, log = place.run(*JOB)  # takes away what may be left of queues
            expect(code == 0, "the next start", report, log)
        yield Outcome("workers gone")


def of_the_library(test):
    def trials(_):
        with subprocess.Popen([str(BIN / "library_tests"), f"--gtest_filter={test}"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, start_new_session=True) as tests:
            try:
                said, _ = tests.communicate(timeout=DEADLINE)
            except subprocess.TimeoutExpired:
                os.killpg(tests.pid, signal.SIGKILL)  # with the hosts, which are children of the tests
                raise
        expect(tests.returncode == 0 and "[  PASSED  ] 0 tests" not in said, test, None, said)
        yield Outcome(RIGHT)
    return trials


def keys(place):
    """The keys of a terminal, as the terminal gives them: to the group in the foreground."""
    def pressed(what, code, drained):
        near, far = pty.openpty()

        def take_terminal():
            os.setsid()
            fcntl.ioctl(far, termios.TIOCSCTTY, 0)
        with place.oracle() as oracle, place.master(*SIZE, "--chunks", 160, "--chaos", "delay=50@computing", *REPORT,
                                                    stdin=far, prepare=take_terminal) as master:
            oracle.watch(master.pid)
            all_there(place, master)
            time.sleep(0.05)
            what(near, master)
            ended = master.wait(DEADLINE)
        os.close(near)
        os.close(far)
        got, report, log = check(ended)
        expect(got == code, f"exit code {code}", report, log)
        expect(report["audit"]["rows_delivered"] < 160, "nothing more was given out", report, log)
        if drained:
            expect(report["warnings"] == [], "drained", report)
        return Outcome(f"interrupted, exit code {code}")

    def once(near, _):
        os.write(near, b"\x03")

    def twice(near, master):
        send_all(workers_of(master.pid), signal.SIGSTOP)
        os.write(near, b"\x03")
        until(lambda: "interrupted" in master.text("stderr"), "the first one was seen")
        os.write(near, b"\x03")

    yield pressed(once, 130, drained=True)
    yield pressed(twice, 130, drained=False)


def stopped_and_continued(place):
    """Ctrl-Z and fg, as a shell does them, in a process group of its own: one that nobody outside could continue is not
    stopped. Stopped time counts in no deadline."""
    with place.oracle() as oracle, place.master(*BUSY, *REPORT, "--timeout", 0.5, process_group=0) as master:
        oracle.watch(master.pid)
        members = [master.pid, *all_there(place, master)]
        time.sleep(0.05)
        master.send(signal.SIGTSTP)
        until(lambda: all(state(pid) in ("T", "") for pid in members), "all are stopped")
        time.sleep(0.8)  # longer than the deadline
        master.send(signal.SIGCONT)
        ended = master.wait(DEADLINE)
    code, report, log = check(ended)
    expect(code == 0 and report["chaos"]["deaths"] == [], "goes on, nobody was killed", report, log)
    yield Outcome(RIGHT)


def terminal(place):
    yield from keys(place)
    yield from stopped_and_continued(place)


def ignored_children(place):
    """Started by somebody who ignores SIGCHLD: the kernel then keeps no status of those that end."""
    def ignore():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    yield survives(place, f"kill@computing:chunk={place.random.randrange(16)},attempt=0", deaths=1, prepare=ignore)
    if place.transport == "shm" and place.procs == 2:
        yield from of_the_library("Hosts.OneThat*Child*")(place)


ROWS = [
    Row(17, "SIGTERM ignored", stubborn),
    Row(34, "SIGKILL of the master", killed_master),
    Row(35, "the thread that made the pool ends", of_the_library("*AThreadThatMadeThePoolMayEnd*"),
        transports=("shm",), workers=(2,), users=("root", "this user")),
    Row(38, "Ctrl-C once, twice; Ctrl-Z and fg", terminal),
    Row(42, "a host program that ignores the end of children, or reaps them itself", ignored_children),
]
