"""Wrong input: one line on standard error that names what is wrong, the right exit code, and no trace.

Exit code 2 is the user's to mend, 1 the machine's. What can be known before work starts is said before work starts.
"""

import json
import os
import shutil
import unittest
from pathlib import Path

from harness import MASTER, NOBODY, PROCESS_TRANSPORTS, ROOT, WORKER, EndToEnd, main, state, until, without_progress

BOOK = (ROOT / "configs" / "julia-book.toml").read_text()


class Usage(EndToEnd):
    def refused(self, *options, code=2, names=(), **start):
        """The master refuses with one line that contains all of `names`."""
        with self.subTest(options=options):
            ended = self.master(*options, code=code, **start)
            self.assert_one_line(ended.err)
            self.assertEqual(ended.out, "")
            for name in names:
                self.assertIn(name, ended.err)
            return ended


class Options(Usage):
    def test_numbers(self):
        for number in ("0", "-3", "1e9", "abc", "", "99999999999999999999", "1.5", " 3", "3 ", "+3", "0x10", "٣"):
            for option in ("--procs", "--chunks", "--width", "--height", "--max-iterations", "--retries",
                           "--max-chunks-per-worker", "--repeat", "--loops"):
                self.refused(option, number, names=[option, f"'{number}'"])

    def test_numbers_just_out_of_range(self):
        for option, number in (("--procs", "1025"), ("--width", "2147483648"), ("--height", "4294967296"),
                               ("--max-iterations", "2147483648"), ("--retries", "101"),
                               ("--max-restarts", "1000001"), ("--max-restarts", "-1"), ("--repeat", "1000001"),
                               ("--loops", "1000001")):
            self.refused(option, number, names=[option, number])

    def test_timeouts(self):
        for number in ("nan", "inf", "-1", "0", "-inf", "1e400", "", "1s", "soon"):
            self.refused("--timeout", number, names=["--timeout"])
            self.refused("--restart-window", number, names=["--restart-window"])

    def test_unknown_names(self):
        for option, known in (("--transport", "queue"), ("--schedule", "guided"), ("--payload", "coords"),
                              ("--input", "array"), ("--times", "off"), ("--codec", "raw"), ("--kernel", "scalar"),
                              ("--spawn", "boost"), ("--wait", "hybrid"), ("--verify", "serial"),
                              ("--colormap", "false-gray"), ("--log-level", "debug")):
            for name in ("nonsense", "", known.upper()):
                self.refused(option, name, names=[option, f"'{name}'", known])

    def test_unknown_workload(self):
        self.refused("--workload", "nonsense", names=["'nonsense'", "julia-book", ".toml"])
        self.refused("--workload", "", names=["julia-book"])

    def test_unknown_options_and_arguments(self):
        self.refused("--nonsense", names=["--nonsense"])
        self.refused("--proc", "3", names=["--proc"])
        self.refused("stray", names=["stray"])
        self.refused("run", "stray", names=["stray"])
        self.refused("--procs", "2", "--procs", "3", names=["--procs"])

    def test_option_without_its_value(self):
        for option in ("--procs", "--transport", "--workload", "--json", "--output"):
            self.refused(option, names=[option])

    def test_empty_file_names(self):
        """As from an unset variable of a script: silently doing without would lose what was asked for."""
        for option in ("--output", "--json", "--worker"):
            self.refused(option, "", names=[option.lstrip("-")])

    def test_constants(self):
        for constant in ("1", "1,2,3", "a,b", "", ",", "1,", "nan,nan", "inf,0"):
            self.refused("--c", constant, names=["--c"])
        for workload in ("mandelbrot-workshop", "mandelbrot-workshop-zoom", "mandelbrot-europython"):
            self.refused("--workload", workload, "--c", "0,0", names=["--c", workload])

    def test_nothing_to_verify_against(self):
        self.refused("--verify", "expected", "--width", 10, names=["julia-book", "--verify"])
        path = self.write("bare.toml", BOOK.partition("[expected]")[0])
        self.refused("--verify", "expected", "--workload", path, names=["julia-book", "--verify"])

    def test_option_files(self):
        self.refused("--config", "missing.toml", names=["missing.toml"])
        path = self.write("pool.toml", 'procs = 2\nnonsense = 1\n')
        self.refused("--config", path, names=["nonsense"])
        path = self.write("pool.toml", 'procs = "many"\n')
        self.refused("--config", path, names=["procs", "many"])


