//! Time zones of reflog entries.
//!
//! A record has 16 bits for the zone. According to the format's document they are minutes, and
//! JGit writes minutes: 330 for `+0530`. git writes and reads the digits of `±hhmm` as a decimal
//! number: 530. Nothing in the record says which of the two it is.
#![forbid(unsafe_code)]

use std::fmt;

/// Time zone of a reflog entry, as it is stored.
///
/// Its text, in [`Display`](fmt::Display), is that of git, which assumes its own form: `+0530`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Zone(i16);

/// The meaning of the number in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneForm {
    /// The digits of `±hhmm` as a decimal number, as in git.
    Hhmm,
    /// Minutes east of UTC, as in the format's document and JGit.
    Minutes,
}

impl Zone {
    /// The zone of a record that stores this number.
    #[must_use]
    pub const fn from_stored(stored: i16) -> Self {
        Self(stored)
    }

    /// The number that a record stores.
    #[must_use]
    pub const fn stored(self) -> i16 {
        self.0
    }

    /// The zone `hhmm`, which is `±hhmm` in decimal as git passes it, stored in this form. Numbers
    /// that do not fit into 16 bits are clamped.
    #[must_use]
    pub fn from_hhmm(hhmm: i32, form: ZoneForm) -> Self {
        let number = match form {
            ZoneForm::Hhmm => hhmm,
            ZoneForm::Minutes => hhmm / 100 * 60 + hhmm % 100,
        };
        let nearest = number.clamp(i32::from(i16::MIN), i32::from(i16::MAX));
        Self(i16::try_from(nearest).unwrap_or_default())
    }

    /// The zone as `±hhmm` in decimal, as git passes it, if it is stored in this form.
    #[must_use]
    pub fn hhmm(self, form: ZoneForm) -> i32 {
        let number = i32::from(self.0);
        match form {
            ZoneForm::Hhmm => number,
            ZoneForm::Minutes => number / 60 * 100 + number % 60,
        }
    }

    /// The zone in minutes east of UTC, if it is stored in git's form: 330 for `+0530`.
    #[must_use]
    pub fn offset_minutes(self) -> i32 {
        let hhmm = self.hhmm(ZoneForm::Hhmm);
        hhmm / 100 * 60 + hhmm % 100
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+05}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_round_trip() {
        for (hhmm, minutes) in [
            (0, 0),
            (100, 60),
            (530, 330),
            (1400, 840),
            (-30, -30),
            (-130, -90),
            (-1200, -720),
        ] {
            for (form, stored) in [(ZoneForm::Hhmm, hhmm), (ZoneForm::Minutes, minutes)] {
                let zone = Zone::from_hhmm(hhmm, form);
                assert_eq!(i32::from(zone.stored()), stored, "{hhmm} {form:?}");
                assert_eq!(zone.hhmm(form), hhmm, "{form:?}");
            }
        }
    }

    #[test]
    fn zones_are_shown_as_by_git() {
        for (stored, text, minutes) in [
            (0, "+0000", 0),
            (530, "+0530", 330),
            (-30, "-0030", -30),
            (-1130, "-1130", -690),
            (i16::MIN, "-32768", -19_688),
        ] {
            let zone = Zone::from_stored(stored);
            assert_eq!(zone.to_string(), text);
            assert_eq!(zone.offset_minutes(), minutes, "{text}");
        }
    }

    #[test]
    fn every_stored_number_round_trips() {
        for stored in i16::MIN..=i16::MAX {
            let zone = Zone::from_stored(stored);
            assert_eq!(zone.stored(), stored);
            for form in [ZoneForm::Hhmm, ZoneForm::Minutes] {
                assert_eq!(Zone::from_hhmm(zone.hhmm(form), form), zone, "{form:?}");
            }
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_clamped() {
        for form in [ZoneForm::Hhmm, ZoneForm::Minutes] {
            assert_eq!(Zone::from_hhmm(i32::MAX, form).stored(), i16::MAX);
            assert_eq!(Zone::from_hhmm(i32::MIN, form).stored(), i16::MIN);
        }
    }
}
