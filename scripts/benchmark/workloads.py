"""The workloads as tables: names, sizes, and inputs."""

from dataclasses import dataclass, field

from inputs import DOCUMENT_LOGS

# The libraries, and the third column of the commands: the `files` backend of the
# patched git.
C, RUST, FILES = "c", "rust", "files"
BOTH = (C, RUST)
ALL = (C, RUST, FILES)


@dataclass(frozen=True)
class Library:
    """A workload of benches/c: NAME there; workloads with the same input share it."""

    name: str
    title: str
    input: str
    full: int                # size of a full run
    counted: int             # size under callgrind
    changes: bool = False    # wants a new copy of its input for each run
    growth: str = ""         # how the cost of one unit may grow: "flat" or "log"


def _over_stacks(name, title, counted, growth):
    """A reading workload on a single table and on stacks of 1, 5 and 20."""
    yield Library(name, f"{title}: one table", "table", 1_000_000, counted, growth=growth)
    for tables in (1, 5, 20):
        noun = "table" if tables == 1 else "tables"
        yield Library(f"{name}-{tables}", f"{title}: stack of {tables} {noun}",
                      f"stack-{tables}", 1_000_000, counted,
                      growth=growth if tables == 20 else "")


LIBRARY = (
    *_over_stacks("iterate", "iterate the refs", 100_000, "flat"),
    *_over_stacks("hit", "100,000 lookups that hit", 10_000, "log"),
    *_over_stacks("miss", "100,000 lookups that miss", 10_000, "log"),
    *_over_stacks("in-order", "100,000 lookups in order", 10_000, "log"),
    Library("by-id", "10,000 lookups by object id", "table", 1_000_000, 50_000, growth="log"),
    Library("open", "open and read one ref, 1,000 times", "stack-1", 1_000_000, 100_000,
            growth="log"),
    Library("read-logs", "read the logs of 100 refs", "logs", 200_000, 50_000, growth="log"),
    Library("iterate-logs", "iterate all logs", "logs", 200_000, 50_000, growth="flat"),
    Library("write", "write a table", "", 1_000_000, 50_000, growth="flat"),
    Library("write-no-objects", "write a table, no object section", "", 1_000_000, 50_000,
            growth="flat"),
    Library("write-logs", "write log records", "", 200_000, 20_000, growth="flat"),
    Library("transactions", "one-ref transactions", "", 1_000, 100, changes=True,
            growth="log"),
    Library("compact", "compact 20 tables", "stack-20", 1_000_000, 50_000, changes=True,
            growth="flat"),
    Library("compact-no-objects", "compact 20 tables, no object section",
            "stack-20-no-objects", 1_000_000, 50_000, changes=True, growth="flat"),
)

# Google's example in git's document about reftables: 866,456 refs. Here all ids differ, the
# most expensive case.
DOCUMENT_REFS = 866_456
DOCUMENT = ("iterate", "hit", "by-id")


@dataclass(frozen=True)
class Command:
    """A git command in a copy or the original of a repository of fixtures.py.

    ARGV is a list of git's arguments or a shell script (one string). Placeholders: {n}
    the size; {repo}, {other}, {scratch} directories; {git} the program; {first} and
    {second} commits; {middle} a ref; {format} the ref format.
    """

    group: str
    name: str
    title: str
    repo: str
    argv: object
    sizes: tuple
    stdin: str = ""          # an input of inputs.py
    other: str = ""          # a second repository
    fresh: str = ""          # which of the two is changed: "repo" or "other"
    result: str = "repo"     # where the outcome is compared
    verify: tuple = ("for-each-ref", "--format=%(refname) %(objectname)")
    sides: tuple = ALL
    limits: dict = field(default_factory=dict)  # the greatest size for a side
    tombstones: bool = False  # passes tombstones, for which some C code needs quadratic time
    clock: str = "seconds"   # the figure of the table: CPU "seconds" or "wall"
    counted: int = 0         # size under callgrind; 0: not counted
    traced: bool = False     # system calls are counted
    growth: str = ""
    disk: bool = False
    since: tuple = (0, 0)    # the first release that has the command


