"""Runs programs and reads the resources that they used."""

import os
import re
import shutil
import subprocess
from pathlib import Path

_DATE = "1700000000 +0000"
_CONFIG = """[gc]
	auto = 0
[maintenance]
	auto = false
[receive]
	autogc = false
[safe]
	directory = *
[init]
	defaultBranch = main
[user]
	name = A U Thor
	email = author@example.com
"""
# By default git does not wait until references are on disk.
_SYNCED = """[core]
	fsync = committed
"""


class Failed(Exception):
    """A failed program: its name and its message."""


def figures(text):
    """The figures of a line of name=value, as numbers where possible."""
    result = {}
    for field in text.split():
        key, _, value = field.partition("=")
        result[key] = value if key == "checksum" else float(value)
    return result


def _run(argv, **more):
    done = subprocess.run([str(each) for each in argv], stderr=subprocess.PIPE, check=False,
                          **more)
    if done.returncode:
        said = done.stderr.decode(errors="replace")[-2_000:]
        raise Failed(f"{' '.join(map(str, argv))[:500]}: exit code {done.returncode}\n{said}")
    return done.stdout


def run_plainly(argv, **more):
    """Runs a program and returns its output; raises an error if it fails."""
    return _run(argv, stdout=subprocess.PIPE, **more).decode()


class Git:
    """A git and the directory it was built in, run without its wrapper scripts.

    Its program is copied: one that a linker has just written is cached in smaller pieces, and
    starts up to a tenth slower. It finds repositories only below ROOT, so that no other can be
    changed. SYNCED: it waits until references are on disk.
    """

    def __init__(self, tree, root, measure, synced=False):
        self.tree, self.measure = Path(tree), measure
        self.program = root / "bin" / self.tree.name / "git"
        if not self.program.exists():
            self.program.parent.mkdir(parents=True)
            shutil.copy2(self.tree / "git", self.program)
        home = root / "home"
        home.mkdir(parents=True, exist_ok=True)
        (home / ".gitconfig").write_text(_CONFIG + (_SYNCED if synced else ""))
        self.environment = {
            "PATH": f"{self.program.parent}:{self.tree}:{os.environ['PATH']}",
            "HOME": str(home),
            "LC_ALL": "C",
            "TZ": "UTC",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CEILING_DIRECTORIES": str(root.resolve()),
            "GIT_EXEC_PATH": str(self.tree),
            "GIT_TEMPLATE_DIR": str(self.tree / "templates" / "blt"),
            "GIT_AUTHOR_DATE": _DATE,
            "GIT_COMMITTER_DATE": _DATE,
        }

    def release(self):
        """The first two numbers of its version."""
        numbers = self.run(("version",), self.program.parent).split()[2].split(".")
        return int(numbers[0]), int(numbers[1])

    def slow_with_tombstones(self):
        """Whether its C code passes all tombstones of a table for each lookup, as up to 2.55.0."""
        header = self.tree / "reftable" / "reftable-stack.h"
        return "suppress_deletions" not in header.read_text()

    def command(self, argv):
        """ARGV preceded by git, or a shell for a script."""
        if isinstance(argv, str):
            return ["/bin/sh", "-c", argv]
        return [str(self.program), *argv]

    def run(self, argv, directory, stdin="", environment=()):
        """The output of a command that is not measured."""
        return _run(self.command(argv), cwd=directory, input=stdin.encode(),
                    env=dict(self.environment, **dict(environment)),
                    stdout=subprocess.PIPE).decode()

    def measured(self, argv, directory, stdin, output, report):
        """The resources that a command used; its output is in the file OUTPUT."""
        self._with_files([self.measure, report, *self.command(argv)], directory, stdin, output)
        return figures(report.read_text())

    def counted(self, argv, directory, stdin, report):
        """The number of instructions of a command, without its children."""
        self._with_files([*callgrind(report), *self.command(argv)], directory, stdin,
                         Path(os.devnull))
        return instructions(report)

    def traced(self, argv, directory, stdin, report):
        """The number of system calls of a command and its children, by name."""
        self._with_files(["strace", "-f", "-c", "-o", report, *self.command(argv)], directory,
                         stdin, Path(os.devnull))
        return system_calls(report.read_text())

    def _with_files(self, argv, directory, stdin, output):
        with open(stdin or os.devnull, "rb") as source, open(output, "wb") as target:
            _run(argv, cwd=directory, stdin=source, stdout=target, env=self.environment)


def callgrind(report, function=""):
    """The command that runs a program under callgrind; with a FUNCTION, only that is counted."""
    argv = ["valgrind", "--tool=callgrind", f"--log-file={report}",
            f"--callgrind-out-file={os.devnull}"]
    if function:
        argv += ["--collect-atstart=no", f"--toggle-collect={function}"]
    return argv


def instructions(report):
    """The total at the end of callgrind's log."""
    found = re.search(r"Collected : (\d+)", report.read_text())
    if not found:
        raise Failed(f"callgrind has counted nothing: {report}")
    return int(found.group(1))


def system_calls(table):
    """Name and number of calls from the table of `strace -c`."""
    result = {}
    for line in table.splitlines():
        fields = line.split()
        if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != "total":
            result[fields[-1]] = int(fields[3])
    return result
