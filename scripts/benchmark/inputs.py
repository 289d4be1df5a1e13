"""Standard input of commands: lines made from numbers."""

import random

# Directories contain as many refs as in benches/c/data.c.
PER_DIRECTORY = 1_000
# Updates per ref whose reflog is read.
LOGS_PER_REF = 200
# Updates per ref in a repository of many short reflogs.
SHORT_LOG = 20
# Google's example in git's document about reftables: entries and reflogs.
DOCUMENT_LOGS, _DOCUMENT_LOGGED = 149_932, 43_061
# The number of rounds, the last of which leaves some refs alone.
DOCUMENT_ROUNDS = 4
# The number of lines that make one of twenty tables.
TABLES = 20


def name(number):
    """The ref with that number; the order of names is the order of numbers."""
    return f"refs/heads/dir{number // PER_DIRECTORY:05}/branch{number % PER_DIRECTORY:03}"


def _create(ref, new):
    return f"create {ref} {new}\n"


def creates(repo, size, _):
    return (_create(name(i), repo.first) for i in range(size))


def creates_of_distinct(repo, size, _):
    return (_create(name(i), commit) for i, commit in enumerate(repo.commits()[:size]))


def unsorted_creates(repo, size, _):
    numbers = list(range(size))
    random.Random(size).shuffle(numbers)
    return (_create(name(i), repo.first) for i in numbers)


def updates(repo, size, _):
    return (f"update {name(i)} {repo.second} {repo.first}\n" for i in range(size))


def deletes(repo, size, _):
    return (f"delete {name(i)} {repo.first}\n" for i in range(size))


def mixed(repo, size, _):
    """Of every three lines, one creates, one updates and one deletes; sorted by name."""
    for i in range(size):
        if i % 3 == 0:
            yield f"create {name(i)}x {repo.first}\n"
        elif i % 3 == 1:
            yield f"update {name(i)} {repo.second} {repo.first}\n"
        else:
            yield f"delete {name(i)} {repo.first}\n"


def recreates(repo, size, _):
    return (_create(name(i), repo.first) for i in range(0, size, 5))


def table(repo, size, turn):
    """One of twenty parts, from the whole range of names."""
    return (_create(name(i), repo.first) for i in range(turn, size, TABLES))


def log_round(repo, size, turn, per_ref=LOGS_PER_REF):
    """Updates each ref and restores it."""
    new = repo.second if turn % 2 else repo.first
    return (f"update {name(i)} {new}\n" for i in range(max(1, size // per_ref)))


def short_round(repo, size, turn):
    return log_round(repo, size, turn, SHORT_LOG)


def document_round(repo, size, turn):
    """Updates each ref until the wanted number of entries is reached."""
    refs = max(1, size * _DOCUMENT_LOGGED // DOCUMENT_LOGS)
    new = repo.second if turn % 2 else repo.first
    return (f"update {name(i)} {new}\n" for i in range(min(refs, size - turn * refs)))


def one_directory(repo, size, _):
    return (_create(f"refs/heads/folder/{i:08}", repo.first) for i in range(size))


def deep_names(repo, size, _):
    def path(i):
        return "/".join(f"{(i >> (level % 20)) % 7:03}" for level in range(40))
    return (_create(f"refs/heads/{path(i)}/{i:08}", repo.first) for i in range(size))


def names(_repo, size, _):
    return (name(i) + "\n" for i in range(size))


def commits(_repo, size, _):
    """For `fast-import`: a chain of commits of the empty tree."""
    yield "feature done\n"
    for i in range(size):
        yield "commit refs/heads/main\n"
        yield f"committer C O Mitter <committer@example.com> {1_700_000_000 + i} +0000\n"
        yield f"data 2\n{i % 10}\n"
    yield "reset refs/tags/one\nfrom refs/heads/main\n\n"
    yield "reset refs/tags/two\nfrom refs/heads/main\n\ndone\n"


INPUTS = {
    "create": creates,
    "create-distinct": creates_of_distinct,
    "create-logged": creates,
    "create-unsorted": unsorted_creates,
    "update": updates,
    "delete": deletes,
    "mixed": mixed,
    "recreate": recreates,
    "table": table,
    "log-round": log_round,
    "short-round": short_round,
    "document-round": document_round,
    "one-directory": one_directory,
    "deep-names": deep_names,
    "names": names,
    "commits": commits,
}