# By default git does not wait until references are on disk.
SYNCED = ("-c", "core.fsync=committed")
_STDIN = ("update-ref", "--stdin")
# A million loose files is too much for a directory in memory.
_LOOSE = {FILES: 100_000}
_FEW_LOOSE = {FILES: 1_000}
# The greatest size for C code that needs quadratic time for tombstones.
SLOW_SIZE = 10_000
_UPDATE_SIZES = (1, 1_000, 100_000, 1_000_000)


def _update(name, title, repo, **more):
    more.setdefault("sizes", _UPDATE_SIZES)
    more.setdefault("limits", _LOOSE)
    return Command("update", name, f"`update-ref --stdin`: {title}", repo, _STDIN,
                   stdin=name, fresh="repo", growth="flat", **more)


def _read(name, argv, sizes=(1_000_000,), repo="refs", title="", **more):
    title = title or "`" + " ".join(argv) + "`"
    return Command("read", name, title, repo, argv, sizes, **more)


_LOOP = """i=0
while test $i -lt {n}
do
	{git} update-ref refs/heads/new{writer}/$i {first} || exit
	i=$((i + 1))
done"""
_WRITERS = """pids=
for w in 1 2 3 4 5 6 7 8
do
	(i=0
	while test $i -lt {n}
	do
		{git} -c reftable.lockTimeout=60000 update-ref refs/heads/w$w/$i {first} || exit
		i=$((i + 1))
	done) &
	pids="$pids $!"
done
for pid in $pids
do
	wait $pid || exit
done"""
_STARTUP = """i=0
while test $i -lt {n}
do
	{git} rev-parse --verify --quiet main >/dev/null || exit
	i=$((i + 1))
done"""
_EVERYDAY = (10_000,)
_ALL_LOGS = ("log", "--walk-reflogs", "--all", "--format=%gd %gs")

