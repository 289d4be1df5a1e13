//! The format in the configuration of a repository.
#![forbid(unsafe_code)]

use std::path::Path;
use std::time::Duration;

use gix_config::file::init::Options;
use gix_config::file::Metadata;
use gix_config::File;
use reftable::HashId;

use crate::failure::{quoted_path, Failure, Result};
use crate::files::walk::content;
use crate::text::quoted;

const VERSION: &str = "core.repositoryformatversion";
const STORAGE: &str = "extensions.refstorage";

/// The formats of references.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Tables in the directory `reftable`.
    Reftable,
    /// Files in `refs`, `packed-refs` and `logs`.
    Files,
}

impl Format {
    /// The value of `extensions.refStorage`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reftable => "reftable",
            Self::Files => "files",
        }
    }

    /// For messages: where references are.
    pub const fn place(self) -> &'static str {
        match self {
            Self::Reftable => "reftables",
            Self::Files => "files",
        }
    }
}

/// The configuration file of a repository.
#[derive(Debug)]
pub struct Config {
    file: File,
    pub format: Format,
    pub hash: HashId,
}

/// Extensions that do not concern references; `objectFormat` and `refStorage` are known, too.
const KNOWN: [&str; 8] = [
    "noop",
    "preciousobjects",
    "partialclone",
    "worktreeconfig",
    "noop-v1",
    "compatobjectformat",
    "relativeworktrees",
    "submodulepathconfig",
];

impl Config {
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = content(path)?.unwrap_or_default();
        Self::parse(&bytes).map_err(|text| Failure::new(format!("{}: {text}", quoted_path(path))))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let file = File::from_bytes_no_includes(bytes, Metadata::api(), Options::default())
            .map_err(|error| error.to_string().replace('\n', " "))?;
        let version = match file.raw_value(VERSION) {
            Err(_) => None,
            Ok(text) => Some(text.to_string()),
        };
        if !matches!(version.as_deref(), None | Some("0" | "1")) {
            let version = version.unwrap_or_default();
            let version = quoted(version.trim());
            return Err(format!(
                "core.repositoryFormatVersion is {version}; only 0 and 1 are known"
            ));
        }
        let mut config = Self {
            file,
            format: Format::Files,
            hash: HashId::Sha1,
        };
        for name in config.extensions() {
            config.apply(&name)?;
        }
        Ok(config)
    }

    /// The names of the extensions.
    fn extensions(&self) -> Vec<String> {
        let sections = self.file.sections_by_name("extensions");
        let mut names: Vec<String> = sections
            .into_iter()
            .flatten()
            .flat_map(|section| section.value_names().collect::<Vec<_>>())
            .map(|name| name.to_ascii_lowercase())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn apply(&mut self, extension: &str) -> Result<(), String> {
        let value = self
            .file
            .raw_value(format!("extensions.{extension}").as_str());
        let value = value.map(|value| value.to_string()).unwrap_or_default();
        let unknown = || {
            let value = quoted(&value);
            Err(format!(
                "extensions.{extension} is {value}, which this program does not know"
            ))
        };
        match (extension, value.as_str()) {
            ("objectformat", "sha1") | ("refstorage", "files") => {}
            ("objectformat", "sha256") => self.hash = HashId::Sha256,
            ("refstorage", "reftable") => self.format = Format::Reftable,
            ("refstorage", value) if value.contains("://") => {
                return Err(format!(
                    "extensions.refStorage is {}: references in another directory cannot be moved",
                    quoted(value)
                ))
            }
            ("objectformat" | "refstorage", _) => return unknown(),
            (name, _) if KNOWN.contains(&name) => {}
            _ => return unknown(),
        }
        Ok(())
    }

    /// How long programs that were started before a switch may still wait for a lock, and a second.
    pub fn default_grace(&self) -> Duration {
        const GIT_DEFAULT: Duration = Duration::from_secs(1);
        const LONGEST: Duration = Duration::from_secs(60);
        let value = self.file.raw_value("core.packedrefstimeout");
        let value = value.ok().and_then(|value| value.to_string().parse().ok());
        let timeout = value.map_or(GIT_DEFAULT, |milliseconds: i64| {
            // A negative number means to wait for ever.
            u64::try_from(milliseconds).map_or(LONGEST, Duration::from_millis)
        });
        timeout.clamp(GIT_DEFAULT, LONGEST) + Duration::from_secs(1)
    }

    /// The text of the file with another format. Everything else stays as it is.
    pub fn with_format(&self, format: Format) -> Result<Vec<u8>> {
        let failed = |text: String| Failure::new(format!("cannot edit the configuration: {text}"));
        let mut file = self.file.clone();
        match format {
            Format::Reftable => {
                let set = file.set_raw_value(STORAGE, format.name());
                set.map_err(|error| failed(error.to_string()))?;
            }
            Format::Files => remove_extension(&mut file),
        }
        let is_extended = file
            .sections_by_name("extensions")
            .into_iter()
            .flatten()
            .any(|section| section.value_names().next().is_some());
        let version = if is_extended { "1" } else { "0" };
        let set = file.set_raw_value(VERSION, version);
        set.map_err(|error| failed(error.to_string()))?;
        let bytes: Vec<u8> = file.to_bstring().into();
        let check = Self::parse(&bytes).map_err(failed)?;
        if check.format != format || check.hash != self.hash {
            return Err(failed("it would not have the new format".to_owned()));
        }
        Ok(bytes)
    }
}

