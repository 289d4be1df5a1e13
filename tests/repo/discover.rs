//! Finding repositories, compared with `git rev-parse`.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use reftable::{Error, HashId, Repository};

use crate::child;
use crate::common::{number, run, scratch, Git, Random};
use crate::support::has_rules_of_crate;

/// What git says of a directory, or this crate: the git directory, the common one, the hash,
/// whether there is no working tree, where it is, and the branch and commit of `HEAD`.
#[derive(Debug, PartialEq)]
struct Seen {
    git_dir: PathBuf,
    common_dir: PathBuf,
    hash: String,
    is_bare: bool,
    work_dir: Option<PathBuf>,
    branch: Option<String>,
    commit: Option<String>,
}

/// A git whose searches do not end at the directory above.
fn command(git: &Git, dir: &Path, args: &[&str]) -> Command {
    let mut command = git.command(dir, args);
    command.env_remove("GIT_CEILING_DIRECTORIES");
    command
}

/// The output of a command, if it succeeds.
fn said(git: &Git, dir: &Path, args: &[&str]) -> Option<String> {
    let output = run(command(git, dir, args), b"");
    (output.status == 0).then(|| output.stdout.trim_end().to_owned())
}

fn make(git: &Git, dir: &Path, args: &[&str]) {
    let output = run(command(git, dir, args), b"");
    assert_eq!(output.status, 0, "{args:?}: {}", output.stderr);
}

fn real(path: impl AsRef<Path>) -> PathBuf {
    let path = path.as_ref();
    path.canonicalize()
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What git says of `dir`; `Err` with the format of refs if that is not reftable, or with nothing
/// if git finds no repository that it can use.
fn by_git(git: &Git, dir: &Path) -> Result<Seen, String> {
    let args = [
        "rev-parse",
        "--path-format=absolute",
        "--git-dir",
        "--git-common-dir",
        "--show-object-format",
        "--is-bare-repository",
        "--show-ref-format",
    ];
    let text = said(git, dir, &args).unwrap_or_default();
    let [git_dir, common_dir, hash, is_bare, format] = text.lines().collect::<Vec<_>>()[..] else {
        return Err(String::new());
    };
    if format != "reftable" {
        return Err(format.into());
    }
    Ok(Seen {
        git_dir: real(git_dir),
        common_dir: real(common_dir),
        hash: hash.into(),
        is_bare: is_bare == "true",
        work_dir: said(git, dir, &["rev-parse", "--show-toplevel"]).map(real),
        branch: said(git, dir, &["symbolic-ref", "-q", "HEAD"]),
        commit: said(git, dir, &["rev-parse", "-q", "--verify", "HEAD"]),
    })
}

fn seen(repository: &Repository) -> Seen {
    let layout = repository.layout();
    let head = repository.head().unwrap();
    Seen {
        git_dir: real(layout.git_dir()),
        common_dir: real(layout.common_dir()),
        hash: match layout.hash() {
            HashId::Sha1 => "sha1".into(),
            HashId::Sha256 => "sha256".into(),
        },
        is_bare: layout.is_bare(),
        work_dir: layout.work_dir().map(real),
        branch: head.name().map(ToString::to_string),
        commit: head.id().map(|id| id.to_string()),
    }
}

fn by_us(dir: &Path) -> Result<Seen, String> {
    match Repository::discover(dir) {
        Ok(repository) => Ok(seen(&repository)),
        Err(Error::NotReftable { format, .. }) => Err(format.to_string()),
        Err(_) => Err(String::new()),
    }
}

/// Makes a repository with a commit.
fn init(git: &Git, root: &Path, name: &str, options: &[&str]) -> PathBuf {
    let args = [&["init", "-q", "-b", "main"], options, &[name]].concat();
    make(git, root, &args);
    let dir = root.join(name);
    commit(git, &dir);
    dir
}

/// A commit on the current branch, also of a bare repository.
fn commit(git: &Git, dir: &Path) {
    let tree = said(git, dir, &["hash-object", "-w", "-t", "tree", "/dev/null"]).unwrap();
    let id = said(git, dir, &["commit-tree", "-m", "x", &tree]).unwrap();
    make(git, dir, &["update-ref", "HEAD", &id]);
}

fn check(git: &Git, dir: &Path) -> Result<Seen, String> {
    let expected = by_git(git, dir);
    assert_eq!(by_us(dir), expected, "{}", dir.display());
    expected
}

/// Checks a repository, and that each of `paths` in it is found.
fn check_all(git: &Git, dir: &Path, paths: &[&str]) {
    for path in paths {
        assert!(check(git, &dir.join(path)).is_ok(), "{path}");
    }
}

#[test]
fn plain_and_bare_repositories() {
    let Some(git) = Git::upstream() else { return };
    let root = scratch();
    let root = root.path();
    for hash in ["sha1", "sha256"] {
        let option = format!("--object-format={hash}");
        let plain = init(&git, root, &format!("plain-{hash}"), &[&option]);
        fs::create_dir_all(plain.join("sub/dir")).unwrap();
        check_all(
            &git,
            &plain,
            &["", "sub", "sub/dir", ".git", ".git/objects"],
        );
        let bare = init(&git, root, &format!("bare-{hash}"), &[&option, "--bare"]);
        check_all(&git, &bare, &["", "objects/info"]);
        // A file stands for its directory.
        fs::write(plain.join("sub/file"), "").unwrap();
        let of_file = Repository::discover(plain.join("sub/file")).unwrap();
        assert_eq!(real(of_file.layout().git_dir()), real(plain.join(".git")));
        let error = Repository::open(plain.join("sub")).unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error}");
    }
    assert_eq!(check(&git, root), Err(String::new()));
    let error = Repository::discover(root.join("missing")).unwrap_err();
    assert!(matches!(error, Error::Io(_)), "{error}");
}

