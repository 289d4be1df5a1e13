//! What this crate makes of an environment, which is that of a process: the test program runs
//! itself again.
#![forbid(unsafe_code)]

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use reftable::repo::Settings;
use reftable::Repository;

/// Names the directory to look at in the other process.
const DIR: &str = "REFTABLE_TEST_DIR";
/// Says what to print of it.
const SHOWN: &str = "REFTABLE_TEST_SHOWN";
/// Precedes the output, which the test harness surrounds with its own.
const MARK: &str = "SHOWN ";

/// The git directory, the common directory and the working tree that are found with these variables
/// in `dir`, or the error.
pub fn layout(dir: &Path, variables: &[(&str, &str)]) -> String {
    child(dir, "layout", variables)
}

/// The settings that are read with these variables in `dir`, or the error.
pub fn settings(dir: &Path, variables: &[(&str, &str)]) -> String {
    child(dir, "settings", variables)
}

/// Whether the repository is trusted with these variables, or the error.
pub fn trust(dir: &Path, variables: &[(&str, &str)]) -> String {
    child(dir, "trust", variables)
}

/// Creates `refs/heads/by-us` with this id and umask, as the configuration of the
/// repository says.
pub fn create(dir: &Path, umask: &str, id: &str) -> String {
    let program = env::current_exe().unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", "umask \"$1\"; shift; exec \"$@\"", "sh", umask])
        .arg(program);
    run(command, dir, id, &[("GIT_CONFIG_NOSYSTEM", "1")])
}

fn child(dir: &Path, shown: &str, variables: &[(&str, &str)]) -> String {
    run(
        Command::new(env::current_exe().unwrap()),
        dir,
        shown,
        variables,
    )
}

fn run(mut command: Command, dir: &Path, shown: &str, variables: &[(&str, &str)]) -> String {
    command
        .args(["--exact", "child::show", "--nocapture"])
        .env_clear()
        .env(DIR, dir)
        .env(SHOWN, shown)
        .envs(variables.iter().copied())
        .current_dir(dir)
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.split_once(MARK));
    line.unwrap_or_else(|| panic!("{output:?}")).1.to_owned()
}

/// Prints what the other process asks for. As a test of its own it does nothing.
#[test]
fn show() {
    let Some(dir) = env::var_os(DIR) else {
        return;
    };
    let text = match env::var(SHOWN).as_deref() {
        Ok("layout") => Repository::discover_with_environment(&dir).map(|repository| {
            let layout = repository.layout();
            format!(
                "{:?} {:?} {:?} bare: {} HEAD: {:?}",
                layout.git_dir(),
                layout.common_dir(),
                layout.work_dir(),
                layout.is_bare(),
                repository.head().ok(),
            )
        }),
        Ok("settings") => Repository::discover(&dir)
            .and_then(|repository| repository.settings().map(shown_settings)),
        Ok("trust") => Repository::discover(&dir)
            .and_then(|repository| repository.is_trusted().map(|is| is.to_string())),
        id => Repository::discover(&dir).and_then(|repository| {
            let id = id.unwrap().parse().unwrap();
            let mut transaction = repository.transaction();
            transaction.message("by us").create("refs/heads/by-us", id);
            transaction.commit()?;
            Ok("done".to_owned())
        }),
    };
    let text = text.unwrap_or_else(|error| format!("error: {error}"));
    println!("\n{MARK}{text}");
}

fn shown_settings(settings: &Settings) -> String {
    let stack = &settings.stack;
    let committer = settings.committer.as_ref();
    let committer = committer.map_or("nobody".into(), |c| format!("{} <{}>", c.name, c.email));
    format!(
        "block {} restart {} objects {} factor {} timeout {} log {:?} committer {committer}, \
         sharing {:?} no_fsync {}",
        stack.write.block_size,
        stack.write.restart_interval,
        !stack.write.skip_index_objects,
        stack.auto_compaction_factor,
        stack.lock_timeout_ms,
        settings.log_ref_updates,
        settings.sharing,
        settings.no_fsync,
    )
}
