//! Commands of git that older releases have under another name.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// The first two numbers of a release.
pub type Version = (u32, u32);

/// The release of a built git.
pub fn version_of(git: &Path) -> Version {
    let output = Command::new(git).arg("version").output();
    let output = output.unwrap_or_else(|e| panic!("{}: {e}", git.display()));
    let said = String::from_utf8_lossy(&output.stdout);
    let number = said.trim().strip_prefix("git version ");
    let number = number.unwrap_or_else(|| panic!("{} has no version: {output:?}", git.display()));
    let mut parts = number.split('.').map(|part| part.parse().unwrap());
    (parts.next().unwrap(), parts.next().unwrap())
}

/// The arguments with which this release does the same: packs, checks all tables, or lists the reflogs
/// (by their entries). Without `--include-root-refs` a listing has no root refs.
pub fn in_release(version: Version, args: Vec<OsString>) -> Vec<OsString> {
    let mut args = args;
    for (since, new, old) in [
        ((2, 45), &["--include-root-refs"][..], &[][..]),
        ((2, 45), &["pack-refs", "--auto"], &["pack-refs", "--all"]),
        (
            (2, 45),
            &["reflog", "list"],
            &["log", "-g", "--all", "--format=%gD"],
        ),
        (
            (2, 47),
            &["refs", "verify"],
            &["fsck", "--no-dangling", "--no-progress"],
        ),
    ] {
        if version >= since {
            continue;
        }
        let found = args.windows(new.len()).position(|window| window == new);
        if let Some(at) = found {
            args.splice(at..at + new.len(), old.iter().map(OsString::from));
        }
    }
    args
}
