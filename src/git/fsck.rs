//! `git refs verify`: the tables of a stack and the refs in them.
#![forbid(unsafe_code)]

use super::abi::ObjectId;
use super::backend::{c_string, Backend};
use super::failure::{Failure, Outcome};
use super::store::Store;
use super::sys::messages::{error, print_stderr};
use super::sys::refs::FsckOptions;
use super::sys::repo::Worktree;
use crate::merged::Tombstones;
use crate::record::RefValue;
use crate::stack::{self, Finding};
use std::ffi::{c_int, CStr, CString};
use std::rc::Rc;

/// Verifies the stack of `worktree`. Findings are reported through `options`;
/// fails when there was one, or when the stack cannot be read.
pub fn check(store: &Store, options: &mut FsckOptions<'_>, worktree: Worktree<'_>) -> Outcome {
    let backend = open(store, worktree)?;
    let mut errors = check_tables(&backend, options);
    errors |= check_refs(store, &backend, options, worktree)?;
    if errors == 0 {
        Ok(())
    } else {
        Err(Failure::REPORTED)
    }
}

fn open(store: &Store, worktree: Worktree<'_>) -> Outcome<Rc<Backend>> {
    let backend = if worktree.is_main() {
        store.main().cloned()
    } else {
        store.named_worktree(worktree.id().to_bytes())
    };
    backend.map_err(|_| {
        let id = worktree.id();
        Failure(error(c"reftable stack for worktree '%s' is broken", &[id]))
    })
}

fn check_tables(backend: &Backend, options: &mut FsckOptions<'_>) -> c_int {
    let mut errors = 0;
    stack::check(&backend.stack, &mut |finding| match finding {
        Finding::Checking { table } => {
            if options.verbose() {
                print_stderr(&message("Checking table: ", table));
            }
        }
        Finding::BadTableName { table } => {
            errors |=
                options.report_table_name(&message("", table), c"invalid reftable table name");
        }
    });
    errors
}

fn check_refs(
    store: &Store,
    backend: &Backend,
    options: &mut FsckOptions<'_>,
    worktree: Worktree<'_>,
) -> Outcome<c_int> {
    let unreadable = |_| {
        let id = worktree.id();
        Failure(error(c"could not read record for worktree '%s'", &[id]))
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
        let name = c_string(record.name).map_err(unreadable)?;
        let path = report_path(worktree, &name);
        errors |= match record.value {
            RefValue::Val1(id) | RefValue::Val2 { value: id, .. } => {
                let oid = ObjectId::new(id, backend.hash_id());
                options.check_ref(store.handle, &path, &name, &oid)
            }
            RefValue::Symref(target) => {
                let target = c_string(target).map_err(unreadable)?;
                options.check_symref(store.handle, &path, &name, &target)
            }
            RefValue::Deletion => 0,
        };
    }
    Ok(errors)
}

/// The name that reports give the ref: with its worktree.
fn report_path(worktree: Worktree<'_>, name: &CStr) -> CString {
    if worktree.is_main() {
        return name.to_owned();
    }
    let mut path = b"worktrees/".to_vec();
    path.extend_from_slice(worktree.id().to_bytes());
    path.push(b'/');
    path.extend_from_slice(name.to_bytes());
    CString::new(path).unwrap_or_default()
}

fn message(lead: &str, table: &str) -> CString {
    CString::new(format!("{lead}{table}")).unwrap_or_default()
}
