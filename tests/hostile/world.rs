//! The refs and logs of the repositories, and the position of tables in them.

use std::collections::BTreeSet;

use super::raw::Raw;
use super::sound::{self, Layout, Log, Ref, Shape, Target};

/// Objects of a repository.
#[derive(Clone, Debug)]
pub struct Objects {
    pub sha256: bool,
    /// Ids of commits.
    pub commits: Vec<Vec<u8>>,
    /// An annotated tag and the commit that it points at.
    pub tag: (Vec<u8>, Vec<u8>),
}

impl Objects {
    /// Arbitrary ids, for tests that need no objects.
    pub fn made_up(sha256: bool) -> Self {
        let len = if sha256 { 32 } else { 20 };
        let id = |byte: u8| vec![byte; len];
        Self {
            sha256,
            commits: (0x10..0x16).map(id).collect(),
            tag: (id(0x30), id(0x12)),
        }
    }
}

/// The position of a table in its repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    pub sha256: bool,
    pub aligned: bool,
    /// Whether there are an older and a newer table.
    pub amid: bool,
    /// Whether the stack is that of a linked worktree, which has other refs.
    pub linked: bool,
}

impl Setting {
    /// All settings.
    pub fn all() -> Vec<Self> {
        let both = [false, true];
        let mut all = Vec::new();
        for sha256 in both {
            for aligned in both {
                for amid in both {
                    all.push(Self {
                        sha256,
                        aligned,
                        amid,
                        linked: false,
                    });
                }
            }
        }
        all
    }

    /// The same in the stack of a linked worktree.
    pub fn linked(self) -> Self {
        Self {
            linked: true,
            ..self
        }
    }

    /// The full name of a branch, or of its equivalent in a linked worktree.
    pub fn name(&self, short: &str) -> String {
        let dir = if self.linked { "worktree" } else { "heads" };
        format!("refs/{dir}/{short}")
    }

    pub fn shape(&self) -> Shape {
        Shape {
            min: if self.amid { 2 } else { 1 },
            records: [5, 2, 3, 3],
            ..Shape::small(self.sha256, self.aligned)
        }
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = |yes: bool, one, other| if yes { one } else { other };
        write!(
            f,
            "{}, {}, {}{}",
            word(self.sha256, "SHA-256", "SHA-1"),
            word(self.aligned, "aligned", "unaligned"),
            word(self.amid, "amid others", "alone"),
            word(self.linked, ", linked worktree", "")
        )
    }
}

fn id(name: &str, id: &[u8]) -> Ref {
    Ref {
        name: name.into(),
        delta: 0,
        target: Target::Id(id.to_vec()),
    }
}

fn symref(name: &str, target: &str) -> Ref {
    Ref {
        name: name.into(),
        delta: 0,
        target: Target::Symref(target.into()),
    }
}

fn log(name: &str, update_index: u64, old: &[u8], new: &[u8]) -> Log {
    let message = format!("change number {update_index}\n").into_bytes();
    Log {
        name: name.into(),
        update_index,
        change: Some((old.to_vec(), new.to_vec(), message)),
    }
}

/// The table that is mutated.
pub fn table(setting: &Setting, objects: &Objects) -> (Raw, Layout) {
    let commits = &objects.commits;
    let tag = |name: &str| match setting.linked {
        true => setting.name(name),
        false => format!("refs/tags/{name}"),
    };
    let mut refs: Vec<Ref> = (0..24)
        .map(|n| {
            id(
                &setting.name(&format!("b{n:02}")),
                &commits[n % commits.len()],
            )
        })
        .collect();
    refs.push(symref("HEAD", "refs/heads/main"));
    refs.push(symref(&setting.name("sym"), "refs/heads/main"));
    refs.push(id(&setting.name("main"), &commits[2]));
    refs.push(id(&tag("t2"), &commits[0]));
    refs.push(Ref {
        name: tag("t1").into(),
        delta: 0,
        target: Target::Tag {
            id: objects.tag.0.clone(),
            peeled: objects.tag.1.clone(),
        },
    });
    for (n, r) in refs.iter_mut().enumerate() {
        r.delta = n as u64 % 5;
    }
    let none = vec![0; commits[0].len()];
    let mut logs = Vec::new();
    for name in ["HEAD".to_owned(), setting.name("main")] {
        let name = name.as_str();
        logs.push(log(name, 5, &none, &commits[0]));
        logs.push(log(name, 7, &commits[0], &commits[1]));
        logs.push(log(name, 9, &commits[1], &commits[2]));
    }
    for n in 0..8 {
        let name = setting.name(&format!("b{n:02}"));
        logs.push(log(&name, 6, &none, &commits[n % commits.len()]));
    }
    sound::table(&setting.shape(), &refs, &logs)
}