class Workloads(Usage):
    """A workload's file: the message names the file, the line and the key."""

    def refused_text(self, text, *names):
        path = self.write("own.toml", text)
        for transport in ("shm", "serial"):
            self.refused("--workload", path, "--transport", transport, names=["own.toml", *names])

    def test_no_such_file(self):
        self.refused("--workload", "missing.toml", names=["missing.toml"])
        self.refused("--workload", self.folder / "no" / "such" / "directory.toml", names=["directory.toml"])

    def test_directory(self):
        self.refused("--workload", self.folder, names=[str(self.folder), "directory"])
        (self.folder / "folder.toml").mkdir()
        self.refused("--workload", "folder.toml", names=["folder.toml", "directory"])

    def test_no_toml_at_all(self):
        self.refused_text("this is [no toml\n", "line 1")
        self.refused_text(bytes(range(256)), "line")
        self.refused_text("", "line", "name")

    def test_malformed_line(self):
        lines = BOOK.splitlines(keepends=True)
        number = next(i for i, line in enumerate(lines) if line.startswith("max_iterations"))
        lines[number] = "max_iterations = = 3\n"
        self.refused_text("".join(lines), f"line {number + 1}")

    def test_unknown_key(self):
        for table, key in (("", "colour = 1"), ("[fractal]", "nonsense = 1"), ("[grid]", "depth = 3"),
                           ("[grid.real]", "center = 0"), ("[expected]", "mean = 3")):
            text = f"{key}\n{BOOK}" if not table else BOOK.replace(f"{table}\n", f"{table}\n{key}\n")
            line = next(i for i, content in enumerate(text.splitlines(), 1) if content == key)
            self.refused_text(text, f"line {line}", key.split()[0])

    def test_missing_key(self):
        for key in ("name", "pixel", "constant", "max_iterations", "measure", "bailout", "when", "test", "never",
                    "width", "height", "rows", "start", "stop", "rule", "sum", "digest"):
            lines = BOOK.splitlines()
            gone = next(i for i, line in enumerate(lines) if line.startswith(f"{key} ="))
            self.refused_text("\n".join(lines[:gone] + lines[gone + 1:]) + "\n", "line", key, "missing")

    def test_missing_table(self):
        for table in ("fractal", "escape", "grid"):
            self.refused_text(BOOK.replace(f"[{table}]", f'[{table}-gone]'), "line", table)

    def test_wrong_values(self):
        for old, new, key in (("max_iterations = 300", 'max_iterations = "300"', "max_iterations"),
                              ("max_iterations = 300", "max_iterations = 0", "max_iterations"),
                              ("max_iterations = 300", "max_iterations = 99999999999", "max_iterations"),
                              ("constant = [-0.62772, -0.42193]", "constant = [nan, 0]", "constant"),
                              ("constant = [-0.62772, -0.42193]", "constant = [1]", "constant"),
                              ("bailout = 2", "bailout = -2", "bailout"), ("bailout = 2", "bailout = nan", "bailout"),
                              ("width = 1000", "width = -1", "width"), ("height = 1000", "height = 1.5", "height"),
                              ('when = ">="', 'when = "<"', "when"), ("sum = 33219980", "sum = -1", "sum"),
                              ('digest = "71671ef53dd68165"', 'digest = "71671ef5"', "digest")):
            self.assertIn(old, BOOK)
            text = BOOK.replace(old, new)
            line = next(i for i, content in enumerate(text.splitlines(), 1) if content.startswith(new))
            self.refused_text(text, f"line {line}", key)

    @unittest.skipIf(os.geteuid() != 0, "needs to become another user")
    def test_unreadable_file(self):
        shutil.copy(MASTER, self.folder / "master")
        shutil.copy(WORKER, self.folder / "worker")
        self.folder.chmod(0o755)
        self.write("own.toml", BOOK, mode=0o600)
        self.refused("--workload", "own.toml", names=["own.toml", "Permission denied"],
                     program=self.folder / "master", user=NOBODY, group=NOBODY, extra_groups=[])


