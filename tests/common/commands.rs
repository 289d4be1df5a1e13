//! Random git commands on references. There are few names, so that they collide.
#![forbid(unsafe_code)]

use std::fmt;

use super::Random;

/// A command line of git, its input, and where to run it.
#[derive(Clone, Debug)]
pub struct Step {
    /// Whether it runs in the linked worktree or in the repository itself.
    pub place: &'static str,
    pub args: Vec<String>,
    pub input: String,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "git -C {}", self.place)?;
        for arg in &self.args {
            write!(f, " '{}'", arg.replace('\'', r"'\''"))?;
        }
        if self.input.is_empty() {
            return Ok(());
        }
        write!(f, " <<'EOF'\n{}EOF", self.input)
    }
}

const BRANCHES: [&str; 9] = [
    "main", "a", "b", "a/b", "a/b/c", "dir", "dir/x", "dir/y", "other",
];
const REFS: [&str; 22] = [
    "refs/heads/main",
    "refs/heads/a",
    "refs/heads/b",
    "refs/heads/a/b",
    "refs/heads/a/b/c",
    "refs/heads/dir",
    "refs/heads/dir/x",
    "refs/heads/dir/y",
    "refs/heads/other",
    "refs/tags/t1",
    "refs/tags/t2",
    "refs/tags/t1/below",
    "refs/remotes/origin/main",
    "refs/notes/commits",
    "refs/custom/one",
    "refs/worktree/own",
    "refs/bisect/bad",
    "HEAD",
    "ORIG_HEAD",
    "refs/heads/sym",
    "refs/heads/sym2",
    "refs/heads/never",
];
const ODD_REFS: [&str; 6] = [
    "refs/heads/bad..name",
    "refs/heads/.hidden",
    "refs/heads/x.lock",
    "refs/heads",
    "refs/",
    "heads/a",
];
/// Names of other worktrees' refs, for reading only: upstream's git writes them where it does not
/// find them (see `docs/compatibility.md`).
const FAR_REFS: [&str; 4] = [
    "main-worktree/HEAD",
    "worktrees/wt1/HEAD",
    "worktrees/wt2/refs/worktree/own",
    "worktrees/none/HEAD",
];
const PATTERNS: [&str; 8] = [
    "refs/heads",
    "refs/heads/a",
    "refs/heads/a/",
    "refs/heads/a*",
    "refs/heads/dir/**",
    "refs/tags",
    "refs/no",
    "refs/heads/main",
];
const MESSAGES: [&str; 5] = [
    "a message",
    "two\nlines",
    "  spaces   within  ",
    "\u{fc}mlaut",
    "long long long long long long long long long long long long long long long long long",
];

/// Generates commands about the objects of one repository.
#[derive(Debug)]
pub struct Generator<'a> {
    pub random: Random,
    /// Ids of objects: commits first.
    pub ids: &'a [String],
    /// The number of commits among them.
    pub commits: usize,
    /// Whether some commands expire several reflogs.
    pub several_logs: bool,
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

