"""Workers or the master killed or stopped: the result is right, or the exit code says that there is none.

Signals are sent when the workers are known to be at work; what follows is waited for, never timed.
"""

import os
import resource
import signal
import time

from harness import (PROCESS_TRANSPORTS, SHARED_NAMES, SLOW, Master, NothingLeft, SlowJobs, cpu_ticks, launch, main,
                     send_all, state, until, workers_of)

PAYLOADS = ("rows", "coords")
AT_ONCE = 10.0  # seconds: what is promised within one second, with a factor for a loaded machine


def no_core_files():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class KilledWorkers(SlowJobs):
    def test_one(self):
        for transport in PROCESS_TRANSPORTS:
            for payload in PAYLOADS:
                with self.subTest(transport=transport, payload=payload), NothingLeft(self.folder) as oracle, \
                        self.job("--transport", transport, "--payload", payload, "--procs", 2) as master:
                    oracle.watch(master.pid)
                    victim = master.wait_for_workers()[0]
                    os.kill(victim, signal.SIGKILL)
                    self.recovered(master, [victim], "SIGKILL")

    def test_one_of_many(self):
        for transport, procs in (("pipe", 1), ("queue", 5), ("shm", 13), ("pipe", 13)):
            with self.subTest(transport=transport, procs=procs), NothingLeft(self.folder) as oracle, \
                    self.job("--transport", transport, "--procs", procs) as master:
                oracle.watch(master.pid)
                victim = master.wait_for_workers()[0]
                os.kill(victim, signal.SIGKILL)
                self.recovered(master, [victim], "SIGKILL")

    def test_under_every_schedule(self):
        """A replacement inherits the share of the one that died."""
        for transport, schedule in (("pipe", "static"), ("queue", "static"), ("shm", "static"), ("shm", "guided")):
            with self.subTest(transport=transport, schedule=schedule), NothingLeft(self.folder) as oracle, \
                    self.job("--transport", transport, "--schedule", schedule, "--procs", 3) as master:
                oracle.watch(master.pid)
                victim = master.wait_for_workers()[0]
                os.kill(victim, signal.SIGKILL)
                self.recovered(master, [victim], "SIGKILL")

    def test_by_other_signals(self):
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM):
            with self.subTest(signal=number.name), NothingLeft(self.folder) as oracle, \
                    self.job("--procs", 2, prepare=no_core_files) as master:
                oracle.watch(master.pid)
                victim = master.wait_for_workers()[0]
                os.kill(victim, number)
                self.recovered(master, [victim], number.name)

    def test_all_together(self):
        for transport, procs in (("pipe", 4), ("queue", 4), ("shm", 4), ("shm", 1)):
            with self.subTest(transport=transport, procs=procs), NothingLeft(self.folder) as oracle, \
                    self.job("--transport", transport, "--procs", procs) as master:
                oracle.watch(master.pid)
                victims = master.wait_for_workers(procs)
                send_all(victims, signal.SIGKILL)
                self.recovered(master, victims, "SIGKILL")

    def test_again_and_again(self):
        """Ten of them, one after the other, each when it is at work."""
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport), NothingLeft(self.folder) as oracle, \
                    self.job("--transport", transport, "--procs", 2, "--retries", 100) as master:
                oracle.watch(master.pid)
                killed = []
                while len(killed) < 10:
                    fresh = [pid for pid in master.wait_for_workers() if pid not in killed]
                    send_all(fresh[:1], signal.SIGKILL)
                    killed += fresh[:1]
                self.recovered(master, killed, "SIGKILL")

    def test_before_they_are_ready(self):
        """Killed as soon as they can be seen, whatever they are doing then."""
        for transport in PROCESS_TRANSPORTS:
            for _ in range(5):
                with self.subTest(transport=transport), NothingLeft(self.folder) as oracle, \
                        Master("--transport", transport, "--procs", 4, "--verify", "expected", "--json", "-",
                               folder=self.folder) as master:
                    oracle.watch(master.pid)
                    victim = until(master.workers, "a worker is there")[0]
                    send_all([victim], signal.SIGKILL)
                    report, _ = self.finished(master)
                    self.assert_verified(report)

    def test_too_many(self):
        """Every worker that takes a chunk dies: the job ends, and says what the workers died of."""
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport), NothingLeft(self.folder) as oracle, \
                    Master(*SLOW, "--chunks", 2, "--procs", 2, "--max-restarts", 4, "--restart-window", 1000,
                           "--transport", transport, "--json", "-", folder=self.folder) as master:
                oracle.watch(master.pid)
                while master.running():
                    send_all([pid for pid in master.workers() if cpu_ticks(pid) >= 2], signal.SIGKILL)
                    time.sleep(0.001)
                report, _ = self.finished(master, code=1)
                self.assertEqual(report["status"], "failed")
                self.assertRegex(report["error"], r"more than 4 died within 1000 s; the last: worker \d.*SIGKILL")
                self.assertEqual(report["quarantined"], [])
                self.assertIsNone(report["checksum"]["digest"])

    def test_a_chunk_that_killed_is_done_in_halves(self):
        """Though a chunk may cause no death at all, no row is lost by one that was an accident."""
        with NothingLeft(self.folder) as oracle, \
                self.job("--procs", 2, "--retries", 1) as master:
            oracle.watch(master.pid)
            victim = master.wait_for_workers()[0]
            os.kill(victim, signal.SIGKILL)
            report = self.recovered(master, [victim], "SIGKILL")
            self.assertEqual(report["quarantined"], [])
            self.assertEqual(report["chunks"], 64)


