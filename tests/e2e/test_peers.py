"""Every peer of tests/peers/ that is installed gives procpool's own grid, bit for bit; one that is not says so."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
import unittest

import numpy

from harness import BIN, NothingLeft, ROOT, WATCHDOG, EndToEnd, main, parent, processes, state, until

PEERS = ROOT / "tests" / "peers"
sys.path.insert(0, str(PEERS))
import fractal
# One of each axis rule, each escape rule, rows along either axis, and an orbit that overflows.
WORKLOADS = ("julia-book", "julia-linear", "julia-lesson", "mandelbrot-europython", "mandelbrot-workshop")
WIDTH, HEIGHT = 100, 80
PYTHON = (sys.executable, "-B")
RANKS = "{ranks}"


def programs():
    """Name, command, and why it may be missing although all its files are there."""
    for kind in ("pool", "futures"):
        script = str(PEERS / f"python_{kind}.py")
        yield f"python-{kind}", (*PYTHON, script), None
        yield f"python-{kind}-numba", (*PYTHON, script, "--arrays"), "numba"
    if (BIN / "peer_openmp").exists():
        yield "openmp", (str(BIN / "peer_openmp"),), None
    if (BIN / "peer_mpi").exists() and shutil.which("mpirun"):
        as_root = ("--allow-run-as-root",) if os.geteuid() == 0 else ()
        yield "mpi", ("mpirun", "--oversubscribe", "--bind-to", "none", *as_root, "-n", RANKS,
                      str(BIN / "peer_mpi")), None


def workload_json(name, width, height):
    """What the master makes of a workload's file, computed once more here."""
    text = tomllib.loads((ROOT / "configs" / f"{name}.toml").read_text())
    grid, escape = text["grid"], text["escape"]
    points = {"real": width, "imaginary": height}
    if grid["rows"] == "real":
        points = {"real": height, "imaginary": width}
    axes = {}
    for part, window in ((part, grid[part]) for part in points):
        centred = window["rule"] == "centred"
        extent = window["extent"] if centred else window["stop"] - window["start"]
        axes[part] = {"rule": window["rule"], "points": points[part], "step": extent / points[part],
                      "start": window["center" if centred else "start"]}
    if axes["real"]["rule"] == "centred":
        axes["real"]["step"] = axes["imaginary"]["step"] = max(axis["step"] for axis in axes.values())
    bailout = escape.pop("bailout")
    return json.dumps({"name": name, **axes, "rows": grid["rows"], **text["fractal"], **escape,
                       "bailout": "inf" if bailout == float("inf") else bailout})


