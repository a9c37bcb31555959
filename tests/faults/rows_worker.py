"""What a worker may do while it has work: die, hang, throw, or say what is not so."""

import os
import signal

from oracle import ROWS as GRID_ROWS
from oracle import DEADLINE, JOB, REPORT, SIZE, Outcome, check, launch, recovered, until, workers_of
from row import RIGHT, Row, expect, fails, struck, survives

NOT_ASKED_FOR = "it sent a frame that it was not asked for"
LARGE = ("--width", 1000, "--height", 1000, "--chunks", 2)  # 2 MB for each result: more than a pipe holds
CRASHES = ("SEGV", "ABRT", "FPE", "BUS")


def a_chunk(place, chunks=16):
    return place.random.randrange(chunks)


def idle(place):
    """Worker 0 has the only chunk and takes its time; another one is killed meanwhile."""
    with place.oracle() as oracle, place.master(*SIZE, "--chunks", 1, "--schedule", "static", *REPORT, "--chaos",
                                                "delay=300@computing:chunk=0") as master:
        oracle.watch(master.pid)
        slots = until(lambda: {launch(pid).get("slot"): pid for pid in workers_of(master.pid)}
                      if len(workers_of(master.pid)) == place.procs else None, "all workers are there")
        os.kill(slots["1"], signal.SIGKILL)
        ended = master.wait(DEADLINE)
    code, report, log = check(ended)
    expect(code == 0 and report["retries"] == 0, "done without a retry", report, log)
    expect(any("SIGKILL" in worker["exit"] for worker in report["workers"]), "the report tells the death", report)
    yield Outcome(RIGHT)


def computing(place):
    chunk = a_chunk(place)
    yield survives(place, f"kill@computing:chunk={chunk},attempt=0", deaths=1, warning=f"while it had item {chunk}")
    yield survives(place, f"kill@received:chunk={chunk},attempt=0", deaths=1, warning=f"while it had item {chunk}")
    yield survives(place, f"kill@computing:attempt=0,probability=0.3;seed={place.random.randrange(2**32)}", job=(*SIZE,
                   "--chunks", 40))


def middle_of_a_result(place):
    yield survives(place, f"kill@sending:chunk={a_chunk(place, 2)},attempt=0", job=LARGE, deaths=1)


def holding_the_lock(place):
    """The copying into the queue faults half-way: the lock is held by a dead process then."""
    yield survives(place, f"kill@sending:chunk={a_chunk(place)},attempt=0", deaths=1)
    yield survives(place, "kill@sending:attempt=0", "--retries", 20)


def after_sending(place):
    yield survives(place, f"kill@sent:chunk={a_chunk(place)},attempt=0", deaths=1)
    # What was sent counts: no chunk is computed twice, though every worker dies after its first one.
    code, report, log = place.run(*JOB, "--retries", 100, "--chaos", "kill@sent")
    expect(code == 0 and struck(report) == [16], "each answer counted", report, log)
    yield Outcome(RIGHT, recovered(report))


def crash(place):
    for name in CRASHES:
        chunk = a_chunk(place)
        outcome = survives(place, f"signal={name}@computing:chunk={chunk},attempt=0", deaths=1, warning=f"SIG{name}")
        yield outcome


def exits(code):
    def trials(place):
        chunk = a_chunk(place)
        yield survives(place, f"exit={code}@computing:chunk={chunk},attempt=0", deaths=1,
                       warning=f"exited with code {code} while it had item {chunk}")
    return trials


