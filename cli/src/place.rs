//! What a command works on: a repository, the directory of a stack, or one table.
#![forbid(unsafe_code)]

use std::env;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bstr::BString;
use reftable::merged::Merged;
use reftable::stack::{Stack, StackOptions};
use reftable::table::{RawTable, Table, TableData, WriteOptions};
use reftable::{HashId, Repository};

use crate::at::Past;
use crate::failure::{quoted_path, tell, Failure, Result};

/// The list of a stack's tables.
pub const LIST: &str = "tables.list";

/// What a command works on.
pub enum Place {
    /// A repository, seen from one of its worktrees.
    Repository(Box<Repository>),
    /// The directory of one stack.
    Stack(StackDir),
    /// A table, in a stack or not.
    Table(PathBuf),
    /// A stack in the past.
    Past {
        view: Arc<Merged>,
        /// Whether a repository was named, of which root refs are not listed.
        is_repository: bool,
    },
}

/// The directory of a stack.
#[derive(Clone, Debug)]
pub struct StackDir {
    pub dir: PathBuf,
    pub hash: HashId,
    /// The linked worktree; `None` for the main one, or if there is no repository.
    pub worktree: Option<BString>,
}

impl Place {
    /// The place that the user has named, or the repository of the current directory.
    pub fn find(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            let dir = env::current_dir();
            let dir = dir.map_err(|e| Failure::io("open", Path::new("."), &e))?;
            return match Repository::discover_with_environment(&dir) {
                Err(reftable::Error::NotFound { .. }) if is_stack(&dir) => {
                    Ok(Self::Stack(StackDir::new(&dir)?))
                }
                found => Ok(Self::Repository(Box::new(found?))),
            };
        };
        let meta = fs::metadata(path).map_err(|e| Failure::named("open", path, &e))?;
        if meta.is_dir() && is_stack(path) {
            return Ok(Self::Stack(StackDir::new(path)?));
        }
        if meta.is_file() && path.file_name().is_some_and(|name| name != ".git") {
            if is_table(path)? {
                return Ok(Self::Table(path.to_owned()));
            }
            let text = "is neither a table nor a directory; name a repository, a reftable \
                        directory or a table";
            return Err(Failure::new(format!("{} {text}", quoted_path(path))));
        }
        Ok(Self::Repository(Box::new(Repository::discover(path)?)))
    }

    /// The main stack after the transaction with this update index, if one is given.
    pub fn at(self, update_index: Option<u64>) -> Result<Self> {
        let Some(update_index) = update_index else {
            return Ok(self);
        };
        let past = Past::new(&self.view()?, update_index)?;
        for note in past.notes {
            tell(note);
        }
        if let Self::Repository(repository) = &self {
            if repository.layout().worktree().is_some() {
                tell("HEAD and the other refs of one worktree are those of the main worktree");
            }
        }
        Ok(Self::Past {
            view: past.view,
            is_repository: matches!(self, Self::Repository(_)),
        })
    }

    /// Whether refs outside of `refs/` are left out of lists.
    pub fn hides_root_refs(&self) -> bool {
        match self {
            Self::Repository(_) => true,
            Self::Past { is_repository, .. } => *is_repository,
            Self::Stack(_) | Self::Table(_) => false,
        }
    }

    /// The hash function of the object ids.
    pub fn hash(&self) -> HashId {
        match self {
            Self::Repository(repository) => repository.hash(),
            Self::Stack(stack) => stack.hash,
            Self::Table(path) => Table::open(path).map_or(HashId::Sha1, |table| table.hash_id()),
            Self::Past { view, .. } => view.hash_id(),
        }
    }

    /// The stacks: of a repository, those of all worktrees.
    pub fn stacks(&self) -> Result<Vec<StackDir>> {
        match self {
            Self::Repository(repository) => {
                let dirs = repository.stack_dirs()?.into_iter();
                Ok(dirs
                    .map(|(worktree, dir)| StackDir {
                        dir,
                        hash: repository.hash(),
                        worktree,
                    })
                    .collect())
            }
            Self::Stack(stack) => Ok(vec![stack.clone()]),
            Self::Past { .. } => Err(Failure::new("the past has no directory")),
            Self::Table(path) => Err(Failure::new(format!(
                "{} is one table; name the directory that it is in, or a repository",
                quoted_path(path)
            ))),
        }
    }

    /// How stacks are written: as the configuration of the repository says.
    pub fn stack_options(&self) -> Result<StackOptions> {
        match self {
            Self::Repository(repository) => Ok(repository.settings()?.stack.clone()),
            _ => Ok(StackOptions::default()),
        }
    }

    /// The stack or the table that shared refs are in.
    pub fn view(&self) -> Result<Arc<Merged>> {
        if let Self::Table(path) = self {
            let table = Arc::new(Table::open(path)?);
            let hash = table.hash_id();
            return Ok(Arc::new(Merged::new(vec![table], hash)?));
        }
        if let Self::Past { view, .. } = self {
            return Ok(Arc::clone(view));
        }
        match self.stacks()?.first() {
            Some(stack) => Ok(stack.open()?.merged()),
            None => Ok(Arc::new(Merged::new(Vec::new(), self.hash())?)),
        }
    }
}

