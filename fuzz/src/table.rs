//! Arbitrary bytes as a table; every other input gets a correct checksum first.

use super::check;
use super::hostile::raw;

pub fn run(bytes: &[u8]) {
    let Some((&how, bytes)) = bytes.split_first() else {
        return;
    };
    let mut bytes = bytes.to_vec();
    if how & 1 == 0 {
        raw::repair(&mut bytes);
    }
    check::table(bytes);
}
