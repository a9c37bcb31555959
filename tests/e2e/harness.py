"""What every end-to-end test needs: start `master` as a user does, wait with a watchdog, see that nothing is left.

The programs are taken from the directory that the environment variable PROCPOOL_BIN names, by default build/release/bin.
No test asserts how fast something is: the only times here are deadlines against hanging, far longer than anything takes.
"""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("PROCPOOL_BIN", ROOT / "build" / "release" / "bin")).resolve()
MASTER = BIN / "master"
WORKER = BIN / "worker"

WATCHDOG = 100.0  # seconds for any one thing
PROCESS_TRANSPORTS = ("pipe", "queue", "shm")
TRANSPORTS = (*PROCESS_TRANSPORTS, "threads", "serial")
NOBODY = 65534
SHARED_NAMES = Path("/dev/shm")

# Some seconds of computing whatever the kernels learn, and its result is known.
SLOW = ("--workload", "julia-lesson", "--kernel", "complex", "--verify", "expected")
SLOW_JOB = (*SLOW, "--chunks", "64")


def without_progress(err):
    """What was written to standard error, but for what tells, every two seconds, how far a long job is."""
    return re.sub(r"^\d+ of \d+ chunks, .*\n", "", err, flags=re.MULTILINE)


def until(condition, what, seconds=WATCHDOG):
    """Waits until `condition()` is true and returns what it returned."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain: {what}")
        time.sleep(0.005)
    return value


# ---- looking at processes


def processes():
    """The numbers of all processes."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def stat(pid):
    """The fields of /proc/PID/stat that follow the program's name, from the state on; empty if there is none such."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def state(pid):
    """R, S, T, Z, …; empty for a process that is gone."""
    return (stat(pid) or [""])[0]


def parent(pid):
    """The number of a process' parent, 0 if it is gone."""
    return int((stat(pid) or [0, 0])[1])


def cpu_ticks(pid):
    """How long a process has computed, in clock ticks."""
    fields = stat(pid)
    return int(fields[11]) + int(fields[12]) if fields else 0


def blocks(pid, number):
    """Whether the first thread of a process blocks this signal."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigBlk:"))
    return bool(int(mask, 16) >> (number - 1) & 1)


def computes(pid):
    """Whether a master that computes in threads of its own has begun. It is slow to start where it was built with checks
    inside; until it blocks the signals that it attends to, they end it."""
    return blocks(pid, signal.SIGTERM) and cpu_ticks(pid) >= 3


def launch(pid):
    """How a worker was launched: a dictionary, empty if the process is no worker."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return {}
    for word in words:
        if word.startswith("--launch="):
            return dict(field.partition("=")[::2] for field in word[len("--launch="):].split(","))
    return {}


def workers_of(master):
    """The live workers that the master with this number launched, whoever their parent is now."""
    return [pid for pid in processes() if launch(pid).get("parent") == str(master) and state(pid) != "Z"]


# ---- what must not be left


def shared_names():
    """procpool's names in /dev/shm whose owner is gone: nobody holds the lock of the lock file beside them."""
    if not SHARED_NAMES.is_dir():
        return set()
    locked = {int(line.split()[5].rpartition(":")[2])
              for line in Path("/proc/locks").read_text().splitlines() if line.split()[1] == "FLOCK"}
    names = [name for name in os.listdir(SHARED_NAMES) if name.startswith("procpool.")]

    def owned(name):
        stem = ".".join(name.split(".")[:2])
        try:
            return (SHARED_NAMES / f"{stem}.lock").stat().st_ino in locked
        except OSError:
            return False

    return {name for name in names if not owned(name)}


class NothingLeft:
    """Compares before and after: no worker, no zombie, no name in /dev/shm, no file in `folder` but `leaves`.

    Masters that ran meanwhile are named to watch(); their workers must be gone at once, or within `grace` seconds where
    the master itself was killed. Other masters may run on the machine at the same time.
    """

    def __init__(self, folder, leaves=(), grace=0.0):
        self.folder, self.leaves, self.grace = Path(folder), set(leaves), grace
        self.masters = []

    def watch(self, master):
        self.masters.append(master)

    def __enter__(self):
        self.names, self.files = shared_names(), self._files()
        return self

    def __exit__(self, error_type, *_):
        if error_type is not None:
            return
        if self.grace:
            until(lambda: not self._workers(), "the workers are gone", self.grace)
        found = {
            "workers": self._workers(),
            "zombies": [pid for pid in processes() if parent(pid) == os.getpid() and state(pid) == "Z"],
            "files": sorted(self._files() - self.files - self.leaves),
            "files missing": sorted((self.files | self.leaves) - self._files()),
        }
        left = {what: which for what, which in found.items() if which}
        if left:
            raise AssertionError(f"not as it was before: {left}")
        # Another test may just be killing a master of its own, so a name has time to go.
        until(lambda: not shared_names() - self.names, f"no name is left in {SHARED_NAMES}", 20)

    def _workers(self):
        return [pid for master in self.masters for pid in workers_of(master)]

    def _files(self):
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}