class Peers(EndToEnd):
    def start(self, command, workload, payload="rows", chunks=7, kernel="scalar", procs=2, schedule="dynamic"):
        words = [word.replace(RANKS, str(procs + 1)) for word in command]
        peer = subprocess.Popen(
            [*words, "--workload-json", workload, "--procs", str(procs), "--chunks", str(chunks), "--payload", payload,
             "--kernel", kernel, "--schedule", schedule, "--grid-file", str(self.folder / "grid")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
            # A killed mpirun leaves files in the first folder, its killed ranks in the second.
            env={**os.environ, "TMPDIR": str(self.folder), "OMPI_MCA_btl_vader_backing_directory": str(self.folder)})
        self.addCleanup(self.end, peer)
        return peer

    @staticmethod
    def end(peer):
        if peer.poll() is None:
            os.killpg(peer.pid, signal.SIGKILL)  # a session of its own: its processes go with it
            peer.wait()
        peer.stdin.close()
        peer.stdout.close()

    @staticmethod
    def leave(peer, last_words="quit\n"):
        """It leaves when told, or when its input ends, and takes its processes with it."""
        children = [pid for pid in processes() if parent(pid) == peer.pid]
        rest = peer.communicate(last_words, timeout=WATCHDOG)[0]
        assert (rest, peer.returncode) == ("", 0), (rest, peer.returncode)
        until(lambda: not [pid for pid in children if os.path.exists(f"/proc/{pid}")], "its processes are gone")

    def ready(self, peer, package):
        """False if it says that the package it may miss is missing."""
        answer = json.loads(peer.stdout.readline())
        if "missing" in answer:
            self.assertIsNotNone(package, answer)
            self.assertRegex(answer["missing"], r"\A(numba|numpy) is not installed\Z")
            self.assertEqual(peer.wait(WATCHDOG), 0)
            return False
        self.assertIs(answer["ready"], True)
        self.assertTrue(answer["peer"] and answer["version"], answer)
        self.assertGreaterEqual(answer["coords_seconds"], 0)
        return True

    def run_once(self, peer, expected):
        (self.folder / "grid").write_bytes(b"")
        peer.stdin.write("run\n")
        peer.stdin.flush()
        answer = json.loads(peer.stdout.readline())
        self.assertGreater(answer["wall_seconds"], 0)
        grid = numpy.fromfile(self.folder / "grid", "<i4")
        self.assertEqual(answer["sum"], int(grid.sum(dtype=numpy.int64)))
        numpy.testing.assert_array_equal(grid, expected.reshape(-1))

    def grid_of(self, workload, *options):
        """procpool's own."""
        with NothingLeft(self.folder, ("own.npy",)):
            self.master("--workload", workload, "--width", WIDTH, "--height", HEIGHT, "--output", "own.npy",
                        "--procs", 2, *options, leaves=("own.npy",))
        grid = numpy.load(self.folder / "own.npy")
        (self.folder / "own.npy").unlink()
        return grid

    def test_every_grid_is_procpools_own(self):
        cuts = itertools.cycle((1, 7, HEIGHT, 1000, 16))
        for workload in WORKLOADS:
            expected, description = self.grid_of(workload), workload_json(workload, WIDTH, HEIGHT)
            for (name, command, package), payload in itertools.product(programs(), ("rows", "coords")):
                chunks = next(cuts)
                with self.subTest(workload=workload, peer=name, payload=payload, chunks=chunks):
                    peer = self.start(command, description, payload, chunks)
                    if self.ready(peer, package):
                        for _ in range(2):
                            self.run_once(peer, expected)
                        self.leave(peer)

    def test_the_kernel_none_gives_procpools_grid_of_none(self):
        expected, description = self.grid_of("julia-book", "--kernel", "none"), workload_json("julia-book", WIDTH, HEIGHT)
        for (name, command, _), payload in itertools.product(programs(), ("rows", "coords")):
            with self.subTest(peer=name, payload=payload):
                peer = self.start(command, description, payload, kernel="none")
                self.assertTrue(self.ready(peer, None))
                self.run_once(peer, expected)
                self.leave(peer)

    def test_the_end_of_its_input_is_the_end_of_a_peer(self):
        for name, command, package in programs():
            with self.subTest(peer=name):
                peer = self.start(command, workload_json("julia-book", WIDTH, HEIGHT))
                if self.ready(peer, package):
                    self.leave(peer, last_words="")

    def test_nothing_is_left_of_a_peer_that_is_killed(self):
        for name, command, package in programs():
            with self.subTest(peer=name):
                peer = self.start(command, workload_json("julia-book", WIDTH, HEIGHT))
                if self.ready(peer, package):
                    children = [pid for pid in processes() if parent(pid) == peer.pid]
                    peer.kill()
                    peer.wait()
                    until(lambda: not [pid for pid in children if state(pid) not in ("", "Z")], "its processes are gone")

    def test_what_a_peer_cannot_do_is_named(self):
        for name, command, _ in programs():
            with self.subTest(peer=name):
                peer = self.start(command, workload_json("julia-book", WIDTH, HEIGHT), schedule="static")
                self.assertRegex(json.loads(peer.stdout.readline())["missing"], "schedule static")
                self.assertEqual(peer.wait(WATCHDOG), 0)


class Axes(unittest.TestCase):
    """The last bits of an axis seldom show in the counts of a small grid: compared here with numpy's own."""

    def axis(self, rule, points, start, step):
        return numpy.array(fractal.axis({"rule": rule, "points": points, "start": start, "step": step}))

    def test_every_rule_has_its_own_bits(self):
        points, start, step, indices = 4000, -2.0, 2 / 2000, numpy.arange(4000)
        expected = {
            "repeated-addition": numpy.add.accumulate(numpy.append(start, numpy.full(points - 1, step))),
            "linear": start + indices * step,
            "centred": start + (indices - points // 2) * step,
            "arange": numpy.arange(-2, 2, 2 / 2000),
        }
        for rule, values in expected.items():
            with self.subTest(rule=rule):
                numpy.testing.assert_array_equal(self.axis(rule, points, start, step), values)
        self.assertEqual(len({values.tobytes() for values in expected.values()}), 4)


if __name__ == "__main__":
    main()
