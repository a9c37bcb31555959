#!/usr/bin/python3
"""The library beside multiprocessing.Pool: the same calls, two workers each, both pools warm, round by round in turns.

    tests/bench/beside_multiprocessing.py [BIN [ROUNDS [WAIT [TRANSPORT]]]]

BIN is the directory with bench_library. Prints, for each case, the median time of one call with the quartiles, and the
median of the ratios of the rounds.
"""

import multiprocessing
import statistics
import subprocess
import sys
import time

import numpy


def square(x):
    return x * x


def total(values):
    return float(values.sum())


def length(values):
    return len(values)


# Name, how many calls, what Python does for as many, and how many calls that is.
def cases(pool):
    numbers = list(range(1_000_000))
    rows = [numpy.full(131_072, 0.5) for _ in range(64)]
    few = range(20_000)
    return [
        ("map", 1_000_000, lambda: pool.map(square, numbers), 1_000_000),
        ("map_one_by_one", 1_000_000, lambda: pool.map(square, numbers, 1), 1_000_000),
        ("apply", 1000, lambda: [pool.apply(square, (i,)) for i in range(300)], 300),
        ("apply_async", 10_000,
         lambda: [r.get() for r in [pool.apply_async(square, (i,)) for i in range(3000)]], 3000),
        ("imap", 100_000, lambda: sum(1 for _ in pool.imap(square, few)), 20_000),
        ("imap_by_hundreds", 100_000, lambda: sum(1 for _ in pool.imap(square, range(100_000), 100)), 100_000),
        ("spans", 64, lambda: pool.map(total, rows), 64),
        ("spans_unread", 64, lambda: pool.map(length, rows), 64),
        ("spans_memcpy", 64, None, 0),
    ]


def quartiles(samples):
    low, middle, high = statistics.quantiles(samples, n=4)
    return f"{middle * 1e6:10.3f} ({low * 1e6:.3f} … {high * 1e6:.3f})"


def main():
    directory = sys.argv[1] if len(sys.argv) > 1 else "build/release/bin"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 11
    library = subprocess.Popen([f"{directory}/bench_library", *sys.argv[3:]], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)

    def of_library(name):
        library.stdin.write(name + "\n")
        library.stdin.flush()
        return float(library.stdout.readline())

    with multiprocessing.Pool(2) as pool:
        print(f"{'case':18} {'procpool, us a call':32} {'multiprocessing, us a call':36} ratio")
        for name, calls, act, python_calls in cases(pool):
            ours, theirs = [], []
            for round_number in range(rounds + 1):
                seconds = of_library(name) / calls
                python_seconds = float("nan")
                if act is not None:
                    begun = time.perf_counter()
                    act()
                    python_seconds = (time.perf_counter() - begun) / python_calls
                if round_number > 0:  # the first is for warming up
                    ours.append(seconds)
                    theirs.append(python_seconds)
            if act is None:
                print(f"{name:18} {quartiles(ours):32}")
            else:
                ratio = statistics.median(b / a for a, b in zip(ours, theirs))
                print(f"{name:18} {quartiles(ours):32} {quartiles(theirs):36} {ratio:5.1f}")
    library.stdin.close()
    return library.wait(60)


if __name__ == "__main__":
    sys.exit(main())
