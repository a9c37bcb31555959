"""The Python peers' side of the protocol in README.md: the command line, the lines, the clock."""

import argparse
import json
import platform
import sys
import time

import work

LONGEST_RUN = 3600.0  # seconds until a pool that lost a process is given up; the master's own deadline is far shorter


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--workload-json", type=json.loads, required=True)
    parser.add_argument("--procs", type=int, required=True)
    parser.add_argument("--chunks", type=int, required=True)
    parser.add_argument("--payload", choices=("rows", "coords"), required=True)
    parser.add_argument("--kernel", choices=("scalar", "none"), required=True)
    parser.add_argument("--schedule", default="dynamic")
    parser.add_argument("--grid-file", required=True)
    parser.add_argument("--arrays", action="store_true", help="numpy and numba instead of Python's own lists")
    return parser.parse_args()


def say(**answer):
    print(json.dumps(answer), flush=True)


def stretches(rows, chunks):
    """Chunk i of n covers rows i * rows // n up to (i + 1) * rows // n."""
    chunks = min(chunks, rows)
    return [(rows * i // chunks, rows * (i + 1) // chunks) for i in range(chunks)]


def serve(name, make_pool):
    """Answers the master until it says quit or is gone.

    make_pool(procs, work) is a context manager; it gives a function map(function, items) that returns the results in
    order. Its end leaves no process.
    """
    asked = options()
    if asked.schedule != "dynamic":
        return say(missing=f"schedule {asked.schedule}: chunks go to whoever is free")
    try:
        job = work.make(asked.workload_json, asked.kernel, asked.arrays)
    except ImportError as error:
        return say(missing=f"{error.name or error} is not installed")
    begun = time.perf_counter()
    zs, cs = job.coordinates() if asked.payload == "coords" else ((), ())
    coords_seconds = time.perf_counter() - begun
    chunks, width = stretches(len(job.rows), asked.chunks), len(job.columns)

    def items():
        if asked.payload == "rows":
            return chunks
        return ((zs[first * width:end * width], cs[first * width:end * width]) for first, end in chunks)

    function = work.count_rows if asked.payload == "rows" else work.count_coordinates
    with make_pool(asked.procs, job) as pool_map:
        pool_map(work.nothing, range(4 * asked.procs))
        say(peer=name, version=f"Python {platform.python_version()}", ready=True, coords_seconds=coords_seconds)
        for line in sys.stdin:
            if line.strip() == "quit":
                break
            begun = time.perf_counter()
            grid, total = job.gather(pool_map(function, items()))
            wall = time.perf_counter() - begun
            with open(asked.grid_file, "wb") as file:
                file.write(memoryview(grid))
            say(wall_seconds=wall, sum=total)
    return None
