#!/usr/bin/python3
"""The kernel `scalar` beside what numba makes of the documents' loop: julia-book in one thread, round by round in turns.

    tests/bench/kernel_beside_numba.py [BIN [ROUNDS]]

BIN is the directory with master. numba has to be there for this Python (tests/peers/README.md says how). Its loop comes in
the two forms in which it is usually written: with abs(z), and with the squares spelled out. Prints for each the median time
with its range, and the median of the ratios scalar/numba of the rounds.
"""

import json
import statistics
import subprocess
import sys
import time

import numba
import numpy

LIMIT, TOTAL = 300, 33219980


@numba.njit
def with_abs(limit, zs, cs, counts):
    for i in range(len(zs)):
        n = 0
        z = zs[i]
        c = cs[i]
        while abs(z) < 2 and n < limit:
            z = z * z + c
            n += 1
        counts[i] = n


@numba.njit
def with_squares(limit, zs, cs, counts):
    for i in range(len(zs)):
        n = 0
        z = zs[i]
        c = cs[i]
        while z.real * z.real + z.imag * z.imag < 4 and n < limit:
            z = z * z + c
            n += 1
        counts[i] = n


def axis(start, stop, step):
    values = []
    value = start
    while (value < stop) if step > 0 else (value > stop):
        values.append(value)
        value += step
    return values


def seconds_of(loop, zs, cs, counts):
    begun = time.thread_time()
    loop(LIMIT, zs, cs, counts)
    taken = time.thread_time() - begun
    assert counts.sum() == TOTAL, "numba counts otherwise"
    return taken


def seconds_of_scalar(program):
    command = [program, "kernels", "--kernel", "scalar", "--rounds", "1", "--quiet", "--json", "-"]
    report = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return report["kernels"][0]["seconds"]


def main():
    program = (sys.argv[1] if len(sys.argv) > 1 else "build/release/bin") + "/master"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    pixels = [complex(x, y) for y in axis(1.8, -1.8, -3.6 / 1000) for x in axis(-1.8, 1.8, 3.6 / 1000)]
    zs = numpy.array(pixels)
    cs = numpy.full(zs.shape, complex(-0.62772, -0.42193))
    counts = numpy.empty(len(zs), numpy.int32)
    loops = {"numba, abs(z)": with_abs, "numba, squares": with_squares}
    for loop in loops.values():
        loop(2, zs[:10], cs[:10], counts)  # compiles
    times = {name: [] for name in [*loops, "scalar"]}
    for _ in range(rounds):
        for name, loop in loops.items():
            times[name].append(seconds_of(loop, zs, cs, counts))
        times["scalar"].append(seconds_of_scalar(program))
    for name, samples in times.items():
        ratio = statistics.median(s / t for s, t in zip(times["scalar"], samples))
        print(f"{name:15} {statistics.median(samples) * 1e3:7.1f} ms  [{min(samples) * 1e3:.1f}, "
              f"{max(samples) * 1e3:.1f}]   scalar / this {ratio:.3f}")


if __name__ == "__main__":
    main()
