"""What must hold after every fault, checked in one place.

- The job ended with the right digest and exit code 0, or with an error that says what happened and another exit code.
- It ended before a deadline.
- No process, zombie, name in /dev/shm or file is left; the master's own certificate (--audit) found nothing either.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from harness import (BIN, MASTER, NOBODY, SHARED_NAMES, WORKER, Master, NothingLeft, launch, send_all,  # noqa: E402,F401
                     state, until, workers_of)

DEADLINE = 60.0  # seconds for one run, which takes a fraction of one

SIZE = ("--width", 160, "--height", 160)
ROWS = 160
JOB = (*SIZE, "--chunks", 16)
REPORT = ("--verify", "serial", "--quiet", "--audit", "--json", "-")
QUIETLY = ("--log-level", "off")


BLIND = "the system did not say which descriptors are open"  # who cannot look certifies nothing


class Violation(AssertionError):
    """Something that must never happen."""


class Outcome:
    """How a run ended, in the words of the table, and how long its recoveries took."""

    def __init__(self, words, recoveries=()):
        self.words, self.recoveries = words, list(recoveries)


class Place:
    """Where trials run: a folder of its own, as one user, with one number of workers over one transport."""

    def __init__(self, transport, procs, user, random):
        self.transport, self.procs, self.user, self.random = transport, procs, user, random
        self.folder = Path(tempfile.mkdtemp(prefix="procpool-faults."))
        self.start = {}
        self.program = MASTER
        if user != "root":
            # A user who may do nothing special; the programs lie where that user can read them.
            self.start = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            for program in (MASTER, WORKER):
                shutil.copy(program, self.folder)
            self.program = self.folder / "master"
            self.folder.chmod(0o777)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def oracle(self, **options):
        return NothingLeft(self.folder, **options)

    def master(self, *options, **start):
        """A master that runs, over this place's transport and with its number of workers."""
        return Master("--transport", self.transport, "--procs", self.procs, *options,
                      folder=self.folder, **{"program": self.program, **self.start, **start})

    def run(self, *options, leaves=(), **start):
        """Runs a job to its end; checks what must hold however it ended. Returns exit code, report and standard error."""
        with self.oracle(leaves=leaves) as oracle, self.master(*options, *REPORT, *QUIETLY, **start) as master:
            oracle.watch(master.pid)
            ended = master.wait(DEADLINE)
        return check(ended)


def check(ended):
    """The oracle for what a master said. Returns exit code, report (None if it wrote none) and standard error."""
    unwritten = ended.code == 1 and "cannot write the result to standard output" in ended.err
    report = json.loads(ended.out) if ended.out.strip() and not unwritten else None
    if ended.code == 0:
        require(report is not None and report["status"] == "done" and report["error"] is None, "done", ended)
        require(report["checksum"]["verified"] is True, "verified against the serial baseline", ended)
        require(report["audit"]["passed"], "the audit passed", ended)
        require(report["audit"]["rows_delivered"] == report["workload"]["height"], "every row delivered once", ended)
    else:
        require(ended.code in (1, 2, 3, 130), "an exit code of the list", ended)
        require("master: " in ended.err or report is not None, "it says why", ended)
        if report is not None:
            require(report["status"] != "done" and report["error"], "the report says why", ended)
            audit = report.get("audit")
            require(audit is None or audit["passed"] or audit["findings"] == [BLIND], "the audit passed", ended)
    return ended.code, report, ended.err


def require(condition, what, ended):
    if not condition:
        raise Violation(f"not so: {what}; {ended}")


def recovered(report):
    """How long from each fault until its chunk was given out again, in seconds."""
    chaos = report["chaos"] if report else None
    if chaos is None:
        return []
    return [death["recovered_seconds"] for death in chaos["deaths"] if death["recovered_seconds"] is not None]


def users():
    """As whom trials can run here."""
    return ("root", "nobody") if os.geteuid() == 0 else ("this user",)
