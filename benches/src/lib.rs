//! The input of the benchmarks.
#![forbid(unsafe_code)]

/// The name of a branch. Names sort like their numbers.
#[must_use]
pub fn name(number: usize) -> String {
    format!("refs/heads/branch-{number:07}")
}

/// An id that differs between refs in every byte, as real ones do.
#[must_use]
pub fn id(number: usize) -> [u8; 20] {
    let mut id = [0; 20];
    let mut state = number as u64;
    for chunk in id.chunks_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        chunk.copy_from_slice(&mixed.to_be_bytes()[..chunk.len()]);
    }
    id
}
