//! A short run of the fuzzers: over the corpus, over inputs that once failed, and over reproducible
//! mutations.
#![forbid(unsafe_code)]

mod common;
#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::Random;

/// The number of mutations of each input, and the time limit of a fuzzer.
const MUTATIONS: usize = 60;
const MOST: Duration = Duration::from_secs(3);

/// The files of a directory, sorted.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    files.sort();
    files
}

fn inputs(name: &str) -> Vec<Vec<u8>> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let corpus = files(&fuzz.join("corpus").join(name));
    assert!(!corpus.is_empty(), "no corpus of {name}");
    let found = files(&fuzz.join("found").join(name));
    let read = |path: PathBuf| fs::read(path).unwrap();
    corpus.into_iter().chain(found).map(read).collect()
}

/// Changes, removes or repeats some bytes.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len().max(1));
        let len = random.below(8).min(bytes.len() - at.min(bytes.len()));
        match random.below(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..at + len)),
            2 => bytes.extend_from_within(at..at + len),
            3 => bytes.insert(at.min(bytes.len()), random.below(256) as u8),
            _ => {
                let byte = [0, 1, 0x7f, 0x80, 0xff, random.below(256) as u8];
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte[random.below(byte.len())];
                }
            }
        }
    }
}

fn smoke(name: &str) {
    let (_, run) = fuzz::ALL.iter().find(|(other, _)| *other == name).unwrap();
    let inputs = inputs(name);
    for input in &inputs {
        run(input);
    }
    let mut random = Random::new(7);
    let start = Instant::now();
    let mut runs = 0;
    'all: for _ in 0..MUTATIONS {
        for input in &inputs {
            if start.elapsed() > MOST {
                break 'all;
            }
            let mut bytes = input.clone();
            mutate(&mut bytes, &mut random);
            run(&bytes);
            runs += 1;
        }
    }
    println!("{name}: {} inputs, {runs} mutations", inputs.len());
    assert!(runs > 0);
}

/// The fuzzers are listed in one place for all users.
macro_rules! smoke {
    ($($name:ident),*) => {
        $(
            #[test]
            fn $name() {
                smoke(stringify!($name));
            }
        )*

        #[test]
        fn all_fuzzers_are_tried() {
            let names = fuzz::ALL.map(|(name, _)| name);
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

smoke!(
    block,
    config,
    inflate,
    merged,
    stack,
    structured,
    table,
    tables_list
);