/// Names of refs, most of which exist.
pub fn names(setting: &Setting) -> Vec<Vec<u8>> {
    let shorts = ["", "a", "b05x", "main", "sym", "zz"].map(|short| setting.name(short));
    let mut names: Vec<String> = (0..25).map(|n| setting.name(&format!("b{n:02}"))).collect();
    names.extend(shorts);
    names.extend(["A", "HEAD", "refs/tags/t1", "refs/tags/t2", "refs/z"].map(String::from));
    names.into_iter().map(String::into_bytes).collect()
}

/// The older and the newer table, if there are any.
fn neighbours(setting: &Setting, objects: &Objects) -> [Vec<u8>; 2] {
    let commits = &objects.commits;
    let at = |index: u64| Shape {
        min: index,
        max: index,
        records: [50, 50, 50, 50],
        block_size: if setting.aligned { 4096 } else { 0 },
        ..setting.shape()
    };
    let old_refs = [
        id(&setting.name("b03"), &commits[1]),
        id(&setting.name("old"), &commits[0]),
    ];
    let none = vec![0; commits[0].len()];
    let old_logs = [log(&setting.name("old"), 1, &none, &commits[0])];
    let new_refs = [
        Ref {
            name: setting.name("b04").into(),
            delta: 0,
            target: Target::Deletion,
        },
        id(&setting.name("new-one"), &commits[1]),
    ];
    let new_logs = [log(&setting.name("new-one"), 10, &none, &commits[1])];
    [
        sound::table(&at(1), &old_refs, &old_logs).0.encode(),
        sound::table(&at(10), &new_refs, &new_logs).0.encode(),
    ]
}

pub const TABLE: &str = "0x000000000001-0x000000000009-deadbeef.ref";
const AMID: &str = "0x000000000002-0x000000000009-deadbeef.ref";
const OLDER: &str = "0x000000000001-0x000000000001-01010101.ref";
const NEWER: &str = "0x00000000000a-0x00000000000a-0a0a0a0a.ref";

/// A file in a stack's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    Plain(Vec<u8>),
    Directory,
    Fifo,
    Link(String),
}

/// The files in a stack's directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    pub files: Vec<(String, File)>,
}

impl Stack {
    /// A stack with this table in it.
    pub fn with(table: Vec<u8>, setting: &Setting, objects: &Objects) -> Self {
        let mut stack = Self::default();
        if setting.amid {
            let [older, newer] = neighbours(setting, objects);
            stack.put(OLDER, File::Plain(older));
            stack.put(AMID, File::Plain(table));
            stack.put(NEWER, File::Plain(newer));
        } else {
            stack.put(TABLE, File::Plain(table));
        }
        stack.list(&stack.names().join("\n"));
        stack
    }

    pub fn put(&mut self, name: &str, file: File) {
        self.files.retain(|(other, _)| other != name);
        self.files.push((name.into(), file));
    }

    /// Writes the list: these lines and a final newline.
    pub fn list(&mut self, lines: &str) {
        let text = format!("{lines}\n").into_bytes();
        self.put("tables.list", File::Plain(text));
    }

    /// Names of the tables.
    pub fn names(&self) -> Vec<String> {
        let names: BTreeSet<&String> = self
            .files
            .iter()
            .map(|(name, _)| name)
            .filter(|name| name.ends_with(".ref"))
            .collect();
        names.into_iter().cloned().collect()
    }

    /// The name of the mutated table.
    pub fn mutated(&self) -> String {
        let names = self.names();
        names[names.len() / 2].clone()
    }

    /// The total size of all files.
    pub fn size(&self) -> usize {
        let len = |file: &File| match file {
            File::Plain(bytes) => bytes.len(),
            _ => 0,
        };
        self.files.iter().map(|(_, file)| len(file)).sum()
    }
}
