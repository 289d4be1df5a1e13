//! The syntax of configuration files, compared with `git config list`.
#![forbid(unsafe_code)]

use std::fs;

use reftable::internals::config_list;

use crate::common::{number, run, scratch, Git, Random};

fn check(git: &Git, dir: &std::path::Path, bytes: &[u8]) {
    fs::write(dir.join("config"), bytes).unwrap();
    let args = ["config", "list", "-z", "--no-includes", "--file", "config"];
    let output = git.command(dir, &args).output().unwrap();
    let expected = output.status.success().then_some(output.stdout);
    let shown = String::from_utf8_lossy(bytes);
    assert_eq!(config_list(bytes).ok(), expected, "{shown:?}");
}

#[test]
fn each_rule() {
    let Some(git) = Git::upstream() else { return };
    let dir = scratch();
    for text in [
        "",
        "\u{feff}[a]b=1",
        "\u{feff}",
        "[a]\nb = c d  # e\n",
        "[a]b=c;d",
        "[a]b=\"c;d\" e",
        "[a]b=  \"  c  \"  ",
        "[a]b=c\\\n  d",
        "[a]b=c\\\r\nd\r\n",
        "[a]b=c\\",
        "[a]b=c\\x",
        "[a]b=\\t\\n\\b\\\\\\\"",
        "[a]b=\"c\nd\"",
        "[a]b=\"c",
        "[a]b",
        "[a]b \t\n c",
        "[a]b c",
        "[a]b=",
        "[a]b==",
        "[a]B-c=1",
        "[a]b_c=1",
        "[a]-b=1",
        "[a]1b=1",
        "[A.B]c=1",
        "[A \"B\"]c=1",
        "[A\t \"B\"]c=1",
        "[A \"B\" ]c=1",
        "[A \"\"]c=1",
        "[A \"B.\\\"\\C\"]d=1",
        "[A \"B\nC\"]d=1",
        "[A \"B\\\nC\"]d=1",
        "[a b]c=1",
        "[]b=1",
        "[.]b=1",
        "[a",
        "[a\n]b=1",
        "[a]]b=1",
        "[a] [b] c=1",
        "[a]b=1 [c]",
        "[a]b=1\r\n\r[c]\r\nd\r\n",
        "[a]b=\u{b}c\u{b}",
        "[a]b = \u{a0}c",
        "# [a]\n;\n\t#\n",
        "[a]b=1#\\\nc=2",
    ] {
        check(&git, dir.path(), text.as_bytes());
    }
}

/// Random texts of the bytes that mean something.
#[test]
fn random_files() {
    let Some(git) = Git::upstream() else { return };
    let dir = scratch();
    let pieces = [
        "[a]",
        "[b \"c\"]",
        "[",
        "]",
        "\n",
        "\n",
        " ",
        "\t",
        "=",
        "= x",
        "\"",
        "\\",
        "\\\n",
        "#",
        ";",
        "\r\n",
        "\r",
        "key",
        "Key2",
        "-",
        ".",
        "1",
        "value",
        "\u{fc}",
        "\u{feff}",
        "\\\"",
        "\\t",
    ];
    let mut random = Random::new(number("REFTABLE_SEED", 19));
    for _ in 0..number("REFTABLE_CONFIGS", 300) {
        let mut text = String::from("[a]\nkey = value\n");
        for _ in 0..random.below(12) {
            text.push_str(random.pick(&pieces));
        }
        check(&git, dir.path(), text.as_bytes());
    }
}

#[test]
fn large_files_are_refused() {
    let mut text = b"[a]\n".to_vec();
    text.extend(b"b=c\n".repeat(100_000));
    assert_eq!(
        config_list(&text).unwrap().len(),
        100_000 * b"a.b\nc\0".len()
    );
    let Some(git) = Git::upstream() else { return };
    let dir = scratch();
    let init = ["init", "-q", "."];
    assert_eq!(run(git.command(dir.path(), &init), b"").status, 0);
    let config = dir.path().join(".git/config");
    let file = fs::OpenOptions::new().append(true).open(config).unwrap();
    file.set_len(1 << 40)
        .unwrap_or_else(|_| file.set_len(1 << 30).unwrap());
    let error = reftable::Repository::discover(dir.path()).unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
}
