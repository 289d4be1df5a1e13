//! Noticing changes.

use std::fs;

use crate::made::Made;

#[test]
fn generations_change_with_the_refs() {
    for made in Made::each() {
        let (main, linked) = (made.main(), made.linked());
        let states = || [&main, &linked].map(|repository| repository.generation().unwrap());
        let start = states();
        assert_eq!(states(), start);
        main.refs("").unwrap();
        made.run(&["for-each-ref"]);
        assert_eq!(states(), start, "reading changes nothing");
        made.run(&["branch", "new"]);
        let branched = states();
        assert!(branched[0] != start[0] && branched[1] != start[1]);
        made.run_linked(&["update-ref", "refs/worktree/own", "HEAD"]);
        let own = states();
        assert_eq!(
            own[0], branched[0],
            "the main worktree does not see that ref"
        );
        assert_ne!(own[1], branched[1]);
        made.run(&["symbolic-ref", "HEAD", "refs/heads/new"]);
        let switched = states();
        assert_ne!(switched[0], own[0]);
        // The number of a file that was replaced may be used again at once.
        let mut seen = vec![switched[0]];
        for n in 0..8 {
            made.run(&["update-ref", &format!("refs/heads/n{n}"), "HEAD"]);
            let state = main.generation().unwrap();
            assert!(!seen.contains(&state), "{seen:?}");
            seen.push(state);
        }
    }
}

#[test]
fn a_repository_without_tables_has_a_generation() {
    let dir = tempfile::tempdir().unwrap();
    let repository = crate::support::plain(dir.path(), Default::default());
    let empty = repository.generation().unwrap();
    assert_eq!(repository.generation().unwrap(), empty);
    fs::write(dir.path().join("reftable/tables.list"), "").unwrap();
    assert_ne!(repository.generation().unwrap(), empty);
}

/// Each change makes a file appear in one of the directories.
#[test]
fn watched_directories_have_the_lists() {
    for made in Made::each() {
        let main = made.main().watch_paths();
        assert_eq!(main.len(), 1);
        let linked = made.linked().watch_paths();
        assert_eq!(linked.len(), 2);
        assert_eq!(linked[0], main[0]);
        assert!(linked[1].ends_with("worktrees/wt/reftable"));
        for path in linked {
            assert!(path.join("tables.list").is_file(), "{path:?}");
        }
    }
}