COMMANDS = (
    _update("create", "creates", "base", counted=10_000, disk=True),
    _update("create-distinct", "creates, distinct ids", "commits", sizes=(100_000,),
            counted=10_000),
    _update("create-logged", "creates with reflogs", "logged", sizes=(100_000,)),
    _update("create-unsorted", "creates, unsorted", "base", limits=_FEW_LOOSE),
    _update("update", "updates", "refs"),
    _update("delete", "deletes", "refs", counted=10_000),
    _update("mixed", "creates, updates, deletes", "refs", limits=_FEW_LOOSE),
    _update("recreate", "recreate a fifth of all deleted refs", "deleted",
            sizes=(10_000, 100_000), tombstones=True),
    _read("for-each-ref", ("for-each-ref",), counted=10_000, growth="flat"),
    _read("refname", ("for-each-ref", "--format=%(refname)")),
    _read("show-ref", ("show-ref",), counted=10_000, growth="flat"),
    _read("prefix", ("for-each-ref", "refs/heads/dir00000/"), growth="log"),
    _read("exclude", ("for-each-ref", "--exclude=refs/heads/dir0000*"), sizes=(100_000,),
          since=(2, 42)),
    _read("branch", ("branch", "-a"), sizes=(100_000,), growth="flat"),
    _read("points-at", ("for-each-ref", "--points-at={middle}"), repo="distinct",
          title="`for-each-ref --points-at`"),
    _read("log-decorated", ("log", "-1", "--decorate", "--oneline", "{middle}"),
          repo="distinct", title="`log -1 --decorate`"),
    _read("describe-exact", ("describe", "--all", "--exact-match", "{middle}"),
          repo="distinct", title="`describe --exact-match`"),
    _read("rev-parse", ("rev-parse", "--verify", "{middle}"), counted=10_000, traced=True,
          growth="log", title="`rev-parse` of one ref"),
    _read("cat-file", ("cat-file", "--batch-check"), sizes=(100_000,), stdin="names",
          counted=10_000, growth="flat"),
    Command("log", "reflog-show", "`reflog show` of one ref", "logs",
            ("reflog", "show", "refs/heads/dir00000/branch000"), (100_000,), growth="log"),
    Command("log", "log-walk", "`log -g --all`", "logs", _ALL_LOGS, (100_000,),
            counted=10_000, growth="flat"),
    Command("log", "log-objects", "`rev-list --reflog`, 20 entries for each ref", "short-logs",
            ("rev-list", "--reflog", "--count"), (100_000,)),
    Command("log", "expire", "`reflog expire --all`, half of the entries", "logs",
            ("reflog", "expire", "--all", "--expire={halfway}"), (100_000,), fresh="repo",
            verify=_ALL_LOGS, growth="flat"),
    Command("log", "expire-short", "`reflog expire --all`, half of 20 entries for each ref",
            "short-logs", ("reflog", "expire", "--all", "--expire={short_halfway}"), (100_000,),
            fresh="repo", verify=_ALL_LOGS, growth="flat"),
    Command("log", "expire-none", "`reflog expire --all`, none of 20 entries for each ref",
            "short-logs", ("reflog", "expire", "--all", "--expire=never",
                           "--expire-unreachable=never"), (100_000,),
            fresh="repo", verify=_ALL_LOGS, growth="flat"),
    Command("maintain", "pack-refs", "`pack-refs` over 20 tables", "tables",
            ("pack-refs", "--all"), (100_000, 1_000_000), fresh="repo", limits=_LOOSE,
            growth="flat", disk=True),
    Command("process", "sequential", "sequential `update-ref` processes", "base",
            _LOOP.replace("{writer}", ""), (2_000,), fresh="repo", disk=True),
    Command("process", "writers", "8 concurrent writers, updates by each", "base",
            _WRITERS, (100,), fresh="repo", clock="wall"),
    Command("process", "startup", "`rev-parse` processes in a repository of 3 refs", "base",
            _STARTUP, (200,)),
    Command("process", "update-one", "one `update-ref`, 3 refs", "base",
            ("update-ref", "refs/heads/one", "{first}"), (1,), fresh="repo", traced=True),
    Command("process", "update-one-synced", "one `update-ref`, `core.fsync=committed`",
            "base", (*SYNCED, "update-ref", "refs/heads/one", "{first}"), (1,), fresh="repo",
            traced=True),
    Command("process", "read-one", "one `rev-parse`, 3 refs", "base",
            ("rev-parse", "--verify", "main"), (1,), traced=True),
    Command("transfer", "fetch", "`fetch` into an empty repository", "base",
            ("fetch", "--quiet", "{other}", "+refs/heads/*:refs/remotes/other/*"), (100_000,),
            other="refs", fresh="repo"),
    Command("transfer", "push", "`push` into an empty repository", "refs",
            ("push", "--quiet", "{other}", "refs/heads/*:refs/heads/*"), (100_000,),
            other="base", fresh="other", result="other"),
    Command("transfer", "clone", "`clone`", "refs",
            ("clone", "--quiet", "--bare", "--no-local", "--ref-format={format}", ".",
             "{scratch}"), (100_000,), result="scratch"),
    Command("everyday", "status", "`status`", "work", "cd tree && {git} status --porcelain",
            _EVERYDAY),
    Command("everyday", "commit", "`commit`", "work",
            "cd tree && echo more >>file1 && {git} commit --quiet --all --message=more",
            _EVERYDAY, fresh="repo"),
    Command("everyday", "stash", "`stash push`", "work",
            "cd tree && echo more >>file1 && {git} stash push --quiet", _EVERYDAY,
            fresh="repo"),
    Command("everyday", "rebase", "`rebase` of 50 commits", "work",
            "cd tree && {git} rebase --quiet main topic", _EVERYDAY, fresh="repo"),
    Command("everyday", "rename-branch", "`branch -m`", "work",
            ("branch", "-m", "dir00000/branch000", "renamed"), _EVERYDAY, fresh="repo"),
    Command("everyday", "rename-remote", "`remote rename`, of as many tracking refs", "tracking",
            ("remote", "rename", "--no-progress", "origin", "upstream"), _EVERYDAY,
            fresh="repo"),
    Command("everyday", "gc", "`gc`", "work", ("gc", "--quiet"), _EVERYDAY, fresh="repo"),
    Command("everyday", "prune", "`fetch --prune`, all refs", "refs",
            ("fetch", "--quiet", "--prune", "{other}", "+refs/heads/dir*:refs/heads/dir*"),
            (40_000,), other="base", fresh="repo"),
    Command("transfer", "advertise", "`upload-pack`, ref advertisement", "refs",
            ("upload-pack", "--http-backend-info-refs", "."), (1_000_000,), growth="flat"),
)