class Memory(Usage):
    def test_grids_beyond_memory(self):
        for size in (2147483647, 1000000):
            for transport in (*PROCESS_TRANSPORTS, "threads", "serial"):
                self.refused("--width", size, "--height", size, "--transport", transport, code=1,
                             names=[f"{size} x {size}", "MiB"])

    def test_coordinates_beyond_memory(self):
        """The grid itself has room, one chunk's coordinates, eight times as large, have not."""
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport):
                side = int((self.memory_available() / 4 / 2) ** 0.5)  # the grid takes half of the memory
                ended = self.master("--width", side, "--height", side, "--max-iterations", 1, "--payload", "coords",
                                    "--transport", transport, "--procs", 1, "--chunks", 1, "--quiet", code=1)
                self.assertRegex(ended.err, r"cannot allocate [^\n]*MiB")

    @staticmethod
    def memory_available():
        line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable"))
        return int(line.split()[1]) * 1024


class Files(Usage):
    """Files that cannot be written are found before any worker is started."""

    def setUp(self):
        super().setUp()
        # A worker that leaves a trace if it is ever started.
        self.worker = self.write("marking-worker", f'#!/bin/sh\ntouch "{self.folder}/started"\n', mode=0o755)

    def refused_file(self, option, path, *options, names=(), **start):
        self.refused(option, path, *options, "--worker", self.worker, names=names, **start)

    def test_missing_directory(self):
        self.refused_file("--output", "missing/julia.png", names=["missing/julia.png", "No such file"])
        self.refused_file("--json", "missing/report.json", names=["missing/report.json", "No such file"])

    def test_directory_instead_of_a_file(self):
        (self.folder / "folder.png").mkdir()
        self.refused_file("--output", "folder.png", names=["folder.png", "directory"])
        self.refused_file("--json", self.folder, names=[str(self.folder), "directory"])

    def test_file_instead_of_a_directory(self):
        self.write("file", "")
        self.refused_file("--output", "file/julia.png", names=["file/julia.png", "Not a directory"])
        self.refused_file("--json", "file/report.json", names=["file/report.json", "Not a directory"])

    def test_extensions(self):
        for name in ("julia.jpg", "julia", "julia.", "png", ".png.txt"):
            self.refused_file("--output", name, names=[name, ".png", ".pgm", ".npy"])

    def test_gray_picture_with_a_colour_map(self):
        for colormap in ("false-gray", "false-gray-8", "power", "viridis", "twilight", "workers"):
            self.refused_file("--output", "julia.pgm", "--colormap", colormap, names=[colormap, ".pgm"])

    def test_colour_map_is_known_before_work_starts(self):
        self.refused_file("--output", "julia.png", "--colormap", "nonsense", names=["nonsense"])

    @unittest.skipIf(os.geteuid() != 0, "needs to become another user")
    def test_unwritable_directory(self):
        for program in (MASTER, WORKER):
            shutil.copy(program, self.folder)
        self.folder.chmod(0o755)
        for option, path in (("--output", "julia.png"), ("--json", "report.json")):
            self.refused_file(option, path, names=[path, "Permission denied"], program=self.folder / "master",
                              user=NOBODY, group=NOBODY, extra_groups=[])

    def test_a_refused_job_leaves_the_old_file_alone(self):
        path = self.write("julia.png", "the old one")
        self.refused_file("--output", path, "--workload", "nonsense")
        self.assertEqual(path.read_text(), "the old one")


