//! Tables compared, byte for byte, with those of the C library.
//!
//! Needs `REFTABLE_UPSTREAM_SRC`, the path of a git tree of the same release in which `libgit.a`
//! has been built, and the C compiler that built it. Without the variable the tests do nothing;
//! with it, a failure to build the C program is a failure of the test.

use std::path::PathBuf;
use std::process::Command;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use reftable::format::{Error, HashId};
use reftable::table::WriteOptions;

use content::{assert_same_records, differs_on_purpose, Content};
use input::{input, many, Input, Value};

mod content;
mod input;

/// The C program, built once.
struct Upstream {
    program: PathBuf,
    dir: tempfile::TempDir,
}

impl Upstream {
    /// `None` if no git tree is named.
    fn build() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let program = crate::common::upstream_program("upstream-writer", dir.path())?;
        Some(Self { program, dir })
    }

    /// Error code and bytes of the C library.
    fn write(&self, input: &Input) -> (i32, Vec<u8>) {
        let script = self.dir.path().join("script");
        let table = self.dir.path().join("table");
        std::fs::write(&script, input.script()).unwrap();
        let output = Command::new(&self.program)
            .arg(&script)
            .arg(&table)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let code = String::from_utf8(output.stdout).unwrap();
        (code.trim().parse().unwrap(), std::fs::read(&table).unwrap())
    }

    fn compare(&self, input: &Input) {
        let (code, expected) = self.write(input);
        let mut bytes = Vec::new();
        let ours = input.write_to(&mut bytes);
        assert_eq!(
            ours.as_ref().map_or_else(Error::code, |()| 0),
            code,
            "{ours:?}"
        );
        if code == Error::EmptyTable.code() {
            assert_eq!(bytes, expected);
        } else if code == 0 && !input.options.git_layout && differs_on_purpose(&expected) {
            assert!(bytes != expected, "{input:?}");
            assert!(!differs_on_purpose(&bytes), "{input:?}");
            assert_same_records(&bytes, &expected);
        } else if code == 0 && bytes != expected {
            // Two versions of zlib may choose different matches; nothing else may differ.
            let (ours, theirs) = (Content::of(&bytes), Content::of(&expected));
            assert!(
                ours.before_logs == theirs.before_logs,
                "{input:?}: refs or objects"
            );
            assert!(
                ours.log_blocks == theirs.log_blocks,
                "{input:?}: log blocks"
            );
            assert!(ours.log_index == theirs.log_index, "{input:?}: log index");
            assert!(ours.footer == theirs.footer, "{input:?}: footer");
            assert!(!ours.log_blocks.is_empty(), "{input:?}: padding");
        }
    }
}

#[test]
fn same_bytes_as_upstream() {
    let Some(upstream) = Upstream::build() else {
        eprintln!("REFTABLE_UPSTREAM_SRC is not set: nothing to compare with");
        return;
    };
    let cases = ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(cases)
        .run(&input(), |input| {
            upstream.compare(&input);
            Ok(())
        })
        .unwrap();

    let sha1 = WriteOptions::default();
    let sha256 = WriteOptions {
        hash_id: HashId::Sha256,
        ..sha1
    };
    for (count, same, options) in [
        (20_000, 20_000, sha1),
        (20_000, 2, sha256),
        // So many blocks refer to one object that its record does not fit.
        (
            20_000,
            1,
            WriteOptions {
                block_size: 512,
                ..sha1
            },
        ),
        (
            3_000,
            5,
            WriteOptions {
                block_size: 16_777_215,
                ..sha1
            },
        ),
        (
            3_000,
            5,
            WriteOptions {
                block_size: 65_536,
                restart_interval: 1,
                ..sha256
            },
        ),
        // One restart per record, and more records than a block can have restarts.
        (
            70_000,
            9,
            WriteOptions {
                block_size: 8_000_000,
                restart_interval: 1,
                ..sha1
            },
        ),
        (
            20_000,
            3,
            WriteOptions {
                unpadded: true,
                ..sha1
            },
        ),
        (
            20_000,
            3,
            WriteOptions {
                skip_index_objects: true,
                ..sha1
            },
        ),
    ] {
        upstream.compare(&many(count, same, options));
    }
}

/// Cases in which the C library stops below the root of an index or does not store the position of
/// the logs, so that JGit misses records.
#[test]
fn the_layout_of_git_is_an_option() {
    let Some(upstream) = Upstream::build() else {
        eprintln!("REFTABLE_UPSTREAM_SRC is not set: nothing to compare with");
        return;
    };
    let small = WriteOptions {
        block_size: 300,
        hash_id: HashId::Sha256,
        ..WriteOptions::default()
    };
    // Two index blocks; further levels above them, for refs, objects and logs; logs alone.
    let only_logs = Input {
        refs: Vec::new(),
        ..many(100_000, 2, WriteOptions::default())
    };
    for mut input in [
        many(100_000, 2, WriteOptions::default()),
        many(9_000, 1, small),
        only_logs,
    ] {
        input.options.git_layout = true;
        assert!(differs_on_purpose(&upstream.write(&input).1), "{input:?}");
        upstream.compare(&input);
        input.options.git_layout = false;
        upstream.compare(&input);
    }
}

#[test]
fn same_errors_as_upstream() {
    let Some(upstream) = Upstream::build() else {
        eprintln!("REFTABLE_UPSTREAM_SRC is not set: nothing to compare with");
        return;
    };
    let good = many(10, 2, WriteOptions::default());
    let mut inputs = vec![good.clone(); 7];
    inputs[0].refs.swap(3, 4);
    inputs[1].refs[2].1 = 2;
    inputs[2].logs[0].update_index = 2;
    inputs[3].logs[0].update.as_mut().unwrap().4 = b"two\nlines\n".to_vec();
    inputs[4].options.block_size = 16_777_216;
    inputs[5].refs[5].2 = Value::Symref(vec![b'x'; 5000]);
    inputs[6].refs.clear();
    inputs[6].logs.clear();
    for input in &inputs {
        assert_ne!(upstream.write(input).0, 0);
        upstream.compare(input);
    }
    upstream.compare(&good);
}