# ---- running the master


class Ended:
    """How a run of the master ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __str__(self):
        return f"exit code {self.code}\n--- standard output\n{self.out}\n--- standard error\n{self.err}"


class Master:
    """A running master; at the end of the `with` block it is killed if it has not ended.

    Standard output and error go to files, so that nothing waits for a reader; other targets are those of Popen.
    """

    def __init__(self, *options, folder, program=MASTER, env=None, prepare=None, **popen):
        self.files = {}
        for stream in ("stdout", "stderr"):
            if stream not in popen:
                popen[stream] = self.files[stream] = tempfile.TemporaryFile()
        surroundings = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        surroundings.update({"TMPDIR": str(folder), **(env or {})})
        self.process = subprocess.Popen([str(program), *map(str, options)], cwd=folder, env=surroundings,
                                        preexec_fn=prepare, **{"stdin": subprocess.DEVNULL, **popen})
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (*self.files.values(), self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def text(self, stream):
        """What it has written so far."""
        if stream not in self.files:
            return ""
        size = os.fstat(self.files[stream].fileno()).st_size
        return os.pread(self.files[stream].fileno(), size, 0).decode(errors="replace")

    def running(self):
        return self.process.poll() is None

    def send(self, number):
        self.process.send_signal(number)

    def workers(self):
        return workers_of(self.pid)

    def wait_for_workers(self, count=1):
        """Waits until at least `count` workers are deep in their work; returns all that are."""

        def busy():
            if not self.running():
                raise AssertionError(f"the job ended before {count} worker(s) were at work: {self.ended()}")
            pids = [pid for pid in self.workers() if cpu_ticks(pid) >= 3]
            return pids if len(pids) >= count else None

        return until(busy, f"{count} worker(s) at work")

    def wait(self, seconds=WATCHDOG):
        """Waits for its end."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the master did not end within {seconds:g} s: {self.ended()}") from None
        return self.ended()

    def ended(self):
        return Ended(self.process.poll(), self.text("stdout"), self.text("stderr"))


def soft_descriptor_limit(number):
    """For `prepare`: what `ulimit -Sn` does."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    soft = number if hard == resource.RLIM_INFINITY else min(number, hard)
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def send_all(pids, number):
    """Sends a signal to processes some of which may be gone already."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


# ---- the test case


class EndToEnd(unittest.TestCase):
    """Gives each test a directory of its own, and a way to run the master there."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="procpool-e2e."))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def master(self, *options, code=0, leaves=(), **start):
        """Runs the master to its end; fails unless it ends with `code` and leaves no trace but the files `leaves`."""
        with NothingLeft(self.folder, leaves) as oracle, Master(*options, folder=self.folder, **start) as master:
            oracle.watch(master.pid)
            ended = master.wait()
            self.assertEqual(ended.code, code, ended)
        return ended

    def report(self, *options, code=0, leaves=(), **start):
        """As master(), with --json -: returns the object."""
        ended = self.master(*options, "--json", "-", code=code, leaves=leaves, **start)
        return json.loads(ended.out)

    def assert_verified(self, report):
        """The job is done and its checksum is the workload's."""
        self.assertEqual(report["status"], "done", report)
        self.assertIsNone(report["error"])
        checksum = report["checksum"]
        self.assertIs(checksum["verified"], True, checksum)
        self.assertEqual((checksum["sum"], checksum["digest"]),
                         (checksum["expected_sum"], checksum["expected_digest"]))

    def assert_one_line(self, text):
        """One line that says what could not be done."""
        self.assertRegex(without_progress(text), r"\Amaster: cannot [^\n]+\n\Z")

    def write(self, name, text, mode=0o644):
        """Writes a file into the test's directory and returns its path."""
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path


class SlowJobs(EndToEnd):
    """Starts a slow job whose result is known; unprivileged tests run it as another user."""

    START = {}
    PROGRAM = MASTER

    def job(self, *options, **start):
        return Master(*SLOW_JOB, "--json", "-", *options, folder=self.folder,
                      **{"program": self.PROGRAM, **self.START, **start})

    def finished(self, master, code=0):
        """Waits for the end; returns the report and what was written to standard error."""
        ended = master.wait()
        self.assertEqual(ended.code, code, ended)
        return json.loads(ended.out), ended.err

    def recovered(self, master, killed, signal_name):
        """The job was done in spite of the deaths, and told them."""
        report, log = self.finished(master)
        self.assert_verified(report)
        self.assertGreaterEqual(report["retries"], 1)
        for pid in killed:
            warning = next((line for line in report["warnings"] if f"pid {pid}" in line), "")
            self.assertRegex(warning, rf"worker \d+ \(pid {pid}\).*{signal_name}")
            self.assertIn(warning, log)
            row = next(worker for worker in report["workers"] if worker["pid"] == pid)
            self.assertIn(signal_name, row["exit"])
        return report


def main():
    """Runs the tests of the calling file. An interrupt of the terminal ends them as usual."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    unittest.main()
