//! Tables assembled by hand with some values altered and everything else consistent: each table
//! alone, and in a stack that is then compacted.

use std::path::Path;
use std::sync::Arc;

use reftable::format::Result;
use reftable::merged::{Merged, Tombstones};
use reftable::stack::{Stack, StackOptions};
use reftable::table::WriteOptions;

use super::check::{self, LogCopy, RefCopy};
use super::hostile::raw::{self, Deflate, Part, Place, Raw, Record};
use super::hostile::sound::{self, Log, Ref, Shape, Target};
use super::input::Input;
use super::memory::Memory;

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let sha256 = input.one_in(3);
    let aligned = input.one_in(2);
    let mut shape = Shape::small(sha256, aligned);
    shape.objects = !input.one_in(4);
    let mut raw = table(&mut input, &shape);
    if !input.one_in(8) {
        for block in &mut raw.blocks {
            block.deflate = Deflate::Stored;
        }
    }
    for _ in 0..=input.below(4) {
        mutate(&mut input, &mut raw);
    }
    let mut bytes = raw.encode();
    if bytes.len() > 1 << 20 {
        return;
    }
    if input.one_in(3) && !bytes.is_empty() {
        for _ in 0..=input.below(3) {
            let at = input.wide(2) as usize % bytes.len();
            bytes[at] = input.byte();
        }
        raw::repair(&mut bytes);
    }
    check::table(bytes.clone());
    stack(&bytes, &shape, &mut input);
}

/// A sound table with some refs and logs.
pub fn table(input: &mut Input<'_>, shape: &Shape) -> Raw {
    let id = |byte: u8| vec![byte; shape.hash_len()];
    let refs: Vec<Ref> = (0..input.below(40))
        .map(|n| Ref {
            name: format!("refs/heads/b{n:02}").into_bytes(),
            delta: input.below(9) as u64,
            target: match input.below(8) {
                0 => Target::Deletion,
                1 => Target::Symref(b"refs/heads/main".to_vec()),
                2 => Target::Tag {
                    id: id(input.byte()),
                    peeled: id(input.byte()),
                },
                _ => Target::Id(id(input.byte())),
            },
        })
        .collect();
    let logs: Vec<Log> = (0..input.below(20))
        .map(|n| Log {
            name: format!("refs/heads/b{:02}", n / 3).into_bytes(),
            update_index: 9 - n as u64 % 3,
            change: (!input.one_in(4)).then(|| (id(1), id(input.byte()), b"message\n".to_vec())),
        })
        .collect();
    sound::table(shape, &refs, &logs).0
}

/// Changes one value.
fn mutate(input: &mut Input<'_>, raw: &mut Raw) {
    match input.below(10) {
        0 => mutate_frame(input, raw),
        1..=3 => mutate_block(input, raw),
        4 => mutate_blocks(input, raw),
        _ => mutate_record(input, raw),
    }
}

fn place(input: &mut Input<'_>, blocks: usize) -> Place {
    match input.below(6) {
        0 => Place::End(i64::from(input.byte() as i8)),
        1 => Place::Number(input.near_limit(0)),
        2 => Place::Block(input.below(blocks + 1), i64::from(input.byte() as i8)),
        _ => Place::block(input.below(blocks + 1)),
    }
}

fn mutate_frame(input: &mut Input<'_>, raw: &mut Raw) {
    match input.below(9) {
        0 => raw.version = input.near_limit(1) as u8,
        1 => raw.block_size = input.near_limit(512) as u32 & 0x00ff_ffff,
        2 => raw.min = input.near_limit(raw.min),
        3 => raw.max = input.near_limit(raw.max),
        4 => raw.hash_id = *input.pick(&[sound::SHA1, sound::SHA256, 0]).unwrap_or(&0),
        5 => raw.object_id_len = input.near_limit(raw.object_id_len) & 31,
        6 => raw.align = Some(input.near_limit(512) as u32),
        _ => {
            let field = input.below(5);
            raw.footer[field] = place(input, raw.blocks.len());
        }
    }
}

fn mutate_block(input: &mut Input<'_>, raw: &mut Raw) {
    if raw.blocks.is_empty() {
        return;
    }
    let n = input.below(raw.blocks.len());
    let block = &mut raw.blocks[n];
    match input.below(9) {
        0 => block.kind = *input.pick(b"rgoi\0x").unwrap_or(&0),
        1 => block.longer = i64::from(input.byte() as i8),
        2 => block.len = Some(input.near_limit(100) as u32 & 0x00ff_ffff),
        3 => block.restart_count = Some(input.near_limit(2) as u16),
        4 => {
            let restarts = (0..input.below(5))
                .map(|_| input.near_limit(30) as u32)
                .collect();
            block.restarts = Some(restarts);
        }
        5 => block.interval = 1 + input.below(20),
        6 => block.trailing = input.bytes(1 + usize::from(input.0.len() > 8)).to_vec(),
        7 => block.fill = input.byte(),
        _ => {
            block.deflate = match input.below(6) {
                0 => Deflate::Best,
                1 => Deflate::Cut(1 + input.below(20)),
                2 => Deflate::Flip(input.byte() as i8 as isize, input.byte()),
                3 => Deflate::More(1 + input.wide(2) as usize),
                4 => Deflate::Plain,
                _ => Deflate::Raw(input.bytes(12).to_vec()),
            }
        }
    }
}