#[test]
fn git_files_and_links() {
    let Some(git) = Git::upstream() else { return };
    let root = scratch();
    let root = root.path();
    let separate = init(
        &git,
        root,
        "separate",
        &["--separate-git-dir=elsewhere.git"],
    );
    check_all(&git, &separate, &[""]);
    check_all(&git, root, &["elsewhere.git"]);
    let plain = init(&git, root, "plain", &[]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        fs::create_dir_all(plain.join("sub")).unwrap();
        symlink("plain", root.join("link")).unwrap();
        symlink("plain/sub", root.join("deep")).unwrap();
        fs::create_dir(root.join("borrowed")).unwrap();
        symlink("../plain/.git", root.join("borrowed/.git")).unwrap();
        check_all(&git, root, &["link", "link/sub", "deep", "borrowed"]);
        // HEAD as old versions of git wrote it.
        let old = init(&git, root, "old", &[]);
        fs::remove_file(old.join(".git/HEAD")).unwrap();
        symlink("refs/heads/.invalid", old.join(".git/HEAD")).unwrap();
        check_all(&git, &old, &[""]);
    }
    fs::create_dir(root.join("outer")).unwrap();
    fs::write(root.join("outer/.git"), "gitdir: ../plain/.git\r\n\n").unwrap();
    check_all(&git, root, &["outer"]);
    for path in ["outer/.git", "outer", "plain/.git", "plain"] {
        let repository = Repository::open(root.join(path)).unwrap();
        assert_eq!(
            real(repository.layout().git_dir()),
            real(plain.join(".git")),
            "{path}"
        );
    }
}

#[test]
fn worktrees() {
    let Some(git) = Git::upstream() else { return };
    let root = scratch();
    let root = root.path();
    let plain = init(&git, root, "plain", &[]);
    let bare = init(&git, root, "bare", &["--bare"]);
    let add = |dir: &Path, options: &[&str], path: &str| {
        let args = [options, &["worktree", "add", "-q"], &[path]].concat();
        make(&git, dir, &args);
        commit(&git, &dir.join(path));
    };
    add(&plain, &[], "../one");
    add(&plain, &["-c", "worktree.useRelativePaths=true"], "../two");
    add(&plain, &[], "../three");
    make(&git, &plain, &["worktree", "move", "../three", "../moved"]);
    add(&bare, &[], "../of-bare");
    for path in ["one", "two", "moved", "of-bare"] {
        fs::create_dir(root.join(path).join("sub")).unwrap();
        check_all(&git, &root.join(path), &["", "sub"]);
    }
    check_all(&git, &plain, &["", ".git/worktrees/one", ".git/worktrees"]);
    check_all(&git, &bare, &["", "worktrees/of-bare"]);

    let repository = Repository::discover(root.join("two")).unwrap();
    assert_eq!(repository.layout().worktree().unwrap(), "two");
    assert_eq!(repository.worktrees().unwrap(), ["one", "three", "two"]);
    for (name, dir) in [("one", "one"), ("two", "two"), ("three", "moved")] {
        let other = repository.worktree(name).unwrap();
        assert_eq!(seen(&other), by_git(&git, &root.join(dir)).unwrap());
        let dir = plain.join(".git/worktrees").join(name);
        assert_eq!(seen(&Repository::open(dir).unwrap()), seen(&other));
    }
    let main = repository.main_worktree().unwrap();
    assert_eq!(seen(&main), by_git(&git, &plain).unwrap());
    let of_bare = Repository::discover(root.join("of-bare")).unwrap();
    let main = of_bare.main_worktree().unwrap();
    assert_eq!(seen(&main), by_git(&git, &bare).unwrap());
    for name in ["four", "", ".", "..", "one/..", "one/"] {
        let error = repository.worktree(name).unwrap_err();
        assert!(matches!(error, Error::NoWorktree { .. }), "{name}: {error}");
    }
    let empty = Repository::discover(init(&git, root, "alone", &[])).unwrap();
    assert!(empty.worktrees().unwrap().is_empty());
}

