"""Signals to the master, and the keys of a terminal: Ctrl-C drains or ends at once, Ctrl-Z stops everything.

Signals are sent when the job is known to be at work; what follows is waited for, never timed.
"""

import errno
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import struct
import termios
import time
import unittest
from pathlib import Path

from harness import (MASTER, PROCESS_TRANSPORTS, SLOW_JOB, TRANSPORTS, Master, NothingLeft, SlowJobs, computes, cpu_ticks,
                     main, send_all, state, until, workers_of)

AT_ONCE = 10.0  # seconds: what is promised within one second, with a factor for a loaded machine


class Interrupts(SlowJobs):
    def interrupted(self, master, drained):
        report, log = self.finished(master, code=130)
        self.assertEqual(report["status"], "interrupted")
        self.assertIn("interrupted", log)
        done, of = map(int, re.search(r"interrupted after (\d+) of (\d+) chunks", report["error"]).groups())
        self.assertEqual(of, report["chunks"])
        self.assertLess(done, of)
        self.assertIsNone(report["checksum"]["verified"])
        if drained:
            self.assertEqual(report["warnings"], [])
            self.assertEqual(sum(worker["chunks"] for worker in report["workers"]), done)
            self.assertEqual({worker["exit"] for worker in report["workers"]} - {"stopped", None}, set())
        return report

    def computing(self, master, transport):
        if transport in PROCESS_TRANSPORTS:
            master.wait_for_workers()
        else:
            until(lambda: computes(master.pid), "the master computes")

    def test_first_signal_drains(self):
        for transport in TRANSPORTS:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                with self.subTest(transport=transport, signal=number.name), NothingLeft(self.folder) as oracle, \
                        self.job("--transport", transport, "--procs", 3, "--output", "julia.png") as master:
                    oracle.watch(master.pid)
                    self.computing(master, transport)
                    master.send(number)
                    self.interrupted(master, drained=True)

    def test_second_signal_ends_at_once(self):
        """The workers are stopped, so that there is no draining."""
        for transport in PROCESS_TRANSPORTS:
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(transport=transport, signal=number.name), NothingLeft(self.folder) as oracle, \
                        self.job("--transport", transport, "--procs", 3) as master:
                    oracle.watch(master.pid)
                    master.wait_for_workers()
                    send_all(master.workers(), signal.SIGSTOP)
                    master.send(number)
                    until(lambda: "interrupted" in master.text("stderr"), "the first signal was seen")
                    self.assertTrue(master.running())
                    master.send(number)
                    self.interrupted(master, drained=False)

    def test_second_signal_ends_a_baseline_at_once(self):
        """One chunk that takes a minute or so: it is not waited for."""
        for transport in ("threads", "serial"):
            with self.subTest(transport=transport), NothingLeft(self.folder), \
                    Master("--transport", transport, "--kernel", "complex", "--max-iterations", 2000000, "--chunks", 1,
                           "--procs", 1, "--output", "julia.png", folder=self.folder) as master:
                until(lambda: computes(master.pid), "the master computes")
                master.send(signal.SIGINT)
                until(lambda: "interrupted" in master.text("stderr"), "the first signal was seen")
                master.send(signal.SIGINT)
                self.assertEqual(master.wait().code, 130)

    def test_while_it_starts(self):
        """Whatever it is doing when the signal comes: it is done all the same, or interrupted."""
        for transport in TRANSPORTS:
            for delay in (0.0, 0.001, 0.002, 0.004, 0.01, 0.02):
                with self.subTest(transport=transport, delay=delay), NothingLeft(self.folder) as oracle, \
                        self.job("--transport", transport, "--procs", 8) as master:
                    oracle.watch(master.pid)
                    time.sleep(delay)
                    master.send(signal.SIGTERM)
                    # Before main() has begun the signal still has its default action.
                    self.assertIn(master.wait().code, (130, -signal.SIGTERM))

    def test_while_it_verifies(self):
        """The serial baseline takes as long as the job: it can be interrupted too."""
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number.name), NothingLeft(self.folder) as oracle, \
                    Master("--kernel", "complex", "--max-iterations", 3000, "--procs", 2, "--verify", "serial", "--json",
                           "-", folder=self.folder) as master:
                oracle.watch(master.pid)
                master.wait_for_workers()
                until(lambda: not master.workers(), "the workers have ended, the verification begins")
                self.assertTrue(master.running())
                master.send(number)
                ended = master.wait()
                self.assertEqual(ended.code, 130, ended)
                self.assertEqual(json.loads(ended.out)["status"], "interrupted")

    def test_ignored_signals_stay_ignored(self):
        """As nohup and a shell's & without job control leave them."""
        ignored = (signal.SIGINT, signal.SIGHUP)
        for transport in TRANSPORTS:
            with self.subTest(transport=transport), NothingLeft(self.folder) as oracle, \
                    self.job("--transport", transport, "--procs", 2,
                             prepare=lambda: [signal.signal(number, signal.SIG_IGN) for number in ignored]) as master:
                oracle.watch(master.pid)
                self.computing(master, transport)
                for number in ignored:
                    master.send(number)
                report, log = self.finished(master)
                self.assert_verified(report)
                self.assertNotIn("interrupted", log)

    def test_signals_that_were_blocked(self):
        """A parent that blocks signals hands that down; the master does not stay deaf for it, nor do its workers."""
        blocked = {signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM}
        with NothingLeft(self.folder) as oracle, \
                self.job("--procs", 2, prepare=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, blocked)) as master:
            oracle.watch(master.pid)
            for worker in master.wait_for_workers():
                status = Path(f"/proc/{worker}/status").read_text()
                self.assertEqual(int(re.search(r"SigBlk:\s*(\w+)", status)[1], 16), 0)
            master.send(signal.SIGTERM)
            self.interrupted(master, drained=True)

    def test_children_ignored_by_the_parent(self):
        """With SIGCHLD ignored the kernel tells nobody how a worker ended; its death is seen all the same."""
        with NothingLeft(self.folder) as oracle, \
                self.job("--procs", 2, prepare=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)) as master:
            oracle.watch(master.pid)
            send_all(master.wait_for_workers()[:1], signal.SIGKILL)
            report, _ = self.finished(master)
            self.assert_verified(report)
            self.assertGreaterEqual(report["retries"], 1)


