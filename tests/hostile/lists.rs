//! Damage around tables: the list, names, and files that are not regular files.

use super::world::{File, Stack};
use super::Makes::{self, Damaged, Other, Sound};

/// A change to the directory of a stack.
pub struct ListCase {
    pub group: &'static str,
    pub name: String,
    pub makes: Makes,
    change: Box<dyn Fn(&mut Stack) + Send + Sync>,
}

impl ListCase {
    pub fn apply(&self, stack: &Stack) -> Stack {
        let mut stack = stack.clone();
        (self.change)(&mut stack);
        stack
    }
}

#[derive(Default)]
struct Cases(Vec<ListCase>);

impl Cases {
    fn add(
        &mut self,
        group: &'static str,
        makes: Makes,
        name: impl Into<String>,
        change: impl Fn(&mut Stack) + Send + Sync + 'static,
    ) {
        self.0.push(ListCase {
            group,
            name: name.into(),
            makes,
            change: Box::new(change),
        });
    }
}

/// All changes.
pub fn all() -> Vec<ListCase> {
    let mut cases = Cases::default();
    contents(&mut cases);
    large(&mut cases);
    entries(&mut cases);
    in_the_place_of_a_table(&mut cases);
    in_the_place_of_the_list(&mut cases);
    cases.0
}

fn contents(cases: &mut Cases) {
    const GROUP: &str = "list";
    cases.add(GROUP, Other, "no list", |stack| {
        stack.files.retain(|(name, _)| name != "tables.list");
    });
    for (text, bytes) in [("empty", &b""[..]), ("newlines alone", b"\n\n\n")] {
        cases.add(GROUP, Other, text, move |stack| {
            stack.put("tables.list", File::Plain(bytes.to_vec()));
        });
    }
    cases.add(GROUP, Sound, "empty lines between the names", |stack| {
        stack.list(&format!("\n{}\n\n", stack.names().join("\n\n")));
    });
    cases.add(GROUP, Damaged, "no newline at its end", |stack| {
        let names = stack.names().join("\n");
        stack.put("tables.list", File::Plain(names.into_bytes()));
    });
    for (text, end) in [("carriage returns", "\r"), ("spaces", " "), ("tabs", "\t")] {
        cases.add(
            GROUP,
            Damaged,
            format!("{text} at the ends"),
            move |stack| {
                let names: Vec<String> =
                    stack.names().iter().map(|n| format!("{n}{end}")).collect();
                stack.list(&names.join("\n"));
            },
        );
    }
    cases.add(GROUP, Damaged, "a name twice", |stack| {
        let names = stack.names();
        stack.list(&[&names[..], &names[..1]].concat().join("\n"));
    });
    cases.add(GROUP, Damaged, "the table itself", |stack| {
        let mutated = stack.mutated();
        let table = stack.files.iter().find(|(name, _)| *name == mutated);
        let file = table.map(|(_, file)| file.clone());
        stack.put("tables.list", file.unwrap_or(File::Directory));
    });
    cases.add(GROUP, Damaged, "tables in another order", |stack| {
        let mut names = stack.names();
        names.reverse();
        if names.len() == 1 {
            names.push("none.ref".into());
        }
        stack.list(&names.join("\n"));
    });
}

fn large(cases: &mut Cases) {
    const GROUP: &str = "list";
    for (text, name) in [("long names", "x".repeat(254)), ("short names", "x".into())] {
        cases.add(GROUP, Damaged, format!("5 MiB of {text}"), move |stack| {
            let count = (5 << 20) / (name.len() + 1);
            let lines: Vec<String> = (0..count)
                .map(|n| {
                    let mut line = name.clone();
                    let number = n.to_string();
                    let keep = line.len().saturating_sub(number.len());
                    line.truncate(keep);
                    line + &number
                })
                .collect();
            stack.list(&lines.join("\n"));
        });
    }
    cases.add(
        GROUP,
        Damaged,
        "90,000 tables that are not there",
        |stack| {
            let lines: Vec<String> = (0..90_000)
                .map(|n| format!("0x{n:012x}-0x{n:012x}-00000000.ref"))
                .collect();
            stack.list(&lines.join("\n"));
        },
    );
    cases.add(GROUP, Damaged, "5 MiB of NUL", |stack| {
        stack.put("tables.list", File::Plain(vec![0; 5 << 20]));
    });
    cases.add(GROUP, Damaged, "5 MiB without a newline", |stack| {
        stack.put("tables.list", File::Plain(vec![b'x'; 5 << 20]));
    });
    cases.add(GROUP, Other, "5 MiB of newlines", |stack| {
        stack.put("tables.list", File::Plain(vec![b'\n'; 4 << 20]));
    });
}

