//! Settings, compared with `git config get` and `git var`.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};

use crate::child;
use crate::common::{run, scratch, Git};

type Variables<'v> = &'v [(&'v str, &'v str)];

/// A home directory and a repository in it, `repo`, on the branch `topic/one`.
struct World {
    git: Git,
    home: PathBuf,
    _root: tempfile::TempDir,
}

impl World {
    fn new() -> Option<Self> {
        let git = Git::upstream()?;
        let root = scratch();
        let home = root.path().canonicalize().unwrap().join("Home");
        fs::create_dir(&home).unwrap();
        let world = Self {
            git,
            home,
            _root: root,
        };
        let init = ["init", "-q", "-b", "topic/one", "repo"];
        world.git.run(&world.home, &init, "");
        Some(world)
    }

    fn repo(&self) -> PathBuf {
        self.home.join("repo")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.home.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn append(&self, path: &str, text: &str) {
        let path = self.home.join(path);
        let old = fs::read_to_string(&path).unwrap();
        fs::write(path, old + text).unwrap();
    }

    /// The variables of both: there is no configuration of the system unless a test has one.
    fn variables<'v>(&'v self, more: Variables<'v>) -> Vec<(&'v str, &'v str)> {
        let home = self.home.to_str().unwrap();
        let mut all = vec![("HOME", home)];
        if more.iter().all(|(name, _)| *name != "GIT_CONFIG_SYSTEM") {
            all.push(("GIT_CONFIG_NOSYSTEM", "1"));
        }
        all.extend(more);
        all
    }

    fn ours(&self, dir: &Path, variables: Variables<'_>) -> String {
        child::settings(dir, &self.variables(variables))
    }

    fn git(&self, dir: &Path, variables: Variables<'_>, args: &[&str]) -> (i32, String) {
        let mut command = self.git.command(dir, args);
        for name in [
            "GIT_COMMITTER_NAME",
            "GIT_COMMITTER_EMAIL",
            "GIT_CONFIG_NOSYSTEM",
        ] {
            command.env_remove(name);
        }
        command.env_remove("GIT_CONFIG_GLOBAL");
        command.envs(self.variables(variables));
        let output = run(command, b"");
        (output.status, output.stdout.trim_end().to_owned())
    }

    /// A value by git; `default` if there is none. `Err` if it is invalid.
    fn value(
        &self,
        dir: &Path,
        variables: Variables<'_>,
        (kind, key): (&str, &str),
        default: &str,
    ) -> Result<String, ()> {
        let args = ["config", "get", "--includes", kind, key];
        match self.git(dir, variables, &args) {
            (0, value) => Ok(value),
            (1, _) => Ok(default.into()),
            _ => Err(()),
        }
    }

    /// What this crate should say, as far as git shows it.
    fn expected(&self, dir: &Path, variables: Variables<'_>) -> Result<String, ()> {
        let value = |kind, key, default| self.value(dir, variables, (kind, key), default);
        let (int, boolean) = ("--type=int", "--type=bool");
        let log = value("--no-type", "core.logallrefupdates", "unset")?;
        let log = match log.to_ascii_lowercase().as_str() {
            "always" => "Always",
            "unset" => "Unset",
            _ => match value(boolean, "core.logallrefupdates", "")?.as_str() {
                "true" => "Usual",
                _ => "Existing",
            },
        };
        let committer = match self.git(dir, variables, &["var", "GIT_COMMITTER_IDENT"]) {
            (0, text) => text.split_inclusive('>').next().unwrap().to_owned(),
            _ => "nobody".to_owned(),
        };
        Ok(format!(
            "block {} restart {} objects {} factor {} timeout {} log {log} committer {committer},",
            value(int, "reftable.blocksize", "4096")?,
            value(int, "reftable.restartinterval", "0")?,
            value(boolean, "reftable.indexobjects", "true")?,
            value(int, "reftable.geometricfactor", "0")?,
            value(int, "reftable.locktimeout", "100")?,
        ))
    }

    fn check(&self, dir: &Path, variables: Variables<'_>) -> String {
        let ours = self.ours(dir, variables);
        match self.expected(dir, variables) {
            Ok(expected) => assert!(ours.starts_with(&expected), "{ours}\n{expected}"),
            Err(()) => assert!(ours.starts_with("error: bad configuration"), "{ours}"),
        }
        ours
    }
}

