//! Writes the headers in `include` when the feature `headers` is on.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "headers")]
    headers::write();
}

#[cfg(feature = "headers")]
#[path = "build_prototypes.rs"]
mod prototypes;

#[cfg(feature = "headers")]
mod headers {
    use super::prototypes;
    use std::path::{Path, PathBuf};
    use std::{env, fs};

    /// The sources of the C API, in the order of its functions; `shape` stands for the module
    /// of a shape. `block` comes before `blocksource`, so that cbindgen defines a member before
    /// the struct that has it.
    const CAPI: [&str; 13] = [
        "basics",
        "constants",
        "error",
        "record",
        "iterator",
        "block",
        "blocksource",
        "table",
        "merged",
        "shape",
        "writer",
        "stack",
        "fsck",
    ];

    /// Generates the headers from the sources that define what they declare.
    pub fn write() {
        let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets the manifest's directory");
        let root = Path::new(&root);
        println!("cargo::rerun-if-changed=src/format/finding.rs");
        println!("cargo::rerun-if-changed=src/git");
        println!("cargo::rerun-if-changed=src/capi");
        println!("cargo::rerun-if-changed=build_prototypes.rs");
        backend_headers(root);
        capi_header(root, "2.56", "reftable.h");
        capi_header(root, "2.55", "reftable-2.55.h");
    }

    /// The header of a shape of the C API, which is named after a release of git.
    fn capi_header(root: &Path, release: &str, header: &str) {
        let mut config = config(root, "cbindgen-capi.toml");
        config.header = config.header.map(|text| text.replace("RELEASE", release));
        let suffix = release.replace('.', "_");
        let sources = CAPI.map(|name| match name {
            "shape" => source(root, "capi/shape", &format!("v{suffix}")),
            name => source(root, "capi", name),
        });
        generate(root, config, sources, header, |text| {
            c90(plain_names(&text, &format!("_{suffix}")))
        });
    }

    /// Declares the functions whose names end in `suffix` by their plain names, which macros
    /// replace.
    fn plain_names(text: &str, suffix: &str) -> String {
        let name_end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        let mut macros = String::new();
        for word in text.split(name_end) {
            if let Some(plain) = word.strip_suffix(suffix) {
                macros += &format!("#define {plain} {word}\n");
            }
        }
        let note = match macros.as_str() {
            "" => "",
            _ => {
                "
/*
 * Functions that have other parameters than in git 2.55. Their symbols differ, so that a
 * program compiled with this header does not link with a library of that shape.
 */
"
            }
        };
        // Parameters on further lines are aligned with the longer name.
        let (shift, mut is_renamed) = (" ".repeat(suffix.len()), false);
        let mut plain = String::new();
        for line in text.lines() {
            let rest = match line.strip_prefix(&shift) {
                Some(rest) if is_renamed => rest,
                _ => line,
            };
            plain += &rest.replace(&format!("{suffix}("), "(");
            plain.push('\n');
            is_renamed =
                (is_renamed || rest.contains(&format!("{suffix}("))) && !rest.ends_with(';');
        }
        plain.replace("\n@MACROS@\n", &format!("{note}{macros}"))
    }

    /// The header of each release in `src/git/abi`: layouts and constants, by cbindgen, and
    /// the lists for git's compiler.
    fn backend_headers(root: &Path) {
        let abi = root.join("src/git/abi");
        for release in releases(&abi) {
            let mut config = config(root, "cbindgen.toml");
            config.header = config
                .header
                .map(|text| text.replace("RELEASE", &release.title));
            config.export.rename.extend(release.lists.renamed());
            let own = [
                ("format", "finding"),
                ("git", "shim"),
                ("git", "vtable"),
                ("git", "dump"),
            ];
            let own = own.map(|(directory, name)| source(root, directory, name));
            generate(
                root,
                config,
                release.layouts.iter().cloned().chain(own),
                &format!("reftable-{}.h", release.feature),
                |text| insert_before_end(&upper_constants(&text), &release.lists.write()),
            );
        }
    }

    /// A release of git.
    struct Release {
        /// Its title, from the first line of its file.
        title: String,
        /// The feature that turns it on.
        feature: String,
        /// The files of structs and constants.
        layouts: Vec<PathBuf>,
        lists: prototypes::Lists,
    }

