//! Random transactions in pairs of repositories: by `git update-ref --stdin` in one, by this crate
//! in the other. Outcomes and all records are equal after each.
//!
//! A run is short; `REFTABLE_REPO_SEQUENCES` sets the number of sequences, `REFTABLE_REPO_SEED`
//! runs a single one.

use std::fmt::Write as _;

use reftable::repo::{Change, Error, Expected, Log, LogRefUpdates, Repository, Settings};
use reftable::ObjectId;

use crate::common::{number, Git, Random};
use crate::support::{time, Pair, Shared, HASHES};

const STEPS: u64 = 30;

const REFS: [&str; 22] = [
    "refs/heads/main",
    "refs/heads/a",
    "refs/heads/b",
    "refs/heads/a/b",
    "refs/heads/dir",
    "refs/heads/dir/x",
    "refs/heads/dir/y",
    "refs/heads/linked",
    "refs/tags/t1",
    "refs/tags/t1/below",
    "refs/remotes/origin/main",
    "refs/custom/one",
    "refs/worktree/own",
    "refs/bisect",
    "refs/bisect/bad",
    "HEAD",
    "ORIG_HEAD",
    "refs/heads/sym",
    "refs/heads/sym",
    "refs/heads/sym2",
    "refs/heads/sym3",
    "refs/heads/never",
];

/// One change, for both sides.
struct Both {
    change: Change,
    commands: String,
}

struct Generator<'s> {
    random: Random,
    shared: &'s Shared,
}

impl Generator<'_> {
    fn name(&mut self) -> &'static str {
        self.random.pick(&REFS)
    }

    /// A ref that all worktrees share. Git resolves others, which it may have changed already in the
    /// same transaction, to their old or new value, by the order of the stacks.
    fn target(&mut self) -> &'static str {
        loop {
            let name = self.name();
            if name.starts_with("refs/") && !name.starts_with("refs/worktree") {
                return name;
            }
        }
    }

    fn id(&mut self) -> ObjectId {
        let commits = self.shared.objects.commits;
        self.shared.id(self.random.below(commits))
    }

    /// The current id of a ref, if it has one, or another one.
    fn old(&mut self, repository: &Repository, name: &str) -> ObjectId {
        match self.random.one_in(3) {
            true => self.id(),
            false => match repository.resolve(name) {
                Ok(Some(resolved)) => resolved.id.unwrap_or_else(|| self.id()),
                _ => self.id(),
            },
        }
    }

    /// The current target of a ref, if it is symbolic, or another one.
    fn old_target(&mut self, repository: &Repository, name: &str) -> String {
        match (self.random.one_in(3), repository.find(name)) {
            (false, Ok(Some(found))) => match found.target.symbolic() {
                Some(target) => target.to_string(),
                None => self.name().to_owned(),
            },
            _ => self.name().to_owned(),
        }
    }

    fn change(&mut self, repository: &Repository) -> Both {
        let name = self.name();
        let null = ObjectId::null(self.shared.hash_id());
        let mut is_deref = !self.random.one_in(3);
        let (change, command) = match self.random.below(12) {
            0 | 1 => {
                let id = self.id();
                (Change::create(name, id), format!("create {name} {id}"))
            }
            2..=4 => {
                let id = self.id();
                let (expected, old) = self.expected(repository, name);
                let command = format!("update {name} {id}{old}");
                (Change::update(name, id, expected), command)
            }
            5 | 6 => match self.random.one_in(2) {
                true => (
                    Change::delete(name, Expected::Any),
                    format!("delete {name}"),
                ),
                false => {
                    let old = self.old(repository, name);
                    let change = Change::delete(name, old.into());
                    (change, format!("delete {name} {old}"))
                }
            },
            7 => match self.random.one_in(3) {
                true => {
                    let change = Change::verify(name, Expected::Missing);
                    (change, format!("verify {name} {null}"))
                }
                false => {
                    let old = self.old(repository, name);
                    let change = Change::verify(name, old.into());
                    (change, format!("verify {name} {old}"))
                }
            },
            8 | 9 => {
                is_deref = false;
                let name = self
                    .random
                    .pick(&["HEAD", "refs/heads/sym", "refs/heads/sym2", name]);
                let target = match name {
                    "HEAD" => {
                        self.random
                            .pick(&["refs/heads/a", "refs/heads/main", "refs/heads/sym"])
                    }
                    _ => self.target(),
                };
                let (expected, old) = match self.random.below(4) {
                    0 => {
                        let old = self.old(repository, name);
                        (Expected::Id(old), format!(" oid {old}"))
                    }
                    1 => {
                        let old = self.old_target(repository, name);
                        let command = format!(" ref {old}");
                        (Expected::Symbolic(old.into()), command)
                    }
                    2 if self.random.one_in(2) => (Expected::Missing, format!(" oid {null}")),
                    _ => (Expected::Any, String::new()),
                };
                let command = format!("symref-update {name} {target}{old}");
                (Change::symbolic(name, target, expected), command)
            }
            10 => {
                is_deref = false;
                let old = self.old_target(repository, name);
                let command = format!("symref-delete {name} {old}");
                let expected = Expected::Symbolic(old.into());
                (Change::delete(name, expected), command)
            }
            _ => {
                is_deref = false;
                let old = self.old_target(repository, name);
                let command = format!("symref-verify {name} {old}");
                let expected = Expected::Symbolic(old.into());
                (Change::verify(name, expected), command)
            }
        };
        match is_deref {
            true => Both {
                change,
                commands: format!("{command}\n"),
            },
            false => Both {
                change: change.no_deref(),
                commands: format!("option no-deref\n{command}\n"),
            },
        }
    }

    fn expected(&mut self, repository: &Repository, name: &str) -> (Expected, String) {
        match self.random.below(4) {
            0 => {
                let null = ObjectId::null(self.shared.hash_id());
                (Expected::Missing, format!(" {null}"))
            }
            1 | 2 => {
                let old = self.old(repository, name);
                (Expected::Id(old), format!(" {old}"))
            }
            _ => (Expected::Any, String::new()),
        }
    }
}