#[test]
fn each_file_and_variable_overrides_those_before_it() {
    let Some(world) = World::new() else { return };
    let repo = world.repo();
    let system = world.home.join("system");
    let system = system.to_str().unwrap();
    let variables: &[(&str, &str)] = &[("GIT_CONFIG_SYSTEM", system)];
    let check = |more: Variables<'_>| world.check(&repo, &[variables, more].concat());
    check(&[]);
    world.write(
        "system",
        "[reftable]blockSize=1k\nrestartInterval=2\n[user]name=System",
    );
    check(&[]);
    check(&[("GIT_CONFIG_NOSYSTEM", "yes")]);
    world.write(
        ".config/git/config",
        "[reftable]restartInterval=3\n[user]email=x@y\n",
    );
    check(&[]);
    world.write(
        "xdg/git/config",
        "[reftable]restartInterval=4\n[core]logAllRefUpdates\n",
    );
    let xdg = world.home.join("xdg");
    check(&[("XDG_CONFIG_HOME", xdg.to_str().unwrap())]);
    world.write(
        ".gitconfig",
        "[reftable]restartInterval=5\nindexObjects=no\n",
    );
    check(&[]);
    let global = world.home.join("xdg/git/config");
    check(&[("GIT_CONFIG_GLOBAL", global.to_str().unwrap())]);
    check(&[("GIT_CONFIG_GLOBAL", "/dev/null")]);
    check(&[("GIT_CONFIG_GLOBAL", "")]);
    check(&[("HOME", "/nonexistent")]);
    world.append(
        "repo/.git/config",
        "[reftable]geometricFactor=7\nblockSize=2k\n",
    );
    check(&[]);
    let counted = [
        ("GIT_CONFIG_COUNT", "2"),
        ("GIT_CONFIG_KEY_0", "Reftable.LockTimeout"),
        ("GIT_CONFIG_VALUE_0", "-1"),
        ("GIT_CONFIG_KEY_1", "reftable.blockSize"),
        ("GIT_CONFIG_VALUE_1", "8k"),
    ];
    check(&counted);
    for bad in ["x", "3", "99999999999", "-1"] {
        let ours = check(&[&counted[1..], &[("GIT_CONFIG_COUNT", bad)]].concat());
        assert!(ours.starts_with("error"), "{bad}: {ours}");
    }
}

#[test]
fn worktrees_have_their_own_settings() {
    let Some(world) = World::new() else { return };
    let repo = world.repo();
    world
        .git
        .run(&repo, &["commit", "-q", "--allow-empty", "-m", "x"], "");
    world
        .git
        .run(&repo, &["worktree", "add", "-q", "../wt"], "");
    world.write("repo/.git/config.worktree", "[reftable]blockSize=1k");
    world.write(
        "repo/.git/worktrees/wt/config.worktree",
        "[reftable]blockSize=2k",
    );
    let wt = world.home.join("wt");
    for value in ["false", "true"] {
        world
            .git
            .run(&repo, &["config", "extensions.worktreeConfig", value], "");
        world.check(&repo, &[]);
        world.check(&wt, &[]);
    }
}

#[test]
fn values_are_those_of_git() {
    let Some(world) = World::new() else { return };
    let repo = world.repo();
    for text in [
        "blockSize=16777215",
        "blockSize=0x400",
        "blockSize=1 k",
        "blockSize=",
        "blockSize",
        "blockSize=1k\nblockSize=2k",
        "restartInterval=65535",
        "indexObjects=",
        "indexObjects=0",
        "indexObjects=what",
        "geometricFactor=255",
        "lockTimeout=-1",
        "lockTimeout=9223372036854775807",
        "lockTimeout=9223372036854775808",
        "lockTimeout=1g",
        "lockTimeout=+5",
        "lockTimeout=\" 5\"",
        "lockTimeout=5 ",
    ] {
        world.write(".gitconfig", &format!("[reftable]\n{text}\n"));
        world.check(&repo, &[]);
    }
    // Git checks these limits when it uses the values.
    for (text, reason) in [
        (
            "blockSize=16777216",
            "reftable block size cannot exceed 16MB",
        ),
        (
            "blockSize=-1",
            "bad numeric config value '-1' for 'reftable.blockSize'",
        ),
        (
            "restartInterval=65536",
            "reftable restart interval cannot exceed 65535",
        ),
        (
            "geometricFactor=256",
            "reftable geometric factor cannot exceed 255",
        ),
        (
            "lockTimeout=-2",
            "reftable lock timeout does not support negative values",
        ),
    ] {
        world.write(".gitconfig", &format!("[reftable]\n{text}\n"));
        let ours = world.ours(&repo, &[]);
        let expected = format!(".gitconfig': {reason}");
        assert!(ours.contains(&expected), "{ours}");
        let id = "0".repeat(40);
        let args = ["update-ref", "refs/heads/x", &id, &id];
        let (status, _) = world.git(&repo, &[], &args);
        assert_eq!(status, 128, "{text}");
    }
    let key = "core.logAllRefUpdates";
    world.git.run(&repo, &["config", "unset", key], "");
    for text in ["always", "ALWAYS", "true", "false", "", "2", "0", "never"] {
        world.write(".gitconfig", &format!("[core]logAllRefUpdates={text}"));
        world.check(&repo, &[]);
    }
    // Only the last value counts, as this one is looked up.
    world.write(
        ".gitconfig",
        "[core]logAllRefUpdates=never\nlogAllRefUpdates",
    );
    assert!(world.ours(&repo, &[]).contains("log Usual "));
}

