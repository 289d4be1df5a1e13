//! The records of one block: do they decode, do their keys ascend, do restarts point at them?
#![forbid(unsafe_code)]

use super::keys::Keys;
use super::{shown, Report};
use crate::block::Block;
use crate::format::error::wide;
use crate::format::input::be24;
use crate::format::key::KeyHeader;
use crate::format::layout::RESTART_LEN;
use crate::format::words::common_prefix;
use crate::format::{Corruption, Damage, Expected, FindingKind, Input};
use crate::record::Context;

/// A block and the bytes in which its positions count.
pub(super) struct Reading<'b> {
    pub block: &'b Block,
    pub buffer: &'b [u8],
    pub context: &'b Context,
}

/// A record that was read, for those who check what it says.
pub(super) struct Seen<'r, S> {
    /// Its place in the file; in a log block the block's place plus that in what was inflated.
    pub offset: u64,
    pub key: &'r [u8],
    pub span: &'r S,
    pub buffer: &'r [u8],
}

impl Reading<'_> {
    /// Reads all records and hands each to `visit`. `key` is the key before the block's first one
    /// and becomes the last key that could be read. False when a record cannot be read; those
    /// behind it cannot either.
    pub(super) fn walk<R: Keys>(
        &self,
        key: &mut Vec<u8>,
        report: &mut Report<'_>,
        visit: &mut dyn FnMut(&Seen<'_, R::Span>, &mut Report<'_>),
    ) -> bool {
        let block = self.block;
        let records = self.buffer.get(block.first..block.records_end);
        let mut input = Input::new(records.unwrap_or_default(), block.records_end);
        let mut restarts = Restarts::new(self);
        let mut span = R::Span::default();
        // At the start of a block nothing is shared.
        let mut shareable = 0;
        while input.len() > 0 {
            let place = input.position();
            match self.read::<R>(&mut input, key, shareable, &mut span) {
                Ok((shared, disorder)) => {
                    if let Some(damage) = disorder {
                        let name = || shown(key);
                        report.tell_about(FindingKind::Order, block.locate(damage), name);
                    }
                    restarts.pass(place, shared, report);
                    let seen = Seen {
                        offset: wide(place).saturating_add(wide(block.offset - block.base)),
                        key,
                        span: &span,
                        buffer: self.buffer,
                    };
                    visit(&seen, report);
                }
                Err(damage) => {
                    report.tell_about(FindingKind::Block, block.locate(damage), || shown(key));
                    return false;
                }
            }
            shareable = key.len();
        }
        restarts.finish(report);
        true
    }

    /// Reads one record; gives how much of its key is shared, and what is wrong with its order.
    fn read<R: Keys>(
        &self,
        input: &mut Input<'_>,
        key: &mut Vec<u8>,
        shareable: usize,
        span: &mut R::Span,
    ) -> Result<(usize, Option<Damage>), Damage> {
        let place = input.position();
        let old_len = key.len();
        let header = KeyHeader::read(input)?;
        let suffix = header.suffix(input, shareable)?;
        // What is shared is equal, so the rest decides.
        let old = key.get(header.shared..).unwrap_or_default();
        let disorder = (suffix <= old).then(|| disorder(place, header.shared, suffix, old));
        key.truncate(header.shared);
        key.extend_from_slice(suffix);
        R::check(key, header.shared, old_len, place)?;
        R::check_extra(header.extra, input.position())?;
        R::decode(header.extra, input, self.context, span)?;
        Ok((header.shared, disorder))
    }
}

/// A key that repeats the one before or is less: by the first byte that differs, or by length.
#[cold]
fn disorder(place: usize, shared: usize, new: &[u8], old: &[u8]) -> Damage {
    let same = common_prefix(new, old);
    let (what, found, least) = match (new.get(same), old.get(same)) {
        (Some(&n), Some(&o)) => (
            "key less than the one before, first differing byte",
            u64::from(n),
            u64::from(o),
        ),
        (None, None) if shared + old.len() > 0 => (
            "key that repeats the one before, length",
            wide(shared + new.len()),
            wide(shared + old.len()),
        ),
        _ => (
            "empty key or beginning of the key before, length",
            wide(shared + new.len()),
            wide(shared + old.len()),
        ),
    };
    let least = Expected::AtLeast(least.saturating_add(1));
    Corruption::new(wide(place), what, found, least)
}

/// The restart offsets of a block, followed along its records. The first flaw ends it.
struct Restarts<'b> {
    block: &'b Block,
    /// What was not reached yet, three bytes each.
    rest: &'b [u8],
    /// The restart passed last.
    last: Option<usize>,
}

impl<'b> Restarts<'b> {
    fn new(reading: &Reading<'b>) -> Self {
        let block = reading.block;
        let len = RESTART_LEN * usize::from(block.restart_count);
        let rest = reading.buffer.get(block.records_end..);
        Self {
            block,
            rest: rest.and_then(|rest| rest.get(..len)).unwrap_or_default(),
            last: None,
        }
    }

    /// The next restart, in the positions of the buffer.
    fn next(&self) -> Option<usize> {
        let three = self.rest.first_chunk::<RESTART_LEN>()?;
        let offset = usize::try_from(be24(*three)).unwrap_or(usize::MAX);
        Some(offset.saturating_add(self.block.base))
    }

    /// A record begins at `place` and shares so many bytes with the one before.
    fn pass(&mut self, place: usize, shared: usize, report: &mut Report<'_>) {
        let Some(restart) = self.next() else { return };
        if self.last.is_none() && restart != place {
            let first = Expected::Exactly(wide(place - self.block.base));
            return self.tell("first restart offset", restart, first, report);
        }
        if restart > place {
            return;
        }
        if restart < place {
            // Between two records, or not greater than the one before.
            let (what, least) = match self.last {
                Some(last) if restart <= last => ("restart offset that does not ascend", last + 1),
                _ => ("restart offset between records", place),
            };
            let least = Expected::AtLeast(wide(least - self.block.base));
            return self.tell(what, restart, least, report);
        }
        if shared > 0 {
            let what = "length of the key's prefix at a restart";
            let place = wide(self.block.offset + (place - self.block.base));
            let damage = Corruption::new(place, what, wide(shared), Expected::Exactly(0));
            report.tell(FindingKind::Block, damage);
            self.rest = &[];
            return;
        }
        self.last = Some(restart);
        self.rest = self.rest.get(RESTART_LEN..).unwrap_or_default();
    }

    /// All records were passed.
    fn finish(&mut self, report: &mut Report<'_>) {
        let Some(restart) = self.next() else { return };
        let (what, expected) = match self.last {
            Some(last) if restart <= last => {
                let least = wide(last - self.block.base).saturating_add(1);
                (
                    "restart offset that does not ascend",
                    Expected::AtLeast(least),
                )
            }
            Some(last) => {
                let most = wide(last - self.block.base);
                (
                    "restart offset behind the last possible record",
                    Expected::AtMost(most),
                )
            }
            // The first restart is compared with the first record.
            None => return,
        };
        self.tell(what, restart, expected, report);
    }

    #[cold]
    fn tell(
        &mut self,
        what: &'static str,
        restart: usize,
        expected: Expected,
        report: &mut Report<'_>,
    ) {
        let end = RESTART_LEN * usize::from(self.block.restart_count);
        let place = self.block.records_end + end.saturating_sub(self.rest.len());
        let found = wide(restart - self.block.base);
        let damage = Corruption::new(wide(place), what, found, expected);
        report.tell(FindingKind::Block, self.block.locate(damage));
        self.rest = &[];
    }
}
