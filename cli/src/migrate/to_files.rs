//! Moving references from reftables to files.
//!
//! The stacks are locked all the time, so nothing changes. The files are put in their places before
//! the switch: git ignores them as long as references are in reftables. It only requires of `HEAD`
//! that it looks like one.
#![forbid(unsafe_code)]

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;

use bstr::ByteSlice as _;
use reftable::merged::{Merged, Tombstones};
use reftable::record::RefValue;
use reftable::ObjectId;

use super::compare::{Differences, Missing};
use super::disk;
use super::logs::TableLogs;
use super::meter::{line_len, Meter};
use super::site::{Site, Tree};
use super::staging::Staging;
use super::survey::{is_case_blind, Survey};
use super::to_tables::{write_stub, STUB_HEAD, STUB_HEADS};
use crate::failure::{Failure, Result};
use crate::files::names::belongs_to_worktree;
use crate::files::packed::HEADER;
use crate::files::store::{root_refs, FilesStore, Source};
use crate::files::walk::is_missing;
use crate::interrupt::Interrupt;
use crate::objects::Objects;
use crate::text::put_hex;

/// The views of the stacks of all worktrees.
pub fn views(site: &Site) -> Result<Vec<Arc<Merged>>> {
    let stacks = site.trees.iter().map(|tree| site.stack(tree));
    stacks.map(|stack| Ok(stack.open()?.merged())).collect()
}

/// What is in the stacks of all worktrees. `is_blind` as for [`Survey::add_stack`].
pub fn survey(site: &Site, views: &[Arc<Merged>], is_blind: bool) -> Result<Survey> {
    let is_blind = is_blind || is_case_blind(&site.dir);
    let mut survey = Survey::default();
    for (tree, view) in site.trees.iter().zip(views) {
        survey.add_stack(tree, view, is_blind)?;
    }
    Ok(survey)
}

/// Writes the files, which take about `bytes`, and switches to them. The caller has locked the
/// stacks.
pub fn switch(
    site: &Site,
    views: &[Arc<Merged>],
    bytes: u64,
    staging: &Staging,
    interrupt: &Interrupt,
) -> Result<()> {
    let new = staging.new_dir();
    let meter = Meter::start(bytes, interrupt);
    let mut objects = Objects::new(&site.dir, site.hash());
    for (tree, view) in site.trees.iter().zip(views) {
        interrupt.check()?;
        let dir = site.below(&new, tree);
        write_refs(&dir, tree, view, &mut objects, &meter)?;
        write_logs(&dir.join("logs"), view, &meter)?;
        verify(site, tree, &dir, view, &meter)?;
        let (dir_model, file_model) = site.models(tree)?;
        disk::adopt_permissions(&dir, &dir_model, &file_model)?;
    }
    drop(meter);
    interrupt.check()?;
    disk::sync_tree(&new)?;
    for tree in &site.trees {
        publish(tree, &site.below(&new, tree))?;
        disk::sync_dir(&tree.dir)?;
    }
    site.switch(staging)
}

fn write_refs(
    dir: &Path,
    tree: &Tree,
    view: &Merged,
    objects: &mut Objects,
    meter: &Meter<'_>,
) -> Result<()> {
    let mut packed = HEADER.to_vec();
    let mut refs = view.refs(Tombstones::Hide);
    let is_main = tree.name.is_none();
    disk::create_dirs(&dir.join("refs"))?;
    if is_main {
        for name in ["refs/heads", "refs/tags"] {
            disk::create_dirs(&dir.join(name))?;
        }
    }
    while refs.advance()? {
        let record = refs.record();
        meter.add(1, line_len(record.name, view.hash_id()))?;
        let is_packed = is_main && !belongs_to_worktree(record.name);
        let mut text = Vec::new();
        match record.value {
            RefValue::Deletion => continue,
            RefValue::Symref(target) => {
                text.extend_from_slice(b"ref: ");
                text.extend_from_slice(target);
                text.push(b'\n');
            }
            value => {
                let Some(id) = value.id().and_then(ObjectId::from_bytes) else {
                    continue;
                };
                if is_packed {
                    let peeled = value.peeled().and_then(ObjectId::from_bytes);
                    // Git releases before 2.50 migrate tags without their peeled values.
                    let peeled = match peeled {
                        None if record.name.starts_with(b"refs/tags/") => objects.peel(&id)?,
                        peeled => peeled,
                    };
                    put_packed(&mut packed, record.name, &id, peeled.as_ref());
                    continue;
                }
                put_hex(&mut text, id.as_bytes());
                text.push(b'\n');
            }
        }
        write_file(dir, record.name, &text)?;
    }
    if is_main {
        let path = dir.join("packed-refs");
        fs::write(&path, packed).map_err(|e| Failure::io("write", &path, &e))?;
    }
    Ok(())
}

fn put_packed(out: &mut Vec<u8>, name: &[u8], id: &ObjectId, peeled: Option<&ObjectId>) {
    put_hex(out, id.as_bytes());
    out.push(b' ');
    out.extend_from_slice(name);
    out.push(b'\n');
    if let Some(peeled) = peeled {
        out.push(b'^');
        put_hex(out, peeled.as_bytes());
        out.push(b'\n');
    }
}

