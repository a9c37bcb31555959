"""What may go wrong around the job: its output, and any call of the system."""

import os
import resource
import signal
import tempfile
from pathlib import Path

from oracle import JOB, Outcome
from row import RIGHT, Row, expect, fails
from sweep import sweep


def no_output(place):
    locked = place.folder / "locked"
    locked.mkdir(exist_ok=True)
    locked.chmod(0o555)
    yield fails(place, 2, "No such file or directory", "--output", place.folder / "missing" / "julia.png")
    yield fails(place, 2, "Is a directory", "--output", a_directory(place))
    if place.user != "root":
        yield fails(place, 2, "Permission denied", "--output", locked / "julia.png")
    # Written after the work: the disk is full only then.
    link = place.folder / "full.pgm"
    if not link.is_symlink():
        link.symlink_to("/dev/full")
    yield fails(place, 1, "No space left on device", "--output", link)

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    with tempfile.TemporaryDirectory(dir=place.folder) as folder:
        Path(folder).chmod(0o777)
        if place.transport == "pipe":  # others need files in memory that are larger
            yield fails(place, 1, "File too large", "--output", f"{folder}/julia.pgm", prepare=small_files)
        expect(os.listdir(folder) == [], "no part of a file", None, os.listdir(folder))


def a_directory(place):
    directory = place.folder / "directory.png"
    directory.mkdir(exist_ok=True)
    return directory


ROWS = [
    Row(39, "the Nth call of the system fails", sweep, workers=(2,), users=("root", "this user")),
    Row(40, "an output that cannot be written, a full disk", no_output),
]
