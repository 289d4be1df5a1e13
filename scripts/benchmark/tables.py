"""Results as Markdown tables."""

from growth import grows_too_fast, kinds, per_unit, series_of
from results import ratio
from workloads import BOTH, C, FILES, RUST

_COMMAND_GROUPS = ("everyday", "update", "read", "log", "maintain", "process", "transfer")
# The calls that are most expensive on a disk.
_SYNCING = ("fsync", "fdatasync", "sync_file_range")


def table(head, rows):
    """A Markdown table; all columns but the first are numbers."""
    lines = ["| " + " | ".join(head) + " |",
             "| --- |" + " --: |" * (len(head) - 1)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def short(value):
    """A number with about three digits."""
    if value >= 1_000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def _milliseconds(each, clock=""):
    if each is None:
        return "–"
    low, high = each.spread(clock)
    if len(each.rounds) == 1:
        return short(low * 1e3)
    return f"{short(each.median(clock) * 1e3)} ({short(low * 1e3)}–{short(high * 1e3)})"


def _times(first, second):
    found = ratio(first, second)
    return f"{found:.1f}" if found and found >= 1.05 else f"{found:.2f}" if found else "–"


def _median(each, clock=""):
    return each.median(clock) if each else None


def _mebibytes(each):
    return f"{each.spread('peak_kib')[1] / 1024:.1f}" if each else "–"


def _on(place, groups):
    return [sides for sides in groups if next(iter(sides.values())).place == place]


def library(results, group="library"):
    """Times, memory and instructions of the workloads on both libraries."""
    rows = []
    for sides in _on("tmpfs", results.grouped(group)):
        old, new = sides[C], sides[RUST]
        counts = [f"{each.instructions / each.counted_size:,.0f}" if each.instructions else "–"
                  for each in (old, new)]
        rows.append((old.title, f"{old.size:,}", _milliseconds(old), _milliseconds(new),
                     f"**{_times(old.median(), new.median())}**",
                     _mebibytes(old), _mebibytes(new), *counts,
                     _times(old.instructions, new.instructions)))
    return table(("Workload", "size", "C, ms", "Rust, ms", "C ÷ Rust", "C, MiB", "Rust, MiB",
                  "C, instructions each", "Rust, instructions each", "C ÷ Rust"), rows) \
        if rows else ""


def commands(results):
    """Times and memory of git commands, with the files backend beside them."""
    rows = []
    for sides in _on("tmpfs", results.grouped(*_COMMAND_GROUPS)):
        old, new, files = (sides.get(side) for side in (C, RUST, FILES))
        rows.append((new.title + (", elapsed" if new.clock == "wall" else ""),
                     f"{new.size:,}", *map(_milliseconds, (old, new, files)),
                     f"**{_times(_median(old), new.median())}**",
                     _times(_median(files), new.median()),
                     _mebibytes(old), _mebibytes(new)))
    return table(("Command", "size", "C, ms", "Rust, ms", "files, ms", "C ÷ Rust",
                  "files ÷ Rust", "C, MiB", "Rust, MiB"), rows) if rows else ""


def instructions(results):
    """Instructions of git commands, in millions."""
    rows = []
    for sides in results.grouped(*_COMMAND_GROUPS):
        counted = [sides[side] for side in BOTH if side in sides and sides[side].instructions]
        if len(counted) == len(BOTH):
            rows.append((counted[0].title, f"{counted[0].counted_size:,}",
                         *(short(each.instructions / 1e6) for each in counted),
                         f"**{_times(*(each.instructions for each in counted))}**"))
    return table(("Command", "size", "C, million", "Rust, million", "C ÷ Rust"), rows) \
        if rows else ""


def disk(results):
    """Elapsed times on disk, including the wait for it."""
    rows = []
    for sides in _on("disk", results.grouped(*_COMMAND_GROUPS)):
        old, new, files = (sides.get(side) for side in (C, RUST, FILES))
        rows.append((new.title, f"{new.size:,}",
                     *(_milliseconds(each, "wall") for each in (old, new, files)),
                     f"**{_times(_median(old, 'wall'), new.median('wall'))}**"))
    return table(("Workload", "size", "C, ms", "Rust, ms", "files, ms", "C ÷ Rust"), rows) \
        if rows else ""


def calls(results):
    """System calls of single commands: all, and those that wait for the disk."""
    rows = []
    for sides in results.grouped(*_COMMAND_GROUPS):
        for side, each in sides.items():
            if each.calls:
                rows.append((each.title, side, f"{sum(each.calls.values()):,}",
                             str(sum(each.calls.get(name, 0) for name in _SYNCING)),
                             str(sum(count for name, count in each.calls.items()
                                     if name.startswith(("open", "creat")))),
                             str(sum(count for name, count in each.calls.items()
                                     if name.startswith("rename")))))
    return table(("Command", "side", "calls", "syncs", "opens", "renames"), rows) \
        if rows else ""


def sizes(results):
    """Bytes on disk per ref or reflog entry."""
    rows = []
    for sides in results.grouped("sizes"):
        first = next(iter(sides.values()))
        rows.append((first.title, f"{first.size:,}",
                     *(f"{sides[side].size_on_disk / first.size:.1f}" if side in sides else "–"
                       for side in (C, RUST, FILES))))
    return table(("Repository", "size", "C, bytes each", "Rust, bytes each",
                  "files, bytes each"), rows) if rows else ""


def growth(results):
    """Microseconds per unit at each size; marked where they grow too fast."""
    by_workload, all_sizes = series_of(results), sorted({each.size for each in results.all})
    rows = []
    for (group, name, side), series in by_workload.items():
        kind = kinds().get((group, name)) or "flat"
        flagged = grows_too_fast(series, kind)
        cells = {each.size: short(per_unit(each, kind) * 1e6) +
                 (" (!)" if each in flagged else "") for each in series}
        rows.append((series[0].title, side, *(cells.get(size, "–") for size in all_sizes)))
    return table(("Workload", "side", *(f"{size:,}" for size in all_sizes)), rows) \
        if rows else ""


def setting(results):
    """One sentence on the machine and the programs."""
    known = results.setting
    return (f"git {known['git']} and the Rust backend in it, both compiled with "
            f"`{known['flags']}`; Rust {known['rust']}; {known['cores']} cores of "
            f"{known['processor']}, {known['system']}, load {known['load']} at the start; "
            f"{known.get('finished', 'not finished')}.")


def _ratios(results, group, name, other=C):
    """The ratio of the medians of OTHER and of this project at each size, and the title of the
    workload."""
    title, found = "", {}
    for sides in _on("tmpfs", results.grouped(group)):
        first = next(iter(sides.values()))
        if first.name == name and {other, RUST} <= set(sides):
            title, value = first.title, ratio(sides[other].median(), sides[RUST].median())
            if value:
                found[first.size] = value
    return title, found


def _label(group, title, size):
    return title + ("" if group == "library" else f", {size:,}")


def headlines(results, wanted):
    """Pairs of a label and the ratio of medians, largest size, for WANTED names."""
    rows = []
    for group, name in wanted:
        title, found = _ratios(results, group, name)
        if found:
            rows.append((_label(group, title, max(found)), found[max(found)]))
    return rows


def releases(runs, wanted, files=False):
    """The ratios of WANTED names against the C code of each release, in columns, and with FILES
    against the files backend of the newest. The rows are the largest size of each column."""
    columns = [(f"git {each.setting['git']}", each, C) for each in runs]
    if files:
        columns.append(("refs in files", runs[0], FILES))
    rows = []
    for group, name in wanted:
        measured = [_ratios(each, group, name, other) for _, each, other in columns]
        compared = measured[:len(runs)]
        for size in sorted({max(found) for _, found in compared if found}):
            title = next(title for title, found in measured if size in found)
            rows.append((_label(group, title, size),
                         *(_times(found.get(size), 1) for _, found in measured)))
    head = "Time of each ÷ time of this project" if files else \
        "Time of git's C code ÷ time of this project"
    return table((head, *(title for title, _, _ in columns)), rows)
