"""What the master writes: the JSON object, the summary, pictures and arrays, the progress; and where it cannot write."""

import array
import ast
import colorsys
import importlib.util
import io
import itertools
import json
import os
import pty
import re
import resource
import signal
import struct
import subprocess
import sys
import zlib

from harness import (BIN, MASTER, PROCESS_TRANSPORTS, ROOT, SLOW_JOB, TRANSPORTS, WATCHDOG, EndToEnd, Master,
                     NothingLeft, computes, main, send_all, until, without_progress)

NUMBER = (int, float)
COLOUR_MAPS = ("pure-gray", "false-gray", "false-gray-8", "power", "viridis", "magma", "inferno", "plasma", "cividis",
               "twilight", "workers")
OPTIONAL_TEXT = (str, type(None))

# The keys of the object that are an interface, with their types; there may be others.
INTERFACE = {
    "status": str, "error": OPTIONAL_TEXT,
    "workload": {"name": str, "fractal": str, "width": int, "height": int, "max_iterations": int},
    "procs": int, "chunks": int, "transport": str, "schedule": str, "payload": str, "codec": str, "kernel": str,
    "spawn": str, "wall_seconds": NUMBER, "phases": dict, "retries": int, "quarantined": list, "warnings": list,
    "checksum": {"sum": (int, type(None)), "digest": OPTIONAL_TEXT, "expected_sum": (int, type(None)),
                 "expected_digest": OPTIONAL_TEXT, "verified": (bool, type(None))},
    "workers": list, "placements": list, "host": {"cpus": int, "model": str, "kernel": str}, "version": str,
}
WORKER_KEYS = {"pid": (int, type(None)), "chunks": int, "compute_seconds": NUMBER, "exit": OPTIONAL_TEXT}
STATES = ("done", "failed", "mismatch", "interrupted")


