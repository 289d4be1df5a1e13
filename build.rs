//! Writes `include/reftable-git.h` when the feature `headers` is on.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "headers")]
    headers();
}

/// Generates the header from the sources that define its structs.
#[cfg(feature = "headers")]
fn headers() {
    use std::path::Path;

    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets the manifest's directory");
    let root = Path::new(&root);
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml");
    println!("cargo::rerun-if-changed=cbindgen.toml");
    println!("cargo::rerun-if-changed=src/git");
    println!("cargo::rerun-if-changed=include/reftable-git.h");
    cbindgen::Builder::new()
        .with_config(config)
        .with_src(root.join("src/git/abi/v2_55.rs"))
        .with_src(root.join("src/git/vtable.rs"))
        .with_src(root.join("src/git/dump.rs"))
        .generate()
        .expect("the sources parse")
        .write_to_file(root.join("include/reftable-git.h"));
}
