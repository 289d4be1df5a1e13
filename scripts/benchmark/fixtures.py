"""The repositories that commands run in, created once by one git and copied."""

import shutil
from dataclasses import dataclass

from inputs import DOCUMENT_ROUNDS, INPUTS, LOGS_PER_REF, SHORT_LOG, TABLES

# The time of the first update in a repository, and the interval between updates.
START, STEP = 1_700_000_000, 3_600


@dataclass(frozen=True)
class Step:
    """A git command, run once or several times; {n}, {turn} and {repo} are filled in."""

    argv: tuple
    stdin: str = ""
    times: int = 1           # -1: as often as the size says
    environment: tuple = ()


_STDIN = ("update-ref", "--stdin")
_PACK = Step(("pack-refs", "--all", "--prune"))

# A working tree below the repository, with 20 files and a branch of 50 commits. All paths are
# relative, so that the repository can be copied.
_WORK = """!unset GIT_DIR GIT_WORK_TREE &&
git config core.bare false && git config core.logAllRefUpdates true &&
mkdir tree && echo gitdir: .. >tree/.git && cd tree && git reset --quiet --hard &&
for i in $(seq 20); do seq 100 >file$i || exit; done &&
git add . && git commit --quiet --message=files && git checkout --quiet -b topic &&
for i in $(seq 50)
do
	echo $i >>file$((i % 20 + 1)) && git commit --quiet --all --message=$i || exit
done &&
git checkout --quiet main && echo changed >other && git add other &&
git commit --quiet --message=other"""

# Name: the repository that it is a copy of, and what is done there.
FIXTURES = {
    "base": (None, (
        Step(("init", "--quiet", "--bare", "--ref-format={format}", "{repo}")),
        Step(("fast-import", "--quiet"), "commits"))),
    "logged": ("base", (Step(("config", "core.logAllRefUpdates", "always")),)),
    "commits": ("base", (Step(("fast-import", "--quiet", "--force"), "commits"),)),
    "refs": ("base", (Step(_STDIN, "create"), _PACK)),
    "distinct": ("commits", (Step(_STDIN, "create-distinct"), _PACK)),
    "deleted": ("refs", (Step(_STDIN, "delete"),)),
    "kept-logs": ("logged", (Step(_STDIN, "create"), _PACK,
                             Step(("config", "core.logAllRefUpdates", "false")))),
    "dead-logs": ("kept-logs", (Step(_STDIN, "delete"),)),
    "tables": ("base", (Step(_STDIN, "table", TABLES,
                             (("GIT_TEST_REFTABLE_AUTOCOMPACTION", "false"),)),)),
    "logs": ("logged", (Step(_STDIN, "log-round", LOGS_PER_REF), _PACK)),
    "short-logs": ("logged", (Step(_STDIN, "short-round", SHORT_LOG), _PACK)),
    "document-logs": ("logged", (Step(_STDIN, "document-round", DOCUMENT_ROUNDS), _PACK)),
    "expired": ("logs", (Step(("reflog", "expire", "--all", "--expire={halfway}")),)),
    "tracking": ("refs", (Step(("remote", "add", "origin", ".")),
                          Step(("fetch", "--quiet", "--no-tags", "origin")), _PACK)),
    "work": ("refs", (Step(("-c", f"alias.work={_WORK}", "work")), _PACK)),
    "worktrees": ("base", (Step(("worktree", "add", "--quiet", "--no-checkout", "--detach",
                                 "{repo}/tree{turn}", "main"), times=-1),)),
}

# Too slow to create with the files backend, file by file: converted from reftables.
CONVERTED = ("refs", "distinct")
# The size of the input of `base`: two commits to choose from.
_BASE_COMMITS = 2


def halfway():
    """A time in the middle of the updates of `logs`."""
    return _after(LOGS_PER_REF // 2)


def short_halfway():
    """A time in the middle of the updates of `short-logs`."""
    return _after(SHORT_LOG // 2)


def _after(updates):
    return f"@{START + updates * STEP}"


class Repository:
    """A directory with a repository of FIXTURES, and its commits."""

    def __init__(self, path, git):
        self.path, self.git = path, git
        self.first, self.second = git.run(
            ("rev-list", "--reverse", "--max-count=2", "main"), path).split()
        self._commits = None

    def commits(self):
        """All commits, oldest first."""
        if self._commits is None:
            self._commits = self.git.run(("rev-list", "--reverse", "main"), self.path).split()
        return self._commits


class Fixtures:
    """The repositories below a directory, each created on first use."""

    def __init__(self, root, git, converter):
        self.root, self.git, self.converter = root, git, converter
        self._made = {}

    def get(self, name, size, ref_format):
        """The repository NAME of SIZE; it must not be changed."""
        if name in ("base", "logged"):
            size = _BASE_COMMITS
        key = (name, size, ref_format)
        if key not in self._made:
            self._made[key] = self._make(*key)
        return self._made[key]

    def drop(self, name):
        """Removes the repositories called NAME, to save space."""
        for key in [each for each in self._made if each[0] == name]:
            shutil.rmtree(self._made.pop(key).path)

    def _make(self, name, size, ref_format):
        path = self.root / f"{name}-{size}-{ref_format}"
        if ref_format == "files" and name in CONVERTED:
            shutil.copytree(self.get(name, size, "reftable").path, path, symlinks=True)
            convert(self.converter, path)
            return Repository(path, self.git)
        return build(self.git, path, name, size, ref_format,
                     lambda base: self.get(base, size, ref_format).path)


def convert(git, path):
    """Converts the reftable repository at PATH to files."""
    git.run(("refs", "migrate", "--ref-format=files"), path)


def build(git, path, name, size, ref_format, base_of):
    """Creates the repository NAME at PATH with GIT; BASE_OF returns the directory that it is a
    copy of."""
    base, steps = FIXTURES[name]
    repo = None
    if base:
        shutil.copytree(base_of(base), path, symlinks=True)
        repo = Repository(path, git)
    for step in steps:
        turns = size if step.times < 0 else step.times
        for turn in range(turns):
            _do(git, step, repo, path, size, ref_format, turn)
    return repo if repo and name != "commits" else Repository(path, git)


def _do(git, step, repo, path, size, ref_format, turn):
    filled = [each.format(n=size, turn=turn, repo=path, format=ref_format, halfway=halfway())
              for each in step.argv]
    environment = dict(step.environment, GIT_COMMITTER_DATE=f"{START + turn * STEP} +0000")
    lines = INPUTS[step.stdin](repo, size, turn) if step.stdin else ()
    git.run(filled, path if path.exists() else path.parent, "".join(lines), environment)