/// Whether the ref that `HEAD` points at becomes symbolic. Git then logs that `HEAD` no longer has a
/// value; this crate logs the value that it has.
fn makes_branch_symbolic(repository: &Repository, both: &Both) -> bool {
    let head = repository.find("HEAD").unwrap();
    let branch = head.as_ref().and_then(|head| head.target.symbolic());
    both.commands.contains("symref-update") && branch == Some(both.change.name())
}

/// The kind of an error, by git's message.
fn kind_of_message(stderr: &str) -> &'static str {
    let has = |text: &str| stderr.contains(text);
    match () {
        () if has("exists; cannot create") || has("at the same time") => "name conflict",
        () if has("multiple updates for") => "duplicate",
        () if has("but expected")
            || has("reference already exists")
            || has("unable to resolve reference")
            || has("dangling symref already exists")
            || has("but is a regular ref")
            || has("error reading reference") =>
        {
            "unexpected"
        }
        () => "other",
    }
}

fn kind_of(error: &Error) -> &'static str {
    match error {
        Error::NameConflict { .. } => "name conflict",
        Error::Duplicate { .. } | Error::TooManySymrefs { .. } => "duplicate",
        Error::Unexpected { .. } => "unexpected",
        _ => "other",
    }
}

/// Counts of transactions, to see that both outcomes are common.
#[derive(Debug, Default)]
struct Counts {
    done: usize,
    refused: usize,
}

fn settings(random: &mut Random) -> (Settings, &'static str) {
    let mut settings = Settings::default();
    let value;
    (settings.log_ref_updates, value) = match random.below(3) {
        0 => (LogRefUpdates::Always, "always"),
        1 => (LogRefUpdates::Existing, "false"),
        _ => (LogRefUpdates::Usual, "true"),
    };
    (settings, value)
}

