//! Prints the newest entries of a reflog: the new id, who made the change and when, and the
//! message.
//!
//! ```sh
//! cargo run --example reflog [REF [COUNT]]
//! ```
#![forbid(unsafe_code)]

use reftable::Repository;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "HEAD".into());
    let count = args.next().map_or(Ok(10), |count| count.parse())?;
    let repository = Repository::discover(".")?;
    for entry in repository
        .reflog(&name)?
        .newest_first()?
        .owned()
        .take(count)
    {
        let entry = entry?;
        let who = entry.committer;
        println!(
            "{} {} <{}> {}\t{}",
            entry.new, who.name, who.email, entry.time, entry.message
        );
    }
    Ok(())
}
