//! Directories: copying, comparing, making them older.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// All files and directories below `dir`, sorted; directories come before their contents.
pub fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        all.push(path.clone());
        if path.is_dir() {
            all.extend(walk(&path));
        }
    }
    all
}

/// Makes `to` a copy of `from`.
pub fn copy(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).unwrap();
    }
    fs::create_dir_all(to).unwrap();
    for path in walk(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        if path.is_dir() {
            fs::create_dir(target).unwrap();
        } else {
            fs::copy(path, target).unwrap();
        }
    }
}

/// The directories of stacks in a repository.
pub fn stacks(git_dir: &Path) -> Vec<PathBuf> {
    let is_stack = |path: &PathBuf| path.ends_with("reftable") && path.is_dir();
    walk(git_dir).into_iter().filter(is_stack).collect()
}

/// The names in the list of a stack.
pub fn listed(stack: &Path) -> Vec<String> {
    let text = fs::read_to_string(stack.join("tables.list")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// The files in a stack's directory that are neither its list nor listed tables.
pub fn leftovers(stack: &Path) -> Vec<PathBuf> {
    let listed = listed(stack);
    let is_known = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name == "tables.list" || listed.contains(&name)
    };
    walk(stack)
        .into_iter()
        .filter(|path| !is_known(path))
        .collect()
}

/// Makes leftovers older than a day.
pub fn make_leftovers_old(stack: &Path) {
    for path in leftovers(stack) {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
}

/// Equal for directories that differ only in the random parts of table names: paths and contents of
/// everything below.
pub fn fingerprint(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for path in walk(dir) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let directory = path.parent().unwrap();
        let relative = directory.strip_prefix(dir).unwrap().display().to_string();
        // Objects are named by their contents; an index contains times. The link with which git
        // tests for symbolic links is dangling.
        if relative.contains("objects") || path.is_dir() || path.is_symlink() {
            all.push((format!("{relative}/{name}"), Vec::new()));
            continue;
        }
        let content = fs::read(&path).unwrap();
        let in_stack = directory.ends_with("reftable");
        let number = listed(directory).iter().position(|table| *table == name);
        all.push(match number {
            Some(number) => (format!("{relative}/{number:03}"), content),
            None if in_stack && name.starts_with("tables.list") => {
                (format!("{relative}/{name}"), Vec::new())
            }
            None if in_stack => {
                let kind = name.split_once('.').map_or("", |(_, end)| end);
                let kind = if kind.starts_with("temp") {
                    "temp"
                } else {
                    kind
                };
                (format!("{relative}/{kind}"), content)
            }
            None if name == "index" => (format!("{relative}/{name}"), Vec::new()),
            None => (format!("{relative}/{name}"), content),
        });
    }
    all.sort();
    all
}