/// Removes `extensions.refStorage`, and its section if nothing else is in it.
fn remove_extension(file: &mut File) {
    let sections = file.sections_and_ids_by_name("extensions");
    let ids: Vec<_> = sections.into_iter().flatten().map(|(_, id)| id).collect();
    for id in ids {
        let Some(mut section) = file.section_mut_by_id(id) else {
            continue;
        };
        let mut is_changed = false;
        while section.remove("refstorage").is_some() {
            is_changed = true;
        }
        let is_empty = section.num_values() == 0 && !section.to_bstring().contains(&b'#');
        if is_changed && is_empty && !section.to_bstring().contains(&b';') {
            file.remove_section_by_id(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, format: Format) -> String {
        let config = Config::parse(text.as_bytes()).unwrap();
        String::from_utf8(config.with_format(format).unwrap()).unwrap()
    }

    #[test]
    fn only_the_format_changes() {
        let files = "# mine\n[core]\n\trepositoryformatversion = 0 ; old\n\tbare = true\n[user]\n\tname = x\n";
        let tables = changed(files, Format::Reftable);
        let expected = files.replace("= 0", "= 1") + "[extensions]\n\trefstorage = reftable\n";
        assert_eq!(tables, expected);
        assert_eq!(changed(&tables, Format::Files), files);
    }

    #[test]
    fn other_extensions_keep_the_version() {
        let text = "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n\trefstorage = reftable\n";
        let files = changed(text, Format::Files);
        let expected = text.replace("\trefstorage = reftable\n", "");
        assert_eq!(files, expected);
        assert_eq!(changed(&files, Format::Reftable), text);
    }

    #[test]
    fn a_configuration_without_a_version_gets_one() {
        for text in ["", "[user]\n\tname = x\n", "[core]\n\tbare = false\n"] {
            let tables = changed(text, Format::Reftable);
            assert!(tables.contains("repositoryformatversion = 1\n"), "{tables}");
        }
    }

    #[test]
    fn the_default_grace_is_longer_than_git_waits() {
        for (timeout, expected) in [
            ("", 2),
            ("packedRefsTimeout = 5000", 6),
            ("packedRefsTimeout = -1", 61),
        ] {
            let config = Config::parse(format!("[core]\n{timeout}\n").as_bytes()).unwrap();
            assert_eq!(config.default_grace(), Duration::from_secs(expected));
        }
    }

    #[test]
    fn unknown_formats_are_refused() {
        for text in [
            "[core]\n\trepositoryformatversion = 2\n",
            "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tnew = 1\n",
            "[extensions]\n\tobjectformat = md5\n",
            "[extensions]\n\trefstorage = reftable:///elsewhere\n",
            "[extensions]\n\trefstorage = other\n",
            "[core\n",
        ] {
            let error = Config::parse(text.as_bytes()).unwrap_err();
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
