//! Passing flaws to the caller.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use super::Flaw;
use crate::format::error::AbbreviatedName;
use crate::format::{Corruption, Damage, Expected, FindingKind};

/// The number of flaws of one kind to report individually; further ones are only counted.
const MOST: u64 = 20;

/// Passes flaws to the caller.
pub(super) struct Report<'r> {
    sink: &'r mut dyn FnMut(Flaw),
    counts: Counts,
}

/// For each kind, the number of flaws and the offset of the first one left out.
pub(super) type Counts = BTreeMap<FindingKind, (u64, u64)>;

impl<'r> Report<'r> {
    pub(super) fn new(sink: &'r mut dyn FnMut(Flaw)) -> Self {
        Self {
            sink,
            counts: Counts::new(),
        }
    }

    /// Adds a flaw without a subject.
    pub(super) fn add(&mut self, kind: FindingKind, damage: Damage) {
        self.add_for(kind, damage, || None);
    }

    /// Adds a flaw with its subject, which is computed only when needed.
    pub(super) fn add_for(
        &mut self,
        kind: FindingKind,
        damage: Damage,
        subject: impl FnOnce() -> Option<String>,
    ) {
        let (count, place) = self.counts.entry(kind).or_default();
        *count = count.saturating_add(1);
        if *count <= MOST {
            (self.sink)(Flaw {
                kind,
                damage,
                subject: subject(),
            });
        } else if *count == MOST + 1 {
            *place = damage.offset;
        }
    }

    /// Adds the flaws of another report: those that it has passed on, and its counts.
    pub(super) fn absorb(&mut self, flaws: Vec<Flaw>, counts: Counts) {
        for Flaw {
            kind,
            damage,
            subject,
        } in flaws
        {
            self.add_for(kind, damage, || subject);
        }
        for (kind, (count, place)) in counts {
            let Some(more) = count.checked_sub(MOST).filter(|&more| more > 0) else {
                continue;
            };
            // That many were passed on, so there is an entry, which is full.
            let (all, first) = self.counts.entry(kind).or_default();
            if *all <= MOST {
                *first = place;
            }
            *all = all.saturating_add(more);
        }
    }

    /// The numbers of flaws so far.
    pub(super) fn into_counts(self) -> Counts {
        self.counts
    }

    /// Reports how many flaws were left out.
    pub(super) fn finish(self) {
        for (kind, (count, place)) in self.counts {
            if let Some(more) = count.checked_sub(MOST).filter(|&more| more > 0) {
                let what = "further findings of this kind, the first of them";
                let damage = Corruption::new(place, what, more, Expected::Exactly(0));
                (self.sink)(Flaw::new(kind, damage));
            }
        }
    }
}

/// The name for messages, quoted and abbreviated.
pub(super) fn shown(name: &[u8]) -> Option<String> {
    Some(AbbreviatedName(name).to_string())
}
