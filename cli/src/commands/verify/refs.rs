//! Checks of refs, across the tables of a stack.
#![forbid(unsafe_code)]

use reftable::format::Result;
use reftable::merged::{Merged, Tombstones};
use reftable::record::RefValue;
use reftable::repo::check_name;

use crate::place::StackDir;
use crate::progress::{Progress, STEP};
use crate::text::shown;

/// A finding: its kind, the ref, and the text.
pub(super) type Wrong = (&'static str, String, String);

/// Checks the refs of a stack, and counts them. A stack that cannot be read is not reported here.
pub(super) fn check(stack: &StackDir, progress: &Progress) -> Vec<Wrong> {
    let mut all = Vec::new();
    let Ok(open) = stack.open() else {
        return all;
    };
    let view = open.merged();
    let mut add = |kind, name: &[u8], text: String| all.push((kind, shown(name), text));
    if view.tables().is_empty() {
        return all;
    }
    // An error is reported by the check of its table.
    let _ = check_refs(&view, progress, &mut add);
    let mut finder = view.finder();
    let has_head = finder.find(b"HEAD").is_ok_and(|head| head.is_some());
    if !has_head && stack.worktree.is_none() {
        add("ref-head", b"HEAD", "there is no such ref".to_owned());
    }
    all
}

/// Adds a finding: its kind, the ref, and the text.
type Add<'a> = &'a mut dyn FnMut(&'static str, &[u8], String);

fn check_refs(view: &Merged, progress: &Progress, add: Add<'_>) -> Result<()> {
    let mut refs = view.refs(Tombstones::Hide);
    let mut above = Above::default();
    let mut count: u64 = 0;
    while refs.advance()? {
        let record = refs.record();
        let name = record.name;
        count += 1;
        if count % STEP == 0 {
            progress.add(STEP, 0);
        }
        if let Err(error) = check_name(name) {
            add("ref-name", name, error.to_string());
        }
        if let Some(dir) = above.add(name) {
            let text = format!("cannot exist beside '{}'", shown(dir));
            add("ref-conflict", name, text);
        }
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

/// The names that may be directories of the next ones, each the beginning of the one after it.
///
/// `a-b` is between `a` and `a/b`, so that comparing with the last name is not enough.
#[derive(Default)]
struct Above {
    /// Buffers, of which the first `depth` are in use.
    names: Vec<Vec<u8>>,
    depth: usize,
}

impl Above {
    /// Adds the next name in the order of a list, and returns a name that is its directory.
    fn add(&mut self, name: &[u8]) -> Option<&[u8]> {
        let is_above = |dir: &Vec<u8>| {
            let rest = name.strip_prefix(dir.as_slice());
            rest.is_some_and(|rest| rest.first() <= Some(&b'/'))
        };
        let used = self.names.get(..self.depth).unwrap_or_default();
        self.depth = used.iter().rposition(is_above).map_or(0, |last| last + 1);
        if self.depth == self.names.len() {
            self.names.push(Vec::new());
        }
        if let Some(buffer) = self.names.get_mut(self.depth) {
            buffer.clear();
            buffer.extend_from_slice(name);
        }
        let before = self.names.get(..self.depth).unwrap_or_default();
        self.depth += 1;
        let is_dir = |dir: &&Vec<u8>| name.get(dir.len()) == Some(&b'/');
        before.iter().find(is_dir).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_their_directories_are_found() {
        let mut above = Above::default();
        for (name, expected) in [
            ("a", None),
            ("a-", None),
            ("a-/b", Some("a-")),
            ("a-b", None),
            ("a.b", None),
            ("a/b", Some("a")),
            ("a/b/c", Some("a")),
            ("a0", None),
            ("a0/b", Some("a0")),
            ("b", None),
        ] {
            let found = above.add(name.as_bytes());
            assert_eq!(found, expected.map(str::as_bytes), "{name}");
        }
    }
}