#[test]
fn submodules() {
    let Some(git) = Git::upstream() else { return };
    let root = scratch();
    let root = root.path();
    let inner = init(&git, root, "inner", &[]);
    let outer = init(&git, root, "outer", &[]);
    let inner = inner.to_str().unwrap();
    let allow = ["-c", "protocol.file.allow=always"];
    make(
        &git,
        &outer,
        &[&allow[..], &["submodule", "add", "-q", inner, "lib"]].concat(),
    );
    let lib = outer.join("lib");
    make(&git, &lib, &["worktree", "add", "-q", "../../of-lib"]);
    fs::create_dir(lib.join("sub")).unwrap();
    check_all(&git, &outer, &["", "lib", "lib/sub", ".git/modules/lib"]);
    check_all(&git, root, &["of-lib"]);
    let repository = Repository::open(outer.join(".git/modules/lib")).unwrap();
    assert_eq!(seen(&repository), by_git(&git, &lib).unwrap());
}

#[test]
fn references_elsewhere() {
    let Some(git) = Git::upstream() else { return };
    if !has_rules_of_crate(&git) {
        return;
    }
    let root = scratch();
    let root = root.path();
    for (name, dir) in [
        ("absolute", root.join("refs-1")),
        ("relative", "refs".into()),
    ] {
        let uri = format!("reftable://{}", dir.display());
        let repository = root.join(name);
        fs::create_dir_all(repository.join(".git").join(&dir)).unwrap();
        let mut init = command(&git, root, &["init", "-q", "-b", "main", name]);
        init.env("GIT_REFERENCE_BACKEND", &uri);
        let output = run(init, b"");
        assert_eq!(output.status, 0, "{}", output.stderr);
        let stored = said(&git, &repository, &["config", "extensions.refStorage"]);
        assert_eq!(stored, Some(uri));
        commit(&git, &repository);
        check_all(&git, &repository, &["", ".git"]);
        let stack = repository.join(".git").join(&dir).join("reftable");
        assert!(stack.join("tables.list").is_file());
        let worktree = format!("../{name}-wt");
        make(&git, &repository, &["worktree", "add", "-q", &worktree]);
        commit(&git, &repository.join(&worktree));
        check_all(&git, &repository.join(&worktree), &[""]);
    }
}

#[test]
fn settings_of_the_working_tree() {
    let Some(git) = Git::upstream() else { return };
    let root = scratch();
    let root = root.path();
    let set = |dir: &Path, settings: &[&str]| {
        for setting in settings {
            let (key, value) = setting.split_once('=').unwrap();
            make(&git, dir, &["config", "set", key, value]);
        }
    };
    fs::create_dir_all(root.join("tree/sub")).unwrap();
    let elsewhere = init(&git, root, "elsewhere", &[]);
    set(&elsewhere, &["core.worktree=../../tree"]);
    check_all(&git, &elsewhere, &["", ".git"]);
    let bare = init(&git, root, "bare", &[]);
    set(&bare, &["core.bare=true"]);
    check_all(&git, &bare, &["", ".git"]);

    let own = init(&git, root, "own", &[]);
    make(&git, &own, &["worktree", "add", "-q", "../own-wt"]);
    set(&own, &["extensions.worktreeConfig=true", "core.bare=false"]);
    check_all(&git, root, &["own", "own-wt"]);
    let tree = root.join("tree");
    let tree = tree.to_str().unwrap();
    make(
        &git,
        &own,
        &["config", "set", "--worktree", "core.worktree", tree],
    );
    check_all(&git, root, &["own", "own-wt"]);
    let wt = root.join("own-wt");
    make(
        &git,
        &wt,
        &["config", "set", "--worktree", "core.bare", "true"],
    );
    check_all(&git, root, &["own", "own-wt"]);
    // Without the extension, the setting is for the main worktree.
    set(&own, &["extensions.worktreeConfig=false"]);
    check_all(&git, root, &["own", "own-wt"]);
}