#[test]
fn flushing_and_sharing() {
    let Some(world) = World::new() else { return };
    let repo = world.repo();
    for (text, expected) in [
        ("", true),
        ("fsync=reference", false),
        ("fsync=committed", false),
        ("fsync=added", false),
        ("fsync=all", false),
        ("fsync=ref", false),
        ("fsync=objects,index", true),
        ("fsync=none", true),
        ("fsync=loose-object, reference", false),
        ("fsync=-reference", true),
        ("fsync=all,-reference", false),
        ("fsync=,,all", false),
        ("fsync=-,all", true),
        ("fsync=all\nfsync=", true),
        ("fsync=all\nfsyncMethod=writeout-only", true),
        ("fsync=all\nfsyncMethod=batch", false),
        ("fsync=all\nfsyncMethod=other", false),
    ] {
        world.write(".gitconfig", &format!("[core]\n{text}\n"));
        let ours = world.ours(&repo, &[]);
        assert!(
            ours.ends_with(&format!("no_fsync {expected}")),
            "{text}: {ours}"
        );
    }
    for (value, expected) in [
        ("umask", "Umask"),
        ("group", "Also(432)"),
        ("true", "Also(432)"),
        ("1", "Also(432)"),
        ("0x1", "Also(432)"),
        ("all", "Also(436)"),
        ("world", "Also(436)"),
        ("everybody", "Also(436)"),
        ("2", "Also(436)"),
        ("false", "Umask"),
        ("0", "Umask"),
        ("", "Umask"),
        ("0640", "Exactly(416)"),
        ("777", "Exactly(438)"),
    ] {
        world.write(".gitconfig", &format!("[core]sharedRepository={value}"));
        let ours = world.ours(&repo, &[]);
        assert!(
            ours.contains(&format!("sharing {expected} ")),
            "{value}: {ours}"
        );
    }
    for value in ["0440", "8", "what"] {
        world.write(".gitconfig", &format!("[core]sharedRepository={value}"));
        let ours = world.ours(&repo, &[]);
        let is_error = ours.starts_with("error: bad configuration");
        assert_eq!(is_error, value != "8", "{value}: {ours}");
    }
}

#[test]
fn committers() {
    let Some(world) = World::new() else { return };
    let repo = world.repo();
    let name = ("GIT_COMMITTER_NAME", "E N V");
    let email = ("GIT_COMMITTER_EMAIL", "e@nv");
    for text in [
        "",
        "[user]name=U\nemail=u@x",
        "[user]name=\" <U> \"\nemail=<u@x>",
        "[user]name=U\nemail=u@x\n[committer]name=C",
        "[committer]email=c@x\n[user]name=U\nemail=u@x",
        "[user]name=U\nemail=",
        "[user]name=U",
        "[user]email=u@x",
        "[author]name=A\nemail=a@x",
    ] {
        world.write(".gitconfig", text);
        let environments: [Variables<'_>; 5] = [
            &[],
            &[name],
            &[email],
            &[name, email],
            &[("EMAIL", "mail@x")],
        ];
        for variables in environments {
            let ours = world.ours(&repo, variables);
            let (_, text) = world.git(&repo, variables, &["var", "GIT_COMMITTER_IDENT"]);
            // Git makes up what is missing, or fails.
            let theirs = text.split_inclusive('>').next().unwrap_or_default();
            let is_same = ours.contains(&format!("committer {theirs},"));
            assert!(
                is_same || ours.contains("committer nobody,"),
                "{ours} {theirs}"
            );
            let is_complete = ours.contains("committer nobody,");
            let has_name = text.contains("U <") || text.contains("C <") || text.contains("E N V");
            let has_email = theirs.contains("@x>") || theirs.contains("@nv>");
            assert_eq!(
                !is_complete,
                has_name && (has_email || theirs.ends_with("<>")),
                "{text} {ours}"
            );
        }
    }
}

