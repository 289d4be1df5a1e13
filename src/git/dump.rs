//! `test-tool dump-reftable`: the content of a table or a stack as text, in the form that
//! git's tests compare.

#![expect(unsafe_code, reason = "an entry point that git calls")]

use super::abi::DUMP_LISTS_INDEXES;
use super::failure::generic_text;
use crate::format::{BlockType, HashId, Result};
use crate::merged::{Merged, Tombstones};
use crate::record::{LogRecord, LogValue, RefRecord, RefValue};
use crate::stack::{Stack, StackOptions};
use crate::sys::{StdStorage, Storage};
use crate::table::{Table, WriteOptions};
use std::ffi::{c_char, c_int, CStr, OsStr};
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

const USAGE: &str = "usage: dump [-st] arg\n\noptions: \n  -b dump blocks\n  -t dump table\n  \
                     -s dump stack\n  -6 sha256 hash format\n  -h this help\n\n";

/// The requested output. `blocks` takes precedence over `table`, and `table` over `stack`.
#[derive(Default)]
struct Request {
    blocks: bool,
    table: bool,
    stack: bool,
    hash: HashId,
}

/// Dumps a table or stack to standard output.
///
/// Returns the exit status: 0, 1 with a message on standard error when something could not be
/// read, 2 for a usage error.
///
/// # Safety
///
/// `argv` holds `argc` NUL-terminated strings.
#[no_mangle]
pub unsafe extern "C" fn reftable_rs_dump(argc: c_int, argv: *const *const c_char) -> c_int {
    let count = usize::try_from(argc).unwrap_or(0);
    // SAFETY: the caller's promise.
    let args: Vec<&CStr> = (0..count)
        .map(|i| unsafe { CStr::from_ptr(*argv.add(i)) })
        .collect();
    run(&args)
}

fn run(args: &[&CStr]) -> c_int {
    let mut request = Request::default();
    let mut rest = args.get(1..).unwrap_or_default();
    while let [option, tail @ ..] = rest {
        match option.to_bytes() {
            b"-b" => request.blocks = true,
            b"-t" => request.table = true,
            b"-s" => request.stack = true,
            b"-6" => request.hash = HashId::Sha256,
            b"-?" | b"-h" => {
                print(USAGE);
                return 2;
            }
            option if option.starts_with(b"-") => {}
            _ => break,
        }
        rest = tail;
    }
    let [arg] = rest else {
        eprintln!("need argument");
        print(USAGE);
        return 2;
    };
    let mut out = String::new();
    let outcome = request.dump(Path::new(OsStr::from_bytes(arg.to_bytes())), &mut out);
    print(&out);
    match outcome {
        Ok(()) => 0,
        Err(error) => {
            let program = args.first().copied().unwrap_or_default();
            eprintln!(
                "{}: {}: {}",
                program.to_string_lossy(),
                arg.to_string_lossy(),
                generic_text(error.code()).to_string_lossy()
            );
            1
        }
    }
}

fn print(text: &str) {
    // A test tool ignores a closed standard output.
    let mut stdout = std::io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}

impl Request {
    fn dump(&self, path: &Path, out: &mut String) -> Result<()> {
        if self.blocks {
            dump_blocks(&open_table(path)?, out)
        } else if self.table {
            let table = Arc::new(open_table(path)?);
            let hash = table.hash_id();
            dump_records(&Merged::new(vec![table], hash)?, Tombstones::Show, out)
        } else if self.stack {
            let options = StackOptions {
                write: WriteOptions {
                    hash_id: self.hash,
                    ..WriteOptions::default()
                },
                ..StackOptions::default()
            };
            let stack = Stack::open(path, options)?;
            dump_records(&stack.merged(), Tombstones::Hide, out)
        } else {
            Ok(())
        }
    }
}

fn open_table(path: &Path) -> Result<Table> {
    let data = StdStorage
        .open_table(path)
        .map_err(|error| crate::format::Error::io("open", path, error))?;
    Table::new(&path.to_string_lossy(), data)
}

fn dump_blocks(table: &Table, out: &mut String) -> Result<()> {
    let _ = writeln!(out, "header:\n  block_size: {}", table.block_size());
    let mut section = None;
    for block in table.blocks() {
        let block = block?;
        if block.block_type == BlockType::Index && !DUMP_LISTS_INDEXES {
            continue;
        }
        if section != Some(block.block_type) {
            section = Some(block.block_type);
            let name = match block.block_type {
                BlockType::Ref => "ref",
                BlockType::Log => "log",
                BlockType::Obj => "obj",
                BlockType::Index => "idx",
            };
            let _ = writeln!(out, "{name}:");
        }
        let _ = writeln!(
            out,
            "  - length: {}\n    restarts: {}",
            block.restart_offset, block.restart_count
        );
    }
    Ok(())
}

fn dump_records(merged: &Merged, tombstones: Tombstones, out: &mut String) -> Result<()> {
    let mut refs = merged.refs(tombstones);
    while refs.advance()? {
        dump_ref(&refs.record(), out);
    }
    let mut logs = merged.logs(tombstones);
    while logs.advance()? {
        dump_log(&logs.record(), out);
    }
    Ok(())
}

fn dump_ref(record: &RefRecord<'_>, out: &mut String) {
    let name = String::from_utf8_lossy(record.name);
    let _ = write!(out, "ref{{{name}({}) ", record.update_index);
    let _ = match record.value {
        RefValue::Symref(target) => write!(out, "=> {}", String::from_utf8_lossy(target)),
        RefValue::Val2 { value, target } => {
            write!(out, "val 2 {}(T {})", hex(value), hex(target))
        }
        RefValue::Val1(id) => write!(out, "val 1 {}", hex(id)),
        RefValue::Deletion => write!(out, "delete"),
    };
    out.push_str("}\n");
}

fn dump_log(record: &LogRecord<'_>, out: &mut String) {
    let name = String::from_utf8_lossy(record.name);
    let _ = write!(out, "log{{{name}({}) ", record.update_index);
    let LogValue::Update(update) = &record.value else {
        out.push_str("delete\n");
        return;
    };
    let _ = writeln!(
        out,
        "{} <{}> {} {:04}\n{} => {}\n\n{}\n}}",
        String::from_utf8_lossy(update.name),
        String::from_utf8_lossy(update.email),
        update.time,
        update.tz_offset.stored(),
        hex(update.old_hash),
        hex(update.new_hash),
        String::from_utf8_lossy(update.message)
    );
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
