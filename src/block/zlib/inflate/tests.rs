//! Damaged blocks, and which buffers and blocks are kept.

use proptest::prelude::*;

use super::*;
use crate::block::counts::INFLATED;
use crate::block::zlib::Deflater;

fn deflated(header: &[u8], content: &[u8]) -> Vec<u8> {
    let mut deflater = Deflater::new();
    [header, deflater.deflate(content).unwrap()].concat()
}

proptest! {
    #[test]
    fn blocks_round_trip_with_one_state(
        blocks in prop::collection::vec(
            (1_usize..150_000, any::<u8>(), 0_usize..30), 1..4),
    ) {
        let mut inflater = Inflater::default();
        let mut deflater = Deflater::new();
        for (len, step, header) in blocks {
            let content: Vec<u8> = (0..len)
                .map(|n| (n.wrapping_mul(usize::from(step)) >> 3).to_le_bytes()[0])
                .collect();
            let head = vec![7; header];
            let mut bytes = [&head[..], deflater.deflate(&content).unwrap()].concat();
            let deflated_len = bytes.len();
            bytes.extend_from_slice(b"next block");
            let used = inflater.inflate(&bytes, header, header + len).unwrap();
            prop_assert_eq!(used, deflated_len);
            prop_assert_eq!(inflater.block(), &[&head[..], &content].concat()[..]);
        }
    }
}

#[test]
fn a_wrong_declared_length_is_damage() {
    let bytes = deflated(b"gxxx", &[5; 1000]);
    let mut inflater = Inflater::default();
    for len in [0, 4, 5, 1003, 1005, 100_000, 16_777_215] {
        let damage = inflater.inflate(&bytes, 4, len).unwrap_err();
        // Bytes after the declared length are inflated into the spare room.
        let found = match len {
            0..=4 => len,
            5 => 5 + SPARE_ROOM,
            _ => 1004,
        };
        assert_eq!(damage.found, wide(found), "{len}");
    }
    assert!(inflater.inflate(&bytes, 4, 1004).is_ok());
    // A false length has not made the buffer grow.
    let capacity = inflater.last.buffer.capacity();
    assert!(capacity <= 2 * GROWTH);
}

/// How many blocks a new inflater inflates to get this one.
fn inflations(bytes: &[u8], header: usize, len: usize) -> usize {
    let before = INFLATED.get();
    Inflater::default().inflate(bytes, header, len).unwrap();
    INFLATED.get() - before
}

#[test]
fn recent_blocks_are_not_inflated_again() {
    let blocks: Vec<_> = (0..8).map(|n| deflated(b"g", &[n; 1000])).collect();
    for expected in [1, 0, 0] {
        for block in &blocks {
            assert_eq!(inflations(block, 1, 1001), expected);
        }
    }
    // The oldest one makes room for another.
    let ninth = deflated(b"g", &[8; 1000]);
    assert_eq!(inflations(&ninth, 1, 1001), 1);
    assert_eq!(inflations(&ninth, 1, 1001), 0);
    assert_eq!(inflations(&blocks[1], 1, 1001), 0);
    assert_eq!(inflations(&blocks[0], 1, 1001), 1);
}

#[test]
fn a_recent_block_is_found_whatever_follows_it() {
    let bytes = deflated(b"gxxx", &[5; 1000]);
    assert_eq!(inflations(&bytes, 4, 1004), 1);
    let before = INFLATED.get();
    let mut inflater = Inflater::default();
    let longer = [&bytes[..], b"another"].concat();
    assert_eq!(inflater.inflate(&longer, 4, 1004).unwrap(), bytes.len());
    assert_eq!(inflater.block(), [&b"gxxx"[..], &[5; 1000]].concat());
    // The same inflater finds its own block, too.
    assert_eq!(inflater.inflate(&bytes, 4, 1004).unwrap(), bytes.len());
    assert_eq!(INFLATED.get(), before);
}

#[test]
fn a_recent_block_is_not_taken_for_a_similar_one() {
    let bytes = deflated(b"gxxx", &[5; 1000]);
    assert_eq!(inflations(&bytes, 4, 1004), 1);
    let mut inflater = Inflater::default();
    // Another length, another header, a byte less, and each byte changed.
    inflater.inflate(&bytes, 4, 1005).unwrap_err();
    inflater.inflate(&bytes, 4, 0).unwrap_err();
    inflater
        .inflate(&bytes[..bytes.len() - 1], 4, 1004)
        .unwrap_err();
    inflater.inflate(&bytes[1..], 3, 1003).unwrap();
    assert_eq!(inflater.block(), [&b"xxx"[..], &[5; 1000]].concat());
    let other = deflated(b"gyyy", &[5; 1000]);
    inflater.inflate(&other, 4, 1004).unwrap();
    assert_eq!(inflater.block()[..4], *b"gyyy");
    for at in 4..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 0x10;
        let before = INFLATED.get();
        let _ = inflater.inflate(&broken, 4, 1004);
        assert_eq!(INFLATED.get(), before + 1, "{at}");
    }
    inflater.inflate(&bytes, 4, 1004).unwrap();
    assert_eq!(inflater.block()[..4], *b"gxxx");
}