class StoppedWorkers(SlowJobs):
    def test_with_a_deadline_it_is_killed(self):
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport), NothingLeft(self.folder) as oracle, \
                    self.job("--transport", transport, "--procs", 2, "--timeout", 1) as master:
                oracle.watch(master.pid)
                victim = master.wait_for_workers()[0]
                os.kill(victim, signal.SIGSTOP)
                report = self.recovered(master, [victim], "SIGKILL")
                self.assertRegex(" ".join(report["warnings"]), r"longer than 1 s")

    def test_all_of_them_with_a_deadline(self):
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport), NothingLeft(self.folder) as oracle, \
                    self.job("--transport", transport, "--procs", 3, "--timeout", 1) as master:
                oracle.watch(master.pid)
                master.wait_for_workers()
                send_all(master.workers(), signal.SIGSTOP)
                report, _ = self.finished(master)
                self.assert_verified(report)
                self.assertGreaterEqual(report["retries"], 1)

    def test_without_a_deadline_it_may_go_on(self):
        """The others do all they can meanwhile; the job waits for the stopped one, and nothing is done twice."""
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport), NothingLeft(self.folder) as oracle, \
                    self.job("--transport", transport, "--procs", 2) as master:
                oracle.watch(master.pid)
                victim = master.wait_for_workers()[0]
                os.kill(victim, signal.SIGSTOP)
                until(lambda pid=victim: state(pid) == "T", "the worker is stopped")
                self.idle(master, [pid for pid in master.workers() if pid != victim])
                self.assertTrue(master.running())
                os.kill(victim, signal.SIGCONT)
                report, _ = self.finished(master)
                self.assert_verified(report)
                self.assertEqual(report["retries"], 0)

    @staticmethod
    def idle(master, pids):
        """Waits until these workers compute no more."""
        def nothing_done():
            before = [cpu_ticks(pid) for pid in pids]
            time.sleep(0.3)
            return before == [cpu_ticks(pid) for pid in pids]
        until(lambda: nothing_done() or not master.running(), "the other workers have nothing left to do")


