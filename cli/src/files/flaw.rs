//! What cannot be read or moved.
#![forbid(unsafe_code)]

/// Something in a ref store that is broken, or that another format cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    pub kind: Kind,
    /// The name of a ref, or a path in the git directory.
    pub name: Vec<u8>,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The content of a file is not a ref.
    Broken,
    /// Git does not allow the name, or files cannot have it.
    Name,
    /// One name is a directory of the other.
    Conflict,
    /// The file system does not distinguish two names.
    Alike,
    /// An entry of a reflog that the new format cannot hold.
    Log,
    /// A file that is in the way of the new format, or that is not where git keeps it.
    File,
}

impl Kind {
    /// The word for it in the output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Name => "name",
            Self::Conflict => "conflict",
            Self::Alike => "alike",
            Self::Log => "log",
            Self::File => "file",
        }
    }
}

impl Flaw {
    pub fn new(kind: Kind, name: impl Into<Vec<u8>>, text: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            text: text.into(),
        }
    }
}