impl StackDir {
    /// The stack in a directory, whose first readable table has its hash.
    fn new(dir: &Path) -> Result<Self> {
        Ok(Self {
            hash: hash_of(dir)?,
            dir: dir.to_owned(),
            worktree: None,
        })
    }

    /// The size of a table in bytes; 0 if it cannot be told.
    pub fn size_of(&self, table: &str) -> u64 {
        fs::metadata(self.dir.join(table)).map_or(0, |meta| meta.len())
    }

    /// The size of all tables in the list.
    pub fn size(&self) -> u64 {
        let tables = listed(&self.dir).unwrap_or_default();
        tables.iter().map(|table| self.size_of(table)).sum()
    }

    /// Opens the stack. A missing directory is an empty stack.
    pub fn open(&self) -> Result<Stack> {
        self.open_with(StackOptions::default())
    }

    /// Opens the stack for writing with these options.
    pub fn open_with(&self, options: StackOptions) -> Result<Stack> {
        let options = StackOptions {
            write: WriteOptions {
                hash_id: self.hash,
                ..options.write
            },
            ..options
        };
        Ok(Stack::open(&self.dir, options)?)
    }
}

/// The content of a regular file. Does not wait for the writer of a FIFO, and does not read devices.
///
/// # Errors
/// `InvalidInput` for what is not a regular file; any error of the system.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let other = |text| io::Error::new(io::ErrorKind::InvalidInput, text);
    match fs::metadata(path) {
        Ok(meta) if meta.is_file() => fs::read(path),
        Ok(_) => Err(other("not a regular file")),
        Err(e) => match e.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Err(e),
            _ if path.is_symlink() => Err(other("a symbolic link that leads nowhere")),
            _ => Err(e),
        },
    }
}

/// Whether an error of reading a file says that its content is lost, and not only that it cannot be
/// read now.
pub fn is_unreadable(error: &io::Error) -> bool {
    /// A failed read of a disk, on every Unix.
    const EIO: i32 = 5;
    error.kind() == io::ErrorKind::InvalidInput || error.raw_os_error() == Some(EIO)
}

/// The names in a list file. Damaged lists are read as far as they can be.
pub fn listed(dir: &Path) -> io::Result<Vec<String>> {
    match read_file(&dir.join(LIST)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        text => Ok(names_in(&text?)),
    }
}

/// The names in the content of a list file.
pub fn names_in(list: &[u8]) -> Vec<String> {
    let is_plain = |name: &&str| !name.is_empty() && !name.contains(['/', '\0']) && *name != "..";
    let text = String::from_utf8_lossy(list);
    text.lines().filter(is_plain).map(str::to_owned).collect()
}

/// The hash of the first table in the list whose header or footer can be read.
///
/// # Errors
/// If a file may be sound, but cannot be read.
fn hash_of(dir: &Path) -> Result<HashId> {
    let list = dir.join(LIST);
    let names = match listed(dir) {
        Err(e) if is_unreadable(&e) => Vec::new(),
        names => names.map_err(|e| Failure::io("read", &list, &e))?,
    };
    for name in names {
        let path = dir.join(&name);
        match TableData::open(&path) {
            Ok(data) => {
                if let Ok(raw) = RawTable::new(&name, data) {
                    return Ok(raw.hash_id());
                }
            }
            Err(e) if is_lacking(&e) => return Err(Failure::io("read", &path, &e)),
            Err(_) => {}
        }
    }
    Ok(HashId::default())
}

/// Whether an error says that the system or the user lacks something, and nothing of the file.
fn is_lacking(error: &io::Error) -> bool {
    /// Too many open files, of the system or of the process, on every Unix.
    const FILES: [i32; 2] = [23, 24];
    let is_known = error
        .raw_os_error()
        .is_some_and(|number| FILES.contains(&number));
    is_known
        || matches!(
            error.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::OutOfMemory
        )
}

/// Whether a directory is that of a stack.
fn is_stack(dir: &Path) -> bool {
    if dir.join(LIST).exists() {
        return true;
    }
    let is_named = dir.file_name().is_some_and(|name| name == "reftable");
    is_named && !dir.join("HEAD").exists() && !dir.join(".git").exists()
}

/// Whether a file is a table: by its name, or by its first bytes.
fn is_table(path: &Path) -> Result<bool> {
    if path.extension().is_some_and(|extension| extension == "ref") {
        return Ok(true);
    }
    let failed = |e: io::Error| Failure::io("read", path, &e);
    let mut magic = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(4).read_to_end(&mut magic).map_err(failed)?;
    Ok(magic == b"REFT")
}
