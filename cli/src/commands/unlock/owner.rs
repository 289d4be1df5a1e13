//! Which process has a file open.
#![forbid(unsafe_code)]

use std::path::Path;
use std::time::Duration;

/// The owner of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This process has it open.
    Process { pid: u32, command: String },
    /// It lives, but it is not known which process it is.
    Alive,
    /// It has ended.
    Stale,
    /// Nothing is certain, for this reason.
    Unknown(String),
}

impl Owner {
    /// The name of the state in JSON.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Process { .. } | Self::Alive => "held",
            Self::Stale => "stale",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// The owner of a lock that is open while it is held. It is stale only if it was not modified for
/// `min_age`.
#[cfg(target_os = "linux")]
pub fn of_file(path: &Path, age: Option<Duration>, min_age: Duration) -> Owner {
    let unknown = |why: &str| Owner::Unknown(why.to_owned());
    let (holder, hidden) = match linux::holder_of(path) {
        Ok(found) => found,
        Err(error) => return Owner::Unknown(crate::failure::text_of(&error)),
    };
    if let Some((pid, command)) = holder {
        return Owner::Process { pid, command };
    }
    if !linux::is_local(path) {
        return unknown("processes of other machines may use this file system");
    }
    if hidden > 0 {
        return Owner::Unknown(format!(
            "{} of other users may not be inspected; try as root",
            crate::text::plural(hidden, "process")
        ));
    }
    match age {
        Some(age) if age >= min_age => Owner::Stale,
        _ => Owner::Unknown(format!(
            "no process has it open, but it was modified less than {} seconds ago",
            min_age.as_secs()
        )),
    }
}

#[cfg(not(target_os = "linux"))]
pub fn of_file(_: &Path, _: Option<Duration>, _: Duration) -> Owner {
    Owner::Unknown("this system does not tell which process has a file open".to_owned())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::io;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

    /// A process and its name.
    type Process = (u32, String);

    /// The other process that has the file open, and the number of processes that could not be inspected.
    pub fn holder_of(path: &Path) -> io::Result<(Option<Process>, u32)> {
        let wanted = fs::symlink_metadata(path)?;
        let mut hidden = 0;
        for entry in fs::read_dir("/proc")? {
            let entry = entry?;
            let Some(pid) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
                .filter(|pid| *pid != std::process::id())
            else {
                continue;
            };
            match has_open(&entry.path().join("fd"), &wanted) {
                Ok(true) => {
                    let comm = fs::read_to_string(entry.path().join("comm"));
                    let comm = comm.unwrap_or_default();
                    return Ok((Some((pid, comm.trim_end().escape_default().to_string())), 0));
                }
                Ok(false) => {}
                Err(e) if e.kind() == io::ErrorKind::PermissionDenied => hidden += 1,
                // It has ended meanwhile.
                Err(_) => {}
            }
        }
        Ok((None, hidden))
    }

    fn has_open(fds: &Path, wanted: &fs::Metadata) -> io::Result<bool> {
        for fd in fs::read_dir(fds)? {
            // A descriptor may be closed meanwhile.
            let Ok(meta) = fs::metadata(fd?.path()) else {
                continue;
            };
            if (meta.dev(), meta.ino()) == (wanted.dev(), wanted.ino()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether only this machine can use the file system of `path`, as far as is known.
    pub fn is_local(path: &Path) -> bool {
        const LOCAL: [&str; 12] = [
            "bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "ramfs",
            "tmpfs", "xfs", "zfs",
        ];
        let Some(dir) = path.parent().and_then(|dir| dir.canonicalize().ok()) else {
            return false;
        };
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        // ID PARENT DEVICE ROOT POINT OPTIONS... - TYPE SOURCE ...
        let of_line = |line: &str| {
            let (before, after) = line.split_once(" - ")?;
            let point = before.split(' ').nth(4)?.replace("\\040", " ");
            let kind = after.split(' ').next()?.to_owned();
            dir.starts_with(&point).then_some((point.len(), kind))
        };
        // The last of several on one point is the visible one.
        let of_dir = mounts
            .lines()
            .filter_map(of_line)
            .max_by_key(|(len, _)| *len);
        of_dir.is_some_and(|(_, kind)| LOCAL.contains(&&*kind))
    }
}
