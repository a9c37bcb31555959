"""A grid of 16000 x 16000 points, 1 GB: every transport carries it, and the digest is the serial baseline's."""

import os
import unittest

from harness import PROCESS_TRANSPORTS, EndToEnd, main

GRID = ("--width", 16000, "--height", 16000, "--max-iterations", 2, "--verify", "none")
NEEDED = 3 << 30  # bytes


def available_memory():
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@unittest.skipIf(available_memory() < NEEDED, "needs 3 GB of memory")
class LargeGrid(EndToEnd):
    def test_every_transport_gives_the_serial_digest(self):
        expected = self.report(*GRID, "--transport", "serial")["checksum"]
        for transport in (*PROCESS_TRANSPORTS, "threads"):
            with self.subTest(transport=transport):
                report = self.report(*GRID, "--transport", transport, "--procs", 2)
                self.assertEqual(report["status"], "done")
                self.assertEqual(report["retries"], 0)
                self.assertEqual(report["checksum"], expected | {"verdict": report["checksum"]["verdict"]})

    def test_one_chunk_of_the_whole_grid(self):
        """One result of 1 GB goes through every pipe and queue in pieces."""
        expected = self.report(*GRID, "--transport", "serial")["checksum"]["digest"]
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport):
                report = self.report(*GRID, "--transport", transport, "--procs", 1, "--chunks", 1)
                self.assertEqual(report["checksum"]["digest"], expected)


if __name__ == "__main__":
    main()