fn write_logs(dir: &Path, view: &Merged, meter: &Meter<'_>) -> Result<()> {
    let mut logs = TableLogs::new(view)?;
    while logs.advance()? {
        meter.add(logs.text.entries, logs.text.len())?;
        write_file(dir, &logs.name, &logs.text.lines)?;
    }
    Ok(())
}

/// Writes the file of a ref or a log, and creates its directory.
fn write_file(dir: &Path, name: &[u8], text: &[u8]) -> Result<()> {
    let name = name.to_path().unwrap_or(Path::new(""));
    let path = dir.join(name);
    let file = match fs::File::create(&path) {
        Err(e) if is_missing(&e) => {
            disk::create_dirs(path.parent().unwrap_or(dir))?;
            fs::File::create(&path)
        }
        file => file,
    };
    let mut file = BufWriter::new(file.map_err(|e| Failure::io("create", &path, &e))?);
    let written = file.write_all(text).and_then(|()| file.flush());
    written.map_err(|e| Failure::io("write", &path, &e))
}

/// Reads what was written, and compares it with the stack.
fn verify(site: &Site, tree: &Tree, dir: &Path, view: &Merged, meter: &Meter<'_>) -> Result<()> {
    let store = FilesStore::read(Source {
        dir,
        is_linked: tree.name.is_some(),
        hash: site.hash(),
        since: None,
    })?;
    let found = Differences::new(&store, view, Missing::Counts, meter)?;
    let differs = found.refs.iter().filter(|difference| {
        // Tags whose peeled value the stack does not have.
        difference.target != difference.found
    });
    let names = differs.map(|difference| &difference.name);
    let logs = found.logs.iter().map(|log| &log.name);
    let flaws = store.flaws.iter().map(|flaw| &flaw.name);
    match names.chain(logs).chain(flaws).next() {
        None => Ok(()),
        Some(name) => Err(Failure::new(format!(
            "what was written to {} is not the same: {}",
            crate::failure::quoted_path(dir),
            crate::text::quoted(name)
        ))),
    }
}

/// Moves the new files of a worktree to their places, `HEAD` last.
fn publish(tree: &Tree, new: &Path) -> Result<()> {
    let refs = tree.dir.join("refs");
    clear_refs(&refs)?;
    disk::create_dirs(&refs)?;
    let new_refs = new.join("refs");
    let failed = |e| Failure::io("read", &new_refs, &e);
    for entry in fs::read_dir(&new_refs).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        disk::rename(&entry.path(), &refs.join(entry.file_name()))?;
    }
    disk::sync_dir(&refs)?;
    // An empty directory may be in the way.
    disk::remove(&tree.dir.join("logs"))?;
    for name in ["logs", "packed-refs"] {
        disk::rename_if_exists(&new.join(name), &tree.dir.join(name))?;
    }
    let mut root = root_refs(new)?;
    root.sort_by_key(|entry| entry.name == b"HEAD");
    for entry in root {
        let name = entry.path.file_name().unwrap_or_default();
        disk::rename(&entry.path, &tree.dir.join(name))?;
    }
    Ok(())
}

/// Removes all that is in `refs`.
fn clear_refs(refs: &Path) -> Result<()> {
    let failed = |e| Failure::io("read", refs, &e);
    let entries = match fs::read_dir(refs) {
        Err(e) if is_missing(&e) => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        disk::remove(&entry.map_err(failed)?.path())?;
    }
    Ok(())
}

/// Before the switch: removes the files again.
pub fn retract(site: &Site, staging: &Staging) -> Result<()> {
    for tree in &site.trees {
        write_stub(&tree.dir.join("HEAD"), STUB_HEAD, staging)?;
        for entry in root_refs(&tree.dir)? {
            if entry.name != b"HEAD" {
                disk::remove(&entry.path)?;
            }
        }
        for name in ["logs", "packed-refs"] {
            disk::remove(&tree.dir.join(name))?;
        }
        let refs = tree.dir.join("refs");
        let stub = refs.join("heads");
        if stub.is_dir() {
            disk::remove(&stub)?;
        }
        disk::create_dirs(&refs)?;
        write_stub(&stub, STUB_HEADS, staging)?;
        let failed = |e| Failure::io("read", &refs, &e);
        for entry in fs::read_dir(&refs).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path != stub {
                disk::remove(&path)?;
            }
        }
    }
    Ok(())
}

/// After the switch: removes the stacks.
pub fn remove_stacks(site: &Site, staging: &Staging) -> Result<()> {
    let old = staging.next_old_dir()?;
    for tree in &site.trees {
        let dir = site.below(&old, tree);
        disk::create_dirs(&dir)?;
        // In one step, so that a program with an old configuration finds all or nothing.
        disk::rename_if_exists(&tree.dir.join("reftable"), &dir.join("reftable"))?;
    }
    Ok(())
}
