"""The matrix of faults: each over every transport and number of workers where it applies, as root and unprivileged.

    matrix.py                        everything
    matrix.py 2 10-14                these rows
    matrix.py --json FILE            what was seen, for table.py
    matrix.py --workers 2 --users root --transports shm     a part of it

The programs are taken from the directory that PROCPOOL_BIN names. What is left to chance is drawn from a seed, which is
printed and can be given with --seed.
"""

import argparse
import json
import random
import signal
import sys
import time

import rows_job
import rows_life
import rows_start
import rows_worker
from oracle import Place, users

TRANSPORTS = ("pipe", "queue", "shm")
WORKERS = (1, 2, 5, 13)

ROWS = {row.number: row for module in (rows_worker, rows_start, rows_life, rows_job) for row in module.ROWS}


def chosen(words):
    numbers = set()
    for word in words:
        first, _, last = word.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    return sorted(numbers or ROWS)


def places(row, options):
    for transport in row.transports or TRANSPORTS:
        for procs in row.workers or WORKERS:
            for user in users():
                if (not options.transports or transport in options.transports) and \
                        (not options.workers or procs in options.workers) and \
                        (not options.users or user in options.users) and (not row.users or user in row.users):
                    yield transport, procs, user


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="numbers, or FIRST-LAST")
    parser.add_argument("--transports", nargs="*")
    parser.add_argument("--workers", nargs="*", type=int)
    parser.add_argument("--users", nargs="*")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--json", type=argparse.FileType("w"))
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what it starts with & ignore it
    print(f"seed {options.seed}", flush=True)
    seen, violations = [], 0
    for number in chosen(options.rows):
        row = ROWS[number]
        begun = time.monotonic()
        trials = 0
        for transport, procs, user in places(row, options):
            place = Place(transport, procs, user, random.Random(f"{options.seed} {number} {transport} {procs} {user}"))
            try:
                for outcome in row.trials(place):
                    trials += 1
                    seen.append({"row": number, "transport": transport, "workers": procs, "user": user,
                                 "outcome": outcome.words, "recoveries": outcome.recoveries})
            except Exception as error:  # noqa: BLE001: whatever goes wrong is a violation
                violations += 1
                print(f"VIOLATION row {number} ({row.fault}), {transport}, {procs} workers, {user}: "
                      f"{type(error).__name__}: {error}", flush=True)
            finally:
                place.close()
        print(f"row {number:2}  {trials:4} trials  {time.monotonic() - begun:6.1f} s  {row.fault}", flush=True)
    if options.json:
        json.dump({"rows": [{"number": row.number, "fault": row.fault} for row in ROWS.values()], "seen": seen},
                  options.json)
    if violations:
        sys.exit(f"{violations} violation(s)")


if __name__ == "__main__":
    main()
