//! Lists of refs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use reftable::format::Error as StoreError;
use reftable::record::RefValue;
use reftable::repo::{Error, Layout, Repository, Settings};
use reftable::stack::{Stack, StackOptions};
use reftable::{HashId, ObjectId};

use crate::common::{scratch, Random};
use crate::made::{add_ref, add_table, Made};
use crate::shown::Question;
use crate::support::id;

fn names(repository: &Repository, prefix: &str) -> Vec<String> {
    let refs = repository.refs(prefix).unwrap().owned();
    refs.map(|found| found.unwrap().name.to_string()).collect()
}

#[test]
fn prefixes_are_bytes_of_names() {
    for made in Made::each() {
        for name in ["a", "ab", "a-b", "b/c"] {
            made.run(&["branch", name]);
        }
        let main = made.main();
        let heads = |prefix: &str| names(&main, prefix);
        assert_eq!(heads("refs/heads/ab"), ["refs/heads/ab"]);
        let of_a = ["refs/heads/a", "refs/heads/a-b", "refs/heads/ab"];
        assert_eq!(heads("refs/heads/a"), of_a);
        let all = heads("refs/");
        assert_eq!(all.len(), 5);
        for prefix in ["", "r", "refs"] {
            assert_eq!(heads(prefix), all, "{prefix}");
        }
        for prefix in [
            "s",
            "HEAD",
            "refs0",
            "q",
            "refs/heads/main/",
            "refs/heads/b/d",
        ] {
            assert_eq!(heads(prefix), [""; 0], "{prefix}");
        }
        // The end stays the end.
        let mut refs = main.refs("refs/heads/b").unwrap();
        assert!(refs.next().unwrap().is_some());
        assert!(refs.next().unwrap().is_none());
        assert!(refs.next().unwrap().is_none());
    }
}

/// In a linked worktree its own refs and the shared ones are one sorted list, without the refs of
/// the main worktree.
#[test]
fn worktrees_have_their_own_refs() {
    for made in Made::each() {
        for name in [
            "refs/bisect/good",
            "refs/bisectx",
            "refs/rewritten/main",
            "refs/worktree/main",
            "refs/worktree/both",
            "refs/worktreeless",
            "refs/zz",
            "ORIG_HEAD",
            "OTHER_HEAD",
        ] {
            made.run(&["update-ref", name, "HEAD"]);
        }
        let second = made.run(&["commit-tree", "-m", "two", "HEAD^{tree}"]);
        for name in [
            "refs/bisect/bad",
            "refs/rewritten/linked",
            "refs/worktree/both",
            "refs/worktree/linked",
            "AUTO_MERGE",
        ] {
            made.run_linked(&["update-ref", name, second.trim()]);
        }
        let ids = [second.trim().to_owned(), made.id().to_string()];
        made.compare(&Question::all(&ids));
        let own = ["refs/worktree/both", "refs/worktree/linked"];
        assert_eq!(names(&made.linked(), "refs/worktree/"), own);
    }
}

/// A shared ref in the stack of a worktree, where git does not write it, hides the other one.
#[test]
fn a_misplaced_ref_hides_the_shared_one() {
    for made in Made::each() {
        made.run(&["branch", "twice"]);
        made.run(&["branch", "z"]);
        let second = made.run(&["commit-tree", "-m", "two", "HEAD^{tree}"]);
        let second: ObjectId = second.trim().parse().unwrap();
        made.add_linked(|writer, index| {
            let value = RefValue::Val1(second.as_bytes());
            add_ref(writer, index, "refs/heads/twice", value)
        });
        let ids = [second, made.id()].map(|id| id.to_string());
        let of = ids.map(Question::RefsOf);
        made.compare(&of);
        made.compare(&[Question::Refs, Question::Prefix("refs/heads/")]);
        let refs = made.linked().refs_of(second).unwrap();
        assert_eq!(refs.len(), 1);
        assert_eq!(refs[0].name, "refs/heads/twice");
    }
}

/// Git leaves them out with a warning, or dies.
#[test]
fn broken_refs_are_listed() {
    for made in Made::each() {
        let id = made.id();
        let null = ObjectId::null(made.hash);
        made.add(|writer, index| {
            let value = RefValue::Val1(id.as_bytes());
            add_ref(writer, index, "a/root", value)?;
            add_ref(writer, index, "refs/heads/bad..name", value)?;
            let none = RefValue::Symref(b"refs/heads/none");
            add_ref(writer, index, "refs/heads/dangling", none)?;
            add_ref(
                writer,
                index,
                "refs/heads/null",
                RefValue::Val1(null.as_bytes()),
            )?;
            add_ref(writer, index, "z", value)
        });
        made.compare(&[Question::Refs]);
        let all = [
            "refs/heads/bad..name",
            "refs/heads/dangling",
            "refs/heads/main",
            "refs/heads/null",
        ];
        assert_eq!(names(&made.main(), ""), all);
        let roots = made.main().root_refs().unwrap();
        assert_eq!(roots.len(), 1, "{roots:?}");
        made.add(|writer, index| {
            let value = RefValue::Val1(id.as_bytes());
            add_ref(writer, index, "refs/heads/../../x", value)
        });
        assert!(!made.succeeds(&["for-each-ref"]), "the name is dangerous");
        assert_eq!(names(&made.main(), "")[0], "refs/heads/../../x");
    }
}

