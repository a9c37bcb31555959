"""Where the time went, as the JSON object says it: the parts are the whole; and repeats, memory, traffic.

Nothing here says how long anything takes; only what adds up to what, and what there must be some of.
"""

import itertools
import os
import signal

from harness import PROCESS_TRANSPORTS, TRANSPORTS, EndToEnd, NothingLeft, SlowJobs, main

PARTS = ("spawn", "encode", "send", "wake_up", "receive", "decode", "compute_running", "compute_queueing",
         "result_encode", "result_send", "result_receive", "placing", "checksum", "idle", "lost", "residual")
STAGES = ("encode", "post", "send", "queue", "wake_up", "receive", "decode", "compute_running", "compute_queueing",
          "result_encode", "result_send", "result_transit", "result_receive", "result_decode", "placing", "total")
MASTER = ("cpu", "encode", "post", "send", "spawn", "receive", "decode", "placing", "checksum", "asleep")
PAYLOADS = ("rows", "coords")
INPUTS = ("computed", "array", "shared")
GRID_BYTES = 4 * 1000 * 1000
COORDS_BYTES = 32 * 1000 * 1000


def seconds(names):
    return [f"{name}_seconds" for name in names]


class Whole:
    """Checks that are shared by the cases below."""

    def assert_whole(self, report, workers):
        """Every worker's parts are the wall time, and the total's are workers x wall."""
        budget = report["budget"]
        self.assertEqual(budget["workers"], workers)
        self.assertEqual(len(budget["per_worker"]), workers)
        self.assertAlmostEqual(budget["wall_seconds"], report["wall_seconds"], places=9)
        for line in (*budget["per_worker"], budget["total"]):
            self.assertEqual(list(line), seconds(PARTS))
            self.assertGreaterEqual(min(line.values()), 0)
        for line in budget["per_worker"]:
            self.assertAlmostEqual(sum(line.values()), budget["wall_seconds"], places=7)
        self.assertAlmostEqual(sum(budget["total"].values()), workers * budget["wall_seconds"], places=7)
        for part, total in budget["total"].items():
            self.assertAlmostEqual(total, sum(line[part] for line in budget["per_worker"]), places=7)
        self.assertEqual(list(budget["master"]), seconds(MASTER))
        self.assertGreaterEqual(min(budget["master"].values()), 0)
        self.assertEqual(list(budget["journey"]), list(STAGES))
        for stage in budget["journey"].values():
            self.assertLessEqual(0, stage["p50_seconds"])
            self.assertLessEqual(stage["p50_seconds"], stage["p99_seconds"])
            self.assertLessEqual(stage["p99_seconds"], stage["max_seconds"])
        return budget


