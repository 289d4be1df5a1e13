//! Prints the current branch and its commit whenever one of them changes, until it is killed.
//!
//! ```sh
//! cargo run --example watch [DIRECTORY]
//! ```
//!
//! Asking for the generation costs a system call or two. A program with a file watcher watches
//! `Repository::watch_paths()` instead of asking regularly.
#![forbid(unsafe_code)]

use std::thread;
use std::time::Duration;

use reftable::Repository;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
    let repository = Repository::discover(dir)?;
    let mut shown = None;
    loop {
        // Before reading: a change in between is seen in the next round.
        let generation = repository.generation()?;
        let head = repository.head()?;
        if shown.as_ref() != Some(&head) {
            match head.id() {
                Some(id) => println!("{head} {id}"),
                None => println!("{head} has no commits yet"),
            }
            shown = Some(head);
        }
        while repository.generation()? == generation {
            thread::sleep(Duration::from_millis(50));
        }
    }
}
