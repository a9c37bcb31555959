"""`master spawn`: what it measures is complete and adds up; wrong input is refused; nothing is left, whatever the way out."""

import csv
import os
import signal

from harness import MASTER, PROCESS_TRANSPORTS, EndToEnd, Master, NothingLeft, main, parent, processes, state, until

STAGES = ("setup", "call", "to_main", "to_ready", "first_result", "exit_asked", "exit_seen", "reaped")
POOL_METHODS = ("vfork+exec", "posix_spawn", "boost", "fork+exec")
PROGRAMS = ("worker", "worker_dynamic", "empty_program")
ABSENT = {"thread": {"exit_seen"}, "empty_program": {"to_ready", "first_result", "exit_asked"}}
SMALL = ("--rounds", 7, "--memory", "0,0.01", "--descriptors", "0,100", "--threads", "0,3", "--at-once", "1,3",
         "--procs", 2)


class Spawn(EndToEnd):
    def test_everything_is_there_and_adds_up(self):
        report = self.report("spawn", *SMALL)
        self.assertEqual(report["command"], "spawn")
        self.assertEqual(report["warnings"], [])
        self.assertGreaterEqual(report["host"]["cpus"], 1)

        expected = {("thread", "echo"), ("fork", "echo"), ("zygote", "worker"),
                    *((method, program) for method in POOL_METHODS for program in PROGRAMS)}
        for table in ("stages", "until_ready"):
            self.assertEqual({(row["method"], row["program"]) for row in report[table]}, expected)
        for row in report["stages"]:
            with self.subTest(method=row["method"], program=row["program"]):
                self.check_stages(row)
        for row in report["until_ready"]:
            self.assertEqual(len(row["samples_seconds"]), 7)
            self.assertLessEqual(row["median_low_seconds"], row["median_seconds"])
            self.assertLessEqual(row["median_seconds"], row["median_high_seconds"])
            self.assertTrue(row["median_is_confident"])
            self.assertLessEqual(row["median_seconds"], row["p90_seconds"])
            self.assertLessEqual(row["p99_seconds"], row["max_seconds"])
            self.assertEqual(row["max_seconds"], max(row["samples_seconds"]))

        swept = {("thread", "echo"), ("fork", "echo"), ("zygote", "worker"), ("vfork+exec", "empty_program"),
                 *((method, "worker") for method in POOL_METHODS)}
        for table, key, levels in (("memory_gb", "memory_gb", {0, 0.01}), ("descriptors", "descriptors", {0, 100}),
                                   ("threads", "threads", {0, 3}), ("at_once", "processes", {1, 3})):
            found = {(row["method"], row["program"], row[key]) for row in report[table]}
            self.assertEqual(found, {(*pair, level) for pair in swept for level in levels}, table)
            for row in report[table]:
                self.assertEqual(len(row["samples_seconds"]), 7)
                if row[key] == min(levels):
                    self.assertEqual(row["ratio_to_first"], 1)
        self.assertEqual({(row["method"], row["program"]) for row in report["memory_fit"]}, swept)
        self.assertEqual({row["levels"] for row in report["memory_fit"]}, {2})

        pools = {(row["method"], row["what"]): row for row in report["pool"]}
        for method in POOL_METHODS:
            for transport in PROCESS_TRANSPORTS:
                row = pools[method, f"pool over {transport}"]
                self.assertGreater(row["stop_p50_seconds"], 0)
                self.assertGreater(row["ratio_to_raw"], 0)
        self.assertEqual(report["pool"][0]["what"], "empty_program, last main()")
        self.assertEqual(len(report["goals"]), len(PROCESS_TRANSPORTS))  # no parent of 2 GB was asked for
        for row in report["goals"]:
            self.assertEqual(row["held"], row["ratio"] <= row["limit"])

    def check_stages(self, row):
        absent = ABSENT.get(row["method"], set()) | ABSENT.get(row["program"], set())
        for stage in STAGES:
            samples = row[f"{stage}_samples_seconds"]
            if stage in absent:
                self.assertIsNone(samples, stage)
                self.assertIsNone(row[f"{stage}_p50_seconds"], stage)
            else:
                self.assertEqual(len(samples), 7, stage)
                if stage != "to_main":  # the child may be faster than the call that made it
                    self.assertGreaterEqual(min(samples), 0, stage)
                self.assertEqual(row[f"{stage}_max_seconds"], max(samples))
        for i, total in enumerate(row["total_samples_seconds"]):
            parts = [row[f"{stage}_samples_seconds"][i] for stage in STAGES if stage not in absent]
            self.assertAlmostEqual(sum(parts), total, delta=1e-9)

    def test_parts_and_forms(self):
        ended = self.master("spawn", "--rounds", 2, "--only", "stages", "--method", "posix_spawn,thread", "--program",
                            "empty_program", "--csv", "spawn.csv", "--markdown", "spawn.md",
                            leaves=["spawn.csv", "spawn.md"])
        self.assertIn("posix_spawn", ended.out)
        self.assertNotIn("vfork", ended.out)
        rows = list(csv.reader((self.folder / "spawn.csv").open(newline="")))
        self.assertEqual([row[1:3] for row in rows if row[0] == "stages"],
                         [["posix_spawn", "empty_program"], ["thread", "echo"]])
        self.assertIn("| posix_spawn | empty_program |", (self.folder / "spawn.md").read_text())
        ended = self.master("spawn", "--rounds", 1, "--only", "at-once", "--at-once", "2", "--method", "zygote", "--quiet")
        self.assertEqual((ended.out, ended.err), ("", ""))

    def test_what_is_missing_is_named(self):
        """A directory with nothing but a worker in it: the other programs are left out."""
        worker = self.folder / "bin" / "worker"
        worker.parent.mkdir()
        worker.symlink_to(MASTER.parent / "worker")
        report = self.report("spawn", "--rounds", 1, "--only", "stages", "--method", "posix_spawn", "--worker", worker)
        self.assertEqual([row["program"] for row in report["stages"]], ["worker"])
        self.assertEqual(len(report["warnings"]), 2)
        for program, warning in zip(("worker_dynamic", "empty_program"), report["warnings"]):
            self.assertIn(program, warning)

    def test_a_parent_that_does_not_fit_is_skipped(self):
        report = self.report("spawn", "--rounds", 2, "--only", "memory", "--memory", "0,1000", "--method", "posix_spawn",
                             "--program", "worker")
        self.assertEqual({row["memory_gb"] for row in report["memory_gb"]}, {0})
        self.assertEqual(len(report["warnings"]), 1)
        self.assertNotIn("memory_fit", report)

    def test_wrong_input(self):
        for option, value in (("--method", "nonsense"), ("--method", ""), ("--program", "ls"), ("--only", "all"),
                              ("--memory", "-1"), ("--memory", "nan"), ("--memory", "0,,1"), ("--descriptors", "1e9"),
                              ("--threads", "many"), ("--at-once", "0"), ("--at-once", "1.5"), ("--rounds", "0"),
                              ("--procs", "257"), ("--worker", ""), ("--json", "")):
            with self.subTest(option=option, value=value):
                ended = self.master("spawn", option, value, code=2)
                self.assert_one_line(ended.err)
                self.assertIn(option, ended.err)
                self.assertEqual(ended.out, "")
        self.assert_one_line(self.master("spawn", "--worker", self.folder / "missing", code=2).err)
        self.assert_one_line(self.master("spawn", "stray", code=2).err)
        self.assert_one_line(self.master("spawn", "--method", "posix_spawn", "--worker",
                                         self.write("no_worker", "#!/bin/sh\nexit 0\n", 0o755), "--program", "worker",
                                         "--quiet", code=1).err)

    def test_interrupted_it_leaves_nothing(self):
        for number, method in ((signal.SIGINT, "vfork+exec,posix_spawn"), (signal.SIGTERM, "zygote"),
                               (signal.SIGKILL, "fork"), (signal.SIGKILL, "zygote,boost")):
            with self.subTest(signal=number, method=method), NothingLeft(self.folder, grace=20) as oracle, \
                    Master("spawn", "--rounds", 100000, "--only", "at-once", "--at-once", 8, "--method", method,
                           folder=self.folder) as master:
                oracle.watch(master.pid)
                alive = []

                def held_with_children():
                    """The master is stopped at a moment when it has children."""
                    master.send(signal.SIGSTOP)
                    until(lambda: state(master.pid) == "T", "the master has stopped")
                    alive[:] = [pid for pid in processes() if parent(pid) == master.pid and state(pid) != "Z"]
                    if len(alive) < 3:
                        master.send(signal.SIGCONT)
                    return len(alive) >= 3

                until(held_with_children, "it has children")
                master.send(number)
                master.send(signal.SIGCONT)
                self.assertEqual(master.wait().code, -number)
                # Also those that were not told of their master: an echo, an empty program, a fork server.
                until(lambda: not any(state(pid) not in ("", "Z") and self.is_ours(pid) for pid in alive),
                      "its children are gone", 20)

    @staticmethod
    def is_ours(pid):
        try:
            return os.path.dirname(os.readlink(f"/proc/{pid}/exe")) == str(MASTER.parent)
        except OSError:
            return False

    def test_the_pool_starts_its_workers_by_each_method(self):
        for method in POOL_METHODS:
            with self.subTest(method=method):
                report = self.report("--procs", 3, "--spawn", method)
                self.assert_verified(report)
                self.assertEqual(report["spawn"], method)


if __name__ == "__main__":
    main()