fn sequence(shared: &Shared, seed: u64, counts: &mut Counts) -> Result<(), String> {
    let mut random = Random::new(seed);
    let (settings, log_ref_updates) = settings(&mut random);
    let pair = shared.pair(settings);
    let config = format!("core.logAllRefUpdates={log_ref_updates}");
    let repositories = [false, true].map(|is_linked| pair.ours(is_linked));
    let mut generator = Generator { random, shared };
    let mut history = format!("seed {seed}, {}, {config}\n", shared.hash);
    for step in 0..STEPS {
        let is_linked = generator.random.one_in(3);
        let repository = &repositories[usize::from(is_linked)];
        let count = 1 + generator.random.below(3) * generator.random.below(2);
        let mut changes: Vec<_> = (0..count).map(|_| generator.change(repository)).collect();
        changes.retain(|both| !makes_branch_symbolic(repository, both));
        if changes.is_empty() {
            continue;
        }
        let input: String = changes.iter().map(|both| both.commands.as_str()).collect();
        let log = match generator.random.one_in(4) {
            true => Log::Always,
            false => Log::ByRules,
        };
        let mut args = vec!["-c", &config, "update-ref", "-m", " a\n message", "--stdin"];
        if log == Log::Always {
            args.insert(3, "--create-reflog");
        }
        writeln!(history, "linked: {is_linked}, log: {log:?}\n{input}").unwrap();
        let output = pair.git(is_linked, &args, &input, step);
        let mut transaction = repository.transaction();
        transaction
            .message(" a\n message")
            .time(time(step))
            .log(log);
        let is_single = changes.len() == 1;
        for both in changes {
            // Git has no option to log a deletion.
            let change = match both.commands.contains("delete ") {
                true => both.change.log(Log::ByRules),
                false => both.change,
            };
            transaction.add(change);
        }
        let ours = transaction.commit();
        let theirs = output.status == 0;
        match &ours {
            Ok(_) if theirs => counts.done += 1,
            Err(error) if !theirs => {
                counts.refused += 1;
                let kinds = (kind_of(error), kind_of_message(&output.stderr));
                let is_circle = output.stderr.contains("error reading reference");
                if is_single && !is_circle && kinds.0 != kinds.1 {
                    return Err(format!("{history}ours: {error}\ngit: {}", output.stderr));
                }
            }
            // In a linked worktree git does not see a conflict with a ref of the main one.
            Err(Error::NameConflict { existing, .. })
                if existing.starts_with(b"main-worktree/") =>
            {
                return Ok(());
            }
            // Git does not let a circle be repaired if its target is named.
            Ok(_) if output.stderr.contains("error reading reference") => return Ok(()),
            _ => return Err(format!("{history}ours: {ours:?}\ngit: {output:?}")),
        }
        let [our_state, their_state] = pair.states();
        if our_state != their_state {
            return Err(format!("{history}ours:\n{our_state}\ngit:\n{their_state}"));
        }
    }
    compare_listings(&pair).map_err(|text| history + &text)
}

fn compare_listings(pair: &Pair<'_>) -> Result<(), String> {
    for is_linked in [false, true] {
        let [ours, theirs] = ["ours", "git"].map(|side| pair.listing(side, is_linked));
        if ours != theirs {
            return Err(format!("ours:\n{ours}\ngit:\n{theirs}"));
        }
    }
    Ok(())
}

#[test]
fn random_transactions_have_the_effects_of_gits() {
    let sequences = number("REFTABLE_REPO_SEQUENCES", 6);
    let first = number("REFTABLE_REPO_SEED", 0);
    let last = match first {
        0 => sequences,
        seed => seed,
    };
    for git in [Git::upstream(), Git::patched()].into_iter().flatten() {
        for hash in HASHES {
            let Some(shared) = Shared::of(git.clone(), hash) else {
                continue;
            };
            let mut counts = Counts::default();
            for seed in first.max(1)..=last {
                if let Err(text) = sequence(&shared, seed, &mut counts) {
                    panic!("{text}");
                }
            }
            eprintln!("{hash}: {counts:?}");
            let are_both_common = counts.done > 20 && counts.refused > 20;
            assert!(first > 0 || are_both_common, "{counts:?}");
        }
    }
}
