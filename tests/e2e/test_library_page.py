"""What docs/library.md promises is tested: every line of its table names tests, and they exist."""

import os
import re
import subprocess
import unittest

from harness import BIN, ROOT


class Promises(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        listing = subprocess.run([os.path.join(BIN, "library_tests"), "--gtest_list_tests"],
                                 capture_output=True, text=True, timeout=60, check=True).stdout
        cls.tests = set()
        suite = ""
        for line in listing.splitlines():
            if line.startswith("  "):
                cls.tests.add(suite + line.split("#")[0].strip().split("/")[0])
            elif line.endswith(".") or ".  #" in line:
                suite = line.split("  #")[0].split("/")[-1]
        with open(os.path.join(ROOT, "docs", "library.md"), encoding="utf-8") as page:
            section = page.read().split("## What is promised")[1].split("\n## ")[0]
        cls.rows = [line for line in section.splitlines() if line.startswith("| ")][1:]

    def test_every_line_names_tests_that_exist(self):
        self.assertGreater(len(self.rows), 25)
        for row in self.rows:
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            named = re.findall(r"`(\w+\.\w+)`", cells[-1])
            self.assertTrue(named, f"no test holds: {cells[1]}")
            for test in named:
                self.assertIn(test, self.tests)

    def test_what_every_transport_is_said_to_do_runs_over_each(self):
        for suite in ("PoolOver", "ImapOver", "CancelOver"):
            listing = subprocess.run(
                [os.path.join(BIN, "library_tests"), "--gtest_list_tests", f"--gtest_filter=*/{suite}.*"],
                capture_output=True, text=True, timeout=60, check=True).stdout
            for transport in ("shm", "pipe", "queue"):
                self.assertIn(f"/{transport}", listing)


if __name__ == "__main__":
    unittest.main()
