"""Runs git commands on both gits, and on the files backend."""

import hashlib
import shutil

from fixtures import (CONVERTED, Fixtures, Repository, build, convert, halfway,
                      short_halfway)
from inputs import INPUTS, name
from programs import Failed
from results import Result
from rounds import fresh_copy, interleaved, print_medians
from workloads import BOTH, C, COMMANDS, FILES, RUST, SIZES, SLOW_SIZE


def format_of(side):
    """The ref format of a side."""
    return "files" if side == FILES else "reftable"


class CommandBench:
    """The gits by side, and a directory for their repositories. CONVERTER is a git that
    converts repositories to files."""

    def __init__(self, gits, converter, root, clock, results, place="tmpfs"):
        self.gits, self.converter, self.root = gits, converter, root
        self.clock, self.results, self.place = clock, results, place
        self.release = gits[RUST].release()
        self.fixtures = Fixtures(root / "fixtures", gits.get(C, gits[RUST]), converter)
        self.fixtures.root.mkdir(parents=True)
        self.output = root / "output"
        self.report = root / "report"

    def run_all(self, chosen, count):
        """Runs the workloads that CHOSEN accepts; COUNT: counts instructions as well."""
        for work in COMMANDS:
            if chosen(work.group, work.name) and work.since <= self.release \
                    and (self.place == "tmpfs" or work.disk):
                for size in self.clock.mode.sizes(work.sizes, self.place):
                    self.measure(work, size, count and self.place == "tmpfs")

    def measure(self, work, size, count=False):
        """Runs one workload at one size on all its sides."""
        limits = dict(work.limits)
        if work.tombstones and C in self.gits and self.gits[C].slow_with_tombstones():
            limits[C] = SLOW_SIZE
        sides = [side for side in work.sides
                 if side in self.gits and size <= limits.get(side, size)]
        group = [Result(work.group, work.name, work.title, size, side, self.place, work.clock)
                 for side in sides]
        outcomes = {}

        def once(each, turn):
            run = Run(self, work, size, each.side)
            run.set_up()
            taken = run.measure()
            if turn == 0:
                outcomes[each.side] = run.outcome()
            run.clean_up()
            return taken

        interleaved(self.clock, group, once)
        self._compare(work, outcomes)
        self._more(work, size, group, count)
        for each in group:
            self.results.add(each)
        self.results.save()
        print_medians(self.clock, group)
        return group

    def _more(self, work, size, group, count):
        for each in group:
            if work.traced:
                each.calls = self._apart(work, size, each.side).trace()
            if count and work.counted and size == max(self.clock.mode.sizes(work.sizes)) \
                    and each.side in BOTH:
                each.counted_size = min(size, self.clock.mode.size(work.counted))
                each.instructions = self._apart(work, each.counted_size, each.side).count()

    def _apart(self, work, size, side):
        run = Run(self, work, size, side)
        run.set_up()
        return run

    @staticmethod
    def _compare(work, outcomes):
        seen = {side: outcome for side, outcome in outcomes.items() if side in BOTH}
        if len(set(seen.values())) > 1:
            raise Failed(f"{work.name}: both gits ran, but with different outcomes: {seen}")

    def sizes_on_disk(self, chosen):
        """Measures the disk space of the refs of some repositories, each made by the git
        measured."""
        for fixture, title, full in SIZES:
            if not chosen("sizes", fixture):
                continue
            size = self.clock.mode.size(full)
            for side in self.gits:
                each = Result("sizes", fixture, title, size, side)
                each.size_on_disk = self._size_on_disk(fixture, size, side)
                self.results.add(each)
            self.results.save()

    def _size_on_disk(self, fixture, size, side):
        made = []
        ref_format = "reftable" if fixture in CONVERTED else format_of(side)

        def base_of(base):
            path = self.root / f"sized-{base}"
            base_size = 2 if base in ("base", "logged") else size
            made.append(path)
            build(self.gits[side], path, base, base_size, ref_format, base_of)
            return path

        path = self.root / "sized"
        build(self.gits[side], path, fixture, size, ref_format, base_of)
        if ref_format != format_of(side):
            convert(self.converter, path)
        made.append(path)
        parts = ("packed-refs", "refs", "logs") if side == FILES else ("reftable",)
        taken = sum(bytes_of(path / part) for part in parts)
        for each in made:
            shutil.rmtree(each)
        return taken


def bytes_of(path):
    """The total size of all files at and below PATH."""
    if not path.is_dir():
        return path.stat().st_size if path.exists() else 0
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


class Run:
    """One run of one command: its repositories, input and results."""

    def __init__(self, bench, work, size, side):
        self.bench, self.work, self.size = bench, work, size
        self.git = bench.gits[side]
        self.format = format_of(side)
        self.directories = {"scratch": bench.root / "scratch"}
        self.stdin = None
        self.argv = ()

    def set_up(self):
        """Puts repositories and input in place before each run."""
        work, bench = self.work, self.bench
        fixtures = {"repo": work.repo}
        if work.other:
            fixtures["other"] = work.other
        repos = {}
        for role, fixture in fixtures.items():
            repos[role] = bench.fixtures.get(fixture, self.size, self.format)
            self.directories[role] = repos[role].path
            if work.fresh == role:
                self.directories[role] = bench.root / role
                fresh_copy(repos[role].path, self.directories[role])
        fresh_copy(None, self.directories["scratch"])
        self._fill_in(repos["repo"])

    def _fill_in(self, repo: Repository):
        work = self.work
        words = dict(self.directories, n=self.size, git=self.git.program, first=repo.first,
                     second=repo.second, middle=name(self.size // 2), format=self.format,
                     halfway=halfway(), short_halfway=short_halfway())
        if isinstance(work.argv, str):
            self.argv = work.argv.format(**words)
        else:
            self.argv = [each.format(**words) for each in work.argv]
        if work.stdin:
            self.stdin = self.bench.root / f"stdin-{work.stdin}-{self.size}"
            if not self.stdin.exists():
                with open(self.stdin, "w", encoding="ascii") as lines:
                    lines.writelines(INPUTS[work.stdin](repo, self.size, 0))

    def measure(self):
        """The resources that the command used."""
        return self.git.measured(self.argv, self.directories["repo"], self.stdin,
                                 self.bench.output, self.bench.report)

    def count(self):
        """Its instructions."""
        return self.git.counted(self.argv, self.directories["repo"], self.stdin,
                                self.bench.report)

    def trace(self):
        """Its system calls."""
        return self.git.traced(self.argv, self.directories["repo"], self.stdin,
                               self.bench.report)

    def outcome(self):
        """A checksum of its output and of its result."""
        seen = hashlib.sha256(self.bench.output.read_bytes())
        if self.work.fresh or self.work.result != "repo":
            seen.update(self.git.run(self.work.verify, self.directories[self.work.result]).encode())
        return seen.hexdigest()

    def clean_up(self):
        """Removes what the next run creates again."""
        fresh_copy(None, self.directories["scratch"])
        if self.work.fresh:
            fresh_copy(None, self.directories[self.work.fresh])
