//! The stacks of the refs in a transaction.
#![forbid(unsafe_code)]

/// The stack of a ref, and the ref's name there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the part for its stack.
    pub part: u32,
    /// Offset of its name within that stack in the name of the update, which may start with a
    /// worktree.
    pub name_at: u32,
}

impl Place {
    /// The place of most refs: in the first part, under the whole name.
    const USUAL: Self = Self {
        part: 0,
        name_at: 0,
    };
}

/// The places of the refs of all updates, by number. Allocates nothing while all are usual.
#[derive(Default)]
pub struct Places {
    len: usize,
    /// All places; empty while all are usual.
    listed: Vec<Place>,
}

impl Places {
    /// Adds the place of the next update.
    pub fn push(&mut self, place: Place) {
        if place != Place::USUAL || !self.listed.is_empty() {
            self.listed.resize(self.len, Place::USUAL);
            self.listed.push(place);
        }
        self.len += 1;
    }

    /// The place of update `number`, or `None` past the end.
    pub fn get(&self, number: usize) -> Option<Place> {
        (number < self.len).then(|| self.listed.get(number).copied().unwrap_or(Place::USUAL))
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Places};

    #[test]
    fn places_are_found_by_number() {
        let other = Place {
            part: 1,
            name_at: 12,
        };
        let mut places = Places::default();
        assert_eq!(places.get(0), None);
        for place in [Place::USUAL, Place::USUAL, other, Place::USUAL] {
            places.push(place);
        }
        assert_eq!(places.get(1), Some(Place::USUAL));
        assert_eq!(places.get(2), Some(other));
        assert_eq!(places.get(3), Some(Place::USUAL));
        assert_eq!(places.get(4), None);
    }
}