fn entries(cases: &mut Cases) {
    const GROUP: &str = "list entries";
    for line in [
        "../victim.ref",
        "../../victim.ref",
        "./victim.ref",
        "sub/victim.ref",
        "/etc/passwd",
        "/dev/zero",
        "..",
        ".",
        "/",
        "victim.ref/",
        "..\\victim.ref",
        "-",
        "--help",
        "tables.list",
        "tables.list.lock",
        "HEAD",
        "none.ref",
        "0x000000000001-0x000000000001-00000000.ref",
        "0x1-0x2-3",
        "%s%n.ref",
        "\u{1b}[2J.ref",
    ] {
        for first in [true, false] {
            let place = if first { "before" } else { "after" };
            let name = format!("{:?} {place} the tables", line);
            cases.add(GROUP, Damaged, name, move |stack| {
                let mut names = stack.names();
                names.insert(if first { 0 } else { names.len() }, line.into());
                stack.list(&names.join("\n"));
            });
        }
    }
    for (text, bytes) in [
        ("NUL inside of a name", &b"a\0b.ref\n"[..]),
        ("NUL after a name", b"none.ref\0\n"),
        ("bytes that are not UTF-8", b"\xff\xfe.ref\n"),
        ("NUL after the list", b"\0"),
    ] {
        cases.add(GROUP, Damaged, text, move |stack| {
            let mut list = (stack.names().join("\n") + "\n").into_bytes();
            list.extend_from_slice(bytes);
            stack.put("tables.list", File::Plain(list));
        });
    }
    for len in [255, 256, 4096, 1 << 20] {
        cases.add(
            GROUP,
            Damaged,
            format!("a name of {len} bytes"),
            move |stack| {
                let mut names = stack.names();
                names.push("x".repeat(len));
                stack.list(&names.join("\n"));
            },
        );
    }
}

fn in_the_place_of_a_table(cases: &mut Cases) {
    const GROUP: &str = "in a table's place";
    for (text, file) in [
        ("a directory", File::Directory),
        ("a FIFO", File::Fifo),
        ("a link to nothing", File::Link("none".into())),
        ("a link to itself", File::Link(super::world::TABLE.into())),
        ("a link to a directory", File::Link("..".into())),
        ("a link to the list", File::Link("tables.list".into())),
        ("a link to a device", File::Link("/dev/zero".into())),
        ("a link to a terminal", File::Link("/dev/tty".into())),
        ("a link to a file of text", File::Link("../config".into())),
        ("an empty file", File::Plain(Vec::new())),
        ("NUL bytes", File::Plain(vec![0; 4096])),
        ("text", File::Plain(b"ref: refs/heads/main\n".to_vec())),
    ] {
        cases.add(GROUP, Damaged, text, move |stack| {
            stack.put(&stack.mutated(), file.clone());
        });
    }
    cases.add(GROUP, Damaged, "nothing", |stack| {
        let mutated = stack.mutated();
        stack.files.retain(|(name, _)| *name != mutated);
    });
    cases.add(GROUP, Sound, "a link to the table", |stack| {
        let mutated = stack.mutated();
        let at = stack.files.iter().position(|(name, _)| *name == mutated);
        let (_, file) = stack.files.remove(at.unwrap_or(0));
        stack.put("moved", file);
        stack.put(&mutated, File::Link("moved".into()));
    });
    cases.add(
        GROUP,
        Damaged,
        "a table that the list names twice by other names",
        |stack| {
            let mutated = stack.mutated();
            let link = "0x00000000000b-0x00000000000b-0b0b0b0b.ref";
            stack.put(link, File::Link(mutated));
            stack.list(&stack.names().join("\n"));
        },
    );
}

fn in_the_place_of_the_list(cases: &mut Cases) {
    const GROUP: &str = "in the list's place";
    for (text, file, makes) in [
        ("a directory", File::Directory, Damaged),
        ("a FIFO", File::Fifo, Damaged),
        (
            "a link to itself",
            File::Link("tables.list".into()),
            Damaged,
        ),
        (
            "a link to a device",
            File::Link("/dev/zero".into()),
            Damaged,
        ),
        ("a link to nothing", File::Link("none".into()), Other),
    ] {
        cases.add(GROUP, makes, text, move |stack| {
            stack.put("tables.list", file.clone());
        });
    }
    cases.add(GROUP, Sound, "a link to the list", |stack| {
        let at = stack
            .files
            .iter()
            .position(|(name, _)| name == "tables.list");
        let (_, file) = stack.files.remove(at.unwrap_or(0));
        stack.put("moved", file);
        stack.put("tables.list", File::Link("moved".into()));
    });
    for (text, file) in [
        ("a file", File::Plain(Vec::new())),
        ("a directory", File::Directory),
        ("a FIFO", File::Fifo),
        ("a link to nothing", File::Link("none".into())),
    ] {
        cases.add("in the lock's place", Other, text, move |stack| {
            stack.put("tables.list.lock", file.clone());
        });
    }
}
