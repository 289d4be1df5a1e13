//! What a program did to the files of one directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The files of a directory: names and contents.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The number of a file, independent of its name.
pub type FileNumber = usize;

/// One event. Writes append: files of a stack are never overwritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A new file gets its first name.
    Create {
        name: String,
        file: FileNumber,
    },
    Write {
        file: FileNumber,
        bytes: Vec<u8>,
    },
    /// The contents are on disk from here on.
    Sync {
        file: FileNumber,
    },
    /// The contents are being written to disk from here on; without waiting for it.
    Begin {
        file: FileNumber,
    },
    Rename {
        from: String,
        to: String,
    },
    Remove {
        name: String,
    },
    /// The names are on disk from here on.
    SyncDir,
    /// A caller has been reported that its change is done.
    Acknowledge,
}

impl Event {
    /// Whether it changes names.
    pub fn is_naming(&self) -> bool {
        matches!(
            self,
            Self::Create { .. } | Self::Rename { .. } | Self::Remove { .. }
        )
    }
}

/// A directory as it was on disk, and the events after that.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    pub before: Files,
    pub events: Vec<Event>,
}

impl Trace {
    /// The directory as it is now, without events.
    pub fn starting_at(dir: &Path) -> Self {
        Self {
            before: files_of(dir),
            events: Vec::new(),
        }
    }

    /// The number of changes that were acknowledged within the first `cut` events.
    pub fn acknowledged(&self, cut: usize) -> usize {
        let events = self.events[..cut].iter();
        events.filter(|e| matches!(e, Event::Acknowledge)).count()
    }
}

/// All files of a directory without subdirectories.
pub fn files_of(dir: &Path) -> Files {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries
        .map(|e| {
            let name = e.file_name().into_string().unwrap();
            (name, fs::read(e.path()).unwrap())
        })
        .collect()
}

/// Makes `dir` contain exactly these files.
pub fn put_files(dir: &Path, files: &Files) {
    if dir.exists() {
        fs::remove_dir_all(dir).unwrap();
    }
    fs::create_dir_all(dir).unwrap();
    for (name, content) in files {
        fs::write(dir.join(name), content).unwrap();
    }
}
