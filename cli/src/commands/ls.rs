//! `reftable ls`: lists refs.
#![forbid(unsafe_code)]

use std::ffi::OsString;

use reftable::merged::Merged;
use reftable::repo::Reference;

use crate::args::bytes_of;
use crate::failure::{Failure, Result};
use crate::glob::Pattern;
use crate::json::Object;
use crate::output::{Output, Paint};
use crate::place::Place;
use crate::refs::{Item, List, Lookup};
use crate::template::Template;
use crate::text::put_hex;
use crate::Outcome;

/// List refs, by name.
///
/// Without patterns, all refs are listed; of a repository, those that `git for-each-ref` lists.
/// A pattern is the beginning of a name up to a slash, such as refs/heads, or has *, ? and [] as
/// in git.
///
/// Each line has the object id, a tab and the name, as in `git ls-remote --symref`; a symbolic ref
/// has `ref: ` and its target instead of the id.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only refs that match a pattern.
    #[arg(value_name = "PATTERN")]
    patterns: Vec<OsString>,

    /// After an annotated tag, list the object that it finally points at, as NAME^{}.
    #[arg(short = 'd', long)]
    peel: bool,

    /// The line for each ref, with %(refname), %(refname:lstrip=N), %(objectname),
    /// %(*objectname) for the peeled object, %(symref), and %HH for a byte.
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["json", "peel"])]
    format: Option<OsString>,

    /// Also list HEAD and the other refs outside of refs/.
    #[arg(long)]
    include_root_refs: bool,

    /// Also list the refs that other worktrees have of their own, as worktrees/NAME/HEAD.
    #[arg(long)]
    all_worktrees: bool,

    /// Write a JSON object for each ref: name, id or target, peeled, update_index.
    #[arg(long)]
    json: bool,

    /// The refs after the transaction with this update index, of the main stack, as far as its
    /// tables can tell. What they cannot tell is reported.
    #[arg(long, value_name = "UPDATE-INDEX")]
    pub at: Option<u64>,
}

/// How a line is written.
enum Form {
    Plain { peels: bool },
    Template(Template),
    Json,
}

/// What is listed, and where to.
struct Lister<'l> {
    patterns: Vec<Pattern>,
    form: Form,
    lookup: Lookup<'l>,
    output: &'l mut Output,
    found: bool,
    hides_root_refs: bool,
}

pub fn run(options: &Options, place: &Place, output: &mut Output) -> Result<Outcome> {
    let patterns = options.patterns.iter();
    let mut lister = Lister {
        patterns: patterns.map(|text| Pattern::new(bytes_of(text))).collect(),
        form: options.form()?,
        lookup: Lookup::new(place)?,
        output,
        found: false,
        hides_root_refs: place.hides_root_refs() && !options.include_root_refs,
    };
    if let Place::Repository(repository) = place {
        if options.include_root_refs {
            for found in repository.root_refs()? {
                lister.show_owned(&found)?;
            }
        }
    }
    lister.show_all(List::new(place, &lister.prefix())?)?;
    if options.all_worktrees {
        lister.show_worktrees(place)?;
    }
    let is_missing = !lister.found && !options.patterns.is_empty();
    Ok(match is_missing {
        true => Outcome::Findings,
        false => Outcome::Ok,
    })
}

impl Options {
    fn form(&self) -> Result<Form> {
        Ok(match &self.format {
            Some(text) => Form::Template(Template::new(bytes_of(text))?),
            None if self.json => Form::Json,
            None => Form::Plain { peels: self.peel },
        })
    }
}