class Report(EndToEnd):
    def assert_keys(self, found, wanted):
        for key, kind in wanted.items():
            self.assertIn(key, found)
            if isinstance(kind, dict):
                self.assert_keys(found[key], kind)
            else:
                self.assertIsInstance(found[key], kind, key)
                self.assertTrue(kind is not int or not isinstance(found[key], bool), key)

    def assert_interface(self, report):
        """The object has the keys of the interface, and values that make sense."""
        self.assert_keys(report, INTERFACE)
        self.assertIn(report["status"], STATES)
        self.assertEqual(report["error"] is None, report["status"] == "done")
        self.assertTrue(report["phases"])
        for phase, seconds in report["phases"].items():
            self.assertTrue(phase.endswith("_seconds"), phase)
            self.assertIsInstance(seconds, NUMBER)
            self.assertGreaterEqual(seconds, 0, phase)
        self.assertGreater(report["wall_seconds"], 0)
        self.assertTrue(all(isinstance(warning, str) for warning in report["warnings"]))
        for key in ("digest", "expected_digest"):
            self.assertRegex(report["checksum"][key] or "0" * 16, r"\A[0-9a-f]{16}\Z")
        for worker in report["workers"]:
            self.assert_keys(worker, WORKER_KEYS)
        self.assertGreaterEqual(report["host"]["cpus"], 1)

    def test_of_a_job_that_is_done(self):
        for transport, payload in itertools.product(TRANSPORTS, ("rows", "coords")):
            with self.subTest(transport=transport, payload=payload):
                report = self.report("--transport", transport, "--payload", payload, "--procs", 3)
                self.assert_interface(report)
                self.assert_verified(report)
                processes = transport in PROCESS_TRANSPORTS
                self.assertEqual(len(report["workers"]), 1 if transport == "serial" else 3)
                for worker in report["workers"]:
                    self.assertEqual(worker["exit"], "stopped" if processes else None)
                    self.assertEqual(isinstance(worker["pid"], int), processes)
                self.assertEqual(report["procs"], len(report["workers"]))
                self.assertEqual(report["quarantined"], [])

    def test_without_a_checksum_to_expect(self):
        report = self.report("--width", 50)
        self.assert_interface(report)
        self.assertIsNone(report["checksum"]["expected_sum"])
        self.assertIsNone(report["checksum"]["verified"])

    def test_of_a_mismatch(self):
        text = (ROOT / "configs" / "julia-book.toml").read_text().replace("sum = 33219980", "sum = 3")
        report = self.report("--workload", self.write("wrong.toml", text), code=3)
        self.assert_interface(report)
        self.assertEqual(report["status"], "mismatch")

    def test_of_an_interrupted_job(self):
        for transport in TRANSPORTS:
            with self.subTest(transport=transport), \
                    Master(*SLOW_JOB, "--transport", transport, "--procs", 2, "--json", "-", "--log-level", "off",
                           "--quiet", folder=self.folder) as master:
                if transport in PROCESS_TRANSPORTS:
                    master.wait_for_workers()
                else:
                    until(lambda: computes(master.pid), "the master computes")
                master.send(signal.SIGTERM)
                ended = master.wait()
                self.assertEqual(ended.code, 130, ended)
                report = json.loads(ended.out)
                self.assert_interface(report)
                self.assertEqual(report["status"], "interrupted")
                self.assertIn("interrupted", report["error"])
                self.assertIsNone(report["checksum"]["digest"])
                self.assertIsNone(report["checksum"]["verified"])

    def failed_job(self, *options, deadly="7", leaves=()):
        """A job some of whose rows kill every worker that computes them."""
        ended = self.master("--width", 40, "--height", 60, "--chunks", 5, "--procs", 2, "--retries", 2, "--json", "-",
                            "--worker", BIN / "deadly_worker", *options, code=1, leaves=leaves,
                            env={"DEADLY_ROWS": f"die {deadly}"})
        return json.loads(ended.out), ended

    def test_of_a_failed_job(self):
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport):
                report, ended = self.failed_job("--transport", transport, "--output", "julia.png")
                self.assert_interface(report)
                self.assertEqual(report["status"], "failed")
                (rows,) = report["quarantined"]
                self.assertEqual((rows["first_row"], rows["rows"]), (7, 1))
                self.assertIn("it has killed 2 workers", rows["reason"])
                self.assertIn("row 7 ", report["error"])
                self.assertIn("row 7 ", ended.err)
                self.assertIn("SIGKILL", report["error"])
                self.assertIsNone(report["checksum"]["digest"])
                self.assertIsNone(report["checksum"]["verified"])

    def test_partial_array_of_a_failed_job(self):
        """The rows given up are −1; every other one is there, those of the same chunks too."""
        deadly = [3, 17, 18, 59]
        self.master("--width", 40, "--height", 60, "--output", "whole.npy", "--verify", "serial", leaves=["whole.npy"])
        counts, _, width = read_npy(self.folder / "whole.npy")
        expected = [-1 if at // width in deadly else count for at, count in enumerate(counts)]
        for transport in PROCESS_TRANSPORTS:
            with self.subTest(transport=transport):
                report, _ = self.failed_job("--transport", transport, "--audit", "--partial", "--output", "rest.npy",
                                            deadly=" ".join(map(str, deadly)), leaves=["rest.npy"])
                self.assertEqual(sorted((rows["first_row"], rows["rows"]) for rows in report["quarantined"]),
                                 [(3, 1), (17, 2), (59, 1)], "neighbours are one gap")
                self.assertIs(report["audit"]["passed"], True)
                self.assertEqual(list(read_npy(self.folder / "rest.npy")[0]), expected)

    def test_partial_picture_shows_the_gap(self):
        self.failed_job("--output", "julia.png", "--partial", leaves=["julia.png"])
        _, _, kind, lines = read_png(self.folder / "julia.png")
        self.assertNotEqual(kind, "gray")
        for row, line in enumerate(reversed(lines)):
            self.assertEqual(set(zip(*[iter(line)] * 3)) == {(255, 0, 255)}, row == 7, row)

    def test_colour_pictures_show_the_gap(self):
        for colormap in ("workers", "magma"):
            report, _ = self.failed_job("--output", "julia.png", "--partial", "--colormap", colormap, leaves=["julia.png"])
            _, _, _, lines = read_png(self.folder / "julia.png")
            for row, line in enumerate(reversed(lines)):
                self.assertEqual(set(zip(*[iter(line)] * 3)) == {(255, 0, 255)}, row == 7, row)
            placed = sorted(row for one in report["placements"]
                            for row in range(one["first_row"], one["first_row"] + one["rows"]))
            self.assertEqual(placed, [row for row in range(60) if row != 7])
            (self.folder / "julia.png").unlink()

    def test_placements_of_very_many_chunks_are_left_out(self):
        for rows in (10_000, 10_001):
            report = self.report("--width", 1, "--height", rows, "--chunks", rows)
            self.assertEqual(report["placements"] and len(report["placements"]), rows if rows == 10_000 else None)

    def test_on_standard_output_it_stands_alone(self):
        ended = self.master("--json", "-")
        self.assert_interface(json.loads(ended.out))
        self.assertIn("verdict", ended.err)

    def test_in_a_file(self):
        path = self.write("report.json", "the old one")
        ended = self.master("--json", path)
        self.assert_interface(json.loads(path.read_text()))
        self.assertIn("verdict", ended.out)

    def test_keeps_names_that_are_no_text(self):
        """A name that is not UTF-8, or has quotes and line ends, does not spoil the object."""
        for name in (b"own\xff\xfe.toml", b'quo"te\\.toml', "Grüße\n.toml".encode()):
            with self.subTest(name=name):
                ended = self.master("--workload", os.fsdecode(name), "--json", "report.json", code=2,
                                    leaves=["report.json"])
                self.assert_one_line(ended.err)
                self.assertEqual(json.loads((self.folder / "report.json").read_text())["status"], "failed")
                (self.folder / "report.json").unlink()


class Summary(EndToEnd):
    def test_says_the_facts(self):
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                ended = self.master("--transport", transport, "--procs", 3, "--chunks", 17, "--schedule", "static")
                for fact in ("julia-book", "1000 x 1000", "300", "17 chunks", "static", f"transport  {transport}",
                             "kernel", "wall time", "compute", "sum 33219980", "digest 71671ef53dd68165",
                             "verified against"):
                    self.assertIn(fact, ended.out)
                self.assertEqual(without_progress(ended.err), "")

    def test_says_when_nothing_was_verified(self):
        self.assertIn("not verified", self.master("--width", 10).out)

    def test_says_the_mismatch(self):
        text = (ROOT / "configs" / "julia-book.toml").read_text().replace("sum = 33219980", "sum = 3")
        ended = self.master("--workload", self.write("wrong.toml", text), code=3)
        self.assertRegex(ended.out, r"mismatch: .*got sum 33219980.*expected sum 3,")

    def test_quiet(self):
        ended = self.master("--quiet")
        self.assertEqual((ended.out, ended.err), ("", ""))

    def test_quiet_still_says_the_error(self):
        text = (ROOT / "configs" / "julia-book.toml").read_text().replace("sum = 33219980", "sum = 3")
        ended = self.master("--quiet", "--workload", self.write("wrong.toml", text), code=3)
        self.assertEqual(ended.out, "")
        self.assertRegex(ended.err, r"\Amaster: [^\n]*does not match[^\n]*\n\Z")

    def test_help_and_version(self):
        self.assertIn("Usage", self.master("--help").out)
        self.assertRegex(self.master("--version").out, r"\Aprocpool \d+\.\d+\.\d+\n\Z")


# ---- pictures and arrays


def sum_of_bytes(left, right):
    """Byte by byte, modulo 256: all even ones at once, and all odd ones."""
    size = len(left)
    even = int.from_bytes(b"\xff\x00" * (size // 2 + 1), "little")
    odd = even << 8
    left, right = int.from_bytes(left, "little"), int.from_bytes(right, "little")
    total = (((left & even) + (right & even)) & even) | (((left & odd) + (right & odd)) & odd)
    return (total & ((1 << 8 * size) - 1)).to_bytes(size, "little")


def unfiltered(lines):
    """The pixels of lines that begin with the number of their filter."""
    above = bytes(len(lines[0]) - 1)
    for line in lines:
        assert line[0] in (0, 2), "a filter that this reader does not know"
        above = sum_of_bytes(line[1:], above) if line[0] == 2 else line[1:]
        yield above


def read_png(path):
    """Width, height, kind and the lines of an 8-bit PNG without interlace: `gray` with a byte a pixel, `palette` and `rgb`
    with three."""
    text = path.read_bytes()
    assert text[:8] == b"\x89PNG\r\n\x1a\n", text[:8]
    chunks, at = {}, 8
    while at < len(text):
        length, name = struct.unpack(">I4s", text[at:at + 8])
        body = text[at + 8:at + 8 + length]
        assert struct.unpack(">I", text[at + 8 + length:at + 12 + length])[0] == zlib.crc32(name + body), name
        chunks[name] = chunks.get(name, b"") + body
        at += 12 + length
    assert list(chunks)[0] == b"IHDR" and list(chunks)[-1] == b"IEND" and at == len(text)
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, rest) == (8, [0, 0, 0]), (depth, rest)
    kind, channels = {0: ("gray", 1), 2: ("rgb", 3), 3: ("palette", 1)}[colour]
    raw = zlib.decompress(chunks[b"IDAT"])
    stride = 1 + width * channels
    assert len(raw) == stride * height
    lines = list(unfiltered([raw[i * stride:(i + 1) * stride] for i in range(height)]))
    if kind == "palette":
        palette = [chunks[b"PLTE"][i:i + 3] for i in range(0, len(chunks[b"PLTE"]), 3)]
        lines = [b"".join(map(palette.__getitem__, line)) for line in lines]
    return width, height, kind, lines


def read_pgm(path):
    """Width, height and the lines of a binary PGM."""
    match = re.match(rb"P5\n(\d+) (\d+)\n255\n", text := path.read_bytes())
    width, height = map(int, match.groups())
    pixels = text[match.end():]
    assert len(pixels) == width * height
    return width, height, [pixels[i * width:(i + 1) * width] for i in range(height)]


def read_npy(path):
    """The counts, the height and the width of a version 1.0 .npy file."""
    text = path.read_bytes()
    assert text[:8] == b"\x93NUMPY\x01\x00"
    length = int.from_bytes(text[8:10], "little")
    assert (10 + length) % 64 == 0
    header = ast.literal_eval(text[10:10 + length].decode())
    assert (header["descr"], header["fortran_order"]) == ("<i4", False)
    counts = array.array("i", text[10 + length:])
    if sys.byteorder == "big":
        counts.byteswap()
    height, width = header["shape"]
    assert len(counts) == height * width
    return counts, height, width


def book_count(column, row, points=1000):
    """What the book's serial program counts for a point of its picture."""
    def coordinate(start, stop, index):
        step, at = (stop - start) / points, start
        for _ in range(index):
            at += step
        return at

    z, c = complex(coordinate(-1.8, 1.8, column), coordinate(1.8, -1.8, row)), complex(-0.62772, -0.42193)
    for n in range(300):
        if abs(z) >= 2:
            return n
        z = z * z + c
    return 300


class Pictures(EndToEnd):
    def picture(self, name, *options):
        self.master("--output", name, *options, leaves=[name])
        return self.folder / name

    def test_png_shows_the_book(self):
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                path = self.picture("julia.png", "--transport", transport)
                width, height, kind, lines = read_png(path)
                self.assertEqual((width, height, kind), (1000, 1000, "gray"))
                lines.reverse()  # the book hands its rows to the picture from the bottom upwards
                spots = [(0, 0), (999, 999), (0, 999), (500, 500), (501, 499), (250, 400), (400, 250), (733, 512)]
                for column, row in spots:
                    self.assertEqual(lines[row][column], int(book_count(column, row) / 300 * 255), (column, row))
                path.unlink()

    def test_all_formats_show_the_same(self):
        for workload, flipped in (("julia-lesson", False), ("mandelbrot-workshop", True)):
            with self.subTest(workload=workload):
                shape = ("--workload", workload, "--width", 61, "--height", 47)
                counts, height, width = read_npy(self.picture("grid.npy", *shape))
                rows = [counts[i * width:(i + 1) * width] for i in range(height)]
                if flipped:  # row 0 is the bottom line of the picture
                    rows.reverse()
                gray = [bytes(int(count / max(counts) * 255) for count in row) for row in rows]
                self.assertEqual(read_png(self.picture("grid.png", *shape)), (61, 47, "gray", gray))
                self.assertEqual(read_pgm(self.picture("grid.pgm", *shape)), (61, 47, gray))
                for name in ("grid.npy", "grid.png", "grid.pgm"):
                    (self.folder / name).unlink()

    def test_colour_maps(self):
        pictures = {}
        kinds = {"pure-gray": "gray", "false-gray-8": "rgb", "workers": "rgb"}
        for colormap in COLOUR_MAPS:
            path = self.picture("julia.png", "--colormap", colormap)
            width, height, kind, lines = read_png(path)
            self.assertEqual((width, height, kind), (1000, 1000, kinds.get(colormap, "palette")))
            pictures[colormap] = b"".join(lines)
            path.unlink()
        self.assertEqual(len(set(pictures.values())), len(COLOUR_MAPS))

    def test_smooth_colours_do_not_depend_on_who_computed(self):
        shape = ("--workload", "mandelbrot-workshop-zoom", "--width", 90, "--height", 70, "--colormap", "twilight")
        pictures = set()
        for transport, kernel in itertools.product(TRANSPORTS, ("auto", "complex")):
            path = self.picture("smooth.png", *shape, "--transport", transport, "--kernel", kernel)
            pictures.add(path.read_bytes())
            path.unlink()
        self.assertEqual(len(pictures), 1)

    def test_smooth_picture_shows_the_inside_black(self):
        shape = ("--workload", "julia-book", "--width", 200, "--height", 150)
        counts, _, _ = read_npy(self.picture("julia.npy", *shape))
        _, _, _, lines = read_png(self.picture("julia.png", *shape, "--colormap", "viridis"))
        pixels = b"".join(reversed(lines))
        for at, count in enumerate(counts):
            self.assertEqual(pixels[3 * at:3 * at + 3] == bytes(3), count == 300, at)

    def worker_rows(self, *options):
        """The picture `workers` as hues of its lines, and the slot that the object says of each row."""
        path = self.folder / "workers.png"
        report = self.report("--workload", "mandelbrot-europython", "--colormap", "workers", "--output", path, *options,
                             leaves=["workers.png"])
        _, height, _, lines = read_png(path)
        path.unlink()
        lines.reverse()
        slots = [None] * height
        for placement in report["placements"]:
            for row in range(placement["first_row"], placement["first_row"] + placement["rows"]):
                self.assertIsNone(slots[row], row)
                slots[row] = placement["slot"]
        self.assertNotIn(None, slots)
        hues = [round(360 * colorsys.rgb_to_hsv(*(byte / 255 for byte in line[:3]))[0]) for line in lines]
        return hues, slots, report

    def test_workers_have_hues_of_their_own(self):
        for transport, schedule, times in itertools.product(TRANSPORTS, ("static", "dynamic", "guided"), ("on", "off")):
            with self.subTest(transport=transport, schedule=schedule, times=times):
                hues, slots, report = self.worker_rows("--transport", transport, "--schedule", schedule, "--times", times,
                                                       "--procs", 3, "--chunks", 24)
                self.assertEqual({slot for slot in slots},
                                 {worker["slot"] for worker in report["workers"] if worker["chunks"] > 0})
                by_slot = {slot: [hue for hue, of in zip(hues, slots) if of == slot] for slot in set(slots)}
                for slot, own in by_slot.items():
                    for other in (other for other in by_slot if other != slot):
                        nearest = min((left - right) % 360 for left in set(own) for right in set(by_slot[other]))
                        self.assertGreater(nearest, 30, (slot, other))
                        self.assertLess(nearest, 330, (slot, other))
                if schedule == "static" and transport != "serial":
                    self.assertEqual([slot for slot, _ in itertools.groupby(slots)], [0, 1, 2], "one block each")
                for placement in report["placements"]:
                    self.assertEqual(placement["begun_seconds"] is None, times == "off")
                    if times == "on":
                        self.assertLessEqual(0, placement["begun_seconds"])
                        self.assertLessEqual(placement["begun_seconds"], placement["finished_seconds"])
                        self.assertLessEqual(placement["finished_seconds"], report["wall_seconds"])
                self.assertEqual(sorted(placement["order"] for placement in report["placements"]),
                                 list(range(report["chunks"])))

    def test_the_same_file_on_one_cpu_and_on_all(self):
        shape = ("--width", 1500, "--height", 1500, "--colormap", "false-gray-8")
        several = self.picture("several.png", *shape).read_bytes()
        (self.folder / "several.png").unlink()
        with NothingLeft(self.folder, ["one.png"]), \
                Master("--quiet", "--output", "one.png", *shape, folder=self.folder,
                       prepare=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})) as master:
            self.assertEqual(master.wait().code, 0)
        self.assertEqual((self.folder / "one.png").read_bytes(), several)

    def test_the_report_says_what_the_time_consists_of(self):
        for name, keys in (("a.png", ("colour", "compress", "write")), ("a.pgm", ("colour", "write")), ("a.npy", ("write",))):
            with self.subTest(name=name):
                report = self.report("--output", name, leaves=[name])
                output = report["output"]
                self.assertEqual(output["bytes"], (self.folder / name).stat().st_size)
                self.assertGreaterEqual(output["threads"], 1)
                for key in ("colour", "compress", "write"):
                    self.assertEqual(output[f"{key}_seconds"] > 0, key in keys, key)
                self.assertLess(output["write_seconds"], report["phases"]["output_seconds"])
                (self.folder / name).unlink()
        self.assertIsNone(self.report()["output"])

    def test_npy_as_numpy_reads_it(self):
        if importlib.util.find_spec("numpy") is None:
            self.skipTest("needs numpy")
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                path = self.picture("julia.npy", "--transport", transport)
                checked = subprocess.run([sys.executable, ROOT / "tests" / "npy_check.py", path, "1000", "1000",
                                          "33219980"], capture_output=True, text=True, check=False)
                self.assertEqual(checked.returncode, 0, checked.stderr)
                path.unlink()

    def test_extensions_in_capitals(self):
        read_png(self.picture("JULIA.PNG"))

    def test_an_old_file_is_replaced_as_a_whole(self):
        path = self.write("julia.png", "the old one", mode=0o640)
        self.master("--output", path)
        read_png(path)
        self.assertEqual(path.stat().st_mode & 0o777, 0o640)

    def test_a_link_stays_a_link(self):
        self.write("real.png", "the old one")
        (self.folder / "julia.png").symlink_to("real.png")
        self.master("--output", "julia.png")
        self.assertTrue((self.folder / "julia.png").is_symlink())
        read_png(self.folder / "real.png")

    def test_an_interrupted_job_leaves_the_old_file_alone(self):
        path = self.write("julia.png", "the old one")
        with NothingLeft(self.folder), Master(*SLOW_JOB, "--output", path, folder=self.folder) as master:
            master.wait_for_workers()
            master.send(signal.SIGINT)
            self.assertEqual(master.wait().code, 130)
        self.assertEqual(path.read_text(), "the old one")

    def test_an_interrupted_picture_ends_within_a_strip(self):
        """While it is written: the reader of a fifo takes its time, so most of the picture is yet to come."""
        os.mkfifo(self.folder / "fifo.png")
        with NothingLeft(self.folder), \
                Master("--quiet", "--output", "fifo.png", "--width", 3000, "--height", 3000, "--colormap", "false-gray-8",
                       folder=self.folder) as master, open(self.folder / "fifo.png", "rb", buffering=0) as reader:
            begin = reader.read(8)
            self.assertEqual(begin, b"\x89PNG\r\n\x1a\n")
            master.send(signal.SIGINT)
            rest = reader.read()
            while piece := reader.read(65536):
                rest += piece
            self.assertEqual(master.wait().code, 130)
        self.assertNotIn(b"IEND", rest)

    def test_a_killed_master_leaves_no_partial_file(self):
        with NothingLeft(self.folder, grace=10) as oracle, \
                Master(*SLOW_JOB, "--output", "julia.png", "--json", "report.json", folder=self.folder) as master:
            oracle.watch(master.pid)
            master.wait_for_workers()
            master.send(signal.SIGKILL)
            master.wait()