#[test]
fn formats_are_those_that_git_accepts() {
    let Some(git) = Git::upstream() else { return };
    if !has_rules_of_crate(&git) {
        return;
    }
    let root = scratch();
    let root = root.path();
    let dir = init(&git, root, "repo", &[]);
    let config = dir.join(".git/config");
    for (text, is_known) in [
        ("[core]\nrepositoryformatversion = 1\n[extensions]\nrefstorage = reftable", true),
        ("[CORE]repositoryFormatVersion=1\n[Extensions] refStorage = \"ref\"table ; x", true),
        ("[core]\nrepositoryformatversion = 0x1\n[extensions]\nrefstorage = \\\nreftable", true),
        ("[core]\nrepositoryformatversion = 1\n[extensions]\nrefstorage = reftable\nnoop\nnoop-v1\n\
          preciousObjects=1\npartialClone=x\nrelativeWorktrees\nsubmodulePathConfig\n\
          compatObjectFormat=sha256", true),
        ("\u{feff}[core]\r\nrepositoryformatversion = 1\r\n[extensions]\r\nrefstorage = reftable\r\n", true),
        ("[core]\nrepositoryformatversion = 0\n[extensions]\nrefstorage = reftable", false),
        ("[core]\nrepositoryformatversion = 2\n[extensions]\nrefstorage = reftable", false),
        ("[core]\nrepositoryformatversion = 1\n[extensions]\nrefstorage = reftable\nother = 1", false),
        ("[core]\nrepositoryformatversion = 1\n[extensions]\nrefstorage = reftable\nobjectFormat=md5", false),
        ("[core]\nrepositoryformatversion = 1\n[extensions]\nrefstorage = reftable\nworktreeConfig=?", false),
        ("[core]\nrepositoryformatversion = 1\nbare = ?\n[extensions]\nrefstorage = reftable", false),
        ("[core]\nrepositoryformatversion = 1\nworktree\n[extensions]\nrefstorage = reftable", false),
        ("[core]\nrepositoryformatversion = one\n[extensions]\nrefstorage = reftable", false),
        ("[core]\nrepositoryformatversion = 1\n[extensions]\nrefstorage", false),
        ("[core]\nrepositoryformatversion = 1\n[extensions]\nrefstorage = reftable\n[", false),
    ] {
        fs::write(&config, text).unwrap();
        assert_eq!(check(&git, &dir).is_ok(), is_known, "{text}");
    }
    // Without a version git ignores extensions; a missing configuration is an empty one.
    for text in [
        "[core]\nbare = false\n[extensions]\nrefstorage = reftable",
        "[core]\nrepositoryformatversion = 1",
        "",
    ] {
        fs::write(&config, text).unwrap();
        assert_eq!(check(&git, &dir), Err("files".into()), "{text}");
    }
    fs::remove_file(&config).unwrap();
    assert_eq!(check(&git, &dir), Err("files".into()));
    // Another library may know these, so they are no errors of the configuration.
    for (text, expected) in [
        (
            "[core]\nrepositoryformatversion = 1\n[extensions]\nrefstorage = sqlite://x",
            "sqlite",
        ),
        (
            "[core]\nrepositoryformatversion = 7\n[extensions]\nother",
            "files",
        ),
    ] {
        fs::write(&config, text).unwrap();
        assert_eq!(by_us(&dir), Err(expected.into()), "{text}");
    }
}

