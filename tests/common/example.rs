// For examples in the documentation: an expression that makes a repository with a branch and a
// tag. Its value is the directory.
{
    use reftable::repo::{Identity, Layout, Settings};
    use reftable::{HashId, Repository};

    let dir = tempfile::tempdir().unwrap();
    let git_dir = dir.path().join(".git");
    std::fs::create_dir_all(git_dir.join("reftable")).unwrap();
    std::fs::create_dir_all(git_dir.join("objects")).unwrap();
    std::fs::create_dir_all(git_dir.join("refs")).unwrap();
    std::fs::write(git_dir.join("HEAD"), "ref: refs/heads/.invalid\n").unwrap();
    let config = "[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefstorage = reftable\n\
        [user]\n\tname = A U Thor\n\temail = author@example.com\n";
    std::fs::write(git_dir.join("config"), config).unwrap();
    let mut settings = Settings::default();
    settings.committer = Some(Identity {
        name: "A U Thor".into(),
        email: "author@example.com".into(),
    });
    let layout = Layout::new(&git_dir, &git_dir, HashId::Sha1);
    let commit = "cdd9f6b1a9cdc3a5a0d656ea5b62bac487c89cd7".parse().unwrap();
    let repository = Repository::open_at(layout, settings);
    repository
        .transaction()
        .set_symbolic("HEAD", "refs/heads/main", Default::default())
        .commit()
        .unwrap();
    repository
        .transaction()
        .message("commit (initial): one")
        .create("refs/heads/main", commit)
        .create("refs/tags/v1.0", commit)
        .commit()
        .unwrap();
    dir
}
