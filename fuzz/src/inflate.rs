//! A log block with an arbitrary stream and declared length.

use std::io::Read as _;

use reftable::table::Table;

use super::check;
use super::hostile::raw::{Block, Deflate, Raw};
use super::input::Input;

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let near = input.byte();
    let declared = input.wide(3) as u32;
    let stream = input.0.to_vec();
    let inflated = inflate(&stream);
    // Chance never hits a length that is right or nearly right.
    let declared = match (near & 3, &inflated) {
        (0, _) | (_, None) => declared,
        (n, Some((content, _))) => (24 + 4 + content.len() + 1) as u32 - u32::from(n),
    };
    let raw = Raw {
        version: 1,
        min: 1,
        max: u64::MAX,
        blocks: vec![Block {
            len: Some(declared & 0x00ff_ffff),
            deflate: Deflate::Raw(stream),
            ..Block::new(b'g', Vec::new())
        }],
        ..Raw::default()
    };
    let declared = (declared & 0x00ff_ffff) as usize;
    let bytes = raw.encode();
    let table = Table::new("table", bytes.clone().into()).expect("the frame is sound");
    match table.blocks().next().expect("there is a block") {
        Ok(block) => {
            let (content, used) = inflated.expect("a stream that the other inflater refuses");
            assert_eq!(declared, 24 + 4 + content.len(), "declared length");
            assert_eq!(block.full_size as usize, 24 + 4 + used, "bytes used");
        }
        Err(error) => assert!(matches!(error.code(), -3 | -7), "{error}"),
    }
    check::table(bytes);
}

/// Inflates a stream; returns its content and how many bytes it takes, unless it is invalid or too
/// large.
fn inflate(stream: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut reader = flate2::bufread::ZlibDecoder::new(stream);
    let mut content = Vec::new();
    let limit = 1 << 24;
    reader.by_ref().take(limit).read_to_end(&mut content).ok()?;
    let ended = content.len() < 1 << 24 && reader.read(&mut [0]).ok()? == 0;
    let used = usize::try_from(reader.total_in()).ok()?;
    ended.then_some((content, used))
}
