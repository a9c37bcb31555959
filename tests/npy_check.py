"""Loads FILE as numpy does and fails unless it is an int32 array of HEIGHT rows and WIDTH columns that adds up to SUM.

Usage: npy_check.py FILE WIDTH HEIGHT SUM
"""

import sys

import numpy


def main(arguments):
    if len(arguments) != 4:
        sys.exit(__doc__)
    path, (width, height, expected) = arguments[0], map(int, arguments[1:])
    for mmap_mode in (None, "r"):
        grid = numpy.load(path, mmap_mode=mmap_mode, allow_pickle=False)
        found = (grid.dtype, grid.shape, int(grid.sum(dtype=numpy.int64)))
        wanted = (numpy.dtype("<i4"), (height, width), expected)
        if found != wanted:
            sys.exit(f"{path}: dtype, shape and sum are {found}, expected {wanted}")
        if not grid.flags.c_contiguous:
            sys.exit(f"{path}: not in C order")


if __name__ == "__main__":
    main(sys.argv[1:])