class Budget(Whole, EndToEnd):
    def test_parts_are_the_whole(self):
        for transport, payload, procs in itertools.product(TRANSPORTS, PAYLOADS, (2, 8)):
            with self.subTest(transport=transport, payload=payload, procs=procs):
                report = self.report("--transport", transport, "--payload", payload, "--procs", procs,
                                     "--chunks", 64)
                self.assert_verified(report)
                budget = self.assert_whole(report, 1 if transport == "serial" else procs)
                total = budget["total"]
                compute = total["compute_running_seconds"] + total["compute_queueing_seconds"]
                self.assertGreater(total["compute_running_seconds"], 0)
                self.assertGreater(total["checksum_seconds"], 0)
                self.assertEqual(total["lost_seconds"], 0)
                self.assertAlmostEqual(compute, report["phases"]["compute_seconds"], places=7)
                if transport in PROCESS_TRANSPORTS:
                    self.assertGreater(total["spawn_seconds"], 0)
                    self.assertEqual(budget["journeys"], 64)
                    self.assertGreater(budget["journey"]["total"]["p50_seconds"], 0)
                    self.assertGreater(budget["master"]["cpu_seconds"], 0)
                else:
                    self.assertEqual(budget["journeys"], 0)
                if payload == "coords":
                    encode = budget["master"]["encode_seconds"] if transport in PROCESS_TRANSPORTS \
                        else total["encode_seconds"]
                    self.assertGreater(encode, 0)

    def test_more_workers_than_chunks(self):
        for transport in (*PROCESS_TRANSPORTS, "threads"):
            with self.subTest(transport=transport):
                report = self.report("--transport", transport, "--procs", 8, "--chunks", 1)
                self.assert_verified(report)
                idle = [line["compute_running_seconds"] for line in self.assert_whole(report, 8)["per_worker"]]
                self.assertEqual(sum(compute > 0 for compute in idle), 1)

    def test_with_recycled_workers(self):
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport):
                report = self.report("--transport", transport, "--procs", 2, "--chunks", 32,
                                     "--max-chunks-per-worker", 4)
                self.assert_verified(report)
                self.assertEqual(self.assert_whole(report, 2)["total"]["lost_seconds"], 0)

    def test_times_off(self):
        for transport, payload in itertools.product(TRANSPORTS, PAYLOADS):
            with self.subTest(transport=transport, payload=payload):
                report = self.report("--times", "off", "--transport", transport, "--payload", payload, "--procs", 2)
                self.assert_verified(report)
                self.assertIsNone(report["budget"])
                self.assertEqual(report["phases"]["compute_seconds"], 0)
                self.assertEqual({worker["compute_seconds"] for worker in report["workers"]}, {0})
        ended = self.master("--times", "off", "--budget")
        self.assertIn("not measured (--times off)", ended.out)

    def test_printed_in_full(self):
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                short = self.master("--transport", transport, "--procs", 2).out
                full = self.master("--transport", transport, "--procs", 2, "--budget").out
                for line in ("budget ", "  compute ", "  handling ", "  idle ", "  residual "):
                    self.assertIn(f"\n{line}", short)
                self.assertNotIn("workers x wall time", short)
                for line in ("where the time went", "compute, waiting for a CPU", "workers x wall time", "master "):
                    self.assertIn(f"\n{line}", full)
                self.assertEqual("\nwait in queue " in full, transport in PROCESS_TRANSPORTS)


class KilledWorkers(Whole, SlowJobs):
    def test_what_they_did_is_lost(self):
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport), NothingLeft(self.folder) as oracle, \
                    self.job("--transport", transport, "--procs", 2) as master:
                oracle.watch(master.pid)
                victim = master.wait_for_workers()[0]
                os.kill(victim, signal.SIGKILL)
                report = self.recovered(master, [victim], "SIGKILL")
                self.assertGreater(self.assert_whole(report, 2)["total"]["lost_seconds"], 0)


class Repeats(EndToEnd):
    def test_as_timeit(self):
        for transport, payload in itertools.product(TRANSPORTS, PAYLOADS):
            with self.subTest(transport=transport, payload=payload):
                ended = self.master("--transport", transport, "--payload", payload, "--procs", 2, "--repeat", 3,
                                    "--loops", 2)
                self.assertRegex(ended.out, r"\nrepeated +[0-9.]+ ms ± [0-9.]+ ms per loop \(mean ± std\. dev\. of "
                                            r"3 run\(s\), 2 loop\(s\) each, warm workers\)\n"
                                            r" +best of 3: [0-9.]+ ms per loop\n")
                self.assertIn("verified against", ended.out)

    def test_in_the_object(self):
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                report = self.report("--transport", transport, "--procs", 2, "--repeat", 3, "--loops", 2)
                self.assert_verified(report)
                self.assertEqual(report["repeats"]["loops"], 2)
                self.assertEqual(len(report["repeats"]["seconds_per_loop"]), 3)
                self.assertGreater(min(report["repeats"]["seconds_per_loop"]), 0)
                self.assertEqual(len(report["workers"]), 1 if transport == "serial" else 2)

    def test_none_unless_asked(self):
        report = self.report()
        self.assertEqual(report["repeats"], {"loops": 1, "seconds_per_loop": []})
        self.assertNotIn("repeated", self.master().out)

    def test_loops_alone_are_one_repeat(self):
        self.assertEqual(len(self.report("--loops", 2)["repeats"]["seconds_per_loop"]), 1)

    def test_over_inputs_that_lie_ready(self):
        for transport, where in itertools.product(PROCESS_TRANSPORTS, INPUTS):
            with self.subTest(transport=transport, input=where):
                self.assert_verified(self.report("--transport", transport, "--payload", "coords", "--input", where,
                                                 "--procs", 2, "--repeat", 2))


