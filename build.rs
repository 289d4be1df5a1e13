//! Writes the headers in `include` when the feature `headers` is on.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "headers")]
    headers::write();
}

#[cfg(feature = "headers")]
mod headers {
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
        println!("cargo::rerun-if-changed=src/git");
        println!("cargo::rerun-if-changed=src/capi");
        generate(
            root,
            "cbindgen.toml",
            ["abi/v2_55", "vtable", "dump"].map(|name| source(root, "git", name)),
            "reftable-git.h",
            |text| text,
        );
        generate(
            root,
            "cbindgen-capi.toml",
            CAPI.map(|name| source(root, "capi", name)),
            "reftable.h",
            c90,
        );
    }

    fn source(root: &Path, folder: &str, name: &str) -> PathBuf {
        root.join("src")
            .join(folder)
            .join(name)
            .with_extension("rs")
    }

    fn generate(
        root: &Path,
        config: &str,
        sources: impl IntoIterator<Item = PathBuf>,
        header: &str,
        finish: impl Fn(String) -> String,
    ) {
        println!("cargo::rerun-if-changed={config}");
        println!("cargo::rerun-if-changed=include/{header}");
        let config = cbindgen::Config::from_file(root.join(config)).expect("a sound configuration");
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

    /// Takes away what C90 does not know: a comma behind the last name of an enumeration,
    /// and comments to the end of the line.
    fn c90(text: String) -> String {
        text.replace(",\n};", "\n};")
            .replace("// extern \"C\"", "/* extern \"C\" */")
            .replace("// __cplusplus", "/* __cplusplus */")
    }
}