class FullDisks(EndToEnd):
    """Writing fails in the middle: an error, and no part of a file."""

    def test_no_room_left(self):
        for option, name in (("--output", "julia.png"), ("--output", "julia.pgm"), ("--output", "julia.npy"),
                             ("--json", "report.json")):
            with self.subTest(name=name):
                (self.folder / name).symlink_to("/dev/full")
                ended = self.master(option, name, "--quiet", code=1)
                self.assert_one_line(ended.err)
                self.assertIn("No space left", ended.err)
                self.assertIn(name, ended.err)
                self.assertTrue((self.folder / name).is_symlink())

    def test_the_report_says_that_the_picture_could_not_be_written(self):
        (self.folder / "julia.png").symlink_to("/dev/full")
        report = self.report("--output", "julia.png", code=1)
        self.assertEqual(report["status"], "failed")
        self.assertIn("No space left", report["error"])

    def limited(self, ignored):
        """A file may grow to 64 KiB; whether the program is told by a signal depends on who started it."""
        def prepare():
            resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN if ignored else signal.SIG_DFL)
        return prepare

    def test_limit_on_the_size_of_files(self):
        for ignored in (True, False):
            with self.subTest(signal_ignored=ignored):
                with NothingLeft(self.folder), \
                        Master("--transport", "pipe", "--output", "julia.npy", "--quiet", folder=self.folder,
                               prepare=self.limited(ignored), restore_signals=False) as master:
                    ended = master.wait()
                self.assertEqual(ended.code, 1, ended)
                self.assertIn("File too large", ended.err)

    def test_limit_on_the_size_of_files_and_shared_memory(self):
        """Shared memory is a file too: an error, not a crash."""
        with NothingLeft(self.folder), \
                Master("--transport", "shm", "--quiet", folder=self.folder, prepare=self.limited(False),
                       restore_signals=False) as master:
            ended = master.wait()
        self.assertEqual(ended.code, 1, ended)
        self.assertIn("cannot", ended.err)


