"""What may go wrong when workers and their channels are made."""

import os
import resource
import shutil
import signal
import subprocess

from oracle import (BIN, DEADLINE, JOB, REPORT, SHARED_NAMES, SIZE, WORKER, Outcome, check, launch, send_all, state,
                    until, workers_of)
from row import RIGHT, Row, expect, fails, survives


def die_at_start(place):
    yield fails(place, 2, "before it was ready", "--chaos", "exit=1@start")
    yield fails(place, 2, "before it was ready", "--chaos", "kill@ready")
    yield survives(place, "kill@start:attempt=0,worker=0", job=(*SIZE, "--chunks", 40))
    yield survives(place, "exit=1@ready:attempt=0,worker=0")


def no_program(place):
    text = place.folder / "text"
    text.write_text("no program\n")
    text.chmod(0o644)
    garbage = place.folder / "garbage"
    garbage.write_bytes(b"\x7fELF and nothing more of it")
    garbage.chmod(0o755)
    for path, words in ((place.folder / "missing", "No such file or directory"), (text, "Permission denied"),
                        (garbage, "Exec format error")):
        yield fails(place, 2, words, "--worker", path)


def never_ready(place):
    yield survives(place, "hang@ready:attempt=0,worker=0", "--ready-timeout", 0.3, deaths=1)
    yield survives(place, "stop@start:attempt=0,worker=0", "--ready-timeout", 0.3, deaths=1)
    yield fails(place, 2, "it was not ready within 0.1 s", "--ready-timeout", 0.1, "--chaos", "hang@ready")


def foreign(place):
    yield fails(place, 2, "another build", "--chaos", "forge=version@ready")
    yield fails(place, 2, "another build", "--chaos", "forge=build@ready")


def no_room(place):
    """What the system says when /dev/shm is full, said by a tracer; and a grid that no memory can hold."""
    if place.transport == "queue":
        inject = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fallocate", "-e",
                  "inject=fallocate:error=ENOSPC"]
        with place.oracle() as oracle:
            ended = subprocess.run([*inject, str(place.program), "--transport", "queue", "--procs", str(place.procs),
                                    *map(str, (*JOB, *REPORT))], cwd=place.folder, capture_output=True, text=True,
                                   timeout=DEADLINE, **place.start)
        expect(ended.returncode == 1 and "/dev/shm" in ended.stderr, "refused with its reason", None, ended)
        yield Outcome("error, exit code 1")
    yield fails(place, 1, "available are", job=("--width", 2_000_000_000, "--height", 2_000_000_000))


def reclaimed(place):
    """Workers that stop before they open their queues, so that the names stay, and a master that is killed then."""
    options = (*JOB, "--chaos", "stop@start", "--ready-timeout", 60)
    with place.oracle(grace=10.0) as oracle:
        with place.master(*options) as master:
            oracle.watch(master.pid)
            stopped = until(lambda: [pid for pid in workers_of(master.pid) if state(pid) == "T"], "a worker has stopped")
            stem = launch(stopped[0])["name"].rpartition(".")[0]

            def names():
                return {name for name in os.listdir(SHARED_NAMES) if name.startswith(stem)}
            before = names()
            expect(len(before) >= 3, "names are there", None, before)
            place.run(*JOB)  # another master leaves the names of a live one alone
            expect(before <= names(), "those of a live master stay", None, names())
            master.send(signal.SIGKILL)
            master.wait()
        until(lambda: not workers_of(master.pid), "the workers are gone", 10)
        code, report, log = place.run(*JOB)
        expect(code == 0, "the next start", report, log)
        expect(names() == set(), "the names are gone", None, names())
    yield Outcome("reclaimed")


def with_fewer(run, limits, must):
    """Runs under each of these limits, some of which leave room for some of the workers only."""
    went_on = []
    for limit in limits:
        code, report, log = run(limit)
        if code is None:
            yield Outcome("not started by the system")
        elif code == 0:
            if any("going on with fewer workers" in line for line in report["warnings"]):
                went_on.append(limit)
            yield Outcome(RIGHT)
        else:
            expect(code in (1, 2), "a clear error", report, log)
            yield Outcome(f"error, exit code {code}")
    if must:
        expect(went_on, "under one limit at least it goes on with fewer workers", None, limits)


def few_processes(place):
    """The limit counts all threads of a user, so it is a user who has no others. The master has three."""
    user = place.random.randrange(20_000, 60_000)
    who = {"user": user, "group": user} if place.user == "nobody" else {}

    def run(limit):
        ended = place.run(*JOB, prepare=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit)), **who)
        if ended[0] == 0 and place.procs + 3 > limit:
            expect(any("fewer workers" in line for line in ended[1]["warnings"]), "a warning", *ended[1:])
        return ended
    # With two workers it depends on whether the second one or the master's last thread comes first.
    yield from with_fewer(run, range(4, 9), must=who and place.procs > 2)


def few_descriptors(place):
    """Each number of descriptors from too few for anything to enough."""
    limits = [*range(4, 40), 45, 50, 60, 80, 120]
    if place.procs > 2:
        limits = limits[::3]

    def run(limit):
        with place.oracle() as oracle, place.master(*JOB, *REPORT, prepare=lambda: resource.setrlimit(
                resource.RLIMIT_NOFILE, (limit, limit))) as master:
            oracle.watch(master.pid)
            ended = master.wait(DEADLINE)
        return (None, None, None) if "error while loading shared libraries" in ended.err else check(ended)
    yield from with_fewer(run, limits, must=place.procs > 1)


def other_parent(place):
    """Told of a master that is not its parent, as when that has died before the worker asked to be told of it."""
    for parent in (1, 2**22 - 1):
        words = f"transport={place.transport},name=,slot=0,parent={parent},spin=0,log=warning,life=0,faults="
        ended = subprocess.run([str(WORKER), f"--launch={words}"], cwd=place.folder, capture_output=True, text=True,
                               timeout=DEADLINE, check=False)
        expect(ended.returncode == 0 and not ended.stderr, "it leaves at once", None, ended)
        yield Outcome("the worker leaves")


ROWS = [
    Row(12, "workers that die at start", die_at_start),
    Row(13, "a worker program that is missing, cannot be executed, is no program", no_program),
    Row(14, "no READY", never_ready, users=("root", "this user")),
    Row(15, "another version of the protocol, another build", foreign),
    Row(28, "/dev/shm is full; a grid larger than the memory", no_room, workers=(1, 2, 5)),
    Row(29, "names left by a master that was killed", reclaimed, transports=("queue",), workers=(1, 2, 5)),
    Row(31, "no more processes", few_processes, users=("nobody", "this user")),
    Row(32, "no more descriptors, at each step of the start", few_descriptors, users=("root", "this user")),
    Row(36, "the master dies before the worker asks to be told of it", other_parent, workers=(1,)),
]
