"""Kills at random: workers while they are at a job, and masters; what is recovered, what is left.

    kills.py --workers 1000 --masters 100      over each transport

Each run ends with one kill, at a random moment of the job, of a random worker (or of the master). A run in which the
job was over before does not count. Recovery is the time from a kill until the chunk was given out again, as the
worker's own note and the master's clock say: for that the workers kill themselves (--chaos), at a random chunk.
"""

import argparse
import os
import random
import signal
import statistics
import sys
import time

from oracle import DEADLINE, JOB, REPORT, SIZE, Place, Violation, check, recovered, until, workers_of
from row import survives

TRANSPORTS = ("pipe", "queue", "shm")


def kill_one(place):
    """True: a worker was killed before the job was over."""
    with place.oracle() as oracle, place.master(*SIZE, "--chunks", 64, *REPORT, "--log-level", "off", "--chaos",
                                                "delay=2@computing") as master:
        oracle.watch(master.pid)
        pids = until(lambda: workers_of(master.pid) or not master.running(), "a worker is there")
        time.sleep(place.random.random() * 0.05)
        pids = workers_of(master.pid)
        if not pids:
            master.wait(DEADLINE)
            return False
        victim = place.random.choice(pids)
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            pass
        ended = master.wait(DEADLINE)
    code, report, log = check(ended)
    if code != 0:
        raise Violation(f"exit code {code}; {log}")
    return any(worker["pid"] == victim and "SIGKILL" in worker["exit"] for worker in report["workers"])


def kill_master(place):
    """How long its workers outlived it, in seconds."""
    with place.oracle(grace=10.0) as oracle:
        with place.master(*SIZE, "--chunks", 64, "--chaos", "delay=5@computing") as master:
            oracle.watch(master.pid)
            until(lambda: workers_of(master.pid), "a worker is there")
            time.sleep(place.random.random() * 0.05)
            if not master.running():
                return None
            master.send(signal.SIGKILL)
            killed = time.monotonic()
            master.wait()
        until(lambda: not workers_of(master.pid), "the workers are gone", 10)
        gone = time.monotonic() - killed
        code, _, log = place.run(*JOB)
        if code != 0:
            raise Violation(f"the next start: exit code {code}; {log}")
    return gone


def counted(what, count, attempt):
    seen = []
    begun = time.monotonic()
    while len(seen) < count:
        value = attempt()
        if value not in (None, False):
            seen.append(value)
    print(f"{what}: {count} in {time.monotonic() - begun:.0f} s, nothing lost, nothing left", flush=True)
    return seen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--masters", type=int, default=100)
    parser.add_argument("--recoveries", type=int, default=100)
    parser.add_argument("--procs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    for transport in TRANSPORTS:
        place = Place(transport, options.procs, "root", random.Random(f"{options.seed} {transport}"))
        try:
            counted(f"{transport}: SIGKILL of a worker", options.workers, lambda: kill_one(place))
            gone = counted(f"{transport}: SIGKILL of the master", options.masters, lambda: kill_master(place))
            if gone:
                print(f"{transport}: workers gone after {1e3 * statistics.median(gone):.1f} ms (median), "
                      f"{1e3 * max(gone):.1f} ms at most", flush=True)
            times = []
            for _ in range(options.recoveries):
                times += recovered_of(place)
            if times:
                print(f"{transport}: recovery {1e3 * statistics.median(times):.3f} ms (median), "
                      f"{1e3 * max(times):.3f} ms at most, of {len(times)}", flush=True)
        except Violation as violation:
            sys.exit(f"VIOLATION {transport}: {violation}")
        finally:
            place.close()


def recovered_of(place):
    chunk = place.random.randrange(32)
    return survives(place, f"kill@computing:chunk={chunk},attempt=0", job=(*SIZE, "--chunks", 32)).recoveries


if __name__ == "__main__":
    main()