impl Generator<'_> {
    /// Generates the next command.
    pub fn step(&mut self) -> Step {
        let mut input = String::new();
        let mut args = Vec::new();
        if self.random.one_in(6) {
            let value = self.random.pick(&["always", "true", "false"]);
            args.extend(["-c".into(), format!("core.logAllRefUpdates={value}")]);
        }
        args.extend(match self.random.below(32) {
            0..=6 => {
                input = self.transaction();
                let mut args = words(["update-ref", "--stdin"]);
                args.extend(self.random.maybe(&["--batch-updates"]).map(Into::into));
                self.message(&mut args);
                args
            }
            7..=9 => self.update_ref(),
            10..=11 => self.symbolic_ref(),
            12..=15 => self.branch(),
            16..=17 => self.tag(),
            18..=19 => self.checkout(),
            20 => {
                let message = self.random.pick(&["one", "two", "three"]);
                words(["commit", "--allow-empty", "-m", message])
            }
            21..=23 => self.reflog(),
            24 => {
                let option = self.random.pick(&["--all", "--auto", "--no-prune"]);
                words(["pack-refs", option])
            }
            25 => self.worktree(),
            26 => words(["refs", "verify"]),
            _ => self.read(),
        });
        let place = match self.random.below(8) {
            0 => "wt1",
            1 => "wt2",
            _ => "repo",
        };
        Step { place, args, input }
    }

    fn name(&mut self) -> &'static str {
        if self.random.one_in(25) {
            self.random.pick(&ODD_REFS)
        } else {
            self.random.pick(&REFS)
        }
    }

    /// Mostly a commit; sometimes another object, a missing one, or the null id.
    fn id(&mut self) -> String {
        let width = self.ids[0].len();
        match self.random.below(40) {
            0 => "0".repeat(width),
            1 => "d".repeat(width),
            2 => "garbage".into(),
            3 | 4 => self.ids[self.random.below(self.ids.len())].clone(),
            _ => self.ids[self.random.below(self.commits)].clone(),
        }
    }

    /// The expected value of a ref; often the right one.
    fn old(&mut self, name: &str) -> String {
        match self.random.below(4) {
            0 => self.id(),
            1 if self.random.one_in(3) => "0".repeat(self.ids[0].len()),
            _ => name.into(),
        }
    }

    fn message(&mut self, args: &mut Vec<String>) {
        if self.random.one_in(2) {
            args.extend(words(["-m", self.random.pick(&MESSAGES)]));
        } else if self.random.one_in(20) {
            args.extend(words(["-m", ""]));
        }
    }

    fn transaction(&mut self) -> String {
        let mut lines = Vec::new();
        for _ in 0..=self.random.below(4) {
            if self.random.one_in(10) {
                lines.push("option no-deref".to_owned());
            }
            lines.push(self.change());
        }
        match self.random.below(8) {
            0 => {
                lines.insert(0, "start".into());
                lines.push("prepare".into());
                lines.push(self.random.pick(&["commit", "abort"]).into());
            }
            1 => {
                lines.insert(0, "start".into());
                lines.push(self.random.pick(&["commit", "abort"]).into());
            }
            2 => lines.push("prepare".into()),
            _ => {}
        }
        lines.join("\n") + "\n"
    }

    fn change(&mut self) -> String {
        let name = self.name();
        let old = self.random.one_in(2).then(|| self.old(name));
        let old = old.map_or_else(String::new, |old| format!(" {old}"));
        match self.random.below(16) {
            0..=4 => format!("create {name} {}", self.id()),
            5..=8 => format!("update {name} {}{old}", self.id()),
            9..=10 => format!("delete {name}{old}"),
            11 => format!("verify {name}{old}"),
            12 => format!("symref-create {name} {}", self.name()),
            13 => {
                let old = match self.random.below(3) {
                    0 => format!(" ref {}", self.name()),
                    1 => format!(" oid {}", self.old(name)),
                    _ => String::new(),
                };
                format!("symref-update {name} {}{old}", self.name())
            }
            _ => {
                let command = self.random.pick(&["symref-delete", "symref-verify"]);
                // Both apply to symbolic refs only, and report others.
                let option = ["option no-deref\n", ""][usize::from(self.random.one_in(5))];
                let name = self
                    .random
                    .pick(&["HEAD", "refs/heads/sym", "refs/heads/sym2", name]);
                match self.random.maybe(&REFS) {
                    Some(target) => format!("{option}{command} {name} {target}"),
                    None => format!("{option}{command} {name}"),
                }
            }
        }
    }

    fn update_ref(&mut self) -> Vec<String> {
        let name = self.name();
        let mut args = words(["update-ref"]);
        self.message(&mut args);
        args.extend(
            self.random
                .maybe(&["--no-deref", "--create-reflog"])
                .map(Into::into),
        );
        if self.random.one_in(3) {
            args.extend(words(["-d", name]));
        } else {
            args.extend([name.to_owned(), self.id()]);
        }
        if self.random.one_in(3) {
            args.push(self.old(name));
        }
        args
    }

    fn symbolic_ref(&mut self) -> Vec<String> {
        let name = self
            .random
            .pick(&["HEAD", "refs/heads/sym", "refs/heads/sym2", "refs/heads/a"]);
        match self.random.below(5) {
            0 => words(["symbolic-ref", name]),
            1 => words(["symbolic-ref", "--no-recurse", name]),
            2 => words(["symbolic-ref", "--delete", name]),
            _ => words(["symbolic-ref", "-m", "linked", name, self.name()]),
        }
    }

    fn branch(&mut self) -> Vec<String> {
        let one = self.random.pick(&BRANCHES);
        let two = self.random.pick(&BRANCHES);
        match self.random.below(8) {
            0 | 1 => words(["branch", self.random.pick(&["-m", "-M"]), one, two]),
            2 => words(["branch", "-m", two]),
            3 | 4 => words(["branch", self.random.pick(&["-c", "-C"]), one, two]),
            5 => words(["branch", "-D", one, two]),
            6 => words(["branch", "-f", one, two]),
            _ => vec!["branch".into(), one.into(), self.id()],
        }
    }

    fn tag(&mut self) -> Vec<String> {
        let name = self.random.pick(&["t1", "t2", "t3", "t1/below"]);
        match self.random.below(4) {
            0 => words(["tag", "-d", name]),
            1 => vec!["tag".into(), name.into(), self.id()],
            2 => vec!["tag".into(), "-f".into(), name.into(), self.id()],
            _ => words(["tag", "-f", "-a", "-m", "annotated", name, "HEAD"]),
        }
    }

    fn checkout(&mut self) -> Vec<String> {
        let branch = self.random.pick(&BRANCHES);
        match self.random.below(5) {
            0 => words(["checkout", "-b", branch]),
            1 => words(["checkout", "--detach", branch]),
            2 => words(["checkout", "--orphan", branch]),
            3 => words(["checkout", "@{-1}"]),
            _ => words(["checkout", branch]),
        }
    }

    fn reflog(&mut self) -> Vec<String> {
        let name = self.name();
        let entry = format!("{name}@{{{}}}", self.random.below(4));
        match self.random.below(10) {
            0 | 1 => {
                let mut args = words(["reflog", "delete"]);
                args.extend(self.random.maybe(&["--rewrite"]).map(Into::into));
                args.extend(
                    self.random
                        .maybe(&["--updateref", "--dry-run"])
                        .map(Into::into),
                );
                args.push(entry);
                if self.several_logs && self.random.below(2) == 0 {
                    let other = self.name();
                    args.push(format!("{other}@{{{}}}", self.random.below(4)));
                }
                args
            }
            2..=5 => {
                let mut args = words(["reflog", "expire"]);
                let before = format!("--expire={}", super::EPOCH + self.random.next() % 3000);
                args.push(
                    self.random
                        .pick(&["--expire=now", "--expire=never", &before])
                        .into(),
                );
                args.extend(
                    self.random
                        .maybe(&["--expire-unreachable=now"])
                        .map(Into::into),
                );
                args.extend(self.random.maybe(&["--rewrite"]).map(Into::into));
                args.extend(
                    self.random
                        .maybe(&["--updateref", "--dry-run"])
                        .map(Into::into),
                );
                match self.several_logs {
                    true => args.push(self.random.pick(&["--all", name, name]).into()),
                    false => args.push(name.into()),
                }
                args
            }
            // Without --all, which drops the refs of other worktrees by their full names.
            6 => words(["reflog", "drop", name]),
            7 => vec![
                "reflog".into(),
                "write".into(),
                name.into(),
                self.id(),
                self.id(),
                "by hand".into(),
            ],
            8 => words(["reflog", "exists", name]),
            _ => words(["reflog", "list"]),
        }
    }

    fn worktree(&mut self) -> Vec<String> {
        let path = self.random.pick(&["../wt1", "../wt2"]);
        let branch = self.random.pick(&BRANCHES);
        match self.random.below(6) {
            0 => words(["worktree", "remove", "--force", path]),
            1 => words(["worktree", "add", "--detach", path]),
            2 => words(["worktree", "add", path, branch]),
            3 => words(["worktree", "add", "-B", branch, path]),
            4 => words(["worktree", "list"]),
            _ => words(["worktree", "prune"]),
        }
    }

    fn read(&mut self) -> Vec<String> {
        let name = match self.random.below(5) {
            0 => self.random.pick(&FAR_REFS),
            _ => self.name(),
        };
        let format = "--format=%(refname) %(objectname) %(symref)";
        match self.random.below(14) {
            0 => words(["for-each-ref", self.random.pick(&PATTERNS)]),
            1 => words(["for-each-ref", "--include-root-refs", format]),
            2 => {
                let exclude = format!("--exclude={}", self.random.pick(&PATTERNS));
                words(["for-each-ref", format, &exclude])
            }
            3 => {
                let after = format!("--start-after={name}");
                words(["for-each-ref", format, &after])
            }
            4 => words(["for-each-ref", "--count=3", format]),
            5 => words(["show-ref", "-d"]),
            6 => words(["show-ref", "--verify", name]),
            7 => words(["show-ref", "--exists", name]),
            8 => words(["rev-parse", "--verify", name]),
            9 => words(["rev-parse", "--symbolic-full-name", "--all"]),
            10 => words(["reflog", "show", name]),
            11 => words(["log", "-g", "--all", "--format=%gD %H %gs"]),
            12 => words(["branch", "--list", "-v", "--no-abbrev"]),
            _ => vec!["for-each-ref".into(), "--points-at".into(), self.id()],
        }
    }
}
