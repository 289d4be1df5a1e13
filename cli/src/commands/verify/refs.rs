//! Checks of refs, across the tables of a stack.
#![forbid(unsafe_code)]

use reftable::format::Result;
use reftable::merged::{Merged, Tombstones};
use reftable::record::RefValue;
use reftable::repo::check_name;

use super::{Finding, Report};
use crate::place::StackDir;
use crate::text::shown;

/// Checks the refs of a stack. A stack that cannot be read has been reported.
pub(super) fn check(stack: &StackDir, report: &mut Report<'_>) {
    let Ok(open) = stack.open() else {
        return;
    };
    let view = open.merged();
    let mut add = |kind, name: &[u8], text: String| {
        report.add(&Finding {
            stack: &stack.dir,
            subject: &shown(name),
            kind,
            text,
        });
    };
    let is_main = stack.worktree.is_none();
    if view.tables().is_empty() {
        return;
    }
    // An error has been reported, with its table.
    let _ = check_refs(&view, &mut add);
    let mut finder = view.finder();
    let has_head = finder.find(b"HEAD").is_ok_and(|head| head.is_some());
    if !has_head && is_main {
        add("ref-head", b"HEAD", "there is no such ref".to_owned());
    }
}

/// Adds a finding: its kind, the ref, and the text.
type Add<'a> = &'a mut dyn FnMut(&'static str, &[u8], String);

fn check_refs(view: &Merged, add: Add<'_>) -> Result<()> {
    let mut refs = view.refs(Tombstones::Hide);
    // Refs whose names may be the beginning of the next ones.
    let mut above: Vec<Vec<u8>> = Vec::new();
    while refs.advance()? {
        let record = refs.record();
        let name = record.name;
        if let Err(error) = check_name(name) {
            add("ref-name", name, error.to_string());
        }
        let is_above = |dir: &Vec<u8>| name.strip_prefix(dir.as_slice());
        while let Some(last) = above.last() {
            // Names with the same beginning may be between a directory and what is in it.
            match is_above(last) {
                Some(rest) if rest.first() > Some(&b'/') => {
                    above.pop();
                }
                Some(_) => break,
                None => {
                    above.pop();
                }
            }
        }
        for dir in &above {
            if is_above(dir).is_some_and(|rest| rest.starts_with(b"/")) {
                let text = format!("cannot exist beside '{}'", shown(dir));
                add("ref-conflict", name, text);
            }
        }
        above.push(name.to_vec());
        match record.value {
            RefValue::Symref(target) => {
                if let Err(error) = check_name(target) {
                    add("ref-target", name, error.to_string());
                }
            }
            RefValue::Val1(id) | RefValue::Val2 { value: id, .. } => {
                if id.iter().all(|&byte| byte == 0) {
                    add("ref-id", name, "the object id is zero".to_owned());
                }
            }
            RefValue::Deletion => {}
        }
    }
    Ok(())
}
