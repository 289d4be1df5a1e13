"""The order and number of the runs of workloads."""

import shutil
import sys
import time


class Clock:
    """The time limit of a mode for a whole run."""

    def __init__(self, mode):
        self.mode = mode
        self.start = time.monotonic()

    def late(self):
        """Whether everything runs only once from now on."""
        return time.monotonic() - self.start > self.mode.minutes * 60

    def spent(self):
        """Seconds since the start."""
        return time.monotonic() - self.start


def interleaved(clock, results, run):
    """Fills the rounds of RESULTS, one result per side, by RUN(result, round): A B A B …

    Stops after the mode's least number of rounds when its time for one workload is spent.
    """
    start = time.monotonic()
    turn = 0
    while not _enough(clock, turn, time.monotonic() - start):
        for each in results:
            each.rounds.append(run(each, turn))
        turn += 1


def _enough(clock, turns, spent):
    """Whether the time is used up after this number of rounds and seconds."""
    mode = clock.mode
    least = mode.least_rounds
    if clock.late():
        least = 1
    elif spent > 4 * mode.budget:
        least = min(2, least)
    return turns >= mode.most_rounds or (turns >= least and spent > mode.budget)


def fresh_copy(source, target):
    """Makes TARGET an exact copy of SOURCE."""
    if target.exists():
        shutil.rmtree(target)
    if source is not None:
        shutil.copytree(source, target, symlinks=True)


def print_medians(clock, results):
    """Prints one line to standard error: a workload and its medians."""
    figures = " ".join(f"{each.side} {each.median():.4f}" for each in results if each.rounds)
    first = results[0]
    print(f"{clock.spent():6.0f} s  {first.group} {first.name} {first.size} "
          f"{first.place}: {figures}", file=sys.stderr, flush=True)
