"""Every workload gives its known result, whatever carries it, however it is cut, and however many compute it."""

import itertools
import json
import re

from harness import ROOT, TRANSPORTS, EndToEnd, main, soft_descriptor_limit

SMALL = ("julia-book", "julia-linear", "mandelbrot-europython", "mandelbrot-workshop", "mandelbrot-workshop-zoom")
LARGE = ("julia-lesson", "julia-lesson-parallel")  # 4000 x 4000 points
PAYLOADS = ("rows", "coords")
SCHEDULES = ("dynamic", "static", "guided")
ROW_SUM = re.compile(r"sum = \d+")


class Workloads(EndToEnd):
    def verify(self, workload, transport, payload, schedule, procs, chunks):
        with self.subTest(workload=workload, transport=transport, payload=payload, schedule=schedule, procs=procs,
                          chunks=chunks):
            report = self.report("--workload", workload, "--transport", transport, "--payload", payload,
                                 "--schedule", schedule, "--procs", procs, "--chunks", chunks)
            self.assert_verified(report)
            self.assertEqual(report["workload"]["name"], workload)
            self.assertEqual((report["transport"], report["payload"], report["schedule"]),
                             (transport, payload, schedule))
            self.assertEqual(report["retries"], 0)
            self.assertEqual(report["warnings"], [])
            self.assertEqual(sum(worker["chunks"] for worker in report["workers"]), report["chunks"])

    def test_small_workloads_over_everything(self):
        cuts = itertools.cycle([(2, 7), (3, 16), (2, 64), (3, 3), (2, 255)])
        for workload, transport, payload, schedule in itertools.product(SMALL, TRANSPORTS, PAYLOADS, SCHEDULES):
            self.verify(workload, transport, payload, schedule, *next(cuts))

    def test_large_workloads_over_everything(self):
        cuts = itertools.cycle([("dynamic", 2, 16), ("static", 3, 40), ("guided", 2, 64)])
        for workload, transport, payload in itertools.product(LARGE, TRANSPORTS, PAYLOADS):
            schedule, procs, chunks = next(cuts)
            self.verify(workload, transport, payload, schedule, procs, chunks)

    def test_any_number_of_workers_under_the_usual_descriptor_limit(self):
        for transport, procs in itertools.product(("pipe", "queue", "shm", "threads"), (1, 2, 3, 8, 64, 256)):
            with self.subTest(transport=transport, procs=procs):
                report = self.report("--transport", transport, "--procs", procs, "--chunks", 512,
                                     prepare=soft_descriptor_limit(1024))
                self.assert_verified(report)
                self.assertEqual(report["procs"], procs)
                self.assertEqual(report["warnings"], [])

    def test_every_kernel_gives_the_same_counts(self):
        for kernel, workload in itertools.product(("complex", "scalar", "auto"), SMALL):
            with self.subTest(kernel=kernel, workload=workload):
                self.assert_verified(self.report("--workload", workload, "--kernel", kernel, "--procs", 2))

    def test_every_way_of_waiting(self):
        for wait, transport in itertools.product(("auto", "spin", "hybrid", "park"), ("pipe", "queue", "shm")):
            with self.subTest(wait=wait, transport=transport):
                report = self.report("--wait", wait, "--transport", transport, "--procs", 2)
                self.assert_verified(report)
                self.assertIn(report["wait"], ("spin", "hybrid", "park") if wait == "auto" else (wait,))


