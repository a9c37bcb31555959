"""The same arithmetic over numpy's arrays, compiled by numba.

The imports fail where a package is missing; numba is imported only when counts are asked for.
"""

import ctypes
import sys

import numpy

import fractal


def axes(workload):
    """The axis down the rows and the axis along a row, as arrays; the same bits as fractal.axis gives."""
    return tuple(numpy.array(values) for values in fractal.row_and_column_axes(workload))


def coordinates(workload, rows, columns):
    """z and c of every point of these rows as two arrays of complex numbers, row after row."""
    pixels = numpy.empty((len(rows), len(columns)), numpy.complex128)
    if workload["rows"] == "real":
        pixels.real, pixels.imag = rows[:, None], columns[None, :]
    else:
        pixels.real, pixels.imag = columns[None, :], rows[:, None]
    pixels = pixels.reshape(-1)
    constants = numpy.full(pixels.shape, fractal.constant(workload))
    return (pixels, constants) if workload["pixel"] == "z" else (constants, pixels)


def counters(workload):
    """Two compiled functions: (zs, cs) -> counts, and (rows, columns) -> counts of those rows. Counts are int32 arrays.

    The escape test is that of procpool's kernel `scalar`: the squared norm decides wherever rounding cannot change the
    answer, the C library's hypot in the narrow band where it could.
    """
    import numba

    hypot = ctypes.CDLL("libm.so.6").hypot
    hypot.restype, hypot.argtypes = ctypes.c_double, (ctypes.c_double, ctypes.c_double)

    bailout = float(workload["bailout"])
    by_norm, above_only = workload["measure"] == "norm", workload["when"] == ">"
    before, rows_are_real = workload["test"] == "before", workload["rows"] == "real"
    pixel_is_z = workload["pixel"] == "z"
    limit, never = workload["max_iterations"], fractal.never_count(workload)
    constant_re, constant_im = map(float, workload["constant"])
    largest, least = sys.float_info.max, sys.float_info.min
    square = bailout * bailout
    margin = 8 * sys.float_info.epsilon * min(square, largest) + least
    surely_below, surely_above = min(square, largest) - margin, square + margin

    @numba.njit(inline="always")
    def escaped(re, im, norm):
        if by_norm:
            measure = norm
        elif norm < surely_below:
            return False
        elif norm > surely_above:
            return True
        else:
            measure = hypot(re, im)
        return measure > bailout if above_only else not measure < bailout

    @numba.njit
    def count(re, im, c_re, c_im):
        re_square, im_square = re * re, im * im
        for n in range(limit):
            if before and escaped(re, im, re_square + im_square):
                return n
            product = re * im
            re, im = (re_square - im_square) + c_re, (product + product) + c_im
            re_square, im_square = re * re, im * im
            if not before and escaped(re, im, re_square + im_square):
                return n
        return never

    @numba.njit
    def of_coordinates(zs, cs):
        counts = numpy.empty(len(zs), numpy.int32)
        for i in range(len(zs)):
            counts[i] = count(zs[i].real, zs[i].imag, cs[i].real, cs[i].imag)
        return counts

    @numba.njit
    def of_rows(rows, columns):
        counts = numpy.empty(len(rows) * len(columns), numpy.int32)
        i = 0
        for row in rows:
            for column in columns:
                re, im = (row, column) if rows_are_real else (column, row)
                if pixel_is_z:
                    counts[i] = count(re, im, constant_re, constant_im)
                else:
                    counts[i] = count(constant_re, constant_im, re, im)
                i += 1
        return counts

    return of_coordinates, of_rows