#[test]
fn damaged_repositories_are_errors() {
    let Some(git) = Git::upstream() else { return };
    let root = scratch();
    let root = root.path();
    let dir = init(&git, root, "repo", &[]);
    let head = dir.join(".git/HEAD");
    for text in [
        "",
        "ref",
        "ref:",
        "ref: heads/main",
        "ref: x/refs/",
        "0123",
        "\0",
        "refs/heads/main",
    ] {
        fs::write(&head, text).unwrap();
        assert_eq!(check(&git, &dir), Err(String::new()), "{text:?}");
    }
    for text in [
        "ref:refs/",
        "ref: \t\nrefs/heads/.invalid\n",
        &"0".repeat(40),
    ] {
        fs::write(&head, text).unwrap();
        assert!(check(&git, &dir).is_ok(), "{text:?}");
    }
    fs::create_dir(root.join("outer")).unwrap();
    let file = root.join("outer/.git");
    for text in [
        "",
        "gitdir:",
        "gitdir: ",
        "gitdir: \n",
        "gitdir: ../repo",
        "gitdir: ../missing\n",
        "gitdir:../repo/.git",
        "ref: refs/heads/main",
        "gitdir: ../repo/.git\0x",
        "gitdir: .git",
    ] {
        fs::write(&file, text).unwrap();
        assert_eq!(by_us(&root.join("outer")), Err(String::new()), "{text:?}");
    }
    // Larger than git reads.
    fs::write(
        &file,
        format!("gitdir: ../repo/.git{}", "\n".repeat(1 << 20)),
    )
    .unwrap();
    let error = Repository::discover(root.join("outer")).unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
    fs::remove_file(&file).unwrap();

    let commondir = dir.join(".git/commondir");
    for text in ["", "\n", "missing", "\0"] {
        fs::write(&commondir, text).unwrap();
        let error = Repository::discover(&dir).err();
        let expected = (text == "\n").then_some(());
        assert_eq!(
            error.is_none().then_some(()),
            expected,
            "{text:?} {error:?}"
        );
    }
    fs::remove_file(&commondir).unwrap();
    fs::remove_dir_all(dir.join(".git/objects")).unwrap();
    assert_eq!(check(&git, &dir), Err(String::new()));
}

#[cfg(unix)]
#[test]
fn devices_do_not_block() {
    let Some(git) = Git::upstream() else { return };
    let root = scratch();
    let root = root.path();
    let dir = init(&git, root, "repo", &[]);
    let fifo = |path: &Path| {
        let _ = fs::remove_file(path);
        let status = Command::new("mkfifo").arg(path).status().unwrap();
        assert!(status.success());
    };
    for name in ["config", "HEAD", "commondir"] {
        let path = dir.join(".git").join(name);
        let saved = fs::read(&path).ok();
        fifo(&path);
        assert!(Repository::discover(&dir).is_err(), "{name}");
        fs::remove_file(&path).unwrap();
        if let Some(saved) = saved {
            fs::write(path, saved).unwrap();
        }
    }
    assert!(check(&git, &dir).is_ok());
    fs::create_dir(root.join("outer")).unwrap();
    fifo(&root.join("outer/.git"));
    let error = Repository::discover(root.join("outer")).unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
    // A device without end.
    fs::remove_file(dir.join(".git/config")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", dir.join(".git/config")).unwrap();
    let error = Repository::discover(&dir).unwrap_err();
    assert!(matches!(error, Error::Io(_)), "{error}");
}

/// Whatever the files have in them, the outcome is a repository or an error.
#[test]
fn random_damage_is_no_panic() {
    let Some(git) = Git::upstream() else { return };
    let root = scratch();
    let root = root.path();
    let plain = init(&git, root, "plain", &[]);
    make(&git, &plain, &["worktree", "add", "-q", "../wt"]);
    make(
        &git,
        &plain,
        &["config", "extensions.worktreeConfig", "true"],
    );
    let own = plain.join(".git/worktrees/wt");
    fs::write(own.join("config.worktree"), "[core]\nbare = false\n").unwrap();
    let files = [
        plain.join(".git/config"),
        plain.join(".git/HEAD"),
        root.join("wt/.git"),
        own.join("HEAD"),
        own.join("commondir"),
        own.join("gitdir"),
        own.join("config.worktree"),
    ];
    let mut random = Random::new(number("REFTABLE_SEED", 20));
    let mut found = 0;
    for _ in 0..number("REFTABLE_DAMAGES", 2000) {
        let file = &files[random.below(files.len())];
        let sound = fs::read(file).unwrap();
        let mut bytes = sound.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len().max(1));
            let byte = *b"\0\n \t/.\"\\[]=;#-1ax\xff".get(random.below(18)).unwrap();
            match random.below(4) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at.min(bytes.len()), byte),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                _ if at < bytes.len() => bytes[at] = byte,
                _ => {}
            }
        }
        fs::write(file, &bytes).unwrap();
        for dir in ["plain", "wt", "plain/.git/worktrees/wt"] {
            let dir = root.join(dir);
            let outcomes = [
                Repository::discover(&dir),
                Repository::open(&dir),
                Repository::discover(&dir).and_then(|repository| repository.worktree("wt")),
            ];
            for outcome in outcomes {
                match outcome.and_then(|repository| repository.head()) {
                    Ok(_) => found += 1,
                    Err(error) => assert!(!error.to_string().contains(char::is_control)),
                }
            }
        }
        fs::write(file, sound).unwrap();
    }
    assert!(found > 1000, "{found}");
    check_all(&git, root, &["plain", "wt"]);
}