class Terminal(SlowJobs):
    """A pseudo-terminal: what Ctrl-C and Ctrl-Z do."""

    def setUp(self):
        super().setUp()
        self.near, far = pty.openpty()
        self.addCleanup(os.close, self.near)
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 200, 0, 0))
        self.far = far
        self.addCleanup(self.close_far)
        os.set_blocking(self.near, False)
        self.shown = b""

    def close_far(self):
        if self.far is not None:
            os.close(self.far)
            self.far = None

    def on_terminal(self, *options, **start):
        """The master with the terminal as its own, in the foreground; its report goes to a file."""
        far = self.far

        def take_terminal():
            os.setsid()
            fcntl.ioctl(far, termios.TIOCSCTTY, 0)

        return Master(*SLOW_JOB, "--json", "report.json", *options, folder=self.folder, stdin=far, stdout=far,
                      stderr=far, prepare=take_terminal, **start)

    def screen(self):
        """All that was shown so far."""
        try:
            while piece := os.read(self.near, 65536):
                self.shown += piece
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno != errno.EIO:  # nobody has the other end open any more
                raise
        return self.shown.decode(errors="replace")

    def press(self, keys):
        os.write(self.near, keys)

    def report_of(self, code, process):
        until(lambda: self.screen() is None or process.poll() is not None, "the end")
        self.assertEqual(process.returncode, code, self.screen())
        return json.loads((self.folder / "report.json").read_text())

    def test_ctrl_c_once(self):
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport), NothingLeft(self.folder, ["report.json"]) as oracle, \
                    self.on_terminal("--transport", transport, "--procs", 3) as master:
                oracle.watch(master.pid)
                master.wait_for_workers()
                self.press(b"\x03")
                report = self.report_of(130, master.process)
                self.assertEqual(report["status"], "interrupted")
                self.assertEqual(report["warnings"], [])
                self.assertEqual({worker["exit"] for worker in report["workers"]}, {"stopped"})
                self.assertIn("verdict    interrupted", self.screen())
            (self.folder / "report.json").unlink()
            self.shown = b""
            self.renew()

    def renew(self):
        """Another terminal, for the last one belonged to a session that has ended."""
        self.close_far()
        os.close(os.dup(self.near))
        near, self.far = pty.openpty()
        os.dup2(near, self.near)
        os.close(near)
        os.set_blocking(self.near, False)

    def test_ctrl_c_twice(self):
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport), NothingLeft(self.folder, ["report.json"]) as oracle, \
                    self.on_terminal("--transport", transport, "--procs", 3) as master:
                oracle.watch(master.pid)
                master.wait_for_workers()
                send_all(master.workers(), signal.SIGSTOP)
                self.press(b"\x03")
                until(lambda: "once more" in self.screen(), "the first Ctrl-C was seen")
                self.assertTrue(master.running())
                self.press(b"\x03")
                self.assertEqual(self.report_of(130, master.process)["status"], "interrupted")
            (self.folder / "report.json").unlink()
            self.shown = b""
            self.renew()

    @unittest.skipUnless(shutil.which("bash"), "needs bash")
    def test_ctrl_z_and_fg(self):
        """The workers stop with the master, and stopped time counts in no deadline."""
        for transport in (*PROCESS_TRANSPORTS, "threads"):
            with self.subTest(transport=transport), NothingLeft(self.folder, ["report.json"]) as oracle, \
                    self.shell() as shell:
                self.press(f"{MASTER} {' '.join(SLOW_JOB)} --json report.json --transport {transport} --procs 2 "
                           "--timeout 2\n".encode())
                master = until(lambda: self.child_of(shell.pid), "the master runs")
                oracle.watch(master)
                members = until(lambda: self.at_work(master, transport), "it is at work")
                self.press(b"\x1a")
                until(lambda: all(state(pid) == "T" for pid in members), "all are stopped")
                ticks = [cpu_ticks(pid) for pid in members]
                time.sleep(4)  # twice the deadline
                self.assertEqual([cpu_ticks(pid) for pid in members], ticks)
                self.press(b"fg; echo ended with $?\n")
                until(lambda: re.search(r"ended with \d", self.screen()), "the job ends")
                self.assertIn("ended with 0", self.screen())
                report = json.loads((self.folder / "report.json").read_text())
                self.assert_verified(report)
                self.assertEqual((report["retries"], report["warnings"]), (0, []))
                self.press(b"exit\n")
                until(lambda: self.screen() is None or shell.process.poll() is not None, "the shell ends")
            (self.folder / "report.json").unlink()
            self.shown = b""
            self.renew()

    @unittest.skipUnless(shutil.which("bash"), "needs bash")
    def test_ctrl_z_twice_and_then_killed(self):
        """A stopped master that is killed takes its stopped workers with it."""
        with NothingLeft(self.folder, grace=AT_ONCE) as oracle, self.shell() as shell:
            self.press(f"{MASTER} {' '.join(SLOW_JOB)} --procs 2\n".encode())
            master = until(lambda: self.child_of(shell.pid), "the master runs")
            oracle.watch(master)
            members = until(lambda: self.at_work(master, "shm"), "it is at work")
            for _ in range(2):
                self.press(b"\x1a")
                until(lambda: all(state(pid) == "T" for pid in members), "all are stopped")
                self.press(b"fg\n")
                until(lambda: all(state(pid) != "T" for pid in members), "all go on")
            self.press(b"\x1a")
            until(lambda: all(state(pid) == "T" for pid in members), "all are stopped")
            os.kill(master, signal.SIGKILL)
            until(lambda: self.screen() is None or not any(state(pid) not in ("", "Z") for pid in members), "all are gone")

    def shell(self):
        """An interactive shell on the terminal."""
        far = self.far

        def take_terminal():
            os.setsid()
            fcntl.ioctl(far, termios.TIOCSCTTY, 0)

        return Master("--norc", "--noprofile", "-i", program=shutil.which("bash"), folder=self.folder, stdin=far,
                      stdout=far, stderr=far, prepare=take_terminal, env={"PS1": "$ ", "HISTFILE": "/dev/null"})

    def child_of(self, shell):
        self.screen()
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        for pid in map(int, children):
            if os.path.realpath(f"/proc/{pid}/exe") == str(MASTER):
                return pid
        return None

    def at_work(self, master, transport):
        """The master and its workers, once they compute."""
        self.screen()
        if transport not in PROCESS_TRANSPORTS:
            return [master] if computes(master) else None
        workers = workers_of(master)
        return [master, *workers] if len(workers) == 2 and all(cpu_ticks(pid) >= 2 for pid in workers) else None


if __name__ == "__main__":
    main()
