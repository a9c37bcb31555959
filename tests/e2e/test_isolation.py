"""What a worker process is given and what it takes: descriptors, signals, memory; and that no privilege is needed."""

import os
import re
import shutil
import signal
import unittest
from pathlib import Path

from harness import (MASTER, NOBODY, PROCESS_TRANSPORTS, SHARED_NAMES, TRANSPORTS, WORKER, Master, NothingLeft,
                     SlowJobs, cpu_ticks, main, parent, until)

PAYLOADS = ("rows", "coords")
AT_ONCE = 10.0  # seconds: what is promised within one second, with a factor for a loaded machine


class Workers(SlowJobs):
    def test_they_inherit_their_own_descriptors_and_no_other(self):
        """Also when the master itself was started with descriptors that it knows nothing of."""
        def more_descriptors():
            for number in (3, 7, 64, 65, 66, 200):
                os.dup2(2, number)  # inheritable

        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport), \
                    self.job("--transport", transport, "--procs", 5, prepare=more_descriptors,
                             close_fds=False) as master:
                for worker in until(lambda master=master: self.all_at_work(master, 5), "all are at work"):
                    found = {int(number) for number in os.listdir(f"/proc/{worker}/fd")}
                    # Its standard streams, its channel and control socket; some are closed once they are mapped.
                    self.assertLessEqual({0, 1, 2, 3}, found)
                    self.assertLessEqual(found, set(range(7)))
                    target = {number: os.readlink(f"/proc/{worker}/fd/{number}") for number in found}
                    self.assertEqual(target[0], "/dev/null")
                    self.assertEqual(target[1], target[2])
                    self.assertEqual(target[2], os.readlink(f"/proc/{master.pid}/fd/2"))

    @staticmethod
    def all_at_work(master, count):
        assert master.running(), master.ended()
        workers = [pid for pid in master.workers() if cpu_ticks(pid) >= 2]
        return workers if len(workers) == count else None

    def test_no_two_share_a_channel(self):
        """No pipe, doorbell, socket or region of one is open in another."""
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport), self.job("--transport", transport, "--procs", 4) as master:
                workers = until(lambda master=master: self.all_at_work(master, 4), "all are at work")
                seen = [os.readlink(f"/proc/{pid}/fd/{number}") for pid in workers for number in sorted(os.listdir(f"/proc/{pid}/fd"), key=int)[3:]]
                named = [name for name in seen if not name.startswith(("anon_inode", "/memfd"))]
                self.assertEqual(len(named), len(set(named)), named)

    def test_their_surroundings(self):
        """A process group of its own, the master as parent, no signal blocked, none ignored but SIGPIPE and SIGTTOU."""
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport), \
                    self.job("--transport", transport, "--procs", 2,
                             prepare=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as master:
                for worker in master.wait_for_workers():
                    self.assertEqual(os.getpgid(worker), worker)
                    self.assertEqual(parent(worker), master.pid)
                    self.assertEqual(os.getsid(worker), os.getsid(master.pid))
                    status = Path(f"/proc/{worker}/status").read_text()
                    masks = {key: int(re.search(rf"{key}:\s*(\w+)", status)[1], 16)
                             for key in ("SigBlk", "SigIgn", "SigCgt")}
                    ignored = sum(1 << (number - 1) for number in (signal.SIGPIPE, signal.SIGTTOU))
                    self.assertEqual(masks, {"SigBlk": 0, "SigIgn": ignored, "SigCgt": 0})

    def test_their_memory_does_not_grow_with_the_grid(self):
        """At most 8 MiB of their own for a grid of 256 MB, in one chunk or in many; what is shared is not counted."""
        if not is_static(WORKER):
            self.skipTest("this build's worker is not the one that is measured")
        for transport in PROCESS_TRANSPORTS:
            for chunks in (1, 64):
                with self.subTest(transport=transport, chunks=chunks), \
                        Master("--width", 8000, "--height", 8000, "--max-iterations", 20, "--verify", "none",
                               "--procs", 2, "--chunks", chunks, "--transport", transport, folder=self.folder) as master:
                    most = 0
                    while master.running():
                        most = max([most, *(own_memory(pid) for pid in master.workers())])
                    self.assertEqual(master.wait().code, 0)
                    self.assertGreater(most, 0)
                    self.assertLessEqual(most, 8 * 1024, "KiB")


def is_static(program):
    """Whether an ELF program needs no loader."""
    head = program.read_bytes()[:4096]
    return b"/ld-linux" not in head and b"/lib/ld" not in head


def own_memory(pid):
    """KiB of anonymous and of file memory of a process that is a worker by now; 0 if it is gone."""
    try:
        if os.path.realpath(f"/proc/{pid}/exe") != str(WORKER):
            return 0
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return sum(int(found[1]) for key in ("RssAnon", "RssFile") if (found := re.search(rf"{key}:\s*(\d+)", status)))


@unittest.skipIf(os.geteuid() != 0, "needs to become another user")
class Unprivileged(SlowJobs):
    """The same as a user who may do nothing special; the programs lie where that user can read them."""

    START = {"user": NOBODY, "group": NOBODY, "extra_groups": []}

    def setUp(self):
        super().setUp()
        for program in (MASTER, WORKER):
            shutil.copy(program, self.folder)
        self.folder.chmod(0o777)
        self.PROGRAM = self.folder / "master"

    def test_jobs(self):
        for transport in TRANSPORTS:
            for payload in PAYLOADS:
                with self.subTest(transport=transport, payload=payload):
                    report = self.report("--transport", transport, "--payload", payload, "--procs", 3, "--output",
                                         "julia.png", leaves=["julia.png"], program=self.PROGRAM, **self.START)
                    self.assert_verified(report)
                    (self.folder / "julia.png").unlink()

    def test_killed_worker(self):
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport), NothingLeft(self.folder) as oracle, \
                    self.job("--transport", transport, "--procs", 2) as master:
                oracle.watch(master.pid)
                victim = master.wait_for_workers()[0]
                os.kill(victim, signal.SIGKILL)
                self.recovered(master, [victim], "SIGKILL")

    def test_killed_master(self):
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport), NothingLeft(self.folder, grace=AT_ONCE) as oracle, \
                    self.job("--transport", transport, "--procs", 3) as master:
                oracle.watch(master.pid)
                master.wait_for_workers()
                master.send(signal.SIGKILL)
                master.wait()

    def test_names_that_belong_to_somebody_else(self):
        """Another user's names cannot be taken away, and do not keep anybody from working."""
        names = [SHARED_NAMES / f"procpool.{os.getpid():016x}{suffix}" for suffix in (".lock", ".0.tasks")]
        for name in names:
            name.touch(0o600)
            self.addCleanup(name.unlink, missing_ok=True)
        report = self.report("--transport", "queue", "--procs", 2, program=self.PROGRAM, **self.START)
        self.assert_verified(report)

    def test_interrupt(self):
        with NothingLeft(self.folder) as oracle, self.job("--procs", 2) as master:
            oracle.watch(master.pid)
            master.wait_for_workers()
            master.send(signal.SIGINT)
            report, _ = self.finished(master, code=130)
            self.assertEqual(report["status"], "interrupted")


if __name__ == "__main__":
    main()