class OwnWorkloads(EndToEnd):
    """Workloads from files, and what the options change of a workload."""

    def setUp(self):
        super().setUp()
        self.text = (ROOT / "configs" / "julia-book.toml").read_text()

    def test_files_of_the_source_tree(self):
        for path in sorted((ROOT / "configs").glob("*.toml")):
            if "[fractal]" in path.read_text() and path.stem in SMALL:
                with self.subTest(file=path.name):
                    self.assert_verified(self.report("--workload", path, "--procs", 2))

    def test_own_file(self):
        path = self.write("own.toml", self.text.replace('"julia-book"', '"my set"'))
        report = self.report("--workload", path)
        self.assert_verified(report)
        self.assertEqual(report["workload"], {"name": "my set", "fractal": "julia", "width": 1000, "height": 1000,
                                              "max_iterations": 300})

    def test_own_file_by_its_name_alone(self):
        self.write("own.toml", self.text)
        self.assert_verified(self.report("--workload", "own.toml"))

    def test_wrong_expected_checksum_is_a_mismatch(self):
        for what, text in (("sum", ROW_SUM.sub("sum = 33219981", self.text)),
                           ("digest", self.text.replace("71671ef53dd68165", "71671ef53dd68166"))):
            for transport in TRANSPORTS:
                with self.subTest(wrong=what, transport=transport):
                    path = self.write("wrong.toml", text)
                    report = self.report("--workload", path, "--transport", transport, code=3)
                    self.assertEqual(report["status"], "mismatch")
                    self.assertIs(report["checksum"]["verified"], False)
                    self.assertIn("does not match", report["error"])
                    self.assertEqual((report["checksum"]["sum"], report["checksum"]["digest"]),
                                     (33219980, "71671ef53dd68165"))

    def test_a_mismatch_writes_no_picture(self):
        path = self.write("wrong.toml", ROW_SUM.sub("sum = 1", self.text))
        self.master("--workload", path, "--output", "julia.png", code=3)

    def test_without_expected_checksum_there_is_nothing_to_verify(self):
        path = self.write("bare.toml", self.text.partition("[expected]")[0])
        report = self.report("--workload", path)
        self.assertEqual(report["status"], "done")
        self.assertIsNone(report["checksum"]["verified"])
        self.assertEqual(report["checksum"]["digest"], "71671ef53dd68165")

    def test_overrides(self):
        for options, changed in ((("--width", 70), {"width": 70}), (("--height", 33), {"height": 33}),
                                 (("--max-iterations", 7), {"max_iterations": 7}), (("--c", "-0.8,0.156"), {})):
            with self.subTest(options=options):
                report = self.report(*options, "--verify", "serial")
                self.assertIs(report["checksum"]["verified"], True)
                self.assertIsNone(report["checksum"]["expected_digest"])
                self.assertNotEqual(report["checksum"]["digest"], "71671ef53dd68165")
                self.assertEqual(report["workload"], {"name": "julia-book", "fractal": "julia", "width": 1000,
                                                      "height": 1000, "max_iterations": 300, **changed})

    def test_an_override_that_changes_nothing_keeps_the_expected_checksum(self):
        self.assert_verified(self.report("--width", 1000, "--max-iterations", 300, "--verify", "expected"))

    def test_verify_none(self):
        self.assertIsNone(self.report("--verify", "none")["checksum"]["verified"])

    def test_list_workloads(self):
        ended = self.master("--list-workloads")
        self.assertEqual({line.split()[0] for line in ended.out.splitlines()}, {*SMALL, *LARGE})
        self.assertEqual(ended.err, "")

    def test_run_is_the_default(self):
        self.assert_verified(self.report("run", "--procs", 2))

    def test_options_from_a_file(self):
        path = self.write("pool.toml", 'procs = 3\ntransport = "queue"\nchunks = 5\n')
        report = self.report("--config", path)
        self.assert_verified(report)
        self.assertEqual((report["procs"], report["transport"], report["chunks"]), (3, "queue", 5))

    def test_the_command_line_wins_over_the_file(self):
        path = self.write("pool.toml", 'procs = 3\ntransport = "queue"\n')
        report = self.report("--config", path, "--transport", "pipe")
        self.assertEqual((report["procs"], report["transport"]), (3, "pipe"))


class Shapes(EndToEnd):
    """Grids and cuts at the edges: compared with one serial chunk, which no cutting can spoil."""

    def digest(self, *options):
        report = self.report("--verify", "none", *options)
        self.assertEqual(report["status"], "done")
        return report["checksum"]["digest"]

    def test_narrow_and_tiny_grids(self):
        for width, height in ((1, 1), (1, 2), (2, 1), (1, 1000), (1000, 1), (3, 5), (16385, 3), (3, 16385)):
            shape = ("--width", width, "--height", height)
            expected = self.digest(*shape, "--transport", "serial", "--chunks", 1)
            for transport, payload, schedule in zip(("pipe", "queue", "shm", "threads") * 2, PAYLOADS * 4,
                                                    SCHEDULES * 3):
                with self.subTest(width=width, height=height, transport=transport, payload=payload):
                    found = self.digest(*shape, "--transport", transport, "--payload", payload,
                                        "--schedule", schedule, "--procs", 3)
                    self.assertEqual(found, expected)

    def test_more_chunks_than_rows_are_clamped_with_a_warning(self):
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                report = self.report("--chunks", 1001, "--transport", transport)
                self.assert_verified(report)
                self.assertEqual(report["chunks"], 1000)
                self.assertEqual(len(report["warnings"]), 1)
                self.assertRegex(report["warnings"][0], r"--chunks 1001 .* 1000 rows")

    def test_as_many_chunks_as_rows_without_a_warning(self):
        report = self.report("--chunks", 1000)
        self.assert_verified(report)
        self.assertEqual(report["warnings"], [])

    def test_very_many_chunks(self):
        shape = ("--width", 4, "--height", 100000, "--max-iterations", 5)
        expected = self.digest(*shape, "--transport", "serial", "--chunks", 1)
        for transport, schedule in itertools.product(TRANSPORTS, SCHEDULES):
            with self.subTest(transport=transport, schedule=schedule):
                found = self.digest(*shape, "--transport", transport, "--schedule", schedule, "--chunks", 100000,
                                    "--procs", 2)
                self.assertEqual(found, expected)

    def test_one_chunk_for_many_workers(self):
        for transport, schedule in itertools.product(("pipe", "queue", "shm", "threads"), SCHEDULES):
            with self.subTest(transport=transport, schedule=schedule):
                report = self.report("--chunks", 1, "--procs", 8, "--transport", transport, "--schedule", schedule)
                self.assert_verified(report)

    def test_the_digest_depends_on_nothing_but_the_points(self):
        digests = {self.digest("--chunks", chunks, "--procs", procs) for chunks in (1, 2, 3, 999) for procs in (1, 4)}
        self.assertEqual(len(digests), 1)

    def test_static_gives_each_worker_its_share(self):
        for transport in ("pipe", "queue", "shm", "threads"):
            with self.subTest(transport=transport):
                report = self.report("--schedule", "static", "--procs", 4, "--chunks", 32, "--transport", transport)
                self.assertEqual([worker["chunks"] for worker in report["workers"]], [8, 8, 8, 8])

    def test_json_file_holds_the_same_as_standard_output(self):
        self.master("--json", "report.json", leaves=["report.json"])
        self.assert_verified(json.loads((self.folder / "report.json").read_text()))


if __name__ == "__main__":
    main()
