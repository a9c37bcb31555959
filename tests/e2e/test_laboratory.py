"""The commands that measure: whole and consistent reports in every form, wrong input refused, nothing left behind.

What the figures are is nobody's business here; that they can be figures at all is.
"""

import csv
import io
import os
import signal
import time
from pathlib import Path

from harness import PROCESS_TRANSPORTS, EndToEnd, Master, NothingLeft, main, until, workers_of

IPC_SMALL = ("ipc", "--rounds", 2, "--messages", 5, "--tasks", 50, "--sizes", "8,70000")
WAITS = ("spin", "hybrid", "park")
RAW = {("raw pipe", wait) for wait in WAITS} | {("raw socketpair", wait) for wait in WAITS} | \
      {("raw eventfd", wait) for wait in WAITS} | {("raw message_queue", wait) for wait in WAITS} | \
      {("raw futex", "hybrid"), ("raw futex", "park"), ("raw spin", "spin")}
LINKS = {(name, wait) for name in (*PROCESS_TRANSPORTS, "shm in place") for wait in WAITS}
TABLES = ("latency", "throughput", "fixed_rate", "controls", "null_tasks")
PERCENTILES = ("p50_seconds", "p90_seconds", "p99_seconds", "p999_seconds", "max_seconds")


def rests_on(name, wait):
    return {"pipe": "raw pipe", "queue": "raw message_queue"}.get(name, "raw spin" if wait == "spin" else "raw futex")


class Kernels(EndToEnd):
    def test_report_is_whole(self):
        report = self.report("kernels", "--workload", "mandelbrot-workshop", "--rounds", 7)
        self.assertEqual(report["command"], "kernels")
        self.assertEqual(report["settings"]["steps"], 3115685)
        names = [row["kernel"] for row in report["kernels"]]
        self.assertEqual(names[:3], ["complex", "scalar", "vector"])
        self.assertNotIn("none", names)
        for row in report["kernels"]:
            self.assertEqual(len(row["seconds_samples"]), 7)
            self.assertLessEqual(row["seconds_low"], row["seconds"])
            self.assertLessEqual(row["seconds"], row["seconds_high"])
            self.assertAlmostEqual(row["steps_per_second"] * row["seconds"] / 3115685, 1, 6)
            self.assertGreater(row["ratio_to_scalar"], 0)
            self.assertEqual(row["checksum"], "the workload's")
            if row["kernel"].startswith("simd:"):
                self.assertGreater(row["share"], 0)
                self.assertGreater(row["unchecked_steps_per_second"], row["steps_per_second"])

    def test_steps_are_those_of_the_document(self):
        report = self.report("kernels", "--workload", "mandelbrot-europython", "--rounds", 1, "--kernel", "auto")
        self.assertEqual(report["settings"]["steps"], 51414419)

    def test_kernels_that_were_asked_for(self):
        ended = self.master("kernels", "--rounds", 1, "--kernel", "scalar,auto", "--width", 100, "--height", 80)
        self.assertIn("all alike", ended.out)
        self.assertEqual(sum(line.startswith(("scalar ", "simd:")) for line in ended.out.splitlines()), 2, ended.out)
        self.assertNotIn("complex  ", ended.out)
        refused = self.master("kernels", "--kernel", "fast", code=2)
        self.assert_one_line(refused.err)
        self.assertIn("'fast' is unknown", refused.err)


