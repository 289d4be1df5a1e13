//! `git refs verify`: the tables of a stack and the refs in them.
#![forbid(unsafe_code)]

use super::abi::ObjectId;
use super::backend::Backend;
use super::failure::{Failure, Outcome};
use super::store::Store;
use super::sys::messages::{error, print_stderr};
use super::sys::refs::FsckOptions;
use super::sys::strings::quoted;
use crate::merged::Tombstones;
use crate::record::RefValue;
use crate::stack::{self, CheckEvent};
use std::ffi::{c_int, CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

/// Verifies the stack of a worktree, None for the main one, and reports findings through
/// `options`.
///
/// # Errors
///
/// When git counts a finding as an error, or when the stack cannot be read.
pub fn check(store: &Store, options: &mut FsckOptions<'_>, worktree: Option<&CStr>) -> Outcome {
    // Each table first: this shows why a stack cannot be opened.
    let mut errors = check_tables(store, options, worktree);
    let backend = open(store, worktree)?;
    errors |= check_refs(store, &backend, options, worktree)?;
    if errors == 0 {
        Ok(())
    } else {
        Err(Failure::Reported)
    }
}

fn open(store: &Store, worktree: Option<&CStr>) -> Outcome<Rc<Backend>> {
    let Some(id) = worktree else {
        let message = c"reftable stack of the main worktree is broken";
        let broken = |_| Failure::report(message, &[]);
        return store.main().cloned().map_err(broken);
    };
    store.named_worktree(id.to_bytes()).map_err(|_| {
        let message = c"reftable stack for worktree '%s' is broken";
        Failure::report(message, &[&quoted(id.to_bytes())])
    })
}

fn check_tables(store: &Store, options: &mut FsckOptions<'_>, worktree: Option<&CStr>) -> c_int {
    let dir = match worktree {
        None => store.main_dir().to_owned(),
        Some(id) => store.worktree_dir(id.to_bytes()),
    };
    let dir = Path::new(OsStr::from_bytes(dir.to_bytes()));
    let mut errors = 0;
    stack::check_in(store.storage(), dir, store.hash, &mut |event| match event {
        CheckEvent::Checking(table) if options.verbose() => {
            let mut line = b"Checking table: ".to_vec();
            line.extend_from_slice(quoted(table.as_bytes()).to_bytes());
            print_stderr(&CString::new(line).unwrap_or_default());
        }
        CheckEvent::Finding(finding) if !finding.is_not_a_list() => {
            let file = quoted(finding.file.as_bytes());
            let text = message_text(&finding.to_string());
            errors |= options.report(finding.kind, &file, &text);
        }
        CheckEvent::Checking(_) | CheckEvent::Finding(_) => {}
    });
    errors
}

fn check_refs(
    store: &Store,
    backend: &Backend,
    options: &mut FsckOptions<'_>,
    worktree: Option<&CStr>,
) -> Outcome<c_int> {
    let unreadable = |failure: Failure| {
        failure.complain();
        let id = quoted(worktree.unwrap_or_default().to_bytes());
        let message = c"could not read record for worktree '%s'";
        Failure::report(message, &[&id])
    };
    let mut errors = 0;
    backend
        .stack
        .reload()
        .map_err(Failure::from)
        .map_err(unreadable)?;
    let mut refs = backend.stack.merged().refs(Tombstones::Hide);
    while refs.advance().map_err(Failure::from).map_err(unreadable)? {
        let record = refs.record();
        let path = report_path(worktree, record.name);
        let Ok(name) = CString::new(record.name) else {
            errors |= error(c"%s: refname with a NUL byte", &[&path]);
            continue;
        };
        errors |= match record.value {
            RefValue::Val1(id) | RefValue::Val2 { value: id, .. } => {
                let oid = ObjectId::new(id, backend.hash_id());
                options.check_ref(store.handle, &path, &name, &oid)
            }
            RefValue::Symref(target) => {
                // Bytes that need quoting are not valid in a name, quoted or not.
                options.check_symref(store.handle, &path, &name, &quoted(target))
            }
            RefValue::Deletion => 0,
        };
    }
    Ok(errors)
}

/// The name of a ref in reports, which includes its worktree.
fn report_path(worktree: Option<&CStr>, name: &[u8]) -> CString {
    match worktree {
        None => quoted(name),
        Some(id) => quoted(&[b"worktrees/", id.to_bytes(), b"/", name].concat()),
    }
}

/// The text of a finding, in which names have been quoted.
fn message_text(text: &str) -> CString {
    CString::new(text).unwrap_or_default()
}
