//! Of two errors in a transaction, the one that git's own backend of that release reports.

use crate::common::{run, scratch, Git};

const TRANSACTIONS: [&[&str]; 5] = [
    // A name that conflicts with an existing ref comes before a wrong value, or after it.
    &["create refs/heads/a/b ID", "create refs/heads/main ID"],
    &["create refs/heads/main ID", "create refs/heads/a/b ID"],
    // Two new names conflict with each other; the value of HEAD is that of its referent.
    &[
        "create HEAD ID",
        "create refs/heads/dir ID",
        "create refs/heads/dir/y ID",
    ],
    // There is no conflict before the wrong value.
    &[
        "create refs/heads/free ID",
        "create refs/heads/main ID",
        "create refs/heads/a/b ID",
    ],
    // HEAD points to this symref.
    &["create refs/heads/sym ID"],
];

#[test]
fn the_first_of_two_errors_is_reported() {
    let Some((patched, upstream)) = Git::both_of_one_release() else {
        return;
    };
    let root = scratch();
    let repo = root.path().join("repo");
    let init = ["init", "-q", "-b", "main", "--ref-format=reftable", "repo"];
    upstream.run(root.path(), &init, "");
    let commit = ["commit", "-q", "--allow-empty", "-m", "one"];
    upstream.run(&repo, &commit, "");
    upstream.run(&repo, &["branch", "a"], "");
    let target = ["symbolic-ref", "refs/heads/sym", "refs/heads/main"];
    upstream.run(&repo, &target, "");
    upstream.run(&repo, &["symbolic-ref", "HEAD", "refs/heads/sym"], "");
    let id = run(upstream.command(&repo, &["rev-parse", "HEAD"]), b"").stdout;
    for transaction in TRANSACTIONS {
        let input = transaction.join("\n").replace("ID", id.trim()) + "\n";
        let said = |git: &Git| {
            let output = run(
                git.command(&repo, &["update-ref", "--stdin"]),
                input.as_bytes(),
            );
            (output.status, output.stderr)
        };
        let expected = said(&upstream);
        assert_ne!(expected.0, 0, "{input}");
        assert_eq!(said(&patched), expected, "{input}");
    }
}
