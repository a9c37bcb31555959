"""The job over concurrent.futures.ProcessPoolExecutor; README.md says how it is asked."""

import concurrent.futures
import contextlib
import multiprocessing

import protocol
import work


@contextlib.contextmanager
def pool(procs, job):
    """Forked processes: each begins with what this process knows, compiled code included."""
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(procs, context, work.begin, (job,)) as executor:
        yield lambda function, items: list(executor.map(function, items, timeout=protocol.LONGEST_RUN))


if __name__ == "__main__":
    protocol.serve("concurrent.futures", pool)
