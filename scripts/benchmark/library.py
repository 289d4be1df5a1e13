"""Runs the workloads of benches/c on both libraries."""

import shutil

from programs import Failed, callgrind, figures, instructions, run_plainly
from results import Result
from rounds import fresh_copy, interleaved, print_medians
from workloads import BOTH, C, DOCUMENT, DOCUMENT_REFS, LIBRARY


class LibraryBench:
    """The programs of both libraries, and a directory for their tables."""

    def __init__(self, programs, root, clock, results):
        self.programs, self.root = programs, root
        self.clock, self.results = clock, results
        root.mkdir(parents=True)

    def run_all(self, chosen, count):
        """Runs the workloads that CHOSEN accepts; COUNT: counts instructions as well."""
        for work in LIBRARY:
            if chosen("library", work.name):
                self.measure("library", work, self.clock.mode.size(work.full), count)

    def run_document(self, chosen):
        """The figures of git's document about reftables, for as many refs."""
        for work in LIBRARY:
            if work.name in DOCUMENT and chosen("document", work.name):
                self.measure("document", work, self.clock.mode.size(DOCUMENT_REFS), False)

    def measure(self, group, work, size, count):
        """Runs one workload at one size on both libraries."""
        pair = [Result(group, work.name, work.title, size, side) for side in BOTH]
        table = self.input(work, size)
        interleaved(self.clock, pair, lambda each, _: self._once(work, each, table))
        self._compare(pair)
        if count:
            counted = min(size, self.clock.mode.size(work.counted))
            for each in pair:
                each.instructions, each.counted_size = self._count(work, each.side, counted)
        for each in pair:
            self.results.add(each)
        self.results.save()
        print_medians(self.clock, pair)
        return pair

    def input(self, work, size):
        """The directory with the input, which upstream's library writes once."""
        if not work.input:
            return None
        directory = self.root / f"{work.input}-{size}"
        if not directory.exists():
            run_plainly([self.programs[C], "--prepare", work.name, size, directory])
        return directory

    def drop_inputs(self):
        """Removes all inputs, to save space."""
        shutil.rmtree(self.root)
        self.root.mkdir()

    def _directory(self, work, table):
        if table is not None and not work.changes:
            return table
        target = self.root / "run"
        fresh_copy(table, target)
        return target

    def _once(self, work, each, table):
        directory = self._directory(work, table)
        return figures(run_plainly([self.programs[each.side], work.name, each.size, directory]))

    def _count(self, work, side, size):
        """The instructions of the measured part, and the amount of work in it."""
        directory = self._directory(work, self.input(work, size))
        report = self.root / "callgrind.log"
        said = run_plainly([*callgrind(report, "measured_part"), self.programs[side], work.name,
                            size, directory])
        return instructions(report), int(figures(said)["units"])

    @staticmethod
    def _compare(pair):
        seen = {(each.rounds[i]["checksum"], each.rounds[i]["units"])
                for each in pair for i in range(len(each.rounds))}
        if len(seen) != 1:
            raise Failed(f"{pair[0].name}: the libraries did not read the same: {seen}")
