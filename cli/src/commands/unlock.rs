//! `reftable unlock`: whose locks there are, and removing stale ones.
#![forbid(unsafe_code)]

mod owner;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use reftable::format::Error;
use reftable::stack::{locks, Lock, LockKind, LockOwner};

use crate::failure::Result;
use crate::interrupt::Interrupt;
use crate::json::Object;
use crate::output::Output;
use crate::place::Place;
use crate::Outcome;
use owner::Owner;

/// Tell whose locks there are, and remove those whose owner has ended.
///
/// tables.list.lock is stale if no process of this machine has it open, and it was not modified for
/// ten minutes; programs keep it open as long as they hold it, except JGit. Locks of tables are
/// stale if they name an owner that has ended, or are a day old. On network file systems, and if
/// there are processes that may not be inspected, nothing is certain: then the lock stays.
///
/// Exits with 1 if locks are left.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to unlock, instead of -C.
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,

    /// Only print what would be done.
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// The time that must have passed since a list's lock was modified.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    min_age: u64,

    /// Write a JSON object for each lock: path, state (held, stale or unknown), pid, command, age,
    /// text, removed.
    #[arg(long)]
    json: bool,
}

/// Age from which an unknown owner of a table's lock counts as dead, as for `clean`.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub fn run(options: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    // Removing locks takes a lock for a moment, which must be released.
    let interrupt = Interrupt::new()?;
    let mut is_any_left = false;
    for dir in place.stacks()? {
        interrupt.check()?;
        if !dir.dir.exists() {
            continue;
        }
        let mut abandoned = Vec::new();
        for lock in locks(&dir.dir)? {
            let owner = owner_of(&lock, options);
            if owner == Owner::Stale && lock.kind != LockKind::List && !options.dry_run {
                // They are removed together, under the list's lock.
                abandoned.push((lock, owner));
                continue;
            }
            let is_removed = owner == Owner::Stale && !options.dry_run && remove(&lock, options)?;
            is_any_left |= !is_removed;
            show(&lock, &owner, is_removed, options, output)?;
        }
        if !abandoned.is_empty() {
            dir.open_with(place.stack_options()?)?.clean()?;
        }
        for (lock, owner) in abandoned {
            let is_removed = !lock.path.exists();
            is_any_left |= !is_removed;
            show(&lock, &owner, is_removed, options, output)?;
        }
    }
    Ok(match is_any_left {
        true => Outcome::Findings,
        false => Outcome::Ok,
    })
}

fn owner_of(lock: &Lock, options: &Options) -> Owner {
    let age = lock.age_ms.map(Duration::from_millis);
    match (lock.kind, lock.owner) {
        (LockKind::List, _) => {
            owner::of_file(&lock.path, age, Duration::from_secs(options.min_age))
        }
        (_, LockOwner::Alive) => match owner::of_file(&lock.path, age, DAY) {
            held @ Owner::Process { .. } => held,
            _ => Owner::Alive,
        },
        (_, LockOwner::Dead) => Owner::Stale,
        (_, LockOwner::Unknown) if age.is_some_and(|age| age > DAY) => Owner::Stale,
        (_, LockOwner::Unknown) => {
            Owner::Unknown("it does not say whose it is, and is less than a day old".to_owned())
        }
    }
}

/// Removes the lock of a list if it is still stale.
fn remove(lock: &Lock, options: &Options) -> Result<bool> {
    let removed = lock.remove_if(|lock| owner_of(lock, options) == Owner::Stale);
    match removed {
        // Its owner has released it, or another user has removed it.
        Err(Error::Io(failure)) if failure.source.kind() == io::ErrorKind::NotFound => Ok(true),
        done => Ok(done?),
    }
}

fn show(
    lock: &Lock,
    owner: &Owner,
    is_removed: bool,
    options: &Options,
    output: &mut Output,
) -> Result<()> {
    let age = lock.age_ms.map(|age| age / 1000);
    let text = match owner {
        Owner::Process { pid, command } => format!("held by process {pid} ({command})"),
        Owner::Alive => "held by a process of this machine".to_owned(),
        Owner::Stale => "stale: its owner has ended".to_owned(),
        Owner::Unknown(why) => format!("unknown: {why}"),
    };
    if options.json {
        let mut object = Object::new(output.buffer());
        object.bytes("path", lock.path.as_os_str().as_encoded_bytes());
        object.text("state", owner.state());
        if let Owner::Process { pid, command } = owner {
            object.value("pid", *pid).text("command", command);
        }
        object.value("age", age).text("text", &text);
        object.value("removed", is_removed);
        object.end();
    } else {
        let age = age.map_or(String::new(), |age| format!(", {age} seconds old"));
        let removed = if is_removed { ", removed" } else { "" };
        output.put(format!("{}: {text}{age}{removed}", lock.path.display()).as_bytes());
    }
    output.end_line()
}