#[test]
fn the_environment_names_directories() {
    let Some(git) = Git::upstream() else { return };
    let root = scratch();
    let root = real(root.path());
    let repo = init(&git, &root, "repo", &[]);
    let other = init(&git, &root, "other", &["--bare"]);
    make(&git, &repo, &["worktree", "add", "-q", "../wt"]);
    fs::create_dir_all(repo.join("sub/dir")).unwrap();
    fs::create_dir(root.join("tree")).unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (root_text, sub) = (path(&root), path(&repo.join("sub")));
    let (other_text, tree) = (path(&other), path(&root.join("tree")));
    let ceilings = format!("{root_text}/none:{sub}");
    let git_of_wt = path(&repo.join(".git/worktrees/wt"));
    for (dir, variables) in [
        (&repo, &[("GIT_DIR", other_text.as_str())][..]),
        (&repo, &[("GIT_DIR", "../other")]),
        (&repo, &[("GIT_DIR", ".git")]),
        (&repo, &[("GIT_DIR", "../wt/.git")]),
        (&repo, &[("GIT_DIR", "missing")]),
        (&repo, &[("GIT_DIR", "..")]),
        (&root, &[("GIT_DIR", git_of_wt.as_str())]),
        (&repo, &[("GIT_WORK_TREE", tree.as_str())]),
        (
            &repo,
            &[("GIT_WORK_TREE", "../tree"), ("GIT_DIR", "../other")],
        ),
        (
            &root,
            &[("GIT_WORK_TREE", "tree"), ("GIT_DIR", "repo/.git")],
        ),
        (
            &repo.join("sub/dir"),
            &[("GIT_CEILING_DIRECTORIES", sub.as_str())],
        ),
        (
            &repo.join("sub/dir"),
            &[("GIT_CEILING_DIRECTORIES", ceilings.as_str())],
        ),
        (
            &repo.join("sub/dir"),
            &[("GIT_CEILING_DIRECTORIES", root_text.as_str())],
        ),
        (&repo, &[("GIT_CEILING_DIRECTORIES", root_text.as_str())]),
        (&repo, &[("GIT_OBJECT_DIRECTORY", "/nonexistent")]),
        (&repo, &[("GIT_REFERENCE_BACKEND", "files")]),
        (&repo, &[("GIT_REFERENCE_BACKEND", "reftable")]),
        (&repo, &[("GIT_DISCOVERY_ACROSS_FILESYSTEM", "maybe")]),
    ] {
        let ours = child::layout(dir, variables);
        let mut command = command(
            &git,
            dir,
            &[
                "rev-parse",
                "--path-format=absolute",
                "--git-dir",
                "--git-common-dir",
            ],
        );
        command.envs(variables.iter().copied());
        let theirs = run(command, b"");
        let shown = format!("{} {variables:?}", dir.display());
        let lines: Vec<_> = theirs.stdout.lines().map(Path::new).collect();
        match lines[..] {
            _ if variables.contains(&("GIT_REFERENCE_BACKEND", "files")) => {
                assert!(ours.contains("in the format 'files'"), "{shown}: {ours}");
            }
            [git_dir, common_dir] if theirs.status == 0 => {
                let mut top = self::command(&git, dir, &["rev-parse", "--show-toplevel"]);
                top.envs(variables.iter().copied());
                let top = run(top, b"").stdout;
                let top = top.lines().next().map(PathBuf::from);
                let expected = format!("{git_dir:?} {common_dir:?} {top:?} ");
                // Git shows no `.`, which a relative GIT_DIR leaves.
                let normal = ours.replace("/repo/../", "/").replace("/sub/../", "/");
                assert!(normal.starts_with(&expected), "{shown}: {ours} {expected}");
                assert!(ours.contains("HEAD: Some"), "{shown}: {ours}");
            }
            _ => assert!(ours.starts_with("error: "), "{shown}: {ours}"),
        }
    }
}
