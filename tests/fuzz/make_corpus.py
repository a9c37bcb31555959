#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets whose inputs are not text, into corpus/TARGET/. What the bytes mean is said by
FuzzInput, frame_script.cc and the target itself: they are decisions, one after the other."""
import pathlib

HERE = pathlib.Path(__file__).parent
READY, JOB, ITEM, RESULT, FAILED, STEP_THREW = 1, 2, 3, 4, 5, 10
LAST, IN_REGION, PLACED, TIMED, ANNEX = 1, 2, 4, 8, 64
MAX, MAX_PLUS_1, HALF, ALL = 0xE8, 0xE9, 0xEB, 0xED  # of FuzzInput::Number: 2^40, one more, 2^63, all bits


def payload(content):
    return bytes([len(content)]) + content


def rest_of_frame(flags, content, lie=b"\0", annex=b""):
    return bytes([flags, 9]) + annex + payload(content) + lie


def frame(kind, flags=0, content=b"", lie=b"\0", annex=b"", item=0, offset=0, job=1):
    choice = 39 + kind  # type: modulo 13
    return bytes([choice, job, item, 0, offset]) + rest_of_frame(flags, content, lie, annex)


TIMES = bytes([1, 2, 3, 4, 5]) + b"\0"
LOCATORS = bytes([1, 0, 10, 1, 20, 30]) + b"\0"

FRAMES = {
    "honest": b"\0\xff" + frame(READY, 0, bytes(24)) + frame(RESULT, LAST, b"result") + frame(FAILED, 0, b"type\0text"),
    "pieces": b"\0\x02" + frame(RESULT, 0, b"a piece") + frame(RESULT, LAST, b"the last", offset=7),
    "timed": b"\0\xff" + frame(RESULT, LAST | TIMED | ANNEX, b"timed", annex=TIMES),
    "bad_annex": b"\0\xff" + frame(RESULT, LAST | TIMED | ANNEX, b"timed", annex=TIMES[:-1] + b"\xff"),
    "in_region": b"\1\xff" + frame(RESULT, LAST | IN_REGION, b"\0\0\0\0", offset=100),
    "item": b"\1\xff" + frame(ITEM, IN_REGION | PLACED | ANNEX, bytes(10), annex=LOCATORS),
    "astray": b"\1\xff" + frame(ITEM, IN_REGION | ANNEX, bytes(10), annex=bytes([1, ALL, 10, 0, 0, 0, 0])),
    "no_region": b"\0\xff" + frame(RESULT, IN_REGION, b"x"),
    "long": b"\0\xff" + bytes([43, 1, 0, 0, 0, LAST, 9, 0xFA, 7, 0]) + frame(RESULT, LAST, b"behind it"),
    "garbage": b"\0\xff" + b"\x05\x20" + b"these are no frames, just bytes!",
    "flipped": b"\0\xff" + frame(RESULT, LAST, b"result", lie=b"\xf1\x00\x41"),
    **{f"lying_length_{name}": b"\0\xff" + frame(RESULT, LAST, b"x", lie=bytes([0xF8, number]))
       for name, number in {"max": MAX, "max_plus_1": MAX_PLUS_1, "half": HALF, "all": ALL}.items()},
    # Its hash is right for the place that is too long, not for the length that it states.
    "misplaced": b"\0\xff" + frame(RESULT, LAST, b"result", lie=b"\xf8\x05", job=8),
    "lying_annex": b"\0\xff" + frame(RESULT, LAST, b"x", lie=bytes([0xF9, 55])),
    "lying_hash": b"\0\xff" + frame(RESULT, LAST, b"x", lie=b"\xfa" + bytes(8)),
}


def batch(calls, chunk, results, retries=0, again=0):
    return bytes([calls - 1, chunk - 1, results, retries, again])


def answer(worker, back, flags, content, kind=0, lie=0, more=b"", cut=None):
    head = bytes([1, worker, 7 if cut is None else 6, back, kind, lie]) + more
    return head + rest_of_frame(flags, content) + (b"" if cut is None else bytes([cut]))


TWO = batch(6, 1, 0) + batch(4, 1, 2)
ANSWERS = {
    "in_order": TWO + b"".join(answer(w, 1, LAST, b"abc") + answer(w, 0, LAST, b"abc") for w in (0, 1)),
    "chunks": batch(20, 4, 1, 1, 1) + batch(9, 3, 2) + answer(0, 1, LAST, b"abcdefghijkl") + answer(1, 1, LAST, b"abc"),
    "pieces": TWO + answer(0, 1, 0, b"a") + answer(0, 1, LAST, b"bc", lie=12, more=b"\1"),
    "step_threw": batch(8, 4, 0, 1, 1) + batch(4, 1, 2) + answer(0, 1, 0, b"\2" + bytes(7) + b"type\0text", kind=3)
    + answer(0, 1, LAST, b"abcdefghijkl"),
    "failed": TWO + answer(0, 1, 0, b"type\0text", kind=4),
    "died": TWO + b"\1\0\3\1\0\0\1\0\0\0\0\0\0\0\0" + b"\1\0\0" + b"\1\1\0",
    "cancelled": TWO + b"\1\0\1\0" + b"\1\0\2\1" + b"\1\0\1\1" + answer(0, 0, LAST, b"abc"),
    "cancelled_whole": TWO + b"\1\0\4\0" + answer(0, 0, LAST, b"abc"),
    "unfinished": TWO + answer(0, 0, LAST, b"abc", cut=0) + answer(1, 0, LAST, b"abc"),
}

RINGS = {
    "write_read": bytes([2, 15]) + bytes([3, 10, 7, 4]) + bytes([4, 10, 4]) + bytes([0, 0, 1, 5]) + bytes([4, 20, 3]),
    "around": bytes([2, 6]) + (bytes([0, 0, 1, 5]) + bytes([4, 9, 2])) * 4,
    "impossible": bytes([2, 15]) + bytes([0, 0, 1, 200]) + bytes([4, 10, 4]) + bytes([1, 1, 0, 9]) + bytes([3, 50, 7, 4]),
    "locators": bytes([1]) + bytes([2, 0, 10]) + bytes([2, ALL, 16]) + bytes([1, 1, 0]) + bytes([3, 0, 0]) + bytes([2, 8, HALF]),
    "mark": bytes([0]) + bytes(8) + bytes([40]) + bytes(range(40)) + bytes([5]),
}

for target, seeds in {"frames": FRAMES, "answers": ANSWERS, "regions": RINGS}.items():
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, seed in seeds.items():
        (folder / name).write_bytes(seed)
