"""Measures both libraries and both gits; called by scripts/bench, which builds them."""

import argparse
import fnmatch
import platform
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from commands import CommandBench
from growth import run_growth
from library import LibraryBench
from programs import Failed, Git, run_plainly
from render import print_tables, write_documents
from results import Results, results_path
from rounds import Clock
from workloads import C, FILES, MODES, RUST

TOP = Path(__file__).resolve().parent.parent.parent


def arguments():
    """The command line, as passed on by scripts/bench."""
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--mode", choices=MODES, default="full")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--library-skip", action="store_true")
    parser.add_argument("--commands-skip", action="store_true")
    parser.add_argument("--no-instructions", action="store_true")
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN")
    parser.add_argument("--disk", type=Path, metavar="DIRECTORY")
    parser.add_argument("--least", type=int, default=10, metavar="SIZE")
    parser.add_argument("--most", type=int, default=1_000_000, metavar="SIZE")
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--default", required=True, metavar="VERSION")
    parser.add_argument("--c-skip", action="store_true")
    return parser.parse_args()


def releases():
    """The names of all releases with a C backend, oldest first."""
    lines = (TOP / "scripts" / "git-versions").read_text().splitlines()
    fields = [line.split() for line in lines if line and not line.startswith("#")]
    return [each[0] for each in fields if "c-backend" in each[3]]


def chooser(patterns):
    """Whether a workload is selected: by GROUP, NAME or GROUP/NAME; all by default."""
    def chosen(group, name):
        return not patterns or any(
            fnmatch.fnmatch(each, pattern)
            for pattern in patterns for each in (group, name, f"{group}/{name}"))
    return chosen


def setting(options):
    """The conditions that the figures depend on, apart from the workloads."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    load = Path("/proc/loadavg").read_text().split()[0]
    tree = options.build / f"git-{options.version}"
    flags = (tree / "GIT-CFLAGS").read_text().partition(":")[2].strip().split()
    return {
        "mode": options.mode, "git": options.version, "processor": model,
        "cores": run_plainly(["getconf", "_NPROCESSORS_ONLN"]).strip(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "load": load, "flags": " ".join(each for each in flags if each.startswith("-O")),
        "rust": run_plainly(["rustc", "--version"]).split()[1],
    }


def built(options, directory, version, root, synced=False):
    """The git in a build tree."""
    return Git(options.build / f"{directory}-{version}", root, options.build / "bench" / "measure",
               synced)


def gits(options, root, synced=False):
    """The git of each side."""
    patched = built(options, "git", options.version, root, synced)
    if options.c_skip:
        return {RUST: patched, FILES: patched}
    return {C: built(options, "upstream", options.version, root, synced), RUST: patched,
            FILES: patched}


def command_bench(options, root, clock, results, place="tmpfs"):
    """The bench of the commands. A release without a C backend cannot convert repositories."""
    sides = gits(options, root, place == "disk")
    converter = sides[C] if C in sides else built(options, "upstream", options.default, root)
    return CommandBench(sides, converter, root / "commands", clock, results, place)


def programs(options):
    """The program of each library."""
    return {side: options.build / "bench" / f"workloads-{side}" for side in (C, RUST)}


@contextmanager
def scratch(directory):
    """A new directory in DIRECTORY that is removed afterwards."""
    root = Path(tempfile.mkdtemp(prefix="reftable-bench.", dir=directory)).resolve()
    try:
        yield root
    finally:
        shutil.rmtree(root)


def memory():
    """A directory in memory, if there is one."""
    shared = Path("/dev/shm")
    return shared if shared.is_dir() else Path(tempfile.gettempdir())


def measure_library(options, root, clock, results):
    """Both libraries."""
    chosen = chooser(options.only)
    bench = LibraryBench(programs(options), root / "library", clock, results)
    bench.run_all(chosen, not options.no_instructions)
    bench.drop_inputs()
    if options.mode != "quick":
        bench.run_document(chosen)
        bench.drop_inputs()


def measure_commands(options, root, clock, results):
    """Both gits and the files backend."""
    chosen = chooser(options.only)
    bench = command_bench(options, root, clock, results)
    bench.run_all(chosen, not options.no_instructions)
    bench.sizes_on_disk(chosen)


def measure_on_disk(options, clock, results):
    """Some commands with flushing: each waits until its data is on disk."""
    options.disk.mkdir(parents=True, exist_ok=True)
    with scratch(options.disk) as root:
        bench = command_bench(options, root, clock, results, "disk")
        bench.run_all(chooser(options.only), False)


def run(options, path):
    """Measures the selected workloads."""
    results = Results(path, setting(options))
    if float(results.setting["load"]) > 1:
        print(f"bench: warning: the load is {results.setting['load']}: other programs run "
              "here, and times will say little", file=sys.stderr)
    if options.only and path.exists():
        results.all = Results.load(path).all
    clock = Clock(MODES["growth" if options.growth else options.mode])
    with scratch(memory()) as root:
        if options.growth:
            run_growth(options, root, clock, results, programs(options),
                       None if options.commands_skip
                       else command_bench(options, root, clock, results),
                       chooser(options.only))
            return results
        if not options.library_skip:
            measure_library(options, root, clock, results)
        if not options.commands_skip:
            measure_commands(options, root, clock, results)
    if options.disk and not options.commands_skip:
        measure_on_disk(options, clock, results)
    return results


def main():
    """Measures or renders; only a full run beside C code updates the documents."""
    options = arguments()
    kind = "growth" if options.growth else options.mode
    path = results_path(options.build / "bench", kind, options.version)
    try:
        if options.render:
            write_documents(TOP, options.build / "bench", releases())
            return
        print_tables(run(options, path))
        if options.mode == "full" and not options.only and not options.c_skip:
            write_documents(TOP, options.build / "bench", releases())
    except (Failed, OSError) as problem:
        sys.exit(f"bench: error: {problem}")


main()
