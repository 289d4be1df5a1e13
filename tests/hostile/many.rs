//! Stacks of many tables that are damaged in the same way, or that each inflate to megabytes:
//! together they must not take more than one such table may.

use super::raw::Raw;
use super::sound::{self, Log, Ref, Shape, Target};
use super::world::{File, Objects, Setting, Stack};
use super::{Makes, Mutation};

/// Tables with the same damage.
const COPIES: u32 = 20;
/// The number of tables that inflate to 8 MiB each, together more than the memory of a command.
const BOMBS: u64 = 9;
/// The update indexes in each of them.
const INDEXES: u64 = 1 << 16;
/// One in this number of mutations is tried in many tables.
pub const EVERY: usize = 10;

/// The contents of the logs of a table that inflates to megabytes.
#[derive(Clone, Copy, Debug)]
struct Bomb {
    name: &'static str,
    entries: u64,
    message: usize,
}

/// Each of them inflates to a little less than 8 MiB.
const KINDS: [Bomb; 3] = [
    Bomb {
        name: "one message of nearly 8 MiB",
        entries: 1,
        message: (1 << 23) - 1000,
    },
    Bomb {
        name: "messages of 64 KiB",
        entries: 125,
        message: 1 << 16,
    },
    Bomb {
        name: "messages of 1 KiB",
        entries: 7_000,
        message: 1 << 10,
    },
];

/// A malformed stack of many tables.
pub struct Many {
    pub group: &'static str,
    pub name: String,
    pub makes: Makes,
    pub stack: Stack,
}

/// A stack of many copies of one mutated table. Their update indexes overlap, so they are never
/// sound.
pub fn copies(mutation: &Mutation, bytes: &[u8]) -> Many {
    let mut stack = Stack::default();
    for n in 0..COPIES {
        let name = format!("0x000000000001-0x000000000009-{n:08x}.ref");
        stack.put(&name, File::Plain(bytes.to_vec()));
    }
    stack.list(&stack.names().join("\n"));
    Many {
        group: "many tables",
        name: format!("{}: {}", mutation.group, mutation.name),
        makes: Makes::Damaged,
        stack,
    }
}

/// Stacks of tables that inflate to megabytes, all of them valid.
pub fn bombs<'a>(setting: &'a Setting, objects: &'a Objects) -> impl Iterator<Item = Many> + 'a {
    KINDS.into_iter().map(move |kind| {
        let mut stack = Stack::default();
        for n in 0..BOMBS {
            let (min, max) = (INDEXES * (n + 1), INDEXES * (n + 2) - 1);
            let name = format!("0x{min:012x}-0x{max:012x}-b0b0b0b0.ref");
            let table = bomb(kind, min, setting, objects);
            stack.put(&name, File::Plain(table.encode()));
        }
        stack.list(&stack.names().join("\n"));
        Many {
            group: "bombs",
            name: kind.name.into(),
            makes: Makes::Other,
            stack,
        }
    })
}

/// A table with some refs, an entry of main's log, and part of a huge log after it in the same
/// block.
fn bomb(kind: Bomb, min: u64, setting: &Setting, objects: &Objects) -> Raw {
    let shape = Shape {
        min,
        max: min + INDEXES - 1,
        records: [50, 50, usize::MAX, 50],
        block_size: 0,
        objects: false,
        ..setting.shape()
    };
    let commits = &objects.commits;
    let log = |name: &str, update_index: u64, message: Vec<u8>| Log {
        name: name.into(),
        update_index,
        change: Some((commits[0].clone(), commits[2].clone(), message)),
    };
    let one = |name: String, target: Target| Ref {
        name: name.into_bytes(),
        delta: 0,
        target,
    };
    let refs = [
        one(
            "HEAD".into(),
            Target::Symref(setting.name("main").into_bytes()),
        ),
        one(setting.name("main"), Target::Id(commits[2].clone())),
        one(setting.name("b05"), Target::Id(commits[0].clone())),
        one(
            setting.name("sym"),
            Target::Symref(setting.name("main").into_bytes()),
        ),
    ];
    let message = [vec![b'm'; kind.message], b"\n".to_vec()].concat();
    let last = setting.name("z");
    let more = (0..kind.entries).map(|n| log(&last, min + n, message.clone()));
    let logs: Vec<Log> = std::iter::once(log(&setting.name("main"), min, b"small\n".to_vec()))
        .chain(more)
        .collect();
    sound::table(&shape, &refs, &logs).0
}
