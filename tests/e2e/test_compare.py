#!/usr/bin/env python3
"""`master compare` and `master advise`: the tables, their four forms, interruption, wrong input."""

import csv
import io
import json
import signal
import time

from harness import ROOT, EndToEnd, Master, NothingLeft, main, until

SMALL = ("--width", "200", "--height", "150")


class Compare(EndToEnd):
    def test_every_transport_is_in_the_table_with_its_samples(self):
        ended = self.master("compare", *SMALL, "--procs", "2", "--rounds", "7", "--json", "-")
        report = json.loads(ended.out)
        rows = {row["transport"]: row for row in report["rows"]}
        self.assertEqual(list(rows), ["threads", "shm", "pipe", "queue", "serial"])
        for row in rows.values():
            self.assertEqual(len(row["wall_samples_seconds"]), 7)
            self.assertLessEqual(row["wall_low_seconds"], row["wall_seconds"])
            self.assertLessEqual(row["wall_seconds"], row["wall_high_seconds"])
            self.assertGreater(row["cpu_seconds"], 0)
        self.assertEqual(rows["threads"]["ratio"], 1)
        self.assertEqual(rows["serial"]["procs"], 1)
        # Rows go through pipe and queue, in and out; over shared memory they are written in place.
        grid = 200 * 150 * 4
        self.assertGreater(rows["pipe"]["copied_bytes"], 2 * grid)
        self.assertGreater(rows["queue"]["copied_bytes"], 2 * grid)
        self.assertLess(rows["shm"]["copied_bytes"], grid / 4)
        self.assertEqual(rows["threads"]["copied_bytes"], 0)

    def test_lists_make_every_combination(self):
        ended = self.master("compare", *SMALL, "--transport", "threads,shm", "--procs", "1,2", "--chunks", "4,8",
                            "--payload", "rows,coords", "--rounds", "2", "--csv", "-")
        rows = list(csv.DictReader(io.StringIO(ended.out)))
        self.assertEqual(len(rows), 16)
        self.assertEqual({(row["procs"], row["chunks"], row["payload"]) for row in rows},
                         {(p, c, w) for p in "12" for c in "48" for w in ("rows", "coords")})

    def test_cold_starts_and_inputs(self):
        ended = self.master("compare", *SMALL, "--transport", "shm,pipe", "--procs", "2", "--rounds", "2",
                            "--start", "warm,cold", "--payload", "coords", "--input", "computed,array,shared",
                            "--kernel", "none", "--markdown", "-")
        table = [line for line in ended.out.splitlines() if line.startswith("|")]
        self.assertEqual(len(table), 2 + 12, ended)
        self.assertIn("| start |", table[0])

    def test_files_are_written_whole(self):
        ended = self.master("compare", *SMALL, "--transport", "threads,pipe", "--rounds", "2", "--json", "c.json",
                            "--csv", "c.csv", "--markdown", "c.md", "--quiet", leaves=("c.json", "c.csv", "c.md"))
        self.assertEqual(ended.out, "", ended)
        self.assertEqual(json.loads((self.folder / "c.json").read_text())["command"], "compare")
        self.assertTrue((self.folder / "c.csv").read_text().startswith("transport,"))
        self.assertIn("|---|", (self.folder / "c.md").read_text())

    def test_too_few_rounds_show_no_difference(self):
        ended = self.master("compare", *SMALL, "--transport", "threads,serial", "--rounds", "3", "--procs", "2")
        self.assertIn("(3 rounds)", ended.out)
        self.assertIn("fewer than 6 rounds", ended.out)

    def test_more_workers_than_cpus_are_pointed_out(self):
        ended = self.master("compare", *SMALL, "--transport", "shm", "--procs", "300", "--chunks", "150", "--rounds", "1")
        self.assertIn("300 workers share", ended.out)

    def test_wrong_input(self):
        for options, words in (
                (("--transport", "pipe,carrier-pigeon"), "'carrier-pigeon' is unknown"),
                (("--procs", "2,0"), "'0' is not a number"),
                (("--procs", "2,"), "'' is not a number"),
                (("--transport", ",pipe"), "'' is unknown"),
                (("--procs", ""), "--procs"),
                (("--rounds", "-1"), "'-1' is not a number"),
                (("--json", "-", "--csv", "-"), "more than one form"),
                (("--csv", "/no/such/folder/x.csv"), "/no/such/folder"),
                (("--workload", "none-of-these"), "none-of-these"),
                (("--output", "x.png"), "--output"),
                (("--worker", "/bin/nothing-here"), "/bin/nothing-here"),
                (("--worker", "/bin/true", "--transport", "shm"), "ended before it was ready"),
                (("--procs", "1,2,3,4,5", "--chunks", "1,2,3,4,5,6,7,8"), "combinations")):
            with self.subTest(options=options):
                ended = self.master("compare", *options, code=2)
                self.assertIn(words, ended.err)
        ended = self.master("--procs", "2", "compare", code=2)
        self.assertIn("put it behind", ended.err)

    def test_an_interrupt_leaves_the_rounds_that_are_complete(self):
        with NothingLeft(self.folder) as left, Master("compare", "--rounds", "100000", "--transport", "shm,pipe,queue",
                                                      "--json", "-", "--quiet", folder=self.folder) as master:
            left.watch(master.pid)
            until(lambda: len(master.workers()) >= 3, "all pools are there")
            time.sleep(2)  # some rounds
            master.send(signal.SIGINT)
            ended = master.wait()
            self.assertEqual(ended.code, 130, ended)
            report = json.loads(ended.out)
            self.assertTrue(report["settings"]["interrupted"])
            self.assertGreater(report["settings"]["rounds"], 0)

    def test_a_wrong_result_is_no_result(self):
        # The workload's file expects another digest than the grid has.
        book = (ROOT / "configs" / "julia-book.toml").read_text()
        self.write("wrong.toml", book.replace("71671ef53dd68165", "0123456789abcdef"))
        ended = self.master("compare", "--workload", "wrong.toml", "--transport", "shm", "--rounds", "1", code=3,
                            leaves=())
        self.assertIn("71671ef53dd68165", ended.err)


class Advise(EndToEnd):
    def test_predicts_and_runs(self):
        ended = self.master("advise", *SMALL, "--procs", "2", "--transport", "shm,pipe", "--rounds", "2", "--json", "-")
        report = json.loads(ended.out)
        self.assertEqual([row["transport"] for row in report["costs"]], ["shm", "pipe"])
        for row in report["costs"]:
            self.assertGreater(row["per_step_seconds"], 0)
        for row in report["advice"]:
            self.assertGreater(row["predicted_seconds"], 0)
            self.assertGreater(row["measured_seconds"], 0)
            self.assertLessEqual(row["chunks"], 150)
        self.assertEqual({row["schedule"] for row in report["advice"]}, {"dynamic", "static", "guided"})

    def test_wrong_input(self):
        ended = self.master("advise", "--procs", "2,4", code=2)
        self.assertIn("'2,4' is not a number", ended.err)
        ended = self.master("advise", "--width", "1", "--height", "1", code=2)
        self.assertIn("too few rows", ended.err)


if __name__ == "__main__":
    main()