# Cases in which the cost grows out of proportion if an iteration restarts repeatedly.
GROWTH = (
    Command("growth", "one-directory", "creates in one directory", "base", _STDIN, (1_000_000,),
            stdin="one-directory", fresh="repo", limits=_LOOSE, growth="flat"),
    Command("growth", "deep-names", "creates, 40 directories deep", "base", _STDIN, (100_000,),
            stdin="deep-names", fresh="repo", limits=_LOOSE, growth="flat"),
    Command("growth", "tombstones", "`for-each-ref` after deleting all refs", "deleted",
            ("for-each-ref",), (1_000_000,), growth="flat"),
    Command("growth", "excluded", "`for-each-ref` of one deleted directory, part of it excluded",
            "deleted", ("for-each-ref", "--exclude=refs/heads/dir00000/branch0",
                        "refs/heads/dir00000/"), (1_000_000,), growth="log", since=(2, 42)),
    Command("growth", "delete-logged", "deletes with reflogs", "kept-logs", _STDIN,
            (100_000,), stdin="delete", fresh="repo", limits=_LOOSE, growth="flat"),
    Command("growth", "recreate-logged", "creates of deleted refs with deleted logs",
            "dead-logs", _STDIN, (100_000,), stdin="create", fresh="repo",
            limits=_LOOSE, tombstones=True, growth="flat"),
    Command("growth", "no-log", "`reflog exists` of a missing log, before deleted logs",
            "dead-logs", "! {git} reflog exists refs/heads/a", (100_000,), growth="log"),
    Command("growth", "expired-log", "`log -g --all` after expiring the older half",
            "expired", _ALL_LOGS, (100_000,), growth="flat"),
    Command("growth", "worktrees", "`worktree list`, by number of worktrees", "worktrees",
            ("worktree", "list"), (1_000,), growth="flat"),
)

# Sizes on disk: repositories of fixtures.py.
SIZES = (
    ("refs", "refs to one commit", 100_000),
    ("distinct", "refs to distinct commits", 100_000),
    ("logs", "reflog entries, 200 for each ref", 20_000),
    ("distinct", "refs to distinct commits, as many as in git's specification", DOCUMENT_REFS),
    ("document-logs", "reflog entries as in git's specification, of 43,061 refs", DOCUMENT_LOGS),
)


@dataclass(frozen=True)
class Mode:
    """Sizes and numbers of rounds: a mode of the script."""

    name: str
    divisor: int      # of sizes
    kept: int         # sizes up to this one stay, others do not fall below it
    least_rounds: int
    most_rounds: int
    budget: float     # seconds of one workload, after the fewest rounds; four times
                      # time limit in seconds, after two rounds
    minutes: float    # after which everything runs once

    def size(self, full):
        """The size used instead of FULL."""
        return full if full <= self.kept else max(self.kept, full // self.divisor)

    def sizes(self, full, place="tmpfs"):
        """The sizes used instead of those of a full run, in order; on disk, a tenth."""
        if place == "disk":
            full = [each if each <= 1_000 else each // 10 for each in full]
        return sorted({self.size(each) for each in full})


MODES = {
    "full": Mode("full", 1, 0, 3, 5, 3.0, 14.0),
    "quick": Mode("quick", 50, 200, 2, 3, 0.5, 2.0),
    "smoke": Mode("smoke", 10_000, 20, 1, 1, 0.0, 1.0),
    "growth": Mode("growth", 1, 0, 1, 3, 0.3, 600.0),
}
