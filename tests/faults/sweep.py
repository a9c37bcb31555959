"""The Nth call of the system fails, N = 1, 2, …: each that a run makes in its start and its loop, in the master and in
the workers. A tracer (strace) makes them fail."""

import os
import re
import subprocess

from oracle import DEADLINE, REPORT, Outcome, Violation, check
from row import RIGHT

SWEPT = ("--width", 64, "--height", 64, "--chunks", 6)

# What each call can fail with, on a machine that is short of something. Not swept: calls that cannot fail there
# (getpid, munmap of one's own memory, the clock, waking a sleeper), and those with which a process ends.
ERRORS = {
    "openat": "EMFILE", "memfd_create": "EMFILE", "eventfd2": "EMFILE", "pipe2": "EMFILE", "socketpair": "EMFILE",
    "epoll_create1": "EMFILE", "timerfd_create": "EMFILE", "signalfd4": "EMFILE", "pidfd_open": "EMFILE", "dup": "EMFILE",
    "dup2": "EMFILE", "fcntl": "EMFILE", "mmap": "ENOMEM", "mprotect": "ENOMEM", "brk": "ENOMEM", "ftruncate": "ENOSPC",
    "fallocate": "ENOSPC", "clone": "EAGAIN", "clone3": "EAGAIN", "vfork": "EAGAIN", "execve": "ENOMEM",
    "sendmsg": "ENOBUFS", "recvmsg": "ENOMEM", "read": "EIO", "write": "EIO", "readv": "EIO", "writev": "EIO",
    "epoll_ctl": "ENOMEM", "epoll_wait": "EINTR", "poll": "EINTR", "ppoll": "EINTR", "prctl": "EINVAL",
    "setrlimit": "EPERM", "prlimit64": "EPERM", "setpgid": "EPERM", "flock": "EINTR", "unlink": "EIO", "getrandom": "EINTR",
    "sched_getaffinity": "EINVAL", "newfstatat": "ENOMEM", "fstat": "ENOMEM", "getdents64": "ENOMEM", "waitid": "EINTR",
    "pidfd_send_signal": "EPERM", "kill": "EPERM", "ioctl": "EINVAL", "close_range": "ENOSYS", "rt_sigaction": "EINVAL",
}
MOST = 40  # of one call: the first ones, and then ever fewer


def traced(place, *words):
    """strace in front of the master, as its child's child, so that the master's number is known."""
    return ["strace", "-D", "-f", "-qq", *words, str(place.program), "--transport", place.transport, "--procs",
            str(place.procs), *map(str, (*SWEPT, *REPORT))]


def made(place):
    """How often a run makes each call, in the process or thread that makes it most often."""
    trace = place.folder / "trace"
    subprocess.run(traced(place, "-o", str(trace)), cwd=place.folder, capture_output=True, timeout=DEADLINE, check=True)
    counts = {}
    for line in trace.read_text(errors="replace").splitlines():
        found = re.match(r"(\d+) +(\w+)\(", line)
        if found:
            key = found.group(2), found.group(1)
            counts[key] = counts.get(key, 0) + 1
    trace.unlink()
    most = {}
    for (call, _), count in counts.items():
        most[call] = max(most.get(call, 0), count)
    return most


def numbers(most):
    """1, 2, 3, …, then in growing steps."""
    number = 1
    while number <= most:
        yield number
        number += max(1, number // 8)


def one(place, call, error, number):
    with place.oracle() as oracle:
        process = subprocess.Popen(traced(place, "-o", "/dev/null", "-e", f"trace={call}", "-e",
                                          f"inject={call}:error={error}:when={number}"), cwd=place.folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        oracle.watch(process.pid)
        try:
            out, err = process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Violation(f"{call} number {number} fails with {error}: no end within {DEADLINE:g} s") from None
    return process.returncode, out, err


class Ended:
    """As the harness has it."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __str__(self):
        return f"exit code {self.code}\n{self.out}\n{self.err}"


def sweep(place):
    violations = []
    whole = os.environ.get("PROCPOOL_SWEEP") == "whole"
    for call, most in sorted(made(place).items()):
        if call not in ERRORS:
            continue
        chosen = list(numbers(min(most, 10_000 if whole else MOST)))
        if not whole and len(chosen) > 6:
            chosen = sorted(place.random.sample(chosen, 6))
        for number in chosen:
            try:
                yield Outcome(judged(Ended(*one(place, call, ERRORS[call], number))))
            except AssertionError as error:
                violations.append(f"{call} number {number} fails with {ERRORS[call]}: {error}")
    if violations:
        raise Violation("\n".join(violations))


def judged(ended):
    """The loader and libc end a program that they cannot start in ways of their own."""
    if ended.code not in (0, 1, 2, 3) and not ended.out:
        if ended.code in (127, -6, -11) or "loading shared libraries" in ended.err:
            return "not started by the system"
    check(ended)
    return RIGHT if ended.code == 0 else f"error, exit code {ended.code}"