# ---- streams


class Terminal:
    """A pseudo-terminal whose other end collects what is written."""

    def __init__(self):
        self.near, self.far = pty.openpty()
        os.set_blocking(self.near, False)
        self.seen = io.BytesIO()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.near)
        if self.far is not None:
            os.close(self.far)

    def text(self):
        try:
            while piece := os.read(self.near, 65536):
                self.seen.write(piece)
        except (BlockingIOError, OSError):
            pass
        return self.seen.getvalue().decode(errors="replace")


class Progress(EndToEnd):
    """The workers are stopped until the progress was seen: so it is seen however fast they are."""

    def hold_until(self, master, seen):
        def stop():
            workers = master.workers()
            send_all(workers, signal.SIGSTOP)
            return len(workers) >= 2

        until(stop, "the workers are stopped")
        until(lambda: seen() or not master.running(), "the progress is shown")
        send_all(master.workers(), signal.SIGCONT)
        ended = master.wait()
        self.assertEqual(ended.code, 0, ended)
        return ended

    def on_terminal(self, *options, **start):
        with Terminal() as terminal, NothingLeft(self.folder), \
                Master(*SLOW_JOB, "--procs", 2, *options, folder=self.folder, stderr=terminal.far, **start) as master:
            ended = self.hold_until(master, lambda: terminal.text().count("\r") > 3)
            return ended, terminal.text()

    def test_one_rewritten_line_on_a_terminal(self):
        ended, text = self.on_terminal()
        self.assertRegex(text, r"\r\d+ of 64 chunks, +\d+ %, \d+\.\d s")
        self.assertNotIn("\n", text)
        # At the end the line is blank, and the summary stands alone.
        self.assertEqual(text.rpartition("\r")[2], "")
        self.assertRegex(text, r"\r +\r\Z")
        self.assertIn("verdict", ended.out)

    def test_none_when_quiet(self):
        with Terminal() as terminal, \
                Master(*SLOW_JOB, "--quiet", folder=self.folder, stderr=terminal.far) as master:
            self.assertEqual(master.wait().code, 0)
            self.assertEqual(terminal.text(), "")

    def test_plain_lines_elsewhere(self):
        with NothingLeft(self.folder), Master(*SLOW_JOB, "--procs", 2, folder=self.folder) as master:
            ended = self.hold_until(master, lambda: "chunks" in master.text("stderr"))
        self.assertRegex(ended.err, r"\A(\d+ of 64 chunks, +\d+ %, \d+\.\d s\n)+\Z")

    def warned_on_terminal(self, **start):
        """What a terminal shows when a worker was killed: a warning, elsewhere in colour."""
        with Terminal() as terminal, \
                Master(*SLOW_JOB, "--procs", 2, folder=self.folder, stderr=terminal.far, **start) as master:
            send_all(master.wait_for_workers()[:1], signal.SIGKILL)
            self.assertEqual(master.wait().code, 0)
            text = terminal.text()
        self.assertIn("SIGKILL", text)
        return text

    def test_colours_on_a_terminal(self):
        self.assertIn("\x1b[", self.warned_on_terminal(env={"TERM": "xterm"}))

    def test_no_colours_when_asked(self):
        self.assertNotIn("\x1b[", self.warned_on_terminal(env={"TERM": "xterm", "NO_COLOR": "1"}))

    def test_an_empty_request_for_no_colours_is_none(self):
        self.assertIn("\x1b[", self.warned_on_terminal(env={"TERM": "xterm", "NO_COLOR": ""}))

    def test_no_colours_elsewhere(self):
        with Master(*SLOW_JOB, "--procs", 2, folder=self.folder, env={"TERM": "xterm"}) as master:
            send_all(master.wait_for_workers()[:1], signal.SIGKILL)
            ended = master.wait()
        self.assertIn("SIGKILL", ended.err)
        self.assertNotIn("\x1b", ended.err + ended.out)


