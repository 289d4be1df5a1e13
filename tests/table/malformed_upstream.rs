//! Malformed tables that git's C code reads correctly: this library reads them as well.
//!
//! Each malformed table is read with the C library and with this one. If the C library returns the
//! answer of the sound table and this one does not, the case is listed in [`REFUSED`] with the
//! reason, or the test fails. Runs if `REFTABLE_UPSTREAM_SRC` names a built git tree: on every 61st
//! table, or every `HOSTILE_EVERY`-th.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::common::scratch;
use crate::fuzz::hostile::all_mutations;
use crate::fuzz::hostile::world::{self, File, Objects, Setting, Stack};
use reftable::format::{HashId, Result};
use reftable::merged::{Merged, Tombstones};
use reftable::stack::{Stack as Opened, StackOptions};
use reftable::table::WriteOptions;

/// What this library refuses although the C library answers correctly: groups and prefixes of the
/// names of cases. docs/compatibility.md has the reasons; in short, the same bytes may result from
/// damage after which the answer would be wrong.
const REFUSED: [(&str, &str); 26] = [
    // If the index ends with another key than its section, or its end cannot be read, the section
    // may have been truncated.
    ("key lengths", "Last block of RefIndex"),
    ("key lengths", "Last block of LogIndex"),
    ("varints", "Last block of RefIndex"),
    ("varints", "Last block of LogIndex"),
    ("order", "Last block of RefIndex"),
    ("order", "Last block of LogIndex"),
    ("index keys", ""),
    ("footer positions", "ref index -2 block"),
    ("footer positions", "log index -2 block"),
    ("block type", "First block of Objects, type i"),
    ("truncation", "at block 9 +1 bytes"),
    // The C library of git's next reads these as the end of an index.
    ("truncation", "at block 8 +5 bytes"),
    ("restarts", "Last block of RefIndex, declared to have 0"),
    ("restarts", "Last block of LogIndex, declared to have 0"),
    ("block length", "Last block of LogIndex"),
    ("block length", "Last block of RefIndex"),
    // An index record that points at another block than the one it describes.
    ("index positions", "Last block of LogIndex"),
    (
        "index positions",
        "First block of RefIndex, First record to the header",
    ),
    // A restart outside of the block, which the C library follows.
    ("restarts", "Middle block of LogIndex, at [28, 10000]"),
    // Bytes between two blocks: the following blocks may be lost.
    ("padding", "First block of Logs, r"),
    ("padding", "Middle block of Logs, r"),
    ("padding", "Last block of Logs, r"),
    // Logs at the start of the file, contrary to the footer.
    ("block type", "First block of Refs, type g"),
    // Bytes that are not a ref record usually have a wrong update index.
    ("update indexes", "from 1 to 1"),
    // The C library reads a string up to its first NUL.
    ("symbolic refs", "HEAD to refs/heads/main\\x00x"),
    ("symbolic refs", "sym to refs/heads/main\\x00x"),
];

/// The ways of reading, in the order of tests/c/upstream-reader.c.
const WAYS: [&str; 4] = ["walk refs", "walk logs", "find refs", "find logs"];

/// The result of a way of reading; one line per record.
fn read(dir: &Path, way: &str, names: &[Vec<u8>], hash_id: HashId) -> Result<Vec<String>> {
    let options = StackOptions {
        write: WriteOptions {
            hash_id,
            ..WriteOptions::default()
        },
        ..StackOptions::default()
    };
    let merged = Opened::open(dir, options)?.merged();
    let mut lines = Vec::new();
    match way {
        "walk refs" => {
            let mut refs = merged.refs(Tombstones::Hide);
            while refs.advance()? {
                lines.push(format!("{:?}", refs.record()));
            }
        }
        "walk logs" => {
            let mut logs = merged.logs(Tombstones::Hide);
            while logs.advance()? {
                lines.push(format!("{:?}", logs.record()));
            }
        }
        "find refs" => {
            let mut finder = merged.finder();
            for name in names {
                lines.push(format!("{:?}", finder.find(name)?));
            }
        }
        _ => find_logs(&merged, names, &mut lines)?,
    }
    Ok(lines)
}

fn find_logs(merged: &Arc<Merged>, names: &[Vec<u8>], lines: &mut Vec<String>) -> Result<()> {
    for name in names {
        let mut logs = merged.logs(Tombstones::Hide);
        logs.seek(name)?;
        while logs.advance()? && logs.record().name == &name[..] {
            lines.push(format!("{:?}", logs.record()));
        }
    }
    Ok(())
}

/// A stack in a temporary directory.
struct Case {
    dir: PathBuf,
    group: &'static str,
    name: String,
}

impl Case {
    fn new(dir: PathBuf, group: &'static str, name: &str, stack: &Stack) -> Self {
        fs::create_dir_all(&dir).unwrap();
        for (name, file) in &stack.files {
            let File::Plain(bytes) = file else {
                panic!("{name} is no file");
            };
            fs::write(dir.join(name), bytes).unwrap();
        }
        let name = name.to_owned();
        Self { dir, group, name }
    }

