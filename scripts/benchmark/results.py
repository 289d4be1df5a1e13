"""Results: stored as JSON for later rendering, and as TSV for reading."""

import json
import statistics
import time
from dataclasses import asdict, dataclass, field


@dataclass
class Result:
    """One workload at one size on one side."""

    group: str
    name: str
    title: str
    size: int
    side: str
    place: str = "tmpfs"
    clock: str = "seconds"
    rounds: list = field(default_factory=list)  # of seconds, wall, peak_kib, units
    instructions: int = 0
    counted_size: int = 0                       # what took so many instructions
    calls: dict = field(default_factory=dict)   # system calls by name
    size_on_disk: int = 0

    def key(self):
        """The identity of a result, which a later measurement of the same thing shares."""
        return (self.group, self.name, self.size, self.side, self.place)

    def median(self, what=""):
        """The median of a figure over the rounds; None if there are none."""
        values = [each[what or self.clock] for each in self.rounds]
        return statistics.median(values) if values else None

    def spread(self, what=""):
        """The minimum and maximum of a figure."""
        values = [each[what or self.clock] for each in self.rounds]
        return min(values), max(values)

    def units(self):
        """The amount of work in one round; for commands, the size."""
        return self.rounds[0].get("units", self.size) if self.rounds else self.size


def results_path(directory, kind, release):
    """Where the results of a kind of run against the C code of a release are kept."""
    return directory / f"{kind}-{release}.json"


class Results:
    """All results of a run, saved after each workload."""

    def __init__(self, path, setting=None):
        self.path = path
        self.setting = setting or {}
        self.all = []

    @classmethod
    def load(cls, path):
        """Loads saved results."""
        data = json.loads(path.read_text())
        results = cls(path, data["setting"])
        results.all = [Result(**each) for each in data["results"]]
        return results

    def add(self, new):
        """Replaces an older result of the same thing."""
        self.all = [each for each in self.all if each.key() != new.key()] + [new]

    def save(self):
        """Writes both files atomically."""
        self.setting["finished"] = time.strftime("%Y-%m-%d %H:%M")
        data = {"setting": self.setting, "results": [asdict(each) for each in self.all]}
        _replace(self.path, json.dumps(data, indent=1) + "\n")
        _replace(self.path.with_suffix(".tsv"), self._tsv())

    def _tsv(self):
        lines = ["group\tname\tsize\tside\tplace\trounds\tseconds\tleast\tgreatest\twall"
                 "\tpeak_kib\tinstructions\tcounted_size\tsystem_calls\tsize_on_disk"]
        for each in self.all:
            times = ["", "", "", "", ""]
            if each.rounds:
                times = [f"{each.median('seconds'):.6f}",
                         *(f"{end:.6f}" for end in each.spread("seconds")),
                         f"{each.median('wall'):.6f}", f"{each.spread('peak_kib')[1]:.0f}"]
            lines.append("\t".join(map(str, (
                each.group, each.name, each.size, each.side, each.place, len(each.rounds),
                *times, each.instructions, each.counted_size, sum(each.calls.values()),
                each.size_on_disk))))
        return "\n".join(lines) + "\n"

    def grouped(self, *groups):
        """The workloads of GROUPS in the order measured, each by side."""
        found = {}
        for each in self.all:
            if each.group in groups:
                key = (each.group, each.name, each.size, each.place)
                found.setdefault(key, {})[each.side] = each
        return list(found.values())


def _replace(path, text):
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.replace(path)


def ratio(old, new):
    """The factor between OLD and NEW; None if it is undefined."""
    return old / new if old and new else None
