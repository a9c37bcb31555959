"""The arithmetic of a workload in plain Python: the coordinates of its points and their counts, bit for bit those of
procpool.

A workload is the object that README.md describes. Nothing here needs a package.
"""

INFINITE = float("inf")


def axis(description):
    """The coordinates of an axis as a list: `points` of them, by the axis's rule."""
    rule, points = description["rule"], description["points"]
    start, step = float(description["start"]), float(description["step"])
    if rule == "repeated-addition":
        values, value = [], start
        for _ in range(points):
            values.append(value)
            value += step
        return values
    if rule == "linear":
        return [start + i * step for i in range(points)]
    if rule == "centred":
        return [start + (i - points // 2) * step for i in range(points)]
    if rule == "arange":  # the difference of the first two points, already rounded, is the step
        delta = (start + step) - start
        return [start + i * delta for i in range(points)]
    raise ValueError(f"there is no axis rule {rule!r}")


def row_and_column_axes(workload):
    """The axis down the rows and the axis along a row, as lists."""
    real, imaginary = axis(workload["real"]), axis(workload["imaginary"])
    return (real, imaginary) if workload["rows"] == "real" else (imaginary, real)


def constant(workload):
    return complex(*map(float, workload["constant"]))


def coordinates(workload, rows, columns):
    """z and c of every point of these rows as two lists of complex numbers, row after row."""
    if workload["rows"] == "real":
        pixels = [complex(re, im) for re in rows for im in columns]
    else:
        pixels = [complex(re, im) for im in rows for re in columns]
    constants = [constant(workload)] * len(pixels)
    return (pixels, constants) if workload["pixel"] == "z" else (constants, pixels)


def modulus(z):
    """abs(z), but infinite where that raises because a finite z has a modulus beyond all doubles."""
    try:
        return abs(z)
    except OverflowError:
        return INFINITE


def norm(z):
    return z.real * z.real + z.imag * z.imag


def counter(workload):
    """A function from lists of z and c to the list of their counts."""
    limit, never = workload["max_iterations"], never_count(workload)
    bailout = float(workload["bailout"])
    before = workload["test"] == "before"
    small = bailout < 1e100  # no z that passed the test has a square beyond all doubles, so abs() never raises
    if small and (workload["measure"], workload["when"], before) == ("abs", ">=", True):
        return lambda zs, cs: counts_while_below(zs, cs, bailout, limit, never)
    measure = modulus if workload["measure"] == "abs" else norm
    if workload["when"] == ">":
        def escaped(z):
            return measure(z) > bailout
    else:
        def escaped(z):
            return not measure(z) < bailout
    return lambda zs, cs: counts_by_any_rule(zs, cs, escaped, before, limit, never)


def never_count(workload):
    limit = workload["max_iterations"]
    return {"max_iterations": limit, "last_step": limit - 1, "zero": 0}[workload["never"]]


def counts_while_below(zs, cs, bailout, limit, never):
    """The loop of the documents: the book's rule alone."""
    counts = [0] * len(zs)
    for i, (z, c) in enumerate(zip(zs, cs)):
        n = 0
        while n < limit and abs(z) < bailout:
            z = z * z + c
            n += 1
        counts[i] = n if n < limit else never
    return counts


def counts_by_any_rule(zs, cs, escaped, before, limit, never):
    counts = [never] * len(zs)
    for i, (z, c) in enumerate(zip(zs, cs)):
        for n in range(limit):
            if before and escaped(z):
                counts[i] = n
                break
            z = z * z + c
            if not before and escaped(z):
                counts[i] = n
                break
    return counts
