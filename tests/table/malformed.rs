//! Hundreds of malformed tables, without git: reading ends in records or in an error, and
//! verification reports the damage.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fuzz::hostile::world::{self, Objects, Setting};
use crate::fuzz::hostile::{all_mutations, Makes};
use reftable::format::Result;
use reftable::table::Table;

/// The findings of a verification.
fn flaws(bytes: Vec<u8>) -> Vec<String> {
    let mut flaws = Vec::new();
    match Table::inspect("table", bytes.into()) {
        Ok(table) => table.verify(&mut |flaw| flaws.push(flaw.to_string())),
        Err(flaw) => flaws.push(flaw.to_string()),
    }
    flaws
}

#[test]
fn sound_tables_have_no_flaws() {
    for setting in Setting::all() {
        let (raw, _) = world::table(&setting, &Objects::made_up(setting.sha256));
        let bytes = raw.encode();
        assert_eq!(flaws(bytes.clone()), [""; 0], "{setting}");
        crate::fuzz::check::table(bytes);
    }
}

#[test]
fn every_mutation_is_reported_by_its_kind() {
    let mutations = all_mutations();
    let mut wrong = Vec::new();
    for setting in Setting::all().into_iter().filter(|setting| !setting.amid) {
        let (raw, layout) = world::table(&setting, &Objects::made_up(setting.sha256));
        let sound = raw.encode();
        for mutation in &mutations {
            let bytes = mutation.apply(&raw, &layout);
            if bytes == sound {
                continue;
            }
            crate::fuzz::check::table(bytes.clone());
            let reported = flaws(bytes);
            let fits = match mutation.makes {
                Makes::Sound => reported.is_empty(),
                Makes::Damaged => !reported.is_empty(),
                Makes::Other => true,
            };
            if !fits {
                let (group, name) = (mutation.group, &mutation.name);
                wrong.push(format!("{setting}: {group}: {name}: {reported:?}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Ways to read a table.
const WAYS: [&str; 5] = [
    "walk refs",
    "walk logs",
    "find refs",
    "find logs",
    "find objects",
];

/// The result of a way of reading: one line per answer, or the error.
fn read(table: &Arc<Table>, way: &str, names: &[Vec<u8>], ids: &[Vec<u8>]) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    match way {
        "walk refs" => {
            let mut refs = table.refs();
            while refs.advance()? {
                lines.push(format!("{:?}", refs.record()));
            }
        }
        "walk logs" => {
            let mut logs = table.logs();
            while logs.advance()? {
                lines.push(format!("{:?}", logs.record()));
            }
        }
        "find refs" => {
            for name in names {
                let mut refs = table.refs();
                refs.seek(name)?;
                let found = refs.advance()? && refs.key() == &name[..];
                lines.push(format!("{:?}", found.then(|| refs.record())));
            }
        }
        "find logs" => {
            for name in names {
                let mut logs = table.logs();
                logs.seek(name)?;
                while logs.advance()? && logs.record().name == &name[..] {
                    lines.push(format!("{:?}", logs.record()));
                }
            }
        }
        _ => {
            for id in ids {
                let mut refs = table.refs_for(id)?;
                while refs.advance()? {
                    lines.push(format!("{:?}", refs.record()));
                }
            }
        }
    }
    Ok(lines)
}

/// Damage that these ways of reading cannot detect, or only by reading everything, as verification
/// does. The names of mutations begin with these strings.
const SILENT: [(&str, &str); 27] = [
    // Other ids and targets are as plausible as the original ones.
    ("walk refs|find refs|find objects", "an id of bytes"),
    ("walk refs|find refs", "HEAD to "),
    ("walk refs|find refs", "sym to "),
    // Git's C writer repeats keys of reflogs, and no reader compares an entry with the header.
    (
        "walk logs|find logs",
        "First block of Logs with a record twice",
    ),
    (
        "walk logs|find logs",
        "Middle block of Logs with a record twice",
    ),
    (
        "walk logs|find logs",
        "Last block of Logs with a record twice",
    ),
    ("walk logs|find logs", "reflog entry at"),
    // Only a walk over all blocks before the logs finds their start.
    ("walk logs|find logs", "logs at 0"),
    // A search does not read past the record that it has found.
    ("find refs", "b13 of type"),
    ("find refs", "t1 of type"),
    // A search reads only the blocks on its way down the index.
    ("find refs", "Middle block of RefIndex, a lesser key"),
    ("find refs", "RefIndex without its Middle child"),
    ("find refs", "Middle block of RefIndex the other way round"),
    ("find refs", "Last block of RefIndex, Middle begins [0, 0]"),
    ("find logs", "LogIndex without its Middle child"),
    ("find logs", "Middle block of LogIndex the other way round"),
    ("find logs", "First block of LogIndex, First begins [0, 0]"),
    ("find logs", "Last block of LogIndex, Middle begins [0, 0]"),
    ("find objects", "First block of ObjectIndex, a lesser key"),
    ("find objects", "ObjectIndex without its Middle child"),
    ("find objects", "First block of ObjectIndex, "),
    ("find objects", "Last block of ObjectIndex, "),
    // These lookups ask exactly for missing objects.
    ("find objects", "object ids of"),
    ("find objects", "First block, an "),
    ("find objects", "Middle block, an "),
    ("find objects", "First block of Objects the other way round"),
    (
        "find objects",
        "Middle block of Objects the other way round",
    ),
];

/// Damage that changes the result of reading, and that only verification reports.
#[test]
fn other_answers_are_rare() {
    let mut silent = BTreeMap::<(&str, &str), Vec<String>>::new();
    let mut reported = BTreeMap::<&str, usize>::new();
    for setting in Setting::all().into_iter().filter(|setting| !setting.amid) {
        let objects = Objects::made_up(setting.sha256);
        let (raw, layout) = world::table(&setting, &objects);
        let open = |bytes: Vec<u8>| Table::new("table", bytes.into()).map(Arc::new);
        let sound = open(raw.encode()).unwrap();
        let (names, ids) = (
            world::names(&setting),
            [objects.commits.clone(), vec![objects.tag.0.clone()]].concat(),
        );
        let right = WAYS.map(|way| read(&sound, way, &names, &ids).unwrap());
        for mutation in all_mutations()
            .iter()
            .filter(|mutation| mutation.makes == Makes::Damaged)
        {
            let Ok(table) = open(mutation.apply(&raw, &layout)) else {
                continue;
            };
            for (way, right) in WAYS.into_iter().zip(&right) {
                match read(&table, way, &names, &ids) {
                    Ok(lines) if lines == *right => {}
                    Ok(_) => silent
                        .entry((way, mutation.group))
                        .or_default()
                        .push(format!("{setting}: {}", mutation.name)),
                    Err(_) => *reported.entry(way).or_default() += 1,
                }
            }
        }
    }
    let mut unknown = Vec::new();
    let mut met = vec![false; SILENT.len()];
    for ((way, group), names) in &silent {
        for name in names {
            let is_it = |(ways, part): &(&str, &str)| {
                let (_, mutation) = name.rsplit_once("alone: ").unwrap_or_default();
                ways.split('|').any(|w| w == *way) && mutation.starts_with(part)
            };
            match SILENT.iter().position(is_it) {
                Some(n) => met[n] = true,
                None => unknown.push(format!("{way}, {group}: {name}")),
            }
        }
    }
    assert!(unknown.is_empty(), "not noticed:\n{}", unknown.join("\n"));
    let noticed = SILENT.iter().zip(met).filter(|(_, met)| !met);
    let noticed: Vec<_> = noticed.map(|(entry, _)| entry).collect();
    assert!(noticed.is_empty(), "noticed after all: {noticed:?}");
    println!("reported: {reported:?}");
}
