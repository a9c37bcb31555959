"""Every codec carries the whole grid over every transport; where it was only half, that would be seen."""

import itertools

from harness import PROCESS_TRANSPORTS, EndToEnd, main

CODECS = ("cereal", "protobuf", "msgpack", "json")
PAYLOADS = ("rows", "coords")
SMALL = ("--width", 120, "--height", 90, "--verify", "serial")  # text is slow


class Codecs(EndToEnd):
    def test_the_whole_grid_over_everything(self):
        for codec, transport, payload in itertools.product(CODECS, PROCESS_TRANSPORTS, PAYLOADS):
            with self.subTest(codec=codec, transport=transport, payload=payload):
                whole = payload == "rows" or codec in ("cereal", "protobuf")
                report = self.report("--codec", codec, "--transport", transport, "--payload", payload, "--procs", 2,
                                     "--chunks", 7, *(() if whole else SMALL))
                self.assertEqual((report["status"], report["codec"]), ("done", codec))
                self.assertIs(report["checksum"]["verified"], True)
                self.assertEqual((report["retries"], report["warnings"]), (0, []))
                if whole:
                    self.assert_verified(report)

    def test_one_row_at_a_time_and_all_rows_at_once(self):
        for codec, chunks in itertools.product(CODECS, (1, 90)):
            with self.subTest(codec=codec, chunks=chunks):
                report = self.report("--codec", codec, "--chunks", chunks, "--payload", "coords", *SMALL)
                self.assertIs(report["checksum"]["verified"], True)

    def test_workloads_whose_points_are_the_constant(self):
        for codec in CODECS:
            with self.subTest(codec=codec):
                self.assert_verified(self.report("--codec", codec, "--workload", "mandelbrot-workshop", "--payload",
                                                 "coords", "--procs", 2))

    def test_baselines_serialise_nothing_and_take_any_codec(self):
        for transport in ("threads", "serial"):
            with self.subTest(transport=transport):
                self.assert_verified(self.report("--transport", transport, "--codec", "json"))


if __name__ == "__main__":
    main()