class Inputs(Whole, EndToEnd):
    def test_every_input_over_every_transport(self):
        for transport, where, workload in itertools.product(TRANSPORTS, INPUTS,
                                                            ("julia-book", "mandelbrot-workshop")):
            with self.subTest(transport=transport, input=where, workload=workload):
                report = self.report("--workload", workload, "--transport", transport, "--payload", "coords",
                                     "--input", where, "--procs", 3, "--schedule", "guided")
                self.assert_verified(report)
                self.assertEqual(report["input"], where)
                self.assert_whole(report, 1 if transport == "serial" else 3)

    def test_every_input_verified_row_by_row(self):
        for where in INPUTS:
            with self.subTest(input=where):
                report = self.report("--width", 333, "--height", 77, "--payload", "coords", "--input", where,
                                     "--verify", "serial")
                self.assertIs(report["checksum"]["verified"], True)

    def test_nothing_is_written_where_it_lies_ready(self):
        report = self.report("--payload", "coords", "--input", "shared", "--chunks", 8)
        sent = report["traffic"]["sent_bytes"]
        self.assertLess(sent, 8 * 1000, "the coordinates were not to be sent")


class Traffic(EndToEnd):
    def traffic(self, *options):
        report = self.report("--procs", 2, "--chunks", 64, *options)
        self.assert_verified(report)
        return report["traffic"]["sent_bytes"], report["traffic"]["received_bytes"]

    def test_shared_memory_carries_frame_heads_only(self):
        for payload in PAYLOADS:
            with self.subTest(payload=payload):
                sent, received = self.traffic("--transport", "shm", "--payload", payload)
                self.assertLessEqual(received, 64 * 200)
                self.assertLessEqual(sent, 64 * 200)
                self.assertGreaterEqual(received, 64 * 64)
                self.assertGreaterEqual(sent, 64 * 64)

    def test_pipes_and_queues_carry_everything(self):
        for transport in ("pipe", "queue"):
            with self.subTest(transport=transport):
                sent, received = self.traffic("--transport", transport)
                self.assertGreaterEqual(received, GRID_BYTES)
                self.assertLessEqual(received, GRID_BYTES + 64 * 400)
                self.assertLessEqual(sent, 64 * 200)
                sent, _ = self.traffic("--transport", transport, "--payload", "coords")
                self.assertGreaterEqual(sent, COORDS_BYTES)

    def test_without_times_results_are_shorter(self):
        _, timed = self.traffic("--transport", "shm")
        _, untimed = self.traffic("--transport", "shm", "--times", "off")
        self.assertLessEqual(untimed, timed - 64 * 80)

    def test_no_channel_no_traffic(self):
        for transport in ("threads", "serial"):
            self.assertEqual(self.traffic("--transport", transport), (0, 0))


class Memory(EndToEnd):
    KEYS = {"rss_bytes", "peak_rss_bytes", "pss_bytes"}

    def assert_memory(self, memory):
        self.assertEqual(set(memory), self.KEYS)
        self.assertGreater(memory["rss_bytes"], 0)
        self.assertGreater(memory["pss_bytes"], 0)
        # The kernel's counters lag by some pages.
        self.assertGreaterEqual(memory["peak_rss_bytes"] + (1 << 20), memory["rss_bytes"])

    def test_of_the_master_and_its_workers(self):
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                report = self.report("--transport", transport, "--procs", 3)
                self.assert_memory(report["master_memory"])
                self.assertGreaterEqual(report["master_memory"]["rss_bytes"], GRID_BYTES)
                for worker in report["workers"]:
                    if transport in PROCESS_TRANSPORTS:
                        self.assert_memory(worker["memory"])
                    else:
                        self.assertIsNone(worker["memory"])

    def test_of_a_worker_that_has_left(self):
        report = self.report("--procs", 1, "--chunks", 8, "--max-chunks-per-worker", 4)
        self.assertIsNone(report["workers"][0]["memory"])


if __name__ == "__main__":
    main()
