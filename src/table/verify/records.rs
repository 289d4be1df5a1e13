//! Verifying the records of one block: decoding, order of keys, restarts.
#![forbid(unsafe_code)]

use super::keys::Keys;
use super::report::{shown, Report};
use crate::block::{Block, BlockRecords};
use crate::format::error::wide;
use crate::format::input::be24;
use crate::format::key::KeyHeader;
use crate::format::layout::RESTART_LEN;
use crate::format::words::common_prefix;
use crate::format::{Corruption, Damage, Expected, FindingKind, Input};

/// A record that was read, for checks of its content.
pub(super) struct Seen<'r, S> {
    /// Its offset in the file; in a log block the offset of the block plus the position in its
    /// inflated content.
    pub offset: u64,
    pub key: &'r [u8],
    pub span: &'r S,
    pub buffer: &'r [u8],
}

/// Reads all records of a block and passes each to `visit`. `key` is the key before the first
/// record, and becomes the last key that could be read. Returns `false` if a record cannot be
/// read, which makes those after it unreadable too.
pub(super) fn walk<R: Keys>(
    records: &BlockRecords<'_>,
    key: &mut Vec<u8>,
    report: &mut Report<'_>,
    visit: &mut dyn FnMut(&Seen<'_, R::Span>, &mut Report<'_>),
) -> bool {
    let &BlockRecords { block, buffer, .. } = records;
    let bytes = buffer.get(block.first..block.records_end);
    let mut input = Input::new(bytes.unwrap_or_default(), block.records_end);
    let mut restarts = Restarts::new(records);
    let mut span = R::Span::default();
    // The first key of a block shares nothing.
    let mut shareable = 0;
    while input.len() > 0 {
        let position = input.position();
        match read::<R>(records, &mut input, key, shareable, &mut span) {
            Ok((shared, disorder)) => {
                if let Some(damage) = disorder {
                    let name = || shown(key);
                    report.add_for(FindingKind::Order, block.locate(damage), name);
                }
                restarts.pass(position, shared, report);
                let seen = Seen {
                    offset: wide(position).saturating_add(wide(block.offset - block.base)),
                    key,
                    span: &span,
                    buffer,
                };
                visit(&seen, report);
            }
            Err(damage) => {
                report.add_for(FindingKind::Block, block.locate(damage), || shown(key));
                return false;
            }
        }
        shareable = key.len();
    }
    restarts.finish(report);
    true
}

/// Reads one record; returns the shared length of its key, and the damage if it is out of order.
fn read<R: Keys>(
    records: &BlockRecords<'_>,
    input: &mut Input<'_>,
    key: &mut Vec<u8>,
    shareable: usize,
    span: &mut R::Span,
) -> Result<(usize, Option<Damage>), Damage> {
    let position = input.position();
    let old_len = key.len();
    let header = KeyHeader::read(input)?;
    let suffix = header.suffix(input, shareable)?;
    // The shared bytes are equal, so that the remainder decides.
    let old = key.get(header.shared..).unwrap_or_default();
    let disorder = (suffix <= old).then(|| disorder(position, header.shared, suffix, old));
    key.truncate(header.shared);
    key.extend_from_slice(suffix);
    R::check(key, header.shared, old_len, position)?;
    R::check_extra(header.extra, input.position())?;
    R::decode(header.extra, input, records.context, span)?;
    Ok((header.shared, disorder))
}

/// Damage for a key that is not greater than the previous one: names the first byte that differs,
/// or the lengths.
#[cold]
fn disorder(position: usize, shared: usize, new: &[u8], old: &[u8]) -> Damage {
    let same = common_prefix(new, old);
    let (what, found, least) = match (new.get(same), old.get(same)) {
        (Some(&n), Some(&o)) => (
            "key less than the previous one, first differing byte",
            u64::from(n),
            u64::from(o),
        ),
        (None, None) if shared + old.len() > 0 => (
            "key equal to the previous one, length",
            wide(shared + new.len()),
            wide(shared + old.len()),
        ),
        _ => (
            "empty key or prefix of the previous one, length",
            wide(shared + new.len()),
            wide(shared + old.len()),
        ),
    };
    let least = Expected::AtLeast(least.saturating_add(1));
    Corruption::new(wide(position), what, found, least)
}

/// The restart offsets of a block, compared with its records. The first flaw ends the comparison.
struct Restarts<'b> {
    block: &'b Block,
    /// The offsets not yet reached, three bytes each.
    rest: &'b [u8],
    /// The last restart that was passed.
    last: Option<usize>,
}

impl<'b> Restarts<'b> {
    fn new(records: &BlockRecords<'b>) -> Self {
        let block = records.block;
        let len = RESTART_LEN * usize::from(block.restart_count);
        let rest = records.buffer.get(block.records_end..);
        Self {
            block,
            rest: rest.and_then(|rest| rest.get(..len)).unwrap_or_default(),
            last: None,
        }
    }

    /// The next restart, as a position in the buffer.
    fn next(&self) -> Option<usize> {
        let three = self.rest.first_chunk::<RESTART_LEN>()?;
        let offset = usize::try_from(be24(*three)).unwrap_or(usize::MAX);
        Some(offset.saturating_add(self.block.base))
    }

    /// Passes the record at `position`, which shares `shared` bytes with the previous one.
    fn pass(&mut self, position: usize, shared: usize, report: &mut Report<'_>) {
        let Some(restart) = self.next() else { return };
        if self.last.is_none() && restart != position {
            let first = Expected::Exactly(wide(position - self.block.base));
            return self.report_restart("first restart offset", restart, first, report);
        }
        if restart > position {
            return;
        }
        if restart < position {
            // Not greater than the previous restart, or not the start of a record.
            let (what, least) = match self.last {
                Some(last) if restart <= last => ("restart offset that does not ascend", last + 1),
                _ => ("restart offset between records", position),
            };
            let least = Expected::AtLeast(wide(least - self.block.base));
            return self.report_restart(what, restart, least, report);
        }
        if shared > 0 {
            let what = "length of the key's prefix at a restart";
            let offset = wide(self.block.offset + (position - self.block.base));
            let damage = Corruption::new(offset, what, wide(shared), Expected::Exactly(0));
            report.add(FindingKind::Block, damage);
            self.rest = &[];
            return;
        }
        self.last = Some(restart);
        self.rest = self.rest.get(RESTART_LEN..).unwrap_or_default();
    }

    /// Checks the remaining offsets after the last record.
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
                    "restart offset after the last possible record",
                    Expected::AtMost(most),
                )
            }
            // The first restart has been compared with the first record.
            None => return,
        };
        self.report_restart(what, restart, expected, report);
    }

    #[cold]
    fn report_restart(
        &mut self,
        what: &'static str,
        restart: usize,
        expected: Expected,
        report: &mut Report<'_>,
    ) {
        let end = RESTART_LEN * usize::from(self.block.restart_count);
        let position = self.block.records_end + end.saturating_sub(self.rest.len());
        let found = wide(restart - self.block.base);
        let damage = Corruption::new(wide(position), what, found, expected);
        report.add(FindingKind::Block, self.block.locate(damage));
        self.rest = &[];
    }
}
