//! Verifying and repairing tables with each kind of damage.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use reftable::merged::Tombstones;
use reftable::stack::{Stack, StackOptions};
use reftable::HashId;

use crate::hostile::world::{table, Objects, Setting, TABLE};
use crate::hostile::{all_mutations, Makes};
use crate::sandbox::{run, Outcome};

/// Refs and log entries in a block of the tables.
const REFS_IN_BLOCK: usize = 5;
const LOGS_IN_BLOCK: usize = 3;

/// The results for one part of the format.
#[derive(Debug, Default)]
struct Results {
    cases: usize,
    reported: usize,
    whole: usize,
    most_refs: usize,
    most_logs: usize,
}

fn reftable(dir: &Path, args: &[&str]) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reftable"));
    command.current_dir(dir).args(args).env_clear();
    run(command, "")
}

/// Texts of the refs and of the log entries in a stack.
fn records(dir: &Path, hash_id: HashId) -> [BTreeSet<String>; 2] {
    let mut options = StackOptions::default();
    options.write.hash_id = hash_id;
    // A table whose header has the other hash is read as one of that.
    let Ok(stack) = Stack::open(dir, options) else {
        return [BTreeSet::new(), BTreeSet::new()];
    };
    let view = stack.merged();
    let [mut all_refs, mut all_logs] = [BTreeSet::new(), BTreeSet::new()];
    let mut refs = view.refs(Tombstones::Hide);
    while refs.advance().unwrap() {
        all_refs.insert(format!("{:?}", refs.record()));
    }
    let mut logs = view.logs(Tombstones::Hide);
    while logs.advance().unwrap() {
        all_logs.insert(format!("{:?}", logs.record()));
    }
    [all_refs, all_logs]
}

fn write_stack(dir: &Path, bytes: &[u8]) {
    let _ = fs::remove_dir_all(dir);
    fs::create_dir(dir).unwrap();
    fs::write(dir.join(TABLE), bytes).unwrap();
    fs::write(dir.join("tables.list"), format!("{TABLE}\n")).unwrap();
}

/// Of damage in one block, only that block is lost. Prints how much, for docs/reliability.md.
#[test]
fn each_kind_of_damage_is_reported_and_repaired() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    let mut results: BTreeMap<&str, Results> = BTreeMap::new();
    for (sha256, aligned) in [(false, true), (false, false), (true, true)] {
        let setting = Setting {
            sha256,
            aligned,
            amid: false,
            linked: false,
        };
        let (raw, layout) = table(&setting, &Objects::made_up(sha256));
        let whole = raw.encode();
        write_stack(&root.join("sound"), &whole);
        let hash_id = if sha256 { HashId::Sha256 } else { HashId::Sha1 };
        let sound = records(&root.join("sound"), hash_id);
        assert!(sound[0].len() > 2 * REFS_IN_BLOCK && sound[1].len() > 2 * LOGS_IN_BLOCK);
        // All take ten minutes: with REFTABLE_ALL_DAMAGE, or a sample of all kinds.
        let step = if std::env::var_os("REFTABLE_ALL_DAMAGE").is_some() {
            1
        } else {
            40
        };
        for mutation in all_mutations().into_iter().skip(7).step_by(step) {
            let what = format!("{}: {}, {setting}", mutation.group, mutation.name);
            let bytes = mutation.apply(&raw, &layout);
            if bytes == whole {
                continue;
            }
            write_stack(&root.join("reftable"), &bytes);
            let _ = fs::remove_dir_all(root.join("new"));
            let verified = reftable(root, &["verify", "--full", "reftable"]);
            assert!(matches!(verified.status, 0 | 1), "{what}: {verified:?}");
            let repaired = reftable(root, &["repair", "-C", "reftable", "--to", "new"]);
            assert!(matches!(repaired.status, 0 | 1), "{what}: {repaired:?}");
            assert_eq!(repaired.stderr, "", "{what}");
            // What was written is sound, and the loss of anything is reported.
            let again = reftable(root, &["verify", "new/reftable"]);
            assert_eq!(
                again,
                Outcome {
                    status: 0,
                    stdout: String::new(),
                    stderr: String::new()
                },
                "{what}"
            );
            let dumped = reftable(root, &["dump", "--blocks", &format!("reftable/{TABLE}")]);
            assert!(matches!(dumped.status, 0..=2), "{what}: {dumped:?}");
            if mutation.makes != Makes::Damaged {
                continue;
            }
            let left = records(&root.join("new/reftable"), hash_id);
            let [refs, logs] = [0, 1].map(|at: usize| sound[at].difference(&left[at]).count());
            let result = results.entry(mutation.group).or_default();
            result.cases += 1;
            result.reported += usize::from(verified.status == 1);
            result.whole += usize::from(refs + logs == 0);
            result.most_refs = result.most_refs.max(refs);
            result.most_logs = result.most_logs.max(logs);
            // Damage in one block costs that block.
            let is_in_block = !matches!(
                mutation.group,
                "truncation" | "header" | "hash id" | "deflated blocks"
            );
            if is_in_block {
                let is_little = refs <= REFS_IN_BLOCK && logs <= LOGS_IN_BLOCK;
                assert!(
                    is_little,
                    "{what}: lost {refs} refs, {logs} entries: {}",
                    repaired.stdout
                );
            } else if refs > REFS_IN_BLOCK || logs > LOGS_IN_BLOCK {
                println!(
                    "{what}: lost {refs} refs, {logs} entries: {}",
                    repaired.stdout
                );
            }
            assert_eq!(
                verified.status, 1,
                "{what}: damage that verify does not report"
            );
            if refs + logs > 0 {
                assert_eq!(
                    repaired.status, 1,
                    "{what}: a loss that repair does not report"
                );
            }
        }
    }
    for (group, result) in &results {
        println!("{group}: {result:?}");
    }
}
