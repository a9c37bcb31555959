"""A row of the matrix: a fault, where it applies, and how it is tried."""

from oracle import JOB, Outcome, Violation, recovered

RIGHT = "right digest"


class Row:
    """`trials(place)` yields an Outcome for each run; what must not happen is raised."""

    def __init__(self, number, fault, trials, transports=(), workers=(), users=()):
        self.number, self.fault, self.trials = number, fault, trials
        self.transports, self.workers, self.users = transports, workers, users


def expect(condition, what, report, log=""):
    if not condition:
        telling = ("status", "error", "retries", "quarantined", "warnings", "checksum", "chaos", "audit")
        shown = {key: report[key] for key in telling if key in report} if report else report
        raise Violation(f"not so: {what}; {shown} {log}")


def struck(report):
    """How often each rule struck."""
    return [injected["times"] for injected in report["chaos"]["injected"]]


def survives(place, spec, *options, warning=None, deaths=None, job=JOB, **start):
    """A run under these faults ends with the right digest; they did strike, and the report says so."""
    code, report, log = place.run(*job, *options, "--chaos", spec, **start)
    expect(code == 0, f"{spec}: exit code 0", report, log)
    expect(all(struck(report)), f"{spec}: it struck", report)
    if warning is not None:
        expect(any(warning in line for line in report["warnings"]), f"a warning names '{warning}'", report)
    if deaths is not None:
        expect(len(report["chaos"]["deaths"]) == deaths, f"{deaths} death(s)", report)
    return Outcome(RIGHT, recovered(report))


def fails(place, code, words, *options, job=JOB, **start):
    """A run that cannot succeed ends with this exit code and says these words."""
    ended, report, log = place.run(*job, *options, **start)
    expect(ended == code, f"exit code {code}", report, log)
    expect(words in log, f"standard error says '{words}'", report, log)
    return Outcome(f"error, exit code {code}")
