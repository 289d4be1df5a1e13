//! Reading one reflog.
#![forbid(unsafe_code)]

use super::entry::{Entry, Keeper, Who};
use super::run::Expiries;
use crate::git::backend::Backend;
use crate::git::failure::Outcome;
use crate::git::store::{Reload, Store};
use crate::git::sys::ident;
use crate::merged::OldestFirst;
use crate::record::LogValue;
use std::ffi::{c_int, CStr, CString};
use std::rc::Rc;

/// Git's callback for a refname, an entry and its committer line. A nonzero result ends the
/// iteration.
pub type Visitor<'v> = dyn FnMut(&CStr, &Entry, &CStr) -> c_int + 'v;

/// Visits the entries of `name`, newest first. Returns the first nonzero result of the visitor, or
/// 0.
pub fn for_each_reverse(
    store: &Store,
    expiries: &Expiries,
    name: &CStr,
    visit: &mut Visitor<'_>,
) -> Outcome<c_int> {
    let (backend, name) = store.backend_for(name, Reload::No)?;
    expiries.write_log(store, &backend, name);
    let hash = backend.hash_id();
    let mut logs = backend.logs();
    let mut committers = Committers::default();
    let mut last: Option<Rc<Who>> = None;
    logs.seek_only(name.to_bytes())?;
    while logs.advance()? {
        let record = logs.record();
        let LogValue::Update(update) = &record.value else {
            continue;
        };
        let entry = Entry::new(record.update_index, update, hash, last.as_ref());
        let answer = committers.visit(name, &entry, visit);
        if answer != 0 {
            return Ok(answer);
        }
        last = Some(entry.who);
    }
    Ok(0)
}

/// Visits the entries of `name`, oldest first. Returns the same as [`for_each_reverse`].
pub fn for_each(
    store: &Store,
    expiries: &Expiries,
    name: &CStr,
    visit: &mut Visitor<'_>,
) -> Outcome<c_int> {
    let (backend, name) = store.backend_for(name, Reload::No)?;
    expiries.write_log(store, &backend, name);
    let keeper = Keeper::new(backend.hash_id());
    let mut entries = OldestFirst::read(&mut backend.logs(), name.to_bytes(), keeper)?;
    leave_unterminated(entries.all());
    let mut committers = Committers::default();
    while let Some(entry) = entries.next()? {
        let answer = committers.visit(name, &entry, visit);
        if answer != 0 {
            return Ok(answer);
        }
    }
    Ok(0)
}

/// Shows the message of a log's only entry without a line feed, if it is stored so.
///
/// Git prints messages one after another, so they must end with a line feed. With a single entry
/// that does not matter, and git's own test of JGit's tables (t0612) expects the message as JGit
/// wrote it, without a line feed.
fn leave_unterminated(entries: &mut [Entry]) {
    let mut shown = entries.iter_mut().filter(|entry| !entry.is_marker());
    if let (Some(only), None) = (shown.next(), shown.next()) {
        if let Some(message) = only.message.unterminated() {
            only.message = message;
        }
    }
}

/// Whether `name` has a log.
pub fn exists(store: &Store, name: &CStr) -> Outcome<bool> {
    let (backend, name) = store.backend_for(name, Reload::Yes)?;
    Backend::has_reflog(&mut backend.logs(), name.to_bytes())
}

/// Formats committer lines and caches the last one.
#[derive(Default)]
struct Committers {
    last: Option<(Rc<Who>, CString)>,
}

impl Committers {
    fn visit(&mut self, name: &CStr, entry: &Entry, visit: &mut Visitor<'_>) -> c_int {
        if entry.is_marker() {
            return 0;
        }
        let known = self
            .last
            .take()
            .filter(|(who, _)| Rc::ptr_eq(who, &entry.who));
        let (_, line) = self.last.insert(known.unwrap_or_else(|| {
            let line = ident::format(entry.who.name.shown(), entry.who.email.shown());
            (entry.who.clone(), line)
        }));
        visit(name, entry, line)
    }
}