#[test]
fn includes_and_their_conditions() {
    let Some(world) = World::new() else { return };
    let repo = world.repo();
    world.write("included", "[reftable]lockTimeout=7\n");
    world.write("dir/more", "[include]path=../included\n");
    world.append(
        "repo/.git/config",
        "[remote \"o\"]\nurl=https://example.com/a/b.git\n",
    );
    let home = world.home.display();
    let lower = world.home.to_str().unwrap().to_lowercase();
    let mut included = 0;
    let texts = [
        "[include]path=included".to_owned(),
        "[include]path=~/included".to_owned(),
        "[include]path=dir/more".to_owned(),
        "[include]path=missing\npath=included".to_owned(),
        "[include]path=~nobody-of-this-name/x".to_owned(),
        "[INCLUDE]PATH=included".to_owned(),
        "[includeif \"gitdir:~/\"]path=included".to_owned(),
        "[include]path=included\n[reftable]lockTimeout=9".to_owned(),
        "[include]path=".to_owned(),
        "[include]path".to_owned(),
        "[include]path=.gitconfig".to_owned(),
    ]
    .into_iter()
    .chain(
        [
            "gitdir:~/repo/.git",
            "gitdir:~/repo/",
            "gitdir:~/",
            "gitdir:repo/",
            "gitdir:repo",
            "gitdir:./repo/",
            "gitdir:./*/",
            "gitdir:**/.git",
            "gitdir:*/.git",
            "gitdir:repo/*",
            "gitdir:./other/",
            "gitdir:/",
            "gitdir:~",
            "gitdir:.git",
            "gitdir:REPO/",
            "gitdir/i:REPO/",
            "gitdir/i:~/RePo/",
            "onbranch:topic/one",
            "onbranch:topic/",
            "onbranch:topic",
            "onbranch:*",
            "onbranch:**",
            "onbranch:*/on[a-e]",
            "onbranch:",
            "hasconfig:remote.*.url:https://example.com/**",
            "hasconfig:remote.*.url:https://example.com/*",
            "hasconfig:remote.*.url:**/b.git",
            "hasconfig:remote.o.url:**",
            "hasconfig:user.name:x",
            "unknown:x",
            "gitdir",
            "",
        ]
        .map(|condition| format!("[includeIf \"{condition}\"]path=included")),
    )
    .chain([
        format!("[includeIf \"gitdir:{home}/repo/\"]path={home}/included"),
        format!("[includeIf \"gitdir:{lower}/repo/\"]path=included"),
        format!("[includeIf \"gitdir/i:{lower}/repo/\"]path=included"),
        "[includeIf \"gitdir:~/\"]path".to_owned(),
        "[includeIf \"gitdir:~/\"]other=included".to_owned(),
    ]);
    for text in texts {
        world.write(".gitconfig", &format!("{text}\n"));
        let value = world.value(&repo, &[], ("--type=int", "reftable.lockTimeout"), "100");
        let ours = world.ours(&repo, &[]);
        match value {
            Ok(value) => assert!(
                ours.contains(&format!("timeout {value} ")),
                "{text}: {ours}"
            ),
            Err(()) => assert!(ours.starts_with("error: "), "{text}: {ours}"),
        }
        included += usize::from(ours.contains("timeout 7 "));
    }
    assert!(included > 15, "{included}");
    // Of the environment only absolute files can be included.
    world.write(".gitconfig", "");
    for (path, is_known) in [(format!("{home}/none"), true), ("none".into(), false)] {
        let variables = [
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "include.path"),
            ("GIT_CONFIG_VALUE_0", path.as_str()),
        ];
        let ours = world.ours(&repo, &variables);
        assert_eq!(!ours.starts_with("error"), is_known, "{ours}");
    }
}

#[cfg(unix)]
#[test]
fn unreadable_files() {
    let Some(world) = World::new() else { return };
    let repo = world.repo();
    fs::create_dir(world.home.join(".gitconfig")).unwrap();
    let ours = world.ours(&repo, &[]);
    assert!(ours.starts_with("error: unable to read"), "{ours}");
    fs::remove_dir(world.home.join(".gitconfig")).unwrap();
    world.write(".gitconfig", "[user]\nname = \"x");
    let ours = world.ours(&repo, &[]);
    assert!(
        ours.contains(".gitconfig': Got an unexpected token on line 2"),
        "{ours}"
    );
}