class KilledMaster(SlowJobs):
    def test_its_workers_go_with_it(self):
        for transport in PROCESS_TRANSPORTS:
            for payload in PAYLOADS:
                with self.subTest(transport=transport, payload=payload), \
                        NothingLeft(self.folder, grace=AT_ONCE) as oracle, \
                        self.job("--transport", transport, "--payload", payload, "--procs", 5) as master:
                    oracle.watch(master.pid)
                    master.wait_for_workers()
                    master.send(signal.SIGKILL)
                    master.wait()

    def test_stopped_workers_go_too(self):
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport), NothingLeft(self.folder, grace=AT_ONCE) as oracle, \
                    self.job("--transport", transport, "--procs", 3) as master:
                oracle.watch(master.pid)
                master.wait_for_workers()
                send_all(master.workers(), signal.SIGSTOP)
                master.send(signal.SIGKILL)
                master.wait()

    def test_at_any_moment_of_its_start(self):
        for transport in PROCESS_TRANSPORTS:
            for seen in (1, 1, 2, 5, 8):
                with self.subTest(transport=transport, seen=seen), \
                        NothingLeft(self.folder, grace=AT_ONCE) as oracle, \
                        self.job("--transport", transport, "--procs", 8) as master:
                    oracle.watch(master.pid)
                    until(lambda seen=seen, master=master: len(master.workers()) >= seen, "workers are there")
                    master.send(signal.SIGKILL)
                    master.wait()
                    # Queues' names may be left then; the next start takes them away.
                    self.next_start()

    def next_start(self):
        ended = self.master("--transport", "queue", "--procs", 1, program=self.PROGRAM, **self.START)
        self.assertIn("verified", ended.out)

    def names_of(self, master):
        """The names in /dev/shm that the only worker of this master was given."""
        def waiting():
            found = [launch(pid)["name"] for pid in workers_of(master.pid) if "name" in launch(pid)]
            return found or None
        stem = until(waiting, "a worker is there")[0].rpartition(".")[0]
        return lambda: {name for name in os.listdir(SHARED_NAMES) if name.startswith(stem)}

    def waiting_worker(self):
        """Never opens its queues, so that their names stay, and keeps its arguments, by which it is recognised."""
        return self.write("waiting", "#!/bin/sh\nread forever < \"$0.fifo\"\n", mode=0o755)

    def test_names_of_queues_are_reclaimed_by_the_next_start(self):
        worker = self.waiting_worker()
        os.mkfifo(f"{worker}.fifo", 0o666)
        os.chmod(f"{worker}.fifo", 0o666)
        with NothingLeft(self.folder, grace=AT_ONCE) as oracle:
            with self.job("--transport", "queue", "--procs", 1, "--worker", worker) as master:
                oracle.watch(master.pid)
                names = self.names_of(master)
                self.assertEqual(len(names()), 3, "two queues and a lock")
                # Another master leaves the names of a live one alone.
                self.next_start()
                self.assertEqual(len(names()), 3)
                master.send(signal.SIGKILL)
                master.wait()
                self.addCleanup(send_all, workers_of(master.pid), signal.SIGKILL)
            self.end_of_foreign_workers(master)
            self.next_start()
            self.assertEqual(names(), set())

    @staticmethod
    def end_of_foreign_workers(master):
        """A shell asks for no signal at its parent's death, so it is ended here."""
        send_all(workers_of(master.pid), signal.SIGKILL)


class Recycling(SlowJobs):
    def test_workers_are_replaced_after_their_share(self):
        for transport in PROCESS_TRANSPORTS:
            for schedule in ("dynamic", "static", "guided"):
                with self.subTest(transport=transport, schedule=schedule):
                    report = self.report("--transport", transport, "--schedule", schedule, "--procs", 2, "--chunks",
                                         32, "--max-chunks-per-worker", 3, program=self.PROGRAM, **self.START)
                    self.assert_verified(report)
                    self.assertEqual(report["retries"], 0)
                    self.assertEqual(report["warnings"], [])
                    done = [worker["chunks"] for worker in report["workers"]]
                    self.assertEqual(sum(done), report["chunks"])
                    self.assertLessEqual(max(done), 3)
                    self.assertGreaterEqual(len(done), report["chunks"] / 3)
                    self.assertEqual({worker["exit"] for worker in report["workers"]}, {"stopped"})

    def test_one_chunk_each(self):
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport):
                report = self.report("--transport", transport, "--procs", 3, "--chunks", 100,
                                     "--max-chunks-per-worker", 1, program=self.PROGRAM, **self.START)
                self.assert_verified(report)
                self.assertEqual(max(worker["chunks"] for worker in report["workers"]), 1)

    def test_a_worker_killed_meanwhile(self):
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport), NothingLeft(self.folder) as oracle, \
                    self.job("--transport", transport, "--procs", 2, "--max-chunks-per-worker", 5) as master:
                oracle.watch(master.pid)
                victim = master.wait_for_workers()[0]
                send_all([victim], signal.SIGKILL)
                report, _ = self.finished(master)
                self.assert_verified(report)


if __name__ == "__main__":
    main()
