//! `reftable log`: the reflog of a ref.
#![forbid(unsafe_code)]

use std::ffi::OsString;

use reftable::merged::Tombstones;
use reftable::record::LogValue;
use reftable::repo::{LogEntryRef, Time};
use reftable::ObjectId;

use crate::args::bytes_of;
use crate::failure::{tell, Result};
use crate::json::Object;
use crate::output::{Output, Paint};
use crate::place::Place;
use crate::refs::{Has, Lookup};
use crate::template::put_number;
use crate::text::{put_hex, quoted};
use crate::Outcome;

/// Show the reflog of a ref, newest entry first.
///
/// The name may be short, such as main; without one, the log of HEAD is shown. Each line is that of
/// `git reflog`, with whole object ids. Exits with 1 if the ref has no entries.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The ref.
    #[arg(value_name = "REF", default_value = "HEAD")]
    name: OsString,

    /// Show at most this many entries: the newest, or with --reverse the oldest.
    #[arg(short = 'n', value_name = "NUMBER")]
    count: Option<u64>,

    /// Show the oldest entry first.
    #[arg(long)]
    reverse: bool,

    /// Write lines as in the files of git's other format: both object ids, the committer, the time
    /// and the message.
    #[arg(long, conflicts_with = "json")]
    raw: bool,

    /// Write a JSON object for each entry: old, new, name, email, time, zone, message.
    #[arg(long)]
    json: bool,

    /// The refs after the transaction with this update index, of the main stack, as far as its
    /// tables can tell. What they cannot tell is reported.
    #[arg(long, value_name = "UPDATE-INDEX")]
    pub at: Option<u64>,
}

/// An entry of a reflog.
#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    old: ObjectId,
    new: ObjectId,
    name: &'a [u8],
    email: &'a [u8],
    time: Time,
    message: &'a [u8],
}

impl<'a> Entry<'a> {
    fn of_repository(entry: LogEntryRef<'a>) -> Self {
        Self {
            old: entry.old,
            new: entry.new,
            name: entry.committer.name,
            email: entry.committer.email,
            time: entry.time,
            message: entry.message,
        }
    }
}

/// The lines of a log.
struct Shower<'o> {
    name: &'o [u8],
    raw: bool,
    json: bool,
    left: u64,
    shown: u64,
    /// The number of the oldest entry if that is the first.
    oldest: Option<u64>,
    output: &'o mut Output,
}

pub fn run(options: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    let mut lookup = Lookup::new(place)?;
    let short = bytes_of(&options.name);
    let name = match lookup.full_name(short, Has::Log)? {
        Some(name) => name,
        // A stack or a table may have the log of a ref that it does not have.
        None => short.to_vec(),
    };
    let mut shower = Shower {
        name: &name,
        raw: options.raw,
        json: options.json,
        left: options.count.unwrap_or(u64::MAX),
        shown: 0,
        oldest: None,
        output,
    };
    // Git counts from the newest entry.
    let is_numbered = options.reverse && !options.raw && !options.json;
    match place {
        Place::Repository(repository) => {
            let log = repository.reflog(&name)?;
            if is_numbered {
                let mut entries = log.newest_first()?;
                while entries.next()?.is_some() {
                    shower.oldest = Some(shower.oldest.map_or(0, |oldest| oldest + 1));
                }
            }
            if options.reverse {
                let mut entries = log.oldest_first()?;
                while let Some(entry) = entries.next()?.filter(|_| shower.left > 0) {
                    shower.show(&Entry::of_repository(entry))?;
                }
            } else {
                let mut entries = log.newest_first()?;
                while let Some(entry) = entries.next()?.filter(|_| shower.left > 0) {
                    shower.show(&Entry::of_repository(entry))?;
                }
            }
        }
        _ => show_of_view(place, options.reverse, &mut shower)?,
    }
    if shower.shown == 0 && shower.left > 0 {
        tell(format!("there is no reflog of {}", quoted(&name)));
        return Ok(Outcome::Findings);
    }
    Ok(Outcome::Ok)
}

fn show_of_view(place: &Place, reverse: bool, shower: &mut Shower<'_>) -> Result<()> {
    let view = place.view()?;
    // Oldest first: the update index of each entry, so that only these stay in memory.
    let mut order = Vec::new();
    let mut logs = view.logs(Tombstones::Hide);
    logs.seek_only(shower.name)?;
    while shower.left > 0 && logs.advance()? {
        let record = logs.record();
        match (reverse, entry_of(&record.value)) {
            (_, None) => {}
            (true, Some(_)) => order.push(record.update_index),
            (false, Some(entry)) => shower.show(&entry)?,
        }
    }
    shower.oldest = u64::try_from(order.len())
        .ok()
        .and_then(|len| len.checked_sub(1));
    for update_index in order.into_iter().rev() {
        if shower.left == 0 {
            break;
        }
        let mut logs = view.logs(Tombstones::Hide);
        logs.seek_at(shower.name, update_index)?;
        if logs.advance()? {
            if let Some(entry) = entry_of(&logs.record().value) {
                shower.show(&entry)?;
            }
        }
    }
    Ok(())
}

/// The entry of a record; `None` for one that deletes an entry, or only marks that there is a log.
fn entry_of<'a>(value: &LogValue<'a>) -> Option<Entry<'a>> {
    let LogValue::Update(update) = value else {
        return None;
    };
    let old = ObjectId::from_bytes(update.old_hash)?;
    let new = ObjectId::from_bytes(update.new_hash)?;
    let message = update.message;
    (!old.is_null() || !new.is_null()).then_some(Entry {
        old,
        new,
        name: update.name,
        email: update.email,
        time: Time {
            seconds: update.time,
            zone: update.tz_offset,
        },
        message: message.strip_suffix(b"\n").unwrap_or(message),
    })
}

impl Shower<'_> {
    fn show(&mut self, entry: &Entry<'_>) -> Result<()> {
        if self.left == 0 {
            return Ok(());
        }
        if self.json {
            put_json(entry, self.output.buffer());
        } else if self.raw {
            put_raw(entry, self.output.buffer());
        } else {
            self.output
                .paint(Paint::Id, entry.new.to_string().as_bytes());
            self.output.put(b" ");
            self.output.put(self.name);
            self.output.put(b"@{");
            let number = match self.oldest {
                Some(oldest) => oldest.saturating_sub(self.shown),
                None => self.shown,
            };
            put_number(self.output.buffer(), number);
            self.output.put(b"}: ");
            self.output.put(entry.message);
        }
        self.left -= 1;
        self.shown += 1;
        self.output.end_line()
    }
}

fn put_raw(entry: &Entry<'_>, out: &mut Vec<u8>) {
    put_hex(out, entry.old.as_bytes());
    out.push(b' ');
    put_hex(out, entry.new.as_bytes());
    out.push(b' ');
    out.extend_from_slice(entry.name);
    out.extend_from_slice(b" <");
    out.extend_from_slice(entry.email);
    out.extend_from_slice(b"> ");
    out.extend_from_slice(entry.time.to_string().as_bytes());
    out.push(b'\t');
    out.extend_from_slice(entry.message);
}

fn put_json(entry: &Entry<'_>, out: &mut Vec<u8>) {
    let mut object = Object::new(out);
    object.text("old", entry.old).text("new", entry.new);
    object.bytes("name", entry.name).bytes("email", entry.email);
    object.value("time", entry.time.seconds);
    object.text("zone", entry.time.zone);
    object.bytes("message", entry.message);
    object.end();
}
