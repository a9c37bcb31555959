"""Faults that a user orders (--chaos), and the certificate (--audit): what is said, in words and as JSON, and what is refused.

That each fault is survived is the matter of tests/faults/."""

from harness import PROCESS_TRANSPORTS, EndToEnd, main

SMALL = ("--width", 100, "--height", 100, "--chunks", 10, "--procs", 2, "--verify", "serial", "--log-level", "off")


class Chaos(EndToEnd):
    def test_what_struck_is_told(self):
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport):
                report = self.report(*SMALL, "--transport", transport, "--quiet", "--chaos",
                                     "kill@computing:chunk=3,attempt=0; delay=1@received:chunk=5;seed=7")
                chaos = report["chaos"]
                self.assertEqual(chaos["injected"], [{"rule": "kill@computing:chunk=3,attempt=0", "times": 1},
                                                     {"rule": "delay=1@received:chunk=5", "times": 1}])
                (death,) = chaos["deaths"]
                self.assertEqual((death["chunk"], death["attempt"]), (3, 0))
                self.assertIn("SIGKILL", death["exit"])
                self.assertEqual(death["rule"], "kill@computing:chunk=3,attempt=0")
                self.assertIn(death["pid"], [worker["pid"] for worker in report["workers"]])
                self.assertGreater(death["seen_seconds"], 0)
                self.assertGreaterEqual(death["recovered_seconds"], death["seen_seconds"])
                self.assertEqual(chaos["recovered"]["count"], 1)
                self.assertEqual(chaos["recovered"]["median_seconds"], death["recovered_seconds"])

    def test_the_summary_says_it_too(self):
        ended = self.master(*SMALL, "--chaos", "exit=3@sent:chunk=2,attempt=0", "--audit")
        self.assertRegex(ended.out, r"chaos +faults that the workers were asked to commit\n +1 x exit=3@sent:chunk=2,attempt=0\n")
        self.assertRegex(ended.out, r"worker \d \(pid \d+\) exited with code 3 after exit=3@sent")
        self.assertRegex(ended.out, r"audit +passed\n +rows +100: 100 delivered once each, 0 given up\n")

    def test_without_it_nothing_is_said(self):
        ended = self.master(*SMALL)
        self.assertNotIn("chaos", ended.out)
        self.assertNotIn("audit", ended.out)
        report = self.report(*SMALL, "--quiet")
        self.assertIsNone(report["chaos"])
        self.assertIsNone(report["audit"])

    def test_the_same_seed_strikes_the_same_chunks(self):
        def struck():
            report = self.report(*SMALL, "--quiet", "--retries", 50, "--chaos",
                                 "throw@received:probability=0.3;seed=11", code=1)
            return report["quarantined"]
        first = struck()
        self.assertTrue(first)
        self.assertEqual(struck(), first)

    def test_wrong_specifications(self):
        for spec, words in (("kill", "at which step"), ("murder@sent", "there is no fault 'murder'"),
                            ("kill@sent:chunk=x", "'x' is no chunk"), ("kill@ready:chunk=1", "has no chunk")):
            with self.subTest(spec=spec):
                ended = self.master(*SMALL, "--chaos", spec, code=2)
                self.assert_one_line(ended.err)
                self.assertIn(words, ended.err)

    def test_only_processes_can_be_struck(self):
        for transport in ("threads", "serial"):
            ended = self.master(*SMALL, "--transport", transport, "--chaos", "kill@sent", code=2)
            self.assertIn("has no worker processes", ended.err)


class Audit(EndToEnd):
    def test_of_a_job_that_is_done(self):
        for transport in (*PROCESS_TRANSPORTS, "threads", "serial"):
            with self.subTest(transport=transport):
                audit = self.report(*SMALL, "--transport", transport, "--quiet", "--audit")["audit"]
                self.assertIs(audit["passed"], True)
                self.assertEqual((audit["rows"], audit["rows_delivered"], audit["rows_given_up"]), (100, 100, 0))
                self.assertEqual(audit["chunks_done"], audit["attempts"])
                self.assertEqual(audit["processes_spawned"], audit["processes_reaped"])
                self.assertEqual(audit["descriptors_before"], audit["descriptors_after"])

    def test_of_a_job_that_lost_rows(self):
        report = self.report(*SMALL, "--quiet", "--audit", "--output", "julia.pgm", "--chaos", "throw@computing:chunk=4", code=1)
        audit = report["audit"]
        self.assertIs(audit["passed"], True)
        self.assertEqual((audit["rows_delivered"], audit["rows_given_up"]), (90, 10))

    def test_of_repeated_runs(self):
        report = self.report(*SMALL, "--quiet", "--audit", "--repeat", 2, "--loops", 2, "--output", "julia.png",
                             leaves=["julia.png"])
        self.assertIs(report["audit"]["passed"], True)

    def test_counts_what_was_refused(self):
        audit = self.report(*SMALL, "--quiet", "--audit", "--chaos", "duplicate@sending:chunk=1,attempt=0")["audit"]
        self.assertGreaterEqual(audit["answers_refused"], 1)
        self.assertEqual(audit["rows_delivered"], 100)


if __name__ == "__main__":
    main()