class WorkerPrograms(Usage):
    """A worker program that is none."""

    def test_cannot_be_executed(self):
        self.write("not-executable", "#!/bin/sh\n", mode=0o644)
        self.write("just-text", "This is no program.\n", mode=0o755)
        self.write("no-interpreter", "#!/no/such/interpreter\n", mode=0o755)
        self.write("empty", "", mode=0o755)
        (self.folder / "folder").mkdir()
        for program in ("missing", "not-executable", "just-text", "no-interpreter", "empty", "folder"):
            for transport in PROCESS_TRANSPORTS:
                self.refused("--worker", self.folder / program, "--transport", transport, "--procs", 3,
                             names=[program])

    def test_of_another_machine(self):
        own = WORKER.read_bytes()
        for name, text in (("other-machine", own[:18] + b"\xf3\x00" + own[20:]), ("truncated", own[:40]),
                           ("garbage", b"\x7fELF" + bytes(range(256)))):
            self.write(name, text, mode=0o755)
            self.refused("--worker", self.folder / name, "--procs", 2, names=[name])

    def test_beside_the_master(self):
        """Without --worker it is `worker` beside the master."""
        shutil.copy(MASTER, self.folder)
        self.refused(program=self.folder / "master", names=[f"'{self.folder}/worker'"])
        self.assertNotEqual(self.master("--transport", "serial", program=self.folder / "master").out, "")
        shutil.copy(WORKER, self.folder)
        self.master(program=self.folder / "master")

    def test_relative_path(self):
        shutil.copy(WORKER, self.folder / "own-worker")
        self.assert_verified(self.report("--worker", "./own-worker"))
        self.assert_verified(self.report("--worker", "own-worker"))

    def no_worker(self, program, *options, leaves=()):
        """It starts but is no worker: the master tries a few times and then says so. Returns the error."""
        ended = self.master("--worker", program, "--json", "report.json", *options, code=2,
                            leaves=["report.json", *leaves])
        self.assertEqual(ended.out, "")
        report = json.loads((self.folder / "report.json").read_text())
        (self.folder / "report.json").unlink()
        self.assertEqual(report["status"], "failed")
        self.assertIn("before it was ready", report["error"])
        self.assertIn(f"'{program}'", report["error"])
        # The worker's own words may come before.
        self.assertEqual(ended.err.splitlines()[-1], f"master: {report['error']}")
        return report["error"]

    def test_that_leaves_at_once(self):
        for program in ("/bin/true", "/bin/false", "/bin/cat"):
            for transport in PROCESS_TRANSPORTS:
                with self.subTest(program=program, transport=transport):
                    self.assertIn("exited with code", self.no_worker(program, "--transport", transport, "--procs", 2))

    def test_that_crashes_at_once(self):
        crashing = self.write("crashing", "#!/bin/sh\nkill -SEGV $$\n", mode=0o755)
        self.assertIn("SIGSEGV", self.no_worker(crashing, "--procs", 2))

    def test_that_never_says_that_it_is_ready(self):
        """It ignores every signal that it can, and has a child of its own: both are gone afterwards."""
        sleeping = self.write("sleeping", f"#!/bin/sh\ntrap '' TERM INT HUP\nsleep 987 &\n"
                                          f"echo $! >> {self.folder}/pids\nwait\nsleep 987\n", mode=0o755)
        self.assertRegex(self.no_worker(sleeping, "--procs", 3, leaves=["pids"]), r"not ready within \d+ s")
        for pid in (self.folder / "pids").read_text().split():
            until(lambda pid=pid: state(pid) in ("", "Z"), f"the worker's child {pid} is gone", 10)

    def test_that_writes_nonsense(self):
        """Thousands of bytes to every descriptor it has: a wrong frame ends that worker, not the master."""
        babbling = self.write("babbling", "#!/bin/sh\nfor fd in 3 4 5; do\n"
                                          "  head -c 5000 /dev/zero >&$fd 2>/dev/null\ndone\nexit 0\n", mode=0o755)
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport):
                self.no_worker(babbling, "--transport", transport, "--procs", 2)


class Reports(Usage):
    """--json holds an object also when nothing could be run."""

    def test_refused_jobs(self):
        for options, code in ((("--workload", "nonsense"), 2), (("--output", "julia.jpg"), 2),
                              (("--width", 1000000, "--height", 1000000), 1), (("--worker", "missing"), 2)):
            with self.subTest(options=options):
                ended = self.master(*options, "--json", "report.json", code=code, leaves=["report.json"])
                self.assert_one_line(ended.err)
                report = json.loads((self.folder / "report.json").read_text())
                self.assertEqual(report["status"], "failed")
                self.assertEqual(f"master: {report['error']}\n", without_progress(ended.err))
                (self.folder / "report.json").unlink()


if __name__ == "__main__":
    main()
