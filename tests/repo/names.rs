//! Which names refs may have, compared with `git check-ref-format` and `git update-ref`.

use reftable::repo::{check_name, Change, Error, Expected, Settings};

use crate::common::{run, Git, Random};
use crate::support::{Shared, HASHES};

const PARTS: [&str; 33] = [
    "refs/",
    "refs/heads/",
    "refs/bisect/",
    "heads/",
    "a",
    "b",
    "HEAD",
    "FETCH_HEAD",
    "MERGE_HEAD",
    "ORIG_HEAD",
    "main-worktree/",
    "worktrees/w/",
    "worktrees/",
    "/",
    ".",
    "..",
    "lock",
    ".lock",
    ".locked",
    "@",
    "{",
    "@{",
    "*",
    "~",
    "^",
    ":",
    "?",
    "[",
    "\\",
    " ",
    "\u{7f}",
    "\t",
    "\u{e4}",
];

fn random_name(random: &mut Random) -> String {
    let usual = ["refs/heads/", "refs/", ""][random.below(3)];
    let mut name = usual.to_owned();
    for _ in 0..=random.below(4) {
        name += random.pick(&PARTS);
    }
    name
}

/// Whether the name is in `refs/`, a root ref, or the long name of a worktree's own ref.
fn is_in_place(name: &str) -> bool {
    let is_root = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'))
            && !matches!(name, "FETCH_HEAD" | "MERGE_HEAD")
    };
    let is_own = |name: &str| {
        let dirs = ["refs/bisect/", "refs/worktree/", "refs/rewritten/"];
        !name.is_empty() && (is_root(name) || dirs.iter().any(|dir| name.starts_with(dir)))
    };
    let long = name.strip_prefix("main-worktree/").or_else(|| {
        let (_, bare) = name.strip_prefix("worktrees/")?.split_once('/')?;
        Some(bare)
    });
    name.starts_with("refs/") || is_root(name) || long.is_some_and(is_own)
}

#[test]
fn names_are_allowed_as_by_git() {
    let Some(git) = Git::upstream() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random::new(1);
    let mut counts = [0, 0];
    for _ in 0..600 {
        let name = random_name(&mut random);
        let args = ["check-ref-format", "--allow-onelevel", &name];
        let output = run(git.command(dir.path(), &args), b"");
        let is_allowed = output.status == 0 && is_in_place(&name);
        assert_eq!(check_name(&name).is_ok(), is_allowed, "{name:?}");
        counts[usize::from(is_allowed)] += 1;
    }
    assert!(counts.iter().all(|&count| count > 60), "{counts:?}");
}

#[test]
fn names_with_a_nul_are_refused() {
    for name in ["\0", "refs/heads/a\0", "refs/\0/a", "HEAD\0"] {
        assert!(check_name(name).is_err());
    }
}

/// Unlike git, refuses names such as `main`, and deletes refs by their long names.
#[test]
fn update_ref_agrees_about_names() {
    let Some(shared) = Shared::new(HASHES[0]) else {
        return;
    };
    let pair = shared.pair(Settings::default());
    let repository = pair.ours(false);
    let mut random = Random::new(2);
    for step in 0..150 {
        let name = random_name(&mut random);
        let id = shared.id(step % 8);
        let output = pair.git(false, &["update-ref", &name, &id.to_string()], "", 0);
        let ours = repository
            .transaction()
            .update(&name, id, Expected::Any)
            .commit();
        let is_refused = matches!(ours, Err(Error::InvalidName { .. }));
        let by_git = ["bad name", "pseudoref"]
            .iter()
            .any(|text| output.stderr.contains(text));
        if is_in_place(&name) {
            assert_eq!(is_refused, by_git, "{name:?}: {ours:?} {output:?}");
        } else {
            assert!(is_refused, "{name:?}: {ours:?}");
        }
    }
}

/// A ref with a name that git no longer allows can be deleted, if it is in `refs/`.
#[test]
fn bad_names_can_be_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let repository = crate::support::plain(dir.path(), Settings::default());
    for (name, is_allowed) in [
        ("refs/heads/a..b", true),
        ("refs/heads/a.lock", true),
        ("refs/heads/.a", true),
        ("refs/heads/../../config", false),
        ("refs//heads", false),
        ("config", false),
        ("FETCH_HEAD", false),
        ("refs/heads/\0", false),
        ("ORIG_HEAD", true),
    ] {
        let deleted = repository
            .transaction()
            .add(Change::delete(name, Expected::Any))
            .commit();
        match deleted {
            Ok(_) => assert!(is_allowed, "{name}"),
            Err(Error::InvalidName { .. }) => assert!(!is_allowed, "{name}"),
            Err(error) => panic!("{name}: {error}"),
        }
    }
}