/// A list is never cut short by damage.
#[test]
fn damage_is_an_error_until_the_end() {
    for made in Made::each() {
        let stack = made.git_dir().join("reftable");
        for n in 0..3 {
            made.run(&["branch", &format!("b{n}")]);
        }
        made.run(&["pack-refs", "--all"]);
        let list = fs::read_to_string(stack.join("tables.list")).unwrap();
        let path = stack.join(list.trim());
        let mut bytes = fs::read(&path).unwrap();
        // After the first id the second record says how much it shares with the first.
        let id = made.id();
        let mut ids = bytes.windows(id.as_bytes().len());
        let at = ids.position(|bytes| bytes == id.as_bytes()).unwrap();
        bytes[at + id.as_bytes().len()] = 0x7f;
        fs::write(&path, bytes).unwrap();
        for repository in [made.main(), made.linked()] {
            let mut refs = repository.refs("refs/heads/").unwrap();
            let error = loop {
                match refs.next() {
                    Ok(found) => assert!(found.is_some(), "a shortened list"),
                    Err(error) => break error,
                }
            };
            let is_damage = |error: &Error| matches!(error, Error::Store(StoreError::Corrupt(_)));
            assert!(is_damage(&error), "{error}");
            assert!(is_damage(&refs.next().unwrap_err()));
            let mut owned = repository.refs("").unwrap().owned();
            let last = owned.by_ref().last().unwrap();
            assert!(is_damage(&last.unwrap_err()));
            assert!(owned.next().is_none());
        }
    }
}

#[test]
fn ids_of_the_other_hash_are_refused() {
    for made in Made::each() {
        let other = match made.hash {
            HashId::Sha1 => ObjectId::from_bytes(&[1; 32]).unwrap(),
            HashId::Sha256 => ObjectId::from_bytes(&[1; 20]).unwrap(),
        };
        let error = made.main().refs_of(other).unwrap_err();
        assert!(
            matches!(error, Error::WrongHash { id } if id == other),
            "{error}"
        );
    }
}

/// Random refs in the stacks of both worktrees, also where git does not write them, as one list.
#[test]
fn two_stacks_are_one_sorted_list() {
    const TOPS: [&str; 8] = [
        "refs/bisect/",
        "refs/bisectx/",
        "refs/heads/",
        "refs/rewritten/",
        "refs/tags/",
        "refs/worktree/",
        "refs/z/",
        "X",
    ];
    let mut random = Random::new(7);
    for _ in 0..60 {
        let dir = scratch();
        let git_dir = dir.path().join("worktrees/wt");
        let stacks = [dir.path(), &git_dir].map(|dir| dir.join("reftable"));
        let mut listed = BTreeMap::new();
        for (n, stack) in stacks.iter().enumerate() {
            fs::create_dir_all(stack).unwrap();
            let count = random.below(30);
            let names: BTreeSet<String> = (0..=count)
                .map(|_| format!("{}{}", random.pick(&TOPS), random.below(12)))
                .collect();
            let id = id(u8::try_from(n).unwrap() + 1);
            add_table(
                &Stack::open(stack, StackOptions::default()).unwrap(),
                |writer, index| {
                    let mut names = names.iter();
                    names.try_for_each(|name| {
                        add_ref(writer, index, name, RefValue::Val1(id.as_bytes()))
                    })
                },
            );
            let is_own = |name: &String| [0, 3, 5].iter().any(|&n| name.starts_with(TOPS[n]));
            let names = names.into_iter().filter(|name| name.starts_with("refs/"));
            listed.extend(
                names
                    .filter(|name| n == 1 || !is_own(name))
                    .map(|name| (name, id)),
            );
        }
        let layout = Layout::new(&git_dir, dir.path(), HashId::Sha1);
        let repository = Repository::open_at(layout, Settings::default());
        for prefix in ["", "refs/b", "refs/heads/", "refs/worktree/1", "refs/z/"] {
            let refs = repository.refs(prefix).unwrap().owned();
            let found: Vec<_> = refs
                .map(|found| found.unwrap())
                .map(|found| (found.name.to_string(), found.target.id().unwrap()))
                .collect();
            let expected = listed.iter().filter(|(name, _)| name.starts_with(prefix));
            let expected: Vec<_> = expected.map(|(name, id)| (name.clone(), *id)).collect();
            assert_eq!(found, expected, "{prefix}");
        }
        for number in [1, 2] {
            let refs = repository.refs_of(id(number)).unwrap();
            let found: Vec<_> = refs.iter().map(|found| found.name.to_string()).collect();
            let expected = listed.iter().filter(|(_, found)| **found == id(number));
            let expected: Vec<_> = expected.map(|(name, _)| name.clone()).collect();
            assert_eq!(found, expected);
        }
    }
}
