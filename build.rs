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

    /// The sources of `include/reftable.h`, in the order of its functions. A block comes
    /// before its source, for cbindgen to define what is a member before what has it.
    const CAPI: [&str; 12] = [
        "basics",
        "constants",
        "error",
        "record",
        "iterator",
        "block",
        "blocksource",
        "table",
        "merged",
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
        backend_header(root);
        generate(
            root,
            config(root, "cbindgen-capi.toml"),
            CAPI.map(|name| source(root, "capi", name)),
            "reftable.h",
            c90,
        );
    }

    /// `reftable-git.h`: the layouts and constants that cbindgen writes, and the
    /// prototypes.
    fn backend_header(root: &Path) {
        let read = |name| fs::read_to_string(source(root, "git", name)).expect("a source");
        let (abi, foreign) = (read("abi/v2_55"), read("sys/ffi"));
        let mut config = config(root, "cbindgen.toml");
        config.export.rename.extend(prototypes::renamed(&abi));
        let lists = prototypes::lists(&abi, &foreign);
        generate(
            root,
            config,
            [
                source(root, "format", "finding"),
                source(root, "git", "abi/v2_55"),
                source(root, "git", "vtable"),
                source(root, "git", "dump"),
            ],
            "reftable-git.h",
            |text| insert_before_end(&upper_constants(&text), &lists),
        );
    }

    fn source(root: &Path, folder: &str, name: &str) -> PathBuf {
        root.join("src")
            .join(folder)
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

    /// Constants have a prefix in capitals, as all macros do; types and functions keep theirs.
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

    /// Takes away what C90 does not know: a comma behind the last name of an enumeration,
    /// and comments to the end of the line.
    fn c90(text: String) -> String {
        text.replace(",\n};", "\n};")
            .replace("// extern \"C\"", "/* extern \"C\" */")
            .replace("// __cplusplus", "/* __cplusplus */")
    }
}
