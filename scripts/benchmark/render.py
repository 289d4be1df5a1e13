"""Writes tables and charts of results into the documents, between their markers."""

import re

import chart
import tables
from growth import kinds, per_unit, series_of
from programs import Failed
from results import Results, results_path
from workloads import C, COMMANDS, DOCUMENT_REFS, LIBRARY

# The rows in the README: what people do with git, and then what programs do with the library.
SUMMARY = (
    ("everyday", "status"), ("everyday", "commit"), ("everyday", "stash"),
    ("everyday", "rebase"), ("everyday", "rename-branch"), ("everyday", "rename-remote"),
    ("everyday", "gc"), ("everyday", "prune"), ("transfer", "fetch"), ("transfer", "push"),
    ("transfer", "clone"), ("transfer", "advertise"), ("process", "read-one"),
    ("process", "update-one"), ("read", "branch"), ("read", "for-each-ref"),
    ("read", "refname"), ("read", "show-ref"), ("read", "points-at"), ("read", "log-decorated"),
    ("log", "reflog-show"), ("log", "expire-short"), ("maintain", "pack-refs"),
    ("update", "create"), ("update", "delete"), ("update", "recreate"),
    ("library", "iterate"), ("library", "hit"), ("library", "read-logs"), ("library", "write"),
    ("library", "compact"),
)
# The rows of the table of releases, and of the chart.
_ALL = (*(("library", work.name) for work in LIBRARY),
        *((work.group, work.name) for work in COMMANDS))
_RENDERED = ("library", "commands", "instructions", "disk", "calls", "sizes", "growth")


def between(text, name, content):
    """TEXT with CONTENT between the markers of NAME; fails if there are no such markers."""
    begin, end = f"<!-- bench:begin {name} -->", f"<!-- bench:end {name} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise Failed(f"the markers of {name} are not there once: {begin}")
    return pattern.sub(lambda _: f"{begin}\n{content}\n{end}", text)


def _load(directory, kind, releases):
    """The results of each release that has been measured, the newest first."""
    paths = [results_path(directory, kind, each) for each in reversed(releases)]
    return [Results.load(each) for each in paths if each.exists()]


# Headings of tables that older documents do not have.
_HEADINGS = {
    "releases": "### Against the C code of several releases\n\n"
                "Ratios of time, at the largest size that both sides of a run were given.",
    "document": "### The example in git's format specification\n\n"
                "Git's format specification has an "
                f"example with {DOCUMENT_REFS:,} refs. The same number, all with different ids:",
    "instructions": "### Instructions of commands",
    "disk": "### On a disk\n\nElapsed time, with `core.fsync=committed`.",
    "calls": "### System calls\n\nCalls of the process and its children, from its start.",
    "sizes": "### Sizes\n\nThe size of the directory `reftable`; for the files backend, of "
             "`packed-refs`, `refs` and `logs`.",
    "growth": "## How costs grow\n\nMicroseconds per ref, entry or lookup.",
}


def _section(name, content):
    return f"{_HEADINGS[name]}\n\n{content}" if content else ""


def _contents(runs, grown):
    """The contents for each marker, as far as measured. RUNS has the newest release first, which
    the document is about."""
    found = {}
    if runs:
        full = runs[0]
        found = {"setting": tables.setting(full), "library": tables.library(full),
                 "commands": tables.commands(full),
                 "chart": "![Ratios of time](performance.svg)",
                 "document": _section("document", tables.library(full, "document"))}
        if len(runs) > 1:
            found["releases"] = _section("releases", tables.releases(runs, _ALL))
        for name in ("instructions", "disk", "calls", "sizes"):
            found[name] = _section(name, getattr(tables, name)(full))
    if grown:
        found["growth"] = "\n\n".join((
            _section("growth", tables.growth(grown)), tables.setting(grown),
            "![Growth of the costs](growth.svg)"))
    return {name: content for name, content in found.items() if content}


def _label(title):
    return title.replace("`", "")


def _bars(full):
    rows = [(_label(label), ratio) for label, ratio in tables.headlines(full, _ALL)]
    return chart.bars(f"Time of the C code of git {full.setting['git']} ÷ time of this project, medians, "
                      "largest size", rows)


def _lines(grown):
    panels = {}
    for (group, name, side), series in series_of(grown).items():
        kind = kinds().get((group, name)) or "flat"
        points = [(each.size, max(per_unit(each, kind) * 1e6, 1e-3)) for each in series]
        colour = chart.C_COLOUR if side == C else chart.RUST_COLOUR
        panels.setdefault((group, name), (series[0].title, []))[1].append((colour, points))
    return chart.lines("Microseconds for one unit by size; blue: git's C code, red: this",
                       [(_label(title), lines) for title, lines in panels.values()])


def _summary(runs):
    return tables.releases(runs, SUMMARY, files=True) + "\n\n![All ratios](docs/performance.svg)"


def write_documents(top, directory, releases):
    """Updates docs/ and README.md with the results of the last runs against each of RELEASES."""
    runs = _load(directory, "full", releases)
    grown = next(iter(_load(directory, "growth", releases)), None)
    if not runs and not grown:
        raise Failed(f"no results in {directory}")
    path = top / "docs" / "performance.md"
    text = path.read_text()
    for name, content in _contents(runs, grown).items():
        text = between(text, name, content)
    changed = {path: text}
    if runs:
        readme = top / "README.md"
        changed[readme] = between(readme.read_text(), "summary", _summary(runs))
        changed[top / "docs" / "performance.svg"] = _bars(runs[0])
    if grown:
        changed[top / "docs" / "growth.svg"] = _lines(grown)
    for each, new in changed.items():
        each.write_text(new)


def print_tables(results):
    """Prints all tables to the terminal."""
    print(tables.setting(results))
    is_growth = results.path.stem.startswith("growth")
    for name in _RENDERED:
        if (name == "growth") == is_growth:
            content = getattr(tables, name)(results)
            if content:
                print(f"\n{name}\n\n{content}")
