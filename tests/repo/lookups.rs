//! Looking up refs and following symbolic refs.

use std::fs;

use reftable::record::RefValue;
use reftable::repo::{Error, Head, TargetRef};
use reftable::{ObjectId, Target};

use crate::made::{add_ref, Made};
use crate::shown::Question;

fn questions(names: &[&'static str]) -> Vec<Question> {
    names.iter().map(|&name| Question::Ref(name)).collect()
}

#[test]
fn chains_end_where_git_ends_them() {
    for made in Made::each() {
        let link = |name: &str, target: &str| made.run(&["symbolic-ref", name, target]);
        link("refs/heads/c1", "refs/heads/main");
        link("refs/heads/c2", "refs/heads/c1");
        link("refs/heads/c3", "refs/heads/c2");
        link("refs/heads/c4", "refs/heads/c3");
        link("refs/heads/c5", "refs/heads/c4");
        link("refs/heads/loop1", "refs/heads/loop2");
        link("refs/heads/loop2", "refs/heads/loop1");
        link("refs/heads/own", "refs/heads/own");
        link("refs/heads/d1", "refs/heads/none");
        link("refs/heads/d2", "refs/heads/d1");
        link("refs/heads/d4", "refs/heads/d3");
        link("refs/heads/d3", "refs/heads/d2");
        link("refs/heads/d5", "refs/heads/d4");
        let names = [
            "refs/heads/c1",
            "refs/heads/c2",
            "refs/heads/c3",
            "refs/heads/c4",
            "refs/heads/c5",
            "refs/heads/loop1",
            "refs/heads/own",
            "refs/heads/d1",
            "refs/heads/d2",
            "refs/heads/d3",
            "refs/heads/d4",
            "refs/heads/d5",
            "refs/heads/none",
        ];
        made.compare(&questions(&names));
        let main = made.main();
        for name in ["refs/heads/c5", "refs/heads/loop1", "refs/heads/own"] {
            let error = main.resolve(name).unwrap_err();
            assert!(
                matches!(&error, Error::TooManySymrefs { name: first } if first == name),
                "{error}"
            );
        }
        let end = main.resolve("refs/heads/d4").unwrap().unwrap();
        assert_eq!(
            (end.name.as_slice(), end.id),
            (&b"refs/heads/none"[..], None)
        );
        assert_eq!(main.resolve("refs/heads/none").unwrap(), None);
    }
}

/// The target of a symbolic ref is looked up from the worktree that asks, whichever worktree the
/// symbolic ref belongs to.
#[test]
fn chains_lead_across_worktrees() {
    for made in Made::each() {
        let id = made.id().to_string();
        let second = made.run(&["commit-tree", "-m", "two", "HEAD^{tree}"]);
        made.run(&["update-ref", "refs/worktree/own", &id]);
        made.run_linked(&["update-ref", "refs/worktree/own", second.trim()]);
        made.run_linked(&["update-ref", "refs/bisect/bad", second.trim()]);
        made.run(&["symbolic-ref", "refs/heads/to-own", "refs/worktree/own"]);
        made.run(&["symbolic-ref", "refs/heads/to-main", "main-worktree/HEAD"]);
        let far = "worktrees/wt/refs/worktree/own";
        made.run(&["symbolic-ref", "refs/heads/to-wt", far]);
        made.run_linked(&["symbolic-ref", "HEAD", "refs/bisect/bad"]);
        let names = [
            "refs/heads/to-own",
            "refs/heads/to-main",
            "refs/heads/to-wt",
            "refs/bisect/bad",
            "main-worktree/refs/worktree/own",
            "main-worktree/refs/bisect/bad",
            "worktrees/wt/refs/worktree/own",
            "worktrees/wt/HEAD",
            "worktrees/wt/refs/heads/main",
            "worktrees/wt",
            "worktrees/wt/",
            "worktrees/",
            "main-worktree/",
            "main-worktree",
        ];
        made.compare(&questions(&names));
        let found = made.main().find("worktrees/wt/HEAD").unwrap().unwrap();
        assert_eq!(found.name, "worktrees/wt/HEAD");
        assert_eq!(found.target, Target::Symbolic("refs/bisect/bad".into()));
    }
}

#[test]
fn worktrees_that_do_not_exist_have_no_refs() {
    let Some(made) = Made::each().next() else {
        return;
    };
    let main = made.main();
    for worktree in ["", ".", "..", "none"] {
        let name = format!("worktrees/{worktree}/HEAD");
        assert_eq!(main.find(&name).unwrap(), None);
        assert_eq!(main.resolve(&name).unwrap(), None);
        assert!(!main.has_reflog(&name).unwrap());
        let log = main.reflog(&name).unwrap();
        assert_eq!(log.newest_first().unwrap().next().unwrap(), None);
        assert_eq!(log.oldest_first().unwrap().next().unwrap(), None);
    }
    // A worktree that is made later is seen.
    made.run(&["worktree", "add", "-q", "--detach", "../none"]);
    assert!(main.find("worktrees/none/HEAD").unwrap().is_some());
}

/// The long name of the current worktree's ref is that ref, also in a snapshot.
#[test]
fn a_snapshot_has_one_state_of_its_worktree() {
    for made in Made::each() {
        let linked = made.linked();
        let mut snapshot = linked.snapshot().unwrap();
        made.run_linked(&["switch", "-q", "-c", "new"]);
        for name in ["HEAD", "worktrees/wt/HEAD"] {
            let found = snapshot.find(name).unwrap().unwrap();
            assert_eq!(found.id(), Some(made.id()), "{name}");
        }
    }
}

/// Values that git does not write: `find` returns them, and `resolve` does not follow a bad name.
#[test]
fn bad_values_are_found_but_not_followed() {
    for made in Made::each() {
        let id = made.id();
        let null = ObjectId::null(made.hash);
        made.add(|writer, index| {
            add_ref(
                writer,
                index,
                "refs/heads/bad..name",
                RefValue::Val1(id.as_bytes()),
            )?;
            add_ref(
                writer,
                index,
                "refs/heads/null",
                RefValue::Val1(null.as_bytes()),
            )?;
            let target = RefValue::Symref(b"refs/heads/bad..name");
            add_ref(writer, index, "refs/heads/to-bad", target)?;
            add_ref(
                writer,
                index,
                "refs/heads/to-nothing",
                RefValue::Symref(b""),
            )
        });
        let names = [
            "refs/heads/bad..name",
            "refs/heads/null",
            "refs/heads/to-bad",
            "refs/heads/to-nothing",
        ];
        made.compare(&questions(&names));
        let main = made.main();
        let target = |name: &str| main.find(name).unwrap().unwrap().target;
        assert_eq!(target("refs/heads/bad..name"), Target::Id(id));
        assert_eq!(main.resolve("refs/heads/bad..name").unwrap(), None);
        assert_eq!(target("refs/heads/null"), Target::Id(null));
        let end = main.resolve("refs/heads/null").unwrap().unwrap();
        assert_eq!(end.id, Some(null));
        let error = main.resolve("refs/heads/to-bad").unwrap_err();
        assert!(
            matches!(&error, Error::InvalidName { name, .. } if name == "refs/heads/bad..name"),
            "{error}"
        );
        let error = main.resolve("refs/heads/to-nothing").unwrap_err();
        assert!(matches!(error, Error::InvalidName { .. }), "{error}");
    }
}

#[test]
fn heads_in_files_are_read_as_by_git() {
    for made in Made::each() {
        let id = made.id().to_string();
        let more = format!("{id}\t\tbranch 'main' of .\n{id}\tnot-for-merge\tbranch 'x' of .\n");
        let long = format!("{id}\n").repeat(100_000);
        for (name, content, is_found) in [
            ("MERGE_HEAD", format!("{id}\n"), true),
            ("MERGE_HEAD", id.clone(), true),
            ("MERGE_HEAD", long, true),
            ("FETCH_HEAD", more, true),
            ("FETCH_HEAD", id.to_uppercase(), true),
            ("FETCH_HEAD", format!("{id}\0"), false),
            ("FETCH_HEAD", format!("{id}a\n"), false),
            ("FETCH_HEAD", format!(" {id}\n"), false),
            ("FETCH_HEAD", id[1..].to_owned(), false),
            ("FETCH_HEAD", "garbage\n".to_owned(), false),
        ] {
            for (work_dir, git_dir, repository) in [
                (made.repo(), made.git_dir(), made.main()),
                (
                    made.wt(),
                    made.git_dir().join("worktrees/wt"),
                    made.linked(),
                ),
            ] {
                fs::write(git_dir.join(name), &content).unwrap();
                let args = ["rev-parse", "-q", "--verify", name];
                let output = crate::common::run(made.git.command(&work_dir, &args), b"");
                // A NUL ends the text for git.
                if !content.contains('\0') {
                    assert_eq!(output.status == 0, is_found, "{content:.80?}");
                }
                let found = repository.resolve(name);
                match is_found {
                    true => assert_eq!(found.unwrap().unwrap().id, Some(id.parse().unwrap())),
                    false => {
                        let error = found.unwrap_err();
                        assert!(matches!(error, Error::Io(_)), "{content:.80?}: {error}");
                    }
                }
                fs::remove_file(git_dir.join(name)).unwrap();
                assert_eq!(repository.find(name).unwrap(), None);
            }
        }
    }
}

#[test]
fn an_empty_file_is_no_ref() {
    let Some(made) = Made::each().next() else {
        return;
    };
    fs::write(made.git_dir().join("FETCH_HEAD"), "").unwrap();
    assert_eq!(made.main().find("FETCH_HEAD").unwrap(), None);
}

#[test]
#[cfg(unix)]
fn a_file_that_is_none_does_not_block() {
    let Some(made) = Made::each().next() else {
        return;
    };
    let path = made.git_dir().join("FETCH_HEAD");
    let status = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(status.unwrap().success());
    assert_eq!(made.main().find("FETCH_HEAD").unwrap(), None);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let error = made.main().find("FETCH_HEAD").unwrap_err();
    assert!(matches!(error, Error::Io(_)), "{error}");
}

#[test]
fn a_snapshot_stays_as_it_is() {
    for made in Made::each() {
        let repository = made.main();
        let mut snapshot = repository.snapshot().unwrap();
        made.run(&["branch", "new"]);
        assert!(snapshot.find("refs/heads/new").unwrap().is_none());
        let mut refs = snapshot.refs("refs/heads/").unwrap();
        made.run(&["pack-refs", "--all"]);
        made.run(&["update-ref", "-d", "refs/heads/new"]);
        assert!(repository.find("refs/heads/new").unwrap().is_none());
        assert_eq!(refs.next().unwrap().unwrap().name, "refs/heads/main");
        assert!(refs.next().unwrap().is_none());
        let main = snapshot.find("refs/heads/main").unwrap().unwrap();
        assert_eq!(main.target(), TargetRef::Id(made.id()));
        assert_eq!(main.id(), Some(made.id()));
        assert_eq!(main.peeled(), None);
    }
}

#[test]
fn tags_have_their_peeled_id() {
    for made in Made::each() {
        made.run(&["tag", "-a", "-m", "m", "v1"]);
        made.run(&["symbolic-ref", "refs/heads/to-tag", "refs/tags/v1"]);
        let tag: ObjectId = made.run(&["rev-parse", "v1"]).trim().parse().unwrap();
        let found = made.main().find("refs/tags/v1").unwrap().unwrap();
        assert_eq!(found.target.id(), Some(tag));
        assert_eq!(found.peeled, Some(made.id()));
        let end = made.linked().resolve("refs/heads/to-tag").unwrap().unwrap();
        assert_eq!((end.id, end.peeled), (Some(tag), Some(made.id())));
    }
}

#[test]
fn heads_of_all_kinds() {
    for made in Made::each() {
        let (main, linked, id) = (made.main(), made.linked(), made.id());
        let compare = || made.compare(&[Question::Head]);
        let (name, short) = ("refs/heads/main".into(), id.to_string()[..7].to_owned());
        let head = main.head().unwrap();
        assert_eq!(head, Head::Branch { name, id });
        assert_eq!(head.branch().unwrap(), "main");
        assert_eq!((head.id(), head.to_string()), (Some(id), "main".into()));
        let head = linked.head().unwrap();
        assert_eq!(head, Head::Detached { id });
        assert_eq!((head.branch(), head.name()), (None, None));
        assert_eq!((head.id(), head.to_string()), (Some(id), short));
        compare();
        made.run_linked(&["switch", "-q", "--orphan", "dir/new"]);
        let head = linked.head().unwrap();
        assert_eq!(head.name().unwrap(), "refs/heads/dir/new");
        assert!(matches!(head, Head::Unborn { .. }));
        assert_eq!((head.id(), head.to_string()), (None, "dir/new".into()));
        compare();
        made.run(&["symbolic-ref", "refs/heads/sym", "refs/heads/main"]);
        made.run(&["symbolic-ref", "HEAD", "refs/heads/sym"]);
        assert_eq!(main.head().unwrap().branch().unwrap(), "main");
        compare();
        made.run(&["symbolic-ref", "HEAD", "refs/other/x"]);
        let head = main.head().unwrap();
        assert_eq!(head.branch(), None);
        assert_eq!(head.to_string(), "refs/other/x");
        compare();
        made.run(&["symbolic-ref", "refs/heads/l", "HEAD"]);
        made.run(&["symbolic-ref", "HEAD", "refs/heads/l"]);
        let error = main.head().unwrap_err();
        assert!(matches!(error, Error::TooManySymrefs { .. }), "{error}");
        compare();
        made.add(|writer, index| add_ref(writer, index, "HEAD", RefValue::Deletion));
        let error = main.head().unwrap_err();
        assert!(matches!(error, Error::NoHead { .. }), "{error}");
        assert!(error.to_string().ends_with("has no HEAD"), "{error}");
        compare();
    }
}
