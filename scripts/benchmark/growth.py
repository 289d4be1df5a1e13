"""How the cost of workloads grows with their size."""

from dataclasses import replace

from library import LibraryBench
from results import Result
from workloads import BOTH, COMMANDS, GROWTH, LIBRARY

# A side that would need more seconds than this for the next size stops there.
PATIENCE = 60.0
# Shorter runs consist mostly of the start of the process.
NOISE = 0.01
# The tolerated excess of the cost per unit over the expected growth.
FACTOR = 3.0
# Reflogs of 200 entries each: fewer entries show nothing.
LOG_REPOSITORIES, LEAST_LOG = ("logs", "expired"), 1_000


def powers(least, most):
    """10, 100, … from LEAST to MOST."""
    size = 10
    while size <= most:
        if size >= least:
            yield size
        size *= 10


def per_unit(result: Result, kind):
    """Seconds per unit; a command that looks up one thing is one unit."""
    units = 1 if kind == "log" and result.group != "library" else result.units()
    return result.median() / max(1, units)


def digits(size):
    """The number of decimal digits: close enough to the logarithm."""
    return len(str(int(size)))


def grows_too_fast(series, kind):
    """The results of SERIES, by rising size, that cost too much compared with smaller ones."""
    flagged = []
    for i, each in enumerate(series):
        for smaller in series[:i]:
            if smaller.median() < NOISE:
                continue
            allowed = FACTOR * per_unit(smaller, kind)
            if kind == "log":
                allowed *= digits(each.size) / digits(smaller.size)
            if per_unit(each, kind) > allowed:
                flagged.append(each)
                break
    return flagged


def kinds():
    """The expected growth of each workload, by group and name."""
    found = {("library", work.name): work.growth for work in LIBRARY}
    found.update({(work.group, work.name): work.growth for work in COMMANDS + GROWTH})
    return found


def series_of(results):
    """The results of each workload and side, by rising size."""
    found = {}
    for each in results.all:
        found.setdefault((each.group, each.name, each.side), []).append(each)
    for series in found.values():
        series.sort(key=lambda each: each.size)
    return found


def _patient(group):
    """The sides that can run ten times the size."""
    return tuple(each.side for each in group if each.median("wall") * 10 < PATIENCE)


def run_growth(options, root, clock, results, programs, bench, chosen):
    """Measures what has a growth at 10, 100, …, from the least to the most size."""
    bounds = options.least, options.most
    if not options.library_skip:
        of_library = LibraryBench(programs, root / "library", clock, results)
        for work in LIBRARY:
            if work.growth and chosen("library", work.name):
                _library(of_library, work, *bounds)
    if bench:
        for work in COMMANDS + GROWTH:
            if work.growth and work.since <= bench.release and chosen(work.group, work.name):
                _command(bench, work, *bounds)


def _library(bench, work, least, most):
    if work.name == "transactions":
        most = min(most, 10_000)
    for size in powers(least, most):
        pair = bench.measure("library", work, size, False)
        if len(_patient(pair)) < len(pair):
            break
    bench.drop_inputs()


def _command(bench, work, least, most):
    work = replace(work, sides=BOTH, limits={}, tombstones=False, traced=False)
    if work in GROWTH or work.group == "growth":
        most = min(most, max(work.sizes))
    if work.repo in LOG_REPOSITORIES:
        least = max(least, LEAST_LOG)
    for size in powers(least, most):
        work = replace(work, sides=_patient(bench.measure(work, size)))
        if not work.sides:
            break
