//! Git's commands on malformed repositories: each ends in git's own error or in a correct answer,
//! within limits of time and memory, and a command that fails changes nothing.
//!
//! Runs if `REFTABLE_GIT` names a built git. `cargo test` tries some of the cases,
//! `scripts/hostile` all of them.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::scratch;
use crate::hostile::commands::{Place, Trial, Verdict, COMMANDS};
use crate::hostile::many::{self, Many};
use crate::hostile::run::Runner;
use crate::hostile::world::{self, Setting, Stack};
use crate::hostile::{all_mutations, lists, Makes};

/// A malformed stack.
struct Case {
    group: &'static str,
    name: String,
    makes: Makes,
    setting: Setting,
    stack: Stack,
}

/// How often a command got each verdict on the damage of a group.
#[derive(Default)]
struct Tally {
    cases: usize,
    counts: BTreeMap<(&'static str, &'static str), [usize; 3]>,
    damaged: BTreeMap<&'static str, usize>,
    undetected: Vec<String>,
    broken: Vec<String>,
}

/// The repositories of one thread, by hash, for the main and for a linked worktree.
struct Places(Vec<Place>);

impl Places {
    fn new(git: &Path, root: &Path) -> Self {
        let mut places = Vec::new();
        for (n, (sha256, linked)) in [(false, false), (true, false), (false, true), (true, true)]
            .into_iter()
            .enumerate()
        {
            let dir = root.join(n.to_string());
            fs::create_dir(&dir).unwrap();
            places.push(Place::new(&Runner::new(git, root), &dir, sha256, linked));
        }
        Self(places)
    }

    fn of(&self, setting: &Setting) -> &Place {
        &self.0[usize::from(setting.sha256) + 2 * usize::from(setting.linked)]
    }
}

fn git() -> Option<PathBuf> {
    let git = env::var_os("REFTABLE_GIT").map(PathBuf::from);
    if git.is_none() {
        eprintln!("NOT RUN: REFTABLE_GIT does not name a git");
    }
    git
}

/// All cases for one setting, or those that `choose` accepts by their numbers.
fn cases(place: &Place, setting: Setting, choose: &mut dyn FnMut(&str) -> bool) -> Vec<Case> {
    let (raw, layout) = world::table(&setting, &place.objects);
    let sound = raw.encode();
    let mut cases = Vec::new();
    let of_many = |many: Many| Case {
        group: many.group,
        name: many.name,
        makes: many.makes,
        setting,
        stack: many.stack,
    };
    for (number, mutation) in all_mutations().into_iter().enumerate() {
        if number % many::EVERY == 0 && !setting.amid && choose("many tables") {
            cases.push(of_many(many::copies(
                &mutation,
                &mutation.apply(&raw, &layout),
            )));
        }
        if !choose(mutation.group) {
            continue;
        }
        let bytes = mutation.apply(&raw, &layout);
        if bytes == sound {
            continue;
        }
        cases.push(Case {
            group: mutation.group,
            makes: mutation.makes,
            stack: Stack::with(bytes, &setting, &place.objects),
            name: mutation.name,
            setting,
        });
    }
    // They take seconds: those of one setting are enough.
    if setting == Setting::all()[0] {
        let bombs = many::bombs(&setting, &place.objects);
        cases.extend(bombs.filter(|many| choose(many.group)).map(of_many));
    }
    for case in lists::all() {
        if choose(case.group) {
            cases.push(Case {
                group: case.group,
                makes: case.makes,
                stack: case.apply(&Stack::with(sound.clone(), &setting, &place.objects)),
                name: case.name,
                setting,
            });
        }
    }
    cases
}

/// Runs all commands on a case.
fn try_case(place: &Place, sound: &Trial<'_>, case: &Case, whole: bool, tally: &mut Tally) {
    let mut trial = Trial::read(place, &case.stack, Some(sound));
    trial.write();
    if whole {
        trial.use_whole(Some(sound));
    }
    tally.cases += 1;
    let title = format!("{}: {}: {}", case.setting, case.group, case.name);
    for what in &trial.broken {
        tally.broken.push(format!("{title}: {what}"));
    }
    match case.makes {
        Makes::Damaged => {
            *tally.damaged.entry(case.group).or_default() += 1;
            if trial.verdicts["verify"] != Verdict::Reported {
                tally
                    .undetected
                    .push(format!("{title}: not reported by refs verify"));
            }
            for (command, verdict) in &trial.verdicts {
                let counts = tally.counts.entry((case.group, command)).or_default();
                counts[*verdict as usize] += 1;
                if env::var_os("HOSTILE_VERBOSE").is_some() && *verdict == Verdict::Silent {
                    println!("silent: {command}: {title}");
                }
            }
        }
        Makes::Sound => {
            for (command, verdict) in &trial.verdicts {
                if *verdict != Verdict::Right && *command != "verify" {
                    let said = trial
                        .readings
                        .get(command)
                        .map(|ended| ended.stderr.clone());
                    tally
                        .broken
                        .push(format!("{title}: {command}: {verdict:?} {said:?}"));
                }
            }
        }
        Makes::Other => {}
    }
}