/// Removes a block, repeats it, or swaps two.
fn mutate_blocks(input: &mut Input<'_>, raw: &mut Raw) {
    if raw.blocks.is_empty() {
        return;
    }
    let (n, m) = (input.below(raw.blocks.len()), input.below(raw.blocks.len()));
    match input.below(3) {
        0 => drop(raw.blocks.remove(n)),
        1 => raw.blocks.insert(m, raw.blocks[n].clone()),
        _ => raw.blocks.swap(n, m),
    }
}

fn mutate_record(input: &mut Input<'_>, raw: &mut Raw) {
    let blocks = raw.blocks.len();
    if blocks == 0 {
        return;
    }
    let block = &mut raw.blocks[input.below(blocks)];
    if block.records.is_empty() {
        return;
    }
    let (n, m) = (
        input.below(block.records.len()),
        input.below(block.records.len()),
    );
    match input.below(12) {
        0 => drop(block.records.remove(n)),
        1 => block.records.insert(m, block.records[n].clone()),
        2 => block.records.swap(n, m),
        3 => block.records[n].extra = input.byte() & 7,
        4 => block.records[n].prefix = Some(input.near_limit(5)),
        5 => block.records[n].suffix = Some(input.near_limit(5)),
        6 => block.records[n].head = Some(input.bytes(4).to_vec()),
        7 => mutate_key(input, &mut block.records[n].key),
        8 => block.records[n] = Record::index(&block.records[n].key.clone(), place(input, blocks)),
        _ => {
            let parts = &mut block.records[n].value;
            if parts.is_empty() {
                parts.push(Part::Varint(0));
            }
            let at = input.below(parts.len());
            parts[at] = match &parts[at] {
                Part::Varint(right) => Part::Varint(input.near_limit(*right)),
                Part::Bytes(bytes) => {
                    let mut bytes = bytes.clone();
                    match input.below(3) {
                        0 => bytes.truncate(input.below(bytes.len() + 1)),
                        1 => bytes.push(input.byte()),
                        _ => bytes.fill(input.byte()),
                    }
                    Part::Bytes(bytes)
                }
                Part::Place(_) | Part::Distance(..) => Part::Place(place(input, blocks)),
            };
        }
    }
}

fn mutate_key(input: &mut Input<'_>, key: &mut Vec<u8>) {
    match (input.below(4), key.last_mut()) {
        (0, Some(last)) => *last = last.wrapping_add(input.byte()),
        (1, _) => key.truncate(input.below(key.len() + 1)),
        (2, _) => key.extend_from_slice(input.bytes(3)),
        _ => {
            let at = input.below(key.len() + 1);
            key.insert(at, input.byte());
        }
    }
}

/// Compacts a stack of the table and a sound one; asserts that this either fails and changes no
/// file, or keeps every record.
fn stack(bytes: &[u8], shape: &Shape, input: &mut Input<'_>) {
    let dir = Path::new("/stack");
    let memory = Memory::default();
    let small = Shape {
        min: 20,
        max: 20,
        ..*shape
    };
    let few = [Ref {
        name: b"refs/heads/b03".to_vec(),
        delta: 0,
        target: Target::Deletion,
    }];
    let other = sound::table(&small, &few, &[]).0.encode();
    memory.write(&dir.join("mutated.ref"), bytes.to_vec());
    memory.write(&dir.join("sound.ref"), other);
    let list: &[u8] = match input.below(2) {
        0 => b"mutated.ref\nsound.ref\n",
        _ => b"sound.ref\nmutated.ref\n",
    };
    memory.write(&dir.join("tables.list"), list.to_vec());
    let options = StackOptions {
        write: WriteOptions {
            hash_id: match shape.hash_len() {
                32 => reftable::format::HashId::Sha256,
                _ => reftable::format::HashId::Sha1,
            },
            exact_log_message: true,
            ..WriteOptions::default()
        },
        ..StackOptions::default()
    };
    let Ok(stack) = Stack::open_in(Arc::new(memory.clone()), dir, options) else {
        return;
    };
    let files = memory.snapshot();
    let before = content(&stack.merged());
    match stack.compact_all(None) {
        Ok(()) => {
            let after = content(&stack.merged()).expect("the new table can be read");
            let (refs, mut logs) = before.expect("the compacted tables can be read");
            // Of several records with the same key, one is kept.
            logs.dedup_by(|a, b| (&a.0, a.1) == (&b.0, b.1));
            assert_eq!(after, (refs, logs));
        }
        Err(_) => assert_eq!(
            memory.snapshot(),
            files,
            "a failed compaction has changed files"
        ),
    }
}

fn content(merged: &Merged) -> Result<(Vec<RefCopy>, Vec<LogCopy>)> {
    let (mut all_refs, mut all_logs) = (Vec::new(), Vec::new());
    let mut refs = merged.refs(Tombstones::Hide);
    while refs.advance()? {
        all_refs.push(check::copy_ref(&refs.record()));
    }
    let mut logs = merged.logs(Tombstones::Hide);
    while logs.advance()? {
        all_logs.push(check::copy_log(&logs.record()));
    }
    Ok((all_refs, all_logs))
}
