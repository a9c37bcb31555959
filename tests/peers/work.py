"""What a pool's process does with one chunk, and what stands around the pool: with lists or with arrays.

The processes of a pool call begin() once and count_rows() or count_coordinates() for each chunk. Compiled code is made
before the pool is, so that forked processes inherit it.
"""

import ctypes
import signal
from array import array

import fractal

PR_SET_PDEATHSIG = 1  # linux/prctl.h

current = None  # the Work of this process


class Work:
    """The job with Python's own lists of complex numbers, as the documents' programs have it."""

    requirement = ""

    def __init__(self, workload, kernel):
        self.workload, self.empty = workload, kernel == "none"
        self.rows, self.columns = fractal.row_and_column_axes(workload)
        self.counts = fractal.counter(workload)

    def coordinates(self):
        """z and c of the whole grid."""
        return fractal.coordinates(self.workload, self.rows, self.columns)

    def of_rows(self, first, end):
        if self.empty:
            return [0] * ((end - first) * len(self.columns))
        return self.counts(*fractal.coordinates(self.workload, self.rows[first:end], self.columns))

    def of_coordinates(self, zs, cs):
        if self.empty:
            sum(zs), sum(cs)  # every number that came is read
            return [0] * len(zs)
        return self.counts(zs, cs)

    @staticmethod
    def gather(parts):
        """All counts in order in one array, and their sum."""
        grid = array("i")
        for part in parts:
            grid.extend(part)
        return grid, sum(grid)


class ArrayWork(Work):
    """The job with numpy's arrays, and with numba unless nothing is computed."""

    def __init__(self, workload, kernel):
        import fractal_numpy
        import numpy

        self.workload, self.empty, self.numpy, self.arithmetic = workload, kernel == "none", numpy, fractal_numpy
        self.rows, self.columns = fractal_numpy.axes(workload)
        if not self.empty:
            self.count_coordinates, self.count_rows = fractal_numpy.counters(workload)
            self.count_coordinates(*self.arithmetic.coordinates(workload, self.rows[:1], self.columns[:1]))
            self.count_rows(self.rows[:1], self.columns[:1])

    def coordinates(self):
        return self.arithmetic.coordinates(self.workload, self.rows, self.columns)

    def of_rows(self, first, end):
        if self.empty:
            return self.numpy.zeros((end - first) * len(self.columns), self.numpy.int32)
        return self.count_rows(self.rows[first:end], self.columns)

    def of_coordinates(self, zs, cs):
        if self.empty:
            zs.sum(), cs.sum()
            return self.numpy.zeros(len(zs), self.numpy.int32)
        return self.count_coordinates(zs, cs)

    def gather(self, parts):
        grid = self.numpy.concatenate(list(parts))
        return grid, int(grid.sum(dtype=self.numpy.int64))


def make(workload, kernel, arrays):
    """The Work of this process; ImportError where a package is missing."""
    return (ArrayWork if arrays else Work)(workload, kernel)


def begin(work):
    """What each process of a pool does first. It dies with its parent: a pool's processes hold their pipes open for one
    another, so that none of them would see the end of a parent that was killed."""
    global current
    current = work
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def count_rows(item):
    return current.of_rows(*item)


def count_coordinates(item):
    return current.of_coordinates(*item)


def nothing(_):
    """An item without work, with which a pool is warmed up."""
