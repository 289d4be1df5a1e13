//! What a Rust program can use for a repository with reftables, side by side: this crate, its
//! layer of stacks alone, git's C library, grit-lib and the command git.
//!
//! `scripts/bench-crate` builds what this needs and runs it. The contestants take turns in each
//! round; the shortest time of each is shown, which other load on the machine disturbs least.
#![forbid(unsafe_code)]

mod crates;
mod fixture;
mod grit;
mod processes;

use std::path::PathBuf;
use std::time::Duration;

use fixture::Fixture;

/// What is measured. Each task begins with opening the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// The name and the id of the current branch.
    Head,
    /// The names and ids of all refs.
    List,
    /// The ids of 100,000 refs in scattered order.
    LookUp,
    /// The newest entry of a reflog with 1,000 entries.
    LastLog,
    /// One ref gets another value, with a log entry.
    Update,
}

impl Task {
    const ALL: [Self; 5] = [
        Self::Head,
        Self::List,
        Self::LookUp,
        Self::LastLog,
        Self::Update,
    ];

    /// For the C program and `--only`.
    fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::List => "list",
            Self::LookUp => "look-up",
            Self::LastLog => "last-log",
            Self::Update => "update",
        }
    }

    fn title(self, refs: usize) -> String {
        match self {
            Self::Head => "open, and read `HEAD`".into(),
            Self::List => format!("list {refs} refs"),
            Self::LookUp => format!("{LOOKUPS} look-ups"),
            Self::LastLog => "last entry of a reflog".into(),
            Self::Update => "one update".into(),
        }
    }

    /// How often short tasks run in one measurement within a process.
    fn repetitions(self) -> u32 {
        match self {
            Self::List | Self::LookUp => 1,
            // grit-lib reads all reflogs for each.
            Self::Update => 10,
            _ => 50,
        }
    }
}

pub const LOOKUPS: usize = 100_000;

/// One way to do the tasks.
pub trait Contestant {
    fn name(&self) -> &'static str;

    /// The time of one run, in its own copy of the repository; `None` if it cannot do the task.
    fn run(&mut self, task: Task) -> Option<Duration>;
}

/// Measures `work`, and returns the time of one repetition.
pub fn timed(task: Task, mut work: impl FnMut()) -> Option<Duration> {
    let start = std::time::Instant::now();
    for _ in 0..task.repetitions() {
        work();
    }
    Some(start.elapsed() / task.repetitions())
}

/// `--git PROGRAM --c PROGRAM --prompt PROGRAM [--refs COUNT] [--rounds COUNT] [--only TASK]
/// [--of CONTESTANT]`
struct Options {
    git: PathBuf,
    c: PathBuf,
    prompt: PathBuf,
    refs: usize,
    rounds: usize,
    only: Option<String>,
    of: Option<String>,
}

impl Options {
    fn parse() -> Self {
        let mut options = Self {
            git: PathBuf::from("git"),
            c: PathBuf::new(),
            prompt: PathBuf::new(),
            refs: 1_000_000,
            rounds: 5,
            only: None,
            of: None,
        };
        let mut args = std::env::args().skip(1);
        while let Some(option) = args.next() {
            let value = args.next().expect("each option has a value");
            match option.as_str() {
                "--git" => options.git = value.into(),
                "--c" => options.c = value.into(),
                "--prompt" => options.prompt = value.into(),
                "--refs" => options.refs = value.parse().expect("a number"),
                "--rounds" => options.rounds = value.parse().expect("a number"),
                "--only" => options.only = Some(value),
                "--of" => options.of = Some(value),
                _ => panic!("unknown option {option}"),
            }
        }
        options
    }
}

fn main() {
    let options = Options::parse();
    let fixture = Fixture::new(&options.git, options.refs);
    let mut contestants: Vec<Box<dyn Contestant>> = vec![
        Box::new(crates::Refs(fixture.copy("refs"))),
        Box::new(crates::Stacks(fixture.copy("stacks"))),
        Box::new(processes::C(fixture.copy("c"), options.c)),
        Box::new(grit::Grit(fixture.copy("grit"))),
        Box::new(processes::Git(fixture.copy("git"), options.git.clone())),
    ];
    if let Some(of) = &options.of {
        contestants.retain(|contestant| contestant.name() == of);
    }
    print!("| |");
    for contestant in &contestants {
        print!(" {} |", contestant.name());
    }
    println!(
        "\n| --- | {}",
        "--: | ".repeat(contestants.len()).trim_end()
    );
    for task in Task::ALL {
        if options
            .only
            .as_ref()
            .is_some_and(|only| only != task.name())
        {
            continue;
        }
        let mut times = vec![None; contestants.len()];
        for _ in 0..options.rounds {
            for (contestant, time) in contestants.iter_mut().zip(&mut times) {
                let Some(now) = contestant.run(task) else {
                    continue;
                };
                *time = Some(time.map_or(now, |least: Duration| least.min(now)));
            }
        }
        print!("| {} |", task.title(options.refs));
        for time in times {
            print!(" {} |", time.map_or("–".into(), shown));
        }
        println!();
    }
    let is_chosen = match &options.only {
        Some(only) => only == "prompt",
        None => options.of.is_none(),
    };
    if !is_chosen {
        return;
    }
    let prompts = processes::prompts(&fixture.copy("prompt"), &options.prompt, &options.git);
    println!(
        "\nFrom start to exit: `prompt` {}, `git symbolic-ref HEAD` {}",
        shown(prompts.0),
        shown(prompts.1)
    );
}

fn shown(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    match millis {
        _ if millis < 0.1 => format!("{millis:.4} ms"),
        _ if millis < 10.0 => format!("{millis:.3} ms"),
        _ => format!("{millis:.1} ms"),
    }
}
