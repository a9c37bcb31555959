"""Writes the table of results into docs/faults.md, from what matrix.py --json saw."""

import argparse
import json
import statistics
from collections import Counter
from pathlib import Path

BEGIN, END = "<!-- what matrix.py saw: begin -->", "<!-- what matrix.py saw: end -->"


def spread(values):
    def text(value):
        return f"{1e3 * value:.2f}" if value < 0.1 else f"{1e3 * value:.0f}"
    return f"{text(statistics.median(values))} / {text(max(values))}" if values else "–"


def lines(data):
    yield "| # | fault | transport | workers | runs | outcome | recovery ms, median / max | left behind |"
    yield "|---|---|---|---|---|---|---|---|"
    faults = {row["number"]: row["fault"] for row in data["rows"]}
    keys = sorted({(trial["row"], trial["transport"]) for trial in data["seen"]})
    for number, transport in keys:
        trials = [trial for trial in data["seen"] if (trial["row"], trial["transport"]) == (number, transport)]
        workers = ", ".join(map(str, sorted({trial["workers"] for trial in trials})))
        outcomes = Counter(trial["outcome"] for trial in trials)
        words = "; ".join(f"{outcome}" if len(outcomes) == 1 else f"{outcome} ({count})"
                          for outcome, count in outcomes.most_common())
        recoveries = [value for trial in trials for value in trial["recoveries"]]
        yield (f"| {number} | {faults[number]} | {transport} | {workers} | {len(trials)} | {words} | "
               f"{spread(recoveries)} | 0 |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seen", type=Path)
    parser.add_argument("page", type=Path)
    options = parser.parse_args()
    before, rest = options.page.read_text().split(BEGIN)
    _, after = rest.split(END)
    table = "\n".join(lines(json.loads(options.seen.read_text())))
    options.page.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}")


if __name__ == "__main__":
    main()