class Pi(EndToEnd):
    def test_any_split_over_any_transport_hits_as_often(self):
        for procs, chunks, transport in ((1, 1, "shm"), (2, 7, "shm"), (3, 64, "pipe"), (2, 1000, "queue")):
            with self.subTest(procs=procs, chunks=chunks, transport=transport):
                result = self.report("pi", "--samples", 1000000, "--procs", procs, "--chunks", chunks,
                                     "--transport", transport)
                self.assertEqual(result["inside"], 785726)
                self.assertAlmostEqual(result["pi"], 4 * 785726 / 1000000, 12)

    def test_in_words(self):
        ended = self.master("pi", "--samples", 1000, "--seed", 5, "--chunks", 2000)
        self.assertRegex(ended.out, r"^pi +\d\.\d+ +\+- 0\.052 ")
        self.assertIn("of 1000 points, seed 5", ended.out)
        self.assertIn("1000 chunk(s)", ended.out)

    def test_interrupted(self):
        with NothingLeft(self.folder) as oracle, \
                Master("pi", "--samples", 10**13, "--chunks", 10**6, folder=self.folder) as master:
            oracle.watch(master.pid)
            master.wait_for_workers()
            master.send(signal.SIGTERM)
            ended = master.wait()
        self.assertEqual(ended.code, 130, ended)
        self.assertIn("interrupted", ended.err)

    def test_wrong_input(self):
        for options in (("--samples", 0), ("--samples", "x"), ("--seed", -1), ("--transport", "threads"), ("--worker", "/missing"),
                        ("--json", "no/where")):
            with self.subTest(options=options):
                self.assert_one_line(self.master("pi", *options, code=2).err)


