//! Reflogs.

use reftable::record::{LogRecord, LogUpdate, LogValue, Zone};
use reftable::repo::{LogEntry, Repository};
use reftable::ObjectId;

use crate::made::{add_log, Made};
use crate::shown::Question;

/// An update that git could have written.
fn update<'a>(id: &'a ObjectId, message: &'a [u8]) -> LogUpdate<'a> {
    LogUpdate {
        old_hash: id.as_bytes(),
        new_hash: id.as_bytes(),
        name: b"C O Mitter",
        email: b"committer@example.com",
        time: 1_600_000_000,
        tz_offset: Zone::from_stored(-1130),
        message,
    }
}

fn entries(repository: &Repository, name: &str) -> Vec<LogEntry> {
    let log = repository.reflog(name).unwrap();
    let newest: Vec<_> = log.newest_first().unwrap().owned().collect();
    let newest: Vec<_> = newest.into_iter().map(Result::unwrap).collect();
    let oldest: Vec<_> = log.oldest_first().unwrap().owned().collect();
    let mut oldest: Vec<_> = oldest.into_iter().map(Result::unwrap).collect();
    oldest.reverse();
    assert_eq!(newest, oldest);
    newest
}

#[test]
fn logs_are_shown_as_by_git() {
    for made in Made::each() {
        for message in ["two", "three"] {
            made.run(&["commit", "-q", "--allow-empty", "-m", message]);
        }
        made.run(&["branch", "other"]);
        made.run(&["branch", "-m", "other", "renamed"]);
        made.run(&["update-ref", "--create-reflog", "refs/tags/logged", "HEAD"]);
        made.run_linked(&["checkout", "-q", "main~1"]);
        made.run_linked(&["update-ref", "--create-reflog", "refs/worktree/x", "HEAD"]);
        made.run(&["update-ref", "--create-reflog", "refs/worktree/y", "HEAD"]);
        made.run(&["reflog", "expire", "--expire=all", "refs/heads/renamed"]);
        made.run(&["reflog", "delete", "HEAD@{1}"]);
        made.run(&["branch", "gone"]);
        made.run(&["branch", "-D", "gone"]);
        let mut questions = vec![Question::LogNames];
        let logs = [
            "HEAD",
            "refs/heads/main",
            "refs/heads/renamed",
            "refs/heads/gone",
            "refs/heads/other",
            "refs/tags/logged",
            "refs/worktree/x",
            "refs/worktree/y",
            "worktrees/wt/HEAD",
            "worktrees/wt/refs/worktree/x",
            "main-worktree/HEAD",
        ];
        questions.extend(logs.map(Question::Log));
        made.compare(&questions);
        let expired = "refs/heads/renamed";
        assert!(made.main().has_reflog(expired).unwrap());
        assert_eq!(entries(&made.main(), expired), []);
        let last = &entries(&made.main(), "refs/heads/main")[0];
        assert_eq!(last.message, "commit: three");
        assert_eq!(last.time.to_string(), "1700000000 +0200");
        assert_eq!(last.time.zone.offset_minutes(), 120);
        assert_eq!(last.committer.email, "committer@example.com");
    }
}

/// The last entry by `git log -g`, which has its own formats.
#[test]
fn subjects_are_those_of_git_log() {
    for made in Made::each() {
        made.run(&["commit", "-q", "--allow-empty", "-m", "two"]);
        let args = ["log", "-g", "--format=%H %gn %ge %gs", "main"];
        let shown: Vec<String> = entries(&made.main(), "refs/heads/main")
            .iter()
            .map(|entry| {
                let who = &entry.committer;
                format!("{} {} {} {}", entry.new, who.name, who.email, entry.message)
            })
            .collect();
        let expected = made.run(&args);
        assert_eq!(shown, expected.lines().collect::<Vec<_>>());
    }
}