class Streams(EndToEnd):
    """Standard streams that are closed, or that nobody reads."""

    def test_reader_that_leaves_early(self):
        for options in ((), ("--json", "-"), ("--output", "julia.png")):
            for stream in ("stdout", "stderr"):
                with self.subTest(options=options, stream=stream):
                    leaves = ["report.json"] if not options else ["julia.png"] if "julia.png" in options else []
                    report = () if options else ("--json", "report.json")
                    with NothingLeft(self.folder, leaves) as oracle, \
                            Master(*options, *report, folder=self.folder, **{stream: subprocess.PIPE}) as master:
                        oracle.watch(master.pid)
                        getattr(master.process, stream).close()
                        ended = master.wait()
                    # Who asked for the object and did not read it has not got it; a summary nobody reads is no failure.
                    lost = "-" in options and stream == "stdout"
                    self.assertEqual(ended.code, 1 if lost else 0, ended)
                    for name in leaves:
                        (self.folder / name).unlink()

    def test_pipe_to_a_program_that_reads_one_byte(self):
        for options in ("", "--json -", "--list-workloads", "--help"):
            with self.subTest(options=options):
                command = f'"$0" {options} 2>stderr | head -c 1; echo " ${{PIPESTATUS[0]}}"'
                done = subprocess.run(["bash", "-c", command, MASTER], cwd=self.folder, capture_output=True, text=True,
                                      timeout=WATCHDOG, check=False)
                self.assertIn(done.stdout[1:], (" 0\n", " 1\n"))

    def test_closed_streams(self):
        """A descriptor that takes the number of a closed stream is not mistaken for it."""
        for transport in TRANSPORTS:
            for closed in ((0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)):
                with self.subTest(transport=transport, closed=closed):
                    self.master("--transport", transport, "--procs", 3, "--json", "report.json", "--output",
                                "julia.png", "--log-level", "info", leaves=["report.json", "julia.png"],
                                prepare=lambda closed=closed: [os.close(number) for number in closed])
                    self.assert_verified(json.loads((self.folder / "report.json").read_text()))
                    read_png(self.folder / "julia.png")
                    (self.folder / "report.json").unlink()
                    (self.folder / "julia.png").unlink()

    def test_a_warning_while_streams_are_closed(self):
        """It is not written into the file that would have got the number of the closed stream."""
        for closed in ((2,), (1, 2), (0, 1, 2)):
            with self.subTest(closed=closed):
                with NothingLeft(self.folder, ["report.json"]), \
                        Master(*SLOW_JOB, "--procs", 2, "--json", "report.json", folder=self.folder,
                               prepare=lambda closed=closed: [os.close(number) for number in closed]) as master:
                    master.wait_for_workers()
                    master.send(signal.SIGINT)
                    self.assertEqual(master.wait().code, 130)
                self.assertEqual(json.loads((self.folder / "report.json").read_text())["status"], "interrupted")
                (self.folder / "report.json").unlink()

    def test_a_result_for_a_closed_stream(self):
        """It is said before anything is computed."""
        ended = self.master(*SLOW_JOB, "--json", "-", code=2, prepare=lambda: os.close(1))
        self.assert_one_line(ended.err)
        self.assertIn("not open for writing", ended.err)

    def test_a_full_device_as_standard_output(self):
        with open("/dev/full", "wb") as full:
            ended = self.master("--json", "-", stdout=full, code=1)
        self.assertIn("No space left", ended.err)


if __name__ == "__main__":
    main()
