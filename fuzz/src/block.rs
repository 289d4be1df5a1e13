//! Arbitrary bytes as one block of an otherwise sound table.

use super::check;
use super::hostile::raw::{put_varint, repair};

/// Bytes of the header and the footer of version 1.
const HEADER: usize = 24;

pub fn run(bytes: &[u8]) {
    let Some((&how, body)) = bytes.split_first() else {
        return;
    };
    let mut table = b"REFT\x01\0\0\0".to_vec();
    table.extend_from_slice(&1_u64.to_be_bytes());
    table.extend_from_slice(&9_u64.to_be_bytes());
    let mut footer = [0_u64; 5];
    match how & 3 {
        0 => push(&mut table, b'r', HEADER, body),
        1 => {
            ref_blocks(&mut table);
            footer[0] = table.len() as u64;
            push(&mut table, b'i', 0, body);
        }
        2 => {
            ref_blocks(&mut table);
            footer[1] = (table.len() as u64) << 5 | 2;
            push(&mut table, b'o', 0, body);
        }
        _ => {
            let start = table.len() + 4;
            push(&mut table, b'g', HEADER, body);
            let stream = deflated(body);
            table.truncate(start);
            table.extend_from_slice(&stream);
        }
    }
    table.extend_from_slice(&[0; HEADER]);
    for position in footer {
        table.extend_from_slice(&position.to_be_bytes());
    }
    table.extend_from_slice(&[0; 4]);
    repair(&mut table);
    check::table(table);
}

/// Appends a block with the correct length.
fn push(table: &mut Vec<u8>, kind: u8, before: usize, body: &[u8]) {
    let len = (before + 4 + body.len()) as u32;
    table.push(kind);
    table.extend_from_slice(&len.to_be_bytes()[1..]);
    table.extend_from_slice(body);
}

fn deflated(content: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut deflater = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    deflater.write_all(content).unwrap();
    deflater.finish().unwrap()
}

/// Two ref blocks: the first contains `a`, the second `b`, both with an id of ones.
fn ref_blocks(table: &mut Vec<u8>) {
    for (name, before) in [(b'a', HEADER), (b'b', 0)] {
        let mut body = vec![0];
        put_varint(&mut body, 1 << 3 | 1);
        body.push(name);
        body.push(0);
        body.extend_from_slice(&[1; 20]);
        let restart = (before + 4) as u32;
        body.extend_from_slice(&restart.to_be_bytes()[1..]);
        body.extend_from_slice(&[0, 1]);
        push(table, b'r', before, &body);
    }
}