/// Entries of other programs are returned as they are stored, apart from one final line feed.
#[test]
fn odd_texts_are_returned_as_they_are() {
    for made in Made::each() {
        let id = made.id();
        let texts: [(&[u8], &str); 8] = [
            (b"usual\n", "usual"),
            (b"no line feed", "no line feed"),
            (b"", ""),
            (b"\n", ""),
            (b"\n\n", "\n"),
            (b"two\nlines\n", "two\nlines"),
            (b"nul\0 here\n", "nul\0 here"),
            (b" spaces \n", " spaces "),
        ];
        for (stored, _) in texts {
            made.add(|writer, index| add_log(writer, index, "refs/heads/odd", update(&id, stored)));
        }
        made.add(|writer, index| {
            let odd = LogUpdate {
                name: b"two\nlines <x@y> 1 +0000\tforged",
                email: b"\xff\0",
                time: u64::MAX,
                tz_offset: Zone::from_stored(i16::MIN),
                ..update(&id, b"odd\n")
            };
            add_log(writer, index, "refs/heads/odd", odd)
        });
        let mut all = entries(&made.main(), "refs/heads/odd");
        let odd = all.remove(0);
        assert_eq!(odd.committer.name, "two\nlines <x@y> 1 +0000\tforged");
        assert_eq!(odd.committer.email, &b"\xff\0"[..]);
        assert_eq!(odd.time.seconds, u64::MAX);
        assert_eq!(odd.time.zone.stored(), i16::MIN);
        all.reverse();
        let messages: Vec<_> = all.iter().map(|entry| entry.message.to_string()).collect();
        assert_eq!(messages, texts.map(|(_, shown)| shown.to_owned()));
        assert_eq!(all[0].time.to_string(), "1600000000 -1130");
        assert_eq!(all[0].time.zone.offset_minutes(), -690);
    }
}

/// More than stays in memory; the older entries are read again.
#[test]
fn long_logs_are_whole_both_ways() {
    let Some(made) = Made::each().next() else {
        return;
    };
    let id = made.id();
    let long = |n: u64| format!("{n} {}\n", "x".repeat(9_000));
    for table in 0..3 {
        let dir = made.git_dir().join("reftable");
        let options = reftable::stack::StackOptions {
            write: reftable::table::WriteOptions {
                exact_log_message: true,
                block_size: 1 << 20,
                ..Default::default()
            },
            ..Default::default()
        };
        let stack = reftable::stack::Stack::open(&dir, options).unwrap();
        let mut addition = stack.begin(reftable::stack::OnOutdated::Fail).unwrap();
        let first = addition.next_update_index();
        addition
            .add_table::<reftable::format::Error>(|writer| {
                writer.set_limits(first, first + 299)?;
                for n in (0..300).rev() {
                    let message = long(table * 300 + n);
                    add_log(
                        writer,
                        first + n,
                        "refs/heads/long",
                        update(&id, message.as_bytes()),
                    )?;
                }
                Ok(())
            })
            .unwrap();
        assert!(stack.commit(addition).unwrap().published);
    }
    let all = entries(&made.main(), "refs/heads/long");
    assert_eq!(all.len(), 900);
    for (entry, n) in all.iter().rev().zip(0..) {
        assert_eq!(entry.message, long(n).trim_end());
    }
    made.compare(&[Question::Log("refs/heads/long"), Question::LogNames]);
}

/// Tombstones hide entries; a log whose entries are all hidden does not exist.
#[test]
fn deleted_entries_are_hidden() {
    for made in Made::each() {
        let (id, name) = (made.id(), "refs/heads/x");
        let mut indexes = Vec::new();
        for _ in 0..2 {
            made.add(|writer, index| {
                indexes.push(index);
                add_log(writer, index, name, update(&id, b"m\n"))
            });
        }
        let delete = |update_index| LogRecord {
            name: name.as_bytes(),
            update_index,
            value: LogValue::Deletion,
        };
        made.add(|writer, _| writer.add_log(&delete(indexes[1])));
        assert_eq!(entries(&made.main(), name).len(), 1);
        assert!(made.main().has_reflog(name).unwrap());
        made.add(|writer, _| writer.add_log(&delete(indexes[0])));
        assert_eq!(entries(&made.main(), name).len(), 0);
        assert!(!made.main().has_reflog(name).unwrap());
        made.compare(&[Question::Log(name), Question::LogNames]);
    }
}

/// Names with many entries are skipped by a search; names that git does not allow are left out.
#[test]
fn each_name_is_listed_once() {
    for made in Made::each() {
        let id = made.id();
        for _ in 0..40 {
            made.add(|writer, index| {
                add_log(writer, index, "refs/heads/many", update(&id, b"m\n"))?;
                add_log(writer, index, "refs/heads/most..bad", update(&id, b"m\n"))?;
                add_log(writer, index, "refs/heads/z", update(&id, b"m\n"))
            });
        }
        let names = ["HEAD", "refs/heads/main", "refs/heads/many", "refs/heads/z"];
        assert_eq!(made.main().reflog_names().unwrap(), names);
        made.compare(&[Question::LogNames]);
    }
}