def throws(place):
    chunk = a_chunk(place)
    code, report, log = place.run(*JOB, "--chaos", f"throw@computing:chunk={chunk}")
    expect(code == 1 and "runtime_error" in log and "a fault that was asked for" in log, "type and text", report, log)
    expect(report["chaos"]["deaths"] == [], "the worker goes on", report)
    expect([rows["first_row"] for rows in report["quarantined"]] == [chunk * GRID_ROWS // 16], "its rows named", report)
    expect(report["audit"]["rows_delivered"] == GRID_ROWS * 15 // 16, "the others done", report)
    yield Outcome("error, exit code 1")


def poison(place):
    row = a_chunk(place, GRID_ROWS)
    code, report, log = place.run(*SIZE, "--chunks", GRID_ROWS, "--chaos", f"kill@computing:chunk={row}")
    expect(code == 1 and struck(report) == [3], "given up after 3 deaths", report, log)
    expect([(rows["first_row"], rows["rows"]) for rows in report["quarantined"]] == [(row, 1)], "its row named", report)
    expect(report["audit"]["rows_delivered"] == GRID_ROWS - 1, "the rest of the grid is done", report)
    yield Outcome("error, exit code 1", recovered(report))


def all_die(place):
    yield survives(place, "kill@computing:attempt=0", job=(*SIZE, "--chunks", 2 * place.procs))
    with place.oracle() as oracle, place.master(*JOB, *REPORT, "--chaos", "delay=20@computing:attempt=0") as master:
        oracle.watch(master.pid)
        pids = until(lambda: workers_of(master.pid) if len(workers_of(master.pid)) == place.procs else None,
                     "all workers are there")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        ended = master.wait(DEADLINE)
    code, report, log = check(ended)
    expect(code == 0, "done", report, log)
    yield Outcome(RIGHT)


def stopped(place):
    yield survives(place, f"stop@computing:chunk={a_chunk(place)},attempt=0", "--timeout", 0.3, deaths=1,
                   warning="took longer than 0.3 s")


def slow(place):
    chunk = a_chunk(place)
    yield survives(place, f"delay=300@computing:chunk={chunk}", deaths=0)
    yield survives(place, f"delay=300@computing:chunk={chunk}", "--timeout", 30, deaths=0)


def byte_by_byte(place):
    yield survives(place, "trickle@start;storm@start", deaths=0, job=("--width", 64, "--height", 64, "--chunks", 16))
    yield survives(place, "trickle@start;storm@start", "--payload", "coords", deaths=0,
                   job=("--width", 32, "--height", 32, "--chunks", 4))


def interrupted_master(place):
    """SIGCONT again and again: what waits in the master ends with EINTR."""
    with place.oracle() as oracle, place.master(*JOB, *REPORT, "--chaos", "delay=10@computing") as master:
        oracle.watch(master.pid)
        while master.running():
            master.send(signal.SIGCONT)
        ended = master.wait(DEADLINE)
    code, report, log = check(ended)
    expect(code == 0, "done", report, log)
    yield Outcome(RIGHT)


def storm(place):
    yield from byte_by_byte(place)
    yield from interrupted_master(place)


def spoilt(found):
    """Each of these is found by the check that is meant for it: what others would find later is not enough."""
    def trials(place):
        for fault, warning in found.items():
            yield survives(place, f"{fault}@sending:chunk={a_chunk(place)},attempt=0", deaths=1, warning=warning)
    return trials


def twice_or_late(place):
    """Whoever answers twice is a liar. The last chunk takes its time, so that the job does not end before that."""
    chunk = a_chunk(place, 4)
    spec = f"duplicate@sending:chunk={chunk},attempt=0;delay=300@received:chunk=15"
    code, report, log = place.run(*JOB, "--chaos", spec)
    expect(code == 0 and struck(report) == [1, 1], "done", report, log)
    expect(len(report["chaos"]["deaths"]) == 1 and report["audit"]["answers_refused"] == 1, "refused", report)
    yield Outcome(RIGHT)
    yield survives(place, "duplicate@sending:attempt=0,probability=0.2", "--retries", 50)
    yield survives(place, f"reorder@sending:chunk={a_chunk(place)},attempt=0", deaths=0)
    yield survives(place, "reorder@sending", deaths=0)


def printing(place):
    yield survives(place, "print@computing;print@ready;print@sending", deaths=0)


def rewritten(place):
    """What is written over before the master has copied it is refused; afterwards it makes no difference."""
    yield survives(place, "rewrite@sent:attempt=0", "--retries", 50)


def shrunk(place):
    yield survives(place, "shrink@start;shrink@computing;shrink@stopping", deaths=0)


def overwritten(place):
    """A chunk that was complete is written over. Only a lone worker has no neighbour that is at work; but where its own
    last answer is not taken in yet, that is a wrong answer and its end."""
    code, report, log = place.run(*JOB, "--chaos", f"scribble@computing:chunk={1 + a_chunk(place, 15)},attempt=0")
    expect(struck(report) == [1], "it struck", report)
    if place.procs == 1:
        expect(code == 0 and any("overwritten" in line or "hash does not match" in line for line in report["warnings"]),
               "found", report, log)
        expect(report["retries"] >= 1, "computed anew", report)
    else:
        expect(code in (0, 3), "computed anew, or a checksum that does not match", report, log)
    yield Outcome(RIGHT if code == 0 else "error, exit code 3")


def grandchild(place):
    yield survives(place, f"grandchild@computing:chunk={a_chunk(place)},attempt=0", deaths=1)
    yield survives(place, f"grandchild@sending:chunk={a_chunk(place)},attempt=0", deaths=1)


def dead_reader(place):
    """The worker dies while the master is sending it coordinates that its channel cannot hold."""
    yield survives(place, "kill@received:attempt=0", "--payload", "coords", "--retries", 50,
                   job=("--width", 500, "--height", 500, "--chunks", 8))


def full(place):
    """Inputs of 4 MB, more than any channel holds, and workers that are in no hurry to take them; results of 4 MB. Over
    shm the inputs lie in shared memory and leave the channel empty; results that are encoded go through it."""
    size = ("--width", 1000, "--height", 1000)
    yield survives(place, "delay=20@received", "--payload", "coords", deaths=0, job=(*size, "--chunks", 8))
    # A worker that is to do wrong sends in a way of its own, so this one is not.
    code, report, log = place.run(*size, "--chunks", 1, "--codec", "cereal")
    expect(code == 0 and report["retries"] == 0, "done at the first try", report, log)
    yield Outcome(RIGHT)


ROWS = [
    Row(1, "SIGKILL of an idle worker", idle, workers=(2, 5, 13)),
    Row(2, "SIGKILL of one that computes", computing),
    Row(3, "SIGKILL in the middle of a result that is longer than the pipe", middle_of_a_result),
    Row(4, "SIGKILL while it holds the lock of its queue", holding_the_lock, transports=("queue",)),
    Row(5, "SIGKILL after the result was sent", after_sending),
    Row(6, "SIGSEGV, SIGABRT, SIGFPE, SIGBUS in a task", crash),
    Row(7, "exit code 0 without a result", exits(0)),
    Row(8, "another exit code", exits(3)),
    Row(9, "a task that throws", throws),
    Row(10, "a chunk that kills every worker", poison),
    Row(11, "all workers die together", all_die),
    Row(16, "SIGSTOP", stopped),
    Row(18, "a chunk that takes much longer than the others", slow),
    Row(19, "one byte at a time; signals that interrupt every call", storm),
    Row(20, "half a frame, then the end", spoilt({"truncate": "exited with code 0"})),
    Row(21, "a length of 2^32 - 1; sums that overflow", spoilt({
        "forge=length": NOT_ASKED_FOR, "forge=overflow": "its payload has an impossible length"})),
    Row(22, "a flipped bit in header or payload", spoilt({"corrupt=header": "the header's hash does not match",
                                                          "corrupt=payload": "the payload's hash does not match"})),
    Row(23, "a chunk, attempt, job or place that was not given", spoilt(
        dict.fromkeys(("forge=chunk", "forge=attempt", "forge=job", "forge=offset"), NOT_ASKED_FOR))),
    Row(24, "results that come twice or out of order", twice_or_late),
    Row(25, "a task that prints", printing),
    Row(26, "shared bytes that change after they were sent", rewritten, transports=("shm",)),
    Row(27, "a worker that tries to make shared memory smaller", shrunk, transports=("shm",)),
    Row(30, "a full channel", full),
    Row(33, "writing to a worker that has died", dead_reader),
    Row(37, "a grandchild that holds the channel", grandchild),
    Row(41, "a task that writes over other rows of the shared grid", overwritten, transports=("shm",)),
]
