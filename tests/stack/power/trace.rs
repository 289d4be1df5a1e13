//! What a program did to the files of one folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The files of a folder: names and contents.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Number of a file, which it keeps under whatever name.
pub type FileNumber = usize;

/// One step. Writes append: nothing of a stack is ever overwritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A new file has got its first name.
    Create {
        name: String,
        file: FileNumber,
    },
    Write {
        file: FileNumber,
        bytes: Vec<u8>,
    },
    /// The content is on the disk from here on.
    Sync {
        file: FileNumber,
    },
    /// The content goes to the disk from here on; nobody waits for it.
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
    /// The names are on the disk from here on.
    SyncDir,
    /// A caller has been told that its change is done.
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

/// A folder as it was on the disk, and what happened then.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    pub before: Files,
    pub events: Vec<Event>,
}

impl Trace {
    /// The folder as it is now, without events yet.
    pub fn starting_at(dir: &Path) -> Self {
        Self {
            before: files_of(dir),
            events: Vec::new(),
        }
    }

    /// How many changes have been acknowledged when the first `cut` events have happened.
    pub fn acknowledged(&self, cut: usize) -> usize {
        let events = self.events[..cut].iter();
        events.filter(|e| matches!(e, Event::Acknowledge)).count()
    }
}

/// All files of a folder of plain files.
pub fn files_of(dir: &Path) -> Files {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries
        .map(|e| {
            let name = e.file_name().into_string().unwrap();
            (name, fs::read(e.path()).unwrap())
        })
        .collect()
}

/// Makes `dir` hold these files and no others.
pub fn put_files(dir: &Path, files: &Files) {
    if dir.exists() {
        fs::remove_dir_all(dir).unwrap();
    }
    fs::create_dir_all(dir).unwrap();
    for (name, content) in files {
        fs::write(dir.join(name), content).unwrap();
    }
}