    /// The releases: each is a file beside `common.rs` whose modules are files, too.
    fn releases(abi: &Path) -> Vec<Release> {
        let shared = ["arguments", "common", "ffi"];
        let mut names: Vec<String> = fs::read_dir(abi)
            .expect("the directory of releases can be read")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
            .map(|path| path.file_stem().expect("a name").to_string_lossy().into())
            .filter(|name: &String| !shared.contains(&name.as_str()))
            .collect();
        names.sort();
        names.iter().map(|name| release(abi, name)).collect()
    }

    fn release(abi: &Path, name: &str) -> Release {
        let read = |path: &PathBuf| fs::read_to_string(path).expect("a source can be read");
        let (common, shim) = (abi.join("common.rs"), abi.with_file_name("shim.rs"));
        let main = read(&abi.join(name).with_extension("rs"));
        let (mut layouts, mut others) = (vec![common], vec![abi.join("ffi.rs")]);
        for (module, path) in prototypes::modules(&main, name) {
            match module.as_str() {
                "layout" | "options" => layouts.push(abi.join(path)),
                // Nothing of git's.
                "behavior" => {}
                _ => others.push(abi.join(path)),
            }
        }
        let title = main
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("//! "));
        let title = title.and_then(|line| line.strip_suffix('.'));
        Release {
            title: title
                .expect("a first line that names the release")
                .to_owned(),
            feature: format!("git-{}", name.trim_start_matches('v').replace('_', "-")),
            lists: prototypes::Lists::new(
                layouts.iter().map(read),
                read(&shim),
                others.iter().map(read),
            ),
            layouts,
        }
    }

    fn source(root: &Path, directory: &str, name: &str) -> PathBuf {
        root.join("src")
            .join(directory)
            .join(name)
            .with_extension("rs")
    }

    fn config(root: &Path, name: &str) -> cbindgen::Config {
        println!("cargo::rerun-if-changed={name}");
        cbindgen::Config::from_file(root.join(name)).expect("a sound configuration")
    }

    fn generate(
        root: &Path,
        config: cbindgen::Config,
        sources: impl IntoIterator<Item = PathBuf>,
        header: &str,
        finish: impl Fn(String) -> String,
    ) {
        println!("cargo::rerun-if-changed=include/{header}");
        let mut builder = cbindgen::Builder::new().with_config(config);
        for source in sources {
            builder = builder.with_src(source);
        }
        let mut text = Vec::new();
        builder
            .generate()
            .expect("the sources parse")
            .write(&mut text);
        let text = String::from_utf8(text).expect("cbindgen writes UTF-8");
        let text = finish(text);
        let path = root.join("include").join(header);
        if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            fs::write(path, text).expect("include can be written");
        }
    }

    /// Writes the prefix of constants in capitals, as that of all macros. Types and functions
    /// keep theirs.
    fn upper_constants(text: &str) -> String {
        const PREFIX: &str = "reftable_rs_";
        let mut parts = text.split(PREFIX);
        let mut upper = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            if part.starts_with(|c: char| c.is_ascii_uppercase()) {
                upper.push_str(&PREFIX.to_uppercase());
            } else {
                upper.push_str(PREFIX);
            }
            upper.push_str(part);
        }
        upper
    }

    /// Puts `lists` before the `#endif` of the include guard.
    fn insert_before_end(text: &str, lists: &str) -> String {
        const NOTE: &str = "\
/*
 * For git's compiler to compare with git's own declarations: the structs, their
 * members and the constants above, each with the name of its mirror; the functions
 * that refs/reftable-rust.c defines for the library; the functions and variables of
 * git that the library uses; the functions of the library that git calls; and the
 * integer types that the library has for enums and the like.
 */
";
        let end = text.rfind("#endif").expect("an include guard");
        let (head, tail) = text.split_at(end);
        format!("{head}{NOTE}{lists}{tail}")
    }

    /// Removes what C90 does not know: a comma after the last name of an enumeration, and
    /// comments to the end of the line.
    fn c90(text: String) -> String {
        text.replace(",\n};", "\n};")
            .replace("// extern \"C\"", "/* extern \"C\" */")
            .replace("// __cplusplus", "/* __cplusplus */")
    }
}
