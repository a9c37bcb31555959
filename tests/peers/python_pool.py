"""The job over multiprocessing.Pool and map_async, as in the documents; README.md says how it is asked."""

import contextlib
import multiprocessing

import protocol
import work


@contextlib.contextmanager
def pool(procs, job):
    """Forked processes: each begins with what this process knows, compiled code included."""
    with multiprocessing.get_context("fork").Pool(procs, work.begin, (job,)) as processes:
        yield lambda function, items: processes.map_async(function, items, chunksize=1).get(protocol.LONGEST_RUN)
        processes.terminate()
        processes.join()


if __name__ == "__main__":
    protocol.serve("multiprocessing.Pool", pool)