impl Lister<'_> {
    /// What all names that match a pattern begin with.
    fn prefix(&self) -> Vec<u8> {
        let mut prefixes = self.patterns.iter().map(Pattern::prefix);
        let mut common = prefixes.next().unwrap_or_default();
        for prefix in prefixes {
            let pairs = common.iter().zip(prefix);
            let same = pairs.take_while(|(a, b)| a == b).count();
            common = common.get(..same).unwrap_or_default();
        }
        common.to_vec()
    }

    fn show_all(&mut self, mut list: List) -> Result<()> {
        while let Some(item) = list.next()? {
            if self.hides_root_refs && !item.name.starts_with(b"refs/") {
                continue;
            }
            self.show(&item)?;
        }
        Ok(())
    }

    #[inline]
    fn show(&mut self, item: &Item<'_>) -> Result<()> {
        let mut patterns = self.patterns.iter();
        if !self.patterns.is_empty() && !patterns.any(|pattern| pattern.matches(item.name)) {
            return Ok(());
        }
        self.found = true;
        match &self.form {
            Form::Plain { peels } => put_plain(item, *peels, self.output)?,
            Form::Template(template) => {
                template.put(self.output.buffer(), item, &mut self.lookup)?;
            }
            Form::Json => put_json(item, self.output.buffer()),
        }
        self.output.end_line()
    }

    fn show_owned(&mut self, found: &Reference) -> Result<()> {
        let mut item = Item::of_owned(found);
        if let Form::Json = self.form {
            let found = self.lookup.find(item.name)?;
            item.update_index = found.and_then(|found| found.update_index);
        }
        self.show(&item)
    }

    /// The refs of the stacks of other worktrees, by the names that git has for them.
    fn show_worktrees(&mut self, place: &Place) -> Result<()> {
        let Place::Repository(repository) = place else {
            return Err(Failure::new("only a repository has worktrees"));
        };
        let current = repository.layout().worktree();
        for stack in place.stacks()? {
            let name = stack.worktree.as_ref();
            if name.map(|name| name.as_ref()) == current {
                continue;
            }
            let view = stack.open()?.merged();
            let prefix = match name {
                Some(name) => [b"worktrees/", name.as_slice(), b"/"].concat(),
                None => b"main-worktree/".to_vec(),
            };
            self.show_stack(&view, &prefix, name.is_none())?;
        }
        Ok(())
    }

    fn show_stack(&mut self, view: &Merged, prefix: &[u8], is_main: bool) -> Result<()> {
        let mut list = List::of_view(view, b"")?;
        let mut name = Vec::new();
        while let Some(item) = list.next()? {
            if is_main && is_shared(item.name) {
                continue;
            }
            name.clear();
            name.extend_from_slice(prefix);
            name.extend_from_slice(item.name);
            self.show(&Item {
                name: &name,
                ..item
            })?;
        }
        Ok(())
    }
}

/// Whether all worktrees share the ref `name`.
fn is_shared(name: &[u8]) -> bool {
    let own: [&[u8]; 3] = [b"refs/bisect/", b"refs/worktree/", b"refs/rewritten/"];
    name.starts_with(b"refs/") && !own.iter().any(|dir| name.starts_with(dir))
}

fn put_plain(item: &Item<'_>, peels: bool, output: &mut Output) -> Result<()> {
    match item.symbolic() {
        None => put_hex(output.buffer(), item.id().unwrap_or_default()),
        Some(target) => {
            output.put(b"ref: ");
            output.put(target);
        }
    }
    output.put(b"\t");
    output.paint(Paint::Name, item.name);
    if let Some(peeled) = item.peeled().filter(|_| peels) {
        output.end_line()?;
        put_hex(output.buffer(), peeled);
        output.put(b"\t");
        output.paint(Paint::Name, item.name);
        output.put(b"^{}");
    }
    Ok(())
}

/// Appends a ref as JSON.
pub fn put_json(item: &Item<'_>, out: &mut Vec<u8>) {
    let mut object = Object::new(out);
    object.bytes("name", item.name);
    if let Some(target) = item.symbolic() {
        object.bytes("target", target);
    }
    for (key, id) in [("id", item.id()), ("peeled", item.peeled())] {
        if let Some(id) = id {
            object.id(key, id);
        }
    }
    if let Some(update_index) = item.update_index {
        object.value("update_index", update_index);
    }
    object.end();
}