class Ipc(EndToEnd):
    def assert_percentiles(self, row):
        times = [row[key] for key in PERCENTILES]
        self.assertEqual(times, sorted(times), row)
        self.assertGreater(times[0], 0, row)

    def assert_ratio(self, row):
        if row["kind"] == "transport":
            self.assertEqual(row["raw"], rests_on(row["name"], row["wait"]))
            self.assertGreater(row["vs_raw"], 0)
            self.assertLessEqual(row["vs_raw_low"], row["vs_raw"])
            self.assertLessEqual(row["vs_raw"], row["vs_raw_high"])
        else:
            self.assertIsNone(row["vs_raw"])

    def test_report_is_whole(self):
        report = self.report(*IPC_SMALL, "--place", "free", "--samples", "--rate", "500,2000")
        self.assertEqual(report["command"], "ipc")
        self.assertEqual(report["settings"]["rounds"], 2)
        self.assertEqual(report["settings"]["place"], "free")
        self.assertTrue(any("rounds" in warning for warning in report["warnings"]), report["warnings"])

        for size in (8, 70000):
            latency = [row for row in report["latency"] if row["bytes"] == size]
            self.assertEqual({(row["name"], row["wait"]) for row in latency}, RAW | LINKS | {("memcpy", "-")})
            self.assertEqual(len(latency), len(RAW | LINKS) + 1)
            for row in latency:
                self.assert_percentiles(row)
                self.assert_ratio(row)
                self.assertEqual(len(row["round_p50_seconds"]), 2)
                self.assertEqual(len(row["samples_seconds"]), row["messages"])
                self.assertLessEqual(row["messages"], 10)
                self.assertIn(row["max_seconds"], row["samples_seconds"])
            throughput = [row for row in report["throughput"] if row["bytes"] == size]
            self.assertEqual({(row["name"], row["wait"]) for row in throughput}, RAW | LINKS | {("memcpy", "-")})
            for row in throughput:
                self.assert_ratio(row)
                self.assertGreater(row["bytes_per_second_low"], 0)
                self.assertLessEqual(row["bytes_per_second_low"], row["bytes_per_second"])
                self.assertLessEqual(row["bytes_per_second"], row["bytes_per_second_high"])
                self.assertAlmostEqual(row["messages_per_second"] * size / row["bytes_per_second"], 1)

        for rate in (500, 2000):
            rows = [row for row in report["fixed_rate"] if row["rate_per_second"] == rate]
            self.assertEqual({(row["name"], row["wait"]) for row in rows}, RAW | LINKS)
            for row in rows:
                self.assert_percentiles(row)
                self.assert_ratio(row)

        tasks = report["null_tasks"]
        self.assertEqual([(row["transport"], row["wait"]) for row in tasks],
                         [(transport, wait) for transport in PROCESS_TRANSPORTS for wait in WAITS])
        for row in tasks:
            self.assert_percentiles(row)
            self.assertGreater(row["tasks_per_second"], 0)
            self.assertEqual(len(row["round_tasks_per_second"]), 2)
            self.assertLessEqual(row["tasks"], 2 * 50)
            self.assertGreaterEqual(row["single_jobs"], 2)

        self.assertEqual([row["name"] for row in report["controls"]],
                         ["two clock readings in a row", "timed loop with nothing in it"])
        for row in report["controls"]:
            self.assertGreater(row["seconds"], 0)

    def test_what_is_asked_for_is_what_is_measured(self):
        report = self.report(*IPC_SMALL, "--only", "latency", "--transport", "pipe", "--wait", "park")
        self.assertEqual([name for name in TABLES if name in report], ["latency", "controls"])
        self.assertEqual({row["wait"] for row in report["latency"]}, {"park", "-"})
        self.assertEqual({row["name"] for row in report["latency"] if row["kind"] == "transport"}, {"pipe"})
        self.assertNotIn("samples_seconds", report["latency"][0])
        for part, table in (("throughput", "throughput"), ("rate", "fixed_rate"), ("tasks", "null_tasks")):
            report = self.report(*IPC_SMALL, "--only", part, "--transport", "shm", "--wait", "park")
            self.assertEqual([name for name in TABLES if name in report and name != "controls"], [table])

    def test_places(self):
        report = self.report(*IPC_SMALL, "--only", "latency", "--wait", "park", "--place", "together")
        self.assertRegex(report["settings"]["place"], r"\Atogether: CPU \d+\Z")
        one = min(os.sched_getaffinity(0))
        report = self.report(*IPC_SMALL, "--only", "latency", "--wait", "park", "--place", "apart",
                             prepare=lambda: os.sched_setaffinity(0, {one}))
        self.assertEqual(report["settings"]["place"], "free")

    def test_forms(self):
        ended = self.master(*IPC_SMALL, "--wait", "park", "--json", "report.json", "--csv", "report.csv",
                            "--markdown", "report.md", leaves=("report.json", "report.csv", "report.md"))
        for title in ("Round trips", "Streams", "Fixed rate", "Null tasks", "What measuring costs"):
            self.assertIn(title, ended.out)
            self.assertIn(title, (self.folder / "report.md").read_text())
        self.assertIn("raw message_queue", ended.out)
        lines = list(csv.reader(io.StringIO((self.folder / "report.csv").read_text())))
        self.assertEqual({line[0] for line in lines if line[0] != "table"}, set(TABLES))
        self.assertEqual(self.master(*IPC_SMALL, "--wait", "park", "--only", "tasks", "--quiet").out, "")

    def test_wrong_input(self):
        for options, name in ((("--wait", "auto"), "--wait"), (("--transport", "threads"), "--transport"),
                              (("--sizes", "0"), "--sizes"), (("--sizes", "8,,16"), "--sizes"),
                              (("--sizes", "99999999999"), "--sizes"), (("--rounds", "0"), "--rounds"),
                              (("--only", "nothing"), "--only"), (("--rate", "0"), "--rate"),
                              (("--place", "anywhere"), "--place"), (("--messages", "-1"), "--messages"),
                              (("--procs", "0"), "--procs"), (("--tasks", "x"), "--tasks"), (("stray",), "stray"),
                              (("--worker", "/nonexistent"), "/nonexistent"), (("--json", "no/where"), "no/where")):
            with self.subTest(options=options):
                ended = self.master("ipc", *options, code=2)
                self.assert_one_line(ended.err)
                self.assertIn(name, ended.err)
                self.assertEqual(ended.out, "")

    def test_a_killed_master_takes_its_peers_along(self):
        """Forked peers, workers that are stopped at the moment, workers of the pool: all of them."""
        for part, number in (("latency", signal.SIGKILL), ("tasks", signal.SIGKILL), ("latency", signal.SIGINT)):
            with self.subTest(part=part, signal=number), NothingLeft(self.folder, grace=20) as oracle, \
                    Master("ipc", "--only", part, "--rounds", 10000, "--sizes", 8, folder=self.folder) as master:
                oracle.watch(master.pid)
                until(lambda: workers_of(master.pid), "workers are there")
                time.sleep(0.3)
                children = Path(f"/proc/{master.pid}/task/{master.pid}/children").read_text().split()
                master.send(number)
                self.assertEqual(master.wait().code, -number)
                until(lambda: not [pid for pid in children if os.path.exists(f"/proc/{pid}")], "all children are gone")


if __name__ == "__main__":
    main()