/// The sound repository of a setting, in which all commands must succeed.
fn sound<'p>(place: &'p Place, setting: &Setting) -> Trial<'p> {
    let (raw, _) = world::table(setting, &place.objects);
    let stack = Stack::with(raw.encode(), setting, &place.objects);
    let mut trial = Trial::read(place, &stack, None);
    trial.write();
    trial.use_whole(None);
    assert_eq!(trial.broken, [""; 0], "{setting}");
    for (command, verdict) in &trial.verdicts {
        let said = trial.readings.get(command);
        assert_eq!(*verdict, Verdict::Right, "{setting}: {command}: {said:?}");
    }
    trial
}

impl Tally {
    /// The reports by command, one line each: group, command, number of cases, and in how many the
    /// command was right, reported the damage, and did not report it.
    fn lines(&self) -> String {
        let mut text = String::new();
        for (group, cases) in &self.damaged {
            for command in COMMANDS {
                let counts = self.counts.get(&(group, command)).copied();
                let [right, reported, silent] = counts.unwrap_or_default();
                writeln!(
                    text,
                    "{group}\t{command}\t{cases}\t{right}\t{reported}\t{silent}"
                )
                .unwrap();
            }
        }
        text
    }

    /// Writes these lines to the file named by `HOSTILE_OUT`, if it is set.
    fn write(&self) {
        println!("{} cases", self.cases);
        if let Some(out) = env::var_os("HOSTILE_OUT") {
            fs::write(out, format!("cases\t{}\n{}", self.cases, self.lines())).unwrap();
        }
    }

    fn assert_clean(&self) {
        let all = [&self.broken[..], &self.undetected].concat();
        assert!(all.is_empty(), "{} wrong:\n{}", all.len(), all.join("\n"));
    }
}

/// Every n-th case of each group, in varying settings.
#[test]
fn some_cases() {
    let Some(git) = git() else { return };
    let every = crate::common::number("HOSTILE_EVERY", 57);
    let root = scratch();
    let places = Places::new(&git, root.path());
    let mut tally = Tally::default();
    for (n, setting) in Setting::all().into_iter().enumerate() {
        let setting = if n % 3 == 2 {
            setting.linked()
        } else {
            setting
        };
        let place = places.of(&setting);
        let sound = sound(place, &setting);
        let mut seen = BTreeMap::<String, u64>::new();
        let mut choose = |group: &str| {
            let count = seen.entry(group.to_owned()).or_default();
            *count += 1;
            (*count + n as u64 * 11) % every == 1
        };
        for (number, case) in cases(place, setting, &mut choose).iter().enumerate() {
            try_case(place, &sound, case, number % 4 == 0, &mut tally);
        }
    }
    tally.write();
    tally.assert_clean();
    assert!(tally.cases > 50);
}

/// All cases in all settings; `HOSTILE_PART=k/n` runs a part of them.
#[test]
#[ignore = "takes many minutes; run by scripts/hostile"]
fn all_cases() {
    let Some(git) = git() else { return };
    let part = env::var("HOSTILE_PART").unwrap_or_else(|_| "0/1".into());
    let (part, parts) = part.split_once('/').expect("k/n");
    let (part, parts): (usize, usize) = (part.parse().unwrap(), parts.parse().unwrap());
    let root = scratch();
    let places = Places::new(&git, root.path());
    let mut tally = Tally::default();
    for setting in Setting::all() {
        for setting in [setting, setting.linked()] {
            let place = places.of(&setting);
            let sound = sound(place, &setting);
            let mut number = 0;
            // Every tenth case in the linked worktree, whose stack is read by the same code.
            let every = if setting.linked { 10 } else { 1 };
            let mut choose = |_: &str| {
                number += 1;
                number % every == 0 && (number / every) % parts == part
            };
            for case in cases(place, setting, &mut choose) {
                try_case(place, &sound, &case, true, &mut tally);
            }
            eprintln!("{setting}: {} cases so far", tally.cases);
        }
    }
    tally.write();
    tally.assert_clean();
}