    /// The result of the C library, unless it returned an error.
    fn by_upstream(&self, way: usize) -> Option<Vec<u8>> {
        let bytes = fs::read(self.dir.join(format!("out-{way}"))).unwrap_or_default();
        bytes.ends_with(b"ok\n").then_some(bytes)
    }
}

/// Makes the C library read all cases.
fn read_by_upstream(program: &Path, names: &Path, cases: &[Case]) {
    let mut child = Command::new(program)
        .arg(names)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for case in cases {
        writeln!(stdin, "{}", case.dir.display()).unwrap();
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

/// The sound stack of a setting, and every `every`-th malformed one.
fn cases(root: &Path, setting: &Setting, skip: usize, every: usize) -> Vec<Case> {
    let objects = Objects::made_up(setting.sha256);
    let (raw, layout) = world::table(setting, &objects);
    let sound = raw.encode();
    let hash = if setting.sha256 { "sha256" } else { "sha1" };
    let dir = |n: usize| root.join(format!("{hash}-{n}"));
    let stack = Stack::with(sound.clone(), setting, &objects);
    let mut cases = vec![Case::new(dir(0), "sound", "", &stack)];
    for (n, mutation) in all_mutations().iter().enumerate() {
        let bytes = mutation.apply(&raw, &layout);
        if bytes != sound && (n + skip) % every == 0 {
            let stack = Stack::with(bytes, setting, &objects);
            cases.push(Case::new(
                dir(n + 1),
                mutation.group,
                &mutation.name,
                &stack,
            ));
        }
    }
    cases
}

/// The refusals without a reason, and how often each reason applied.
#[derive(Default)]
struct Tally {
    right: [usize; 2],
    refused: Vec<String>,
    met: BTreeMap<usize, usize>,
}

impl Tally {
    fn compare(&mut self, setting: &Setting, cases: &[Case], names: &[Vec<u8>]) {
        let hash_id = match setting.sha256 {
            true => HashId::Sha256,
            false => HashId::Sha1,
        };
        let (sound, cases) = cases.split_first().unwrap();
        for (n, way) in WAYS.into_iter().enumerate() {
            let right = read(&sound.dir, way, names, hash_id).unwrap();
            let right_by_upstream = sound.by_upstream(n).expect("a sound table");
            for case in cases {
                let ours = read(&case.dir, way, names, hash_id);
                let upstream = case.by_upstream(n);
                let by_us = ours.as_ref().is_ok_and(|lines| *lines == right);
                let by_upstream = upstream.is_some_and(|bytes| bytes == right_by_upstream);
                self.right[0] += usize::from(by_us);
                self.right[1] += usize::from(by_upstream);
                if by_upstream && !by_us {
                    let said = match ours {
                        Ok(_) => "another answer".to_owned(),
                        Err(error) => error.to_string(),
                    };
                    self.refuse(way, setting, case, &said);
                }
            }
        }
    }

    fn refuse(&mut self, way: &str, setting: &Setting, case: &Case, said: &str) {
        let is_listed =
            |(group, name): &(&str, &str)| case.group == *group && case.name.starts_with(name);
        match REFUSED.iter().position(is_listed) {
            Some(n) => *self.met.entry(n).or_default() += 1,
            None => {
                let (group, name) = (case.group, &case.name);
                self.refused
                    .push(format!("{way}\t{group}\t{name}\t{setting}\t{said}"));
            }
        }
    }
}

#[test]
fn tables_that_the_c_library_reads_are_read() {
    let tools = scratch();
    let Some(program) = crate::common::upstream_program("upstream-reader", tools.path()) else {
        eprintln!("REFTABLE_UPSTREAM_SRC is not set: nothing to compare with");
        return;
    };
    let every = usize::try_from(crate::common::number("HOSTILE_EVERY", 61)).unwrap();
    let mut tally = Tally::default();
    for (skip, setting) in Setting::all().into_iter().enumerate() {
        let root = scratch();
        let list = root.path().join("names");
        let names = world::names(&setting);
        let lines: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        fs::write(&list, lines.join(&b'\n')).unwrap();
        let cases = cases(root.path(), &setting, skip, every);
        read_by_upstream(&program, &list, &cases);
        tally.compare(&setting, &cases, &names);
    }
    let [ours, upstream] = tally.right;
    println!(
        "{ours} right, {upstream} by upstream; refused: {:?}",
        tally.met
    );
    let refused = &tally.refused;
    assert!(
        refused.is_empty(),
        "{} refused:\n{}",
        refused.len(),
        refused.join("\n")
    );
    // What the C library finds after the end of a block depends on the system.
    let unmet = (0..REFUSED.len()).filter(|n| every == 1 && !tally.met.contains_key(n));
    println!(
        "not met: {:?}",
        unmet.map(|n| REFUSED[n]).collect::<Vec<_>>()
    );
}