#[test]
fn only_small_blocks_are_kept() {
    for (len, again) in [(1000, 0), (GROWTH, 0), (3 * GROWTH, 1)] {
        let bytes = deflated(b"g", &vec![5; len - 1]);
        assert_eq!(inflations(&bytes, 1, len), 1, "{len}");
        assert_eq!(inflations(&bytes, 1, len), again, "{len}");
    }
}

#[test]
fn a_large_block_is_dropped_when_a_recent_one_is_found() {
    let small = deflated(b"g", &[5; 1000]);
    let large = deflated(b"g", &vec![5; 3 * GROWTH - 1]);
    assert_eq!(inflations(&small, 1, 1001), 1);
    let mut inflater = Inflater::default();
    inflater.inflate(&large, 1, 3 * GROWTH).unwrap();
    inflater.inflate(&small, 1, 1001).unwrap();
    assert_eq!(inflater.block().len(), 1001);
    assert!(inflater.held() < GROWTH);
    drop(inflater);
    assert_eq!(inflations(&large, 1, 3 * GROWTH), 1);
}

#[test]
fn two_inflaters_at_a_time_have_two_buffers() {
    let bytes = deflated(b"g", &[5; 1000]);
    let mut first = Inflater::default();
    first.inflate(&bytes, 1, 1001).unwrap();
    let buffer = first.block().as_ptr();
    drop(first);
    let mut second = Inflater::default();
    assert!(second.block().is_empty());
    second.inflate(&bytes, 1, 1001).unwrap();
    assert_eq!(second.block().as_ptr(), buffer);
    let mut third = Inflater::default();
    third.inflate(&bytes, 1, 1001).unwrap();
    assert_ne!(third.block().as_ptr(), buffer);
    assert_eq!(second.block(), third.block());
}

#[test]
fn a_released_buffer_is_used_again() {
    let (one, other) = (deflated(b"g", &[5; 1000]), deflated(b"g", &[6; 900]));
    let mut first = Inflater::default();
    first.inflate(&one, 1, 1001).unwrap();
    let buffer = first.block().as_ptr();
    first.release();
    assert!(first.block().is_empty());
    let mut second = Inflater::default();
    second.inflate(&other, 1, 901).unwrap();
    assert_eq!(second.block().as_ptr(), buffer);
}

#[test]
fn the_same_headers_are_valid_as_for_zlib() {
    let stream = deflated(b"", b"content");
    let mut zlib = Decompress::new(true);
    for header in 0..=u16::MAX {
        let bytes = [&header.to_be_bytes(), &stream[HEADER.len()..]].concat();
        zlib.reset(true);
        let mut out = [0; 100];
        let status = zlib.decompress(&bytes, &mut out, FlushDecompress::Finish);
        let ours = Inflater::default().inflate(&bytes, 0, 7);
        let valid = matches!(status, Ok(Status::StreamEnd));
        assert_eq!(ours.is_ok(), valid, "{header:#x}");
    }
}

#[test]
fn a_wrong_checksum_is_damage() {
    let bytes = deflated(b"", b"content");
    let mut inflater = Inflater::default();
    for bit in 0..8 * CHECKSUM_LEN {
        let mut broken = bytes.clone();
        let at = broken.len() - 1 - bit / 8;
        broken[at] ^= 1 << (bit % 8);
        let damage = inflater.inflate(&broken, 0, 7).unwrap_err();
        assert_eq!((damage.found, damage.kind), (7, FlawKind::Zlib), "{bit}");
        assert!(inflater.block().is_empty());
    }
}

#[test]
fn broken_streams_are_damage() {
    let bytes = deflated(b"", &[5; 1000]);
    let mut inflater = Inflater::default();
    for len in 0..bytes.len() {
        assert!(inflater.inflate(&bytes[..len], 0, 1000).is_err());
    }
    for at in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 0x10;
        // A change may go unnoticed only if the content is the same.
        if inflater.inflate(&broken, 0, 1000).is_ok() {
            assert_eq!(inflater.block(), [5; 1000]);
        }
    }
}
