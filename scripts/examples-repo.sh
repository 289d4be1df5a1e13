# shellcheck shell=bash
# shellcheck disable=SC2154 # work, gits and tool are set by the script that sources it
# Makes the repositories for scripts/test-c-examples, with the output of git and its test
# tool for them in the directory `expected`. To be sourced.

# Keeps the caller's settings out.
git_in() {
	env -u GIT_DIR GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null HOME="$work" \
		GIT_AUTHOR_NAME='A U Thor' GIT_AUTHOR_EMAIL=author@example.com \
		GIT_COMMITTER_NAME='C O Mitter' GIT_COMMITTER_EMAIL=committer@example.com \
		GIT_COMMITTER_DATE="${date:-1700000000 +0000}" GIT_AUTHOR_DATE='1700000000 +0000' \
		GIT_TEST_FSYNC=false GIT_TEST_REFTABLE_AUTOCOMPACTION="${compact:-true}" \
		"$git" -C "$1" "${@:2}"
}

# Names a directory in $files, for repositories with a file for each ref: in memory, if there
# is room, because a file system on disk takes seconds to make and to remove them. The script
# removes $memory.
choose_memory() {
	local room
	memory=
	files=$work/files
	room=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1) || return 0
	test "$room" -gt $((512 * 1024)) || return 0
	memory=$(mktemp -d /dev/shm/reftable-examples.XXXXXX) || return 0
	files=$memory/files
}

# One repository by upstream's git with SHA-1, one by the patched git with SHA-256.
make_repositories() {
	local git hash
	choose_memory
	for hash in sha1 sha256
	do
		git=${gits[0]}
		test "$hash" = sha1 || git=${gits[1]}
		repo=$work/repo-$hash
		mkdir "$repo"
		git_in "$repo" init --quiet --initial-branch=main --ref-format=reftable \
			--object-format="$hash" .
		fill_repository
		expect
	done
}

commit() {
	git_in "$repo" commit-tree -m "$1" "$tree"
}

# Several blocks of refs with an index, reflogs with time zones and odd messages,
# tags, symbolic refs, deleted refs, all of it in several tables.
fill_repository() {
	local tree first second third i
	tree=$(git_in "$repo" mktree </dev/null)
	first=$(commit first)
	second=$(commit second)
	third=$(commit third)
	mkdir "$repo/expected"
	echo "$second" >"$repo/expected/new"
	echo "$third" >"$repo/expected/other"
	{
		printf 'create refs/heads/topic %s\n' "$first"
		for ((i = 0; i < 1500; i++))
		do
			printf 'create refs/heads/branch-%04d %s\n' "$i" "$first"
		done
	} | git_in "$repo" update-ref -m 'many at once' --stdin
	compact=false
	for i in 1 2 3
	do
		git_in "$repo" tag -a -m "tag $i" "v$i" "$first"
	done
	git_in "$repo" symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main
	git_in "$repo" update-ref refs/remotes/origin/main "$second"
	date='1700000060 +0545' git_in "$repo" update-ref -m 'commit (initial): first' HEAD "$first"
	date='1700000120 -0130' git_in "$repo" update-ref -m $'two\nlines\tand a tab' HEAD "$second"
	date='1700000180 -1200' git_in "$repo" update-ref HEAD "$third"
	git_in "$repo" update-ref -m 'zur Größe' refs/heads/größe "$second"
	git_in "$repo" update-ref -d refs/heads/branch-0007
	git_in "$repo" update-ref -d refs/heads/topic
	git_in "$repo" update-ref -m 'once more' refs/heads/topic "$third"
	compact=true
	test "$(wc -l <"$repo/.git/reftable/tables.list")" -gt 5 || die "the repository has too few tables"
}

# Collects the expected output: refs from git's own backend, reflogs from the files of the
# other reference storage, blocks from git's test tool.
expect() {
	local name git=${gits[0]}
	refs_of "$repo" >"$repo/expected/refs"
	cp -r "$repo" "$files"
	git_in "$files" pack-refs --all
	cp -r "$files/.git/reftable" "$repo/packed"
	git_in "$files" refs migrate --ref-format=files
	for name in HEAD refs/heads/main refs/heads/topic refs/heads/none
	do
		tac "$files/.git/logs/$name" >"$repo/expected/log-$(tr / - <<<"$name")" 2>/dev/null || :
	done
	test "$(wc -l <"$repo/expected/log-HEAD")" = 3 || die "the reflog of HEAD does not have three entries"
	{
		wc -l <"$repo/expected/refs"
		find "$files/.git/logs" -type f -exec cat {} + | wc -l
		sed -n '1s/.* //p' "$repo/expected/refs"
	} >"$repo/expected/packed"
	rm -rf "$files"
	for table in "$repo"/.git/reftable/*.ref "$repo"/packed/*.ref
	do
		expect_blocks "$table" >"$repo/expected/blocks-${table##*/}"
	done
}

refs_of() {
	local value='%(if)%(symref)%(then)ref: %(symref)%(else)%(objectname)'
	value+='%(if)%(*objectname)%(then) %(*objectname)%(end)%(end) %(refname)'
	git_in "$1" for-each-ref --include-root-refs --format="$value"
}

# For each block: type, offset of the restarts, their number. (The tool cannot print
# records: it crashes on object ids.)
expect_blocks() {
	"$tool" dump-reftable -b "$1" | awk '
		/^(ref|obj|idx|log):/ { type = $1 == "log:" ? "g" : substr($1, 1, 1) }
		/ length: / { bytes = $3 }
		/ restarts: / { print type, bytes, $2 }'
}

# The refs of a repository after the transaction of the example.
after_transaction() {
	local git=${gits[0]} name
	git_in "$1" refs verify
	git_in "$1" fsck --no-progress --no-dangling
	refs_of "$1"
	cp -r "$1" "$files"
	git_in "$files" refs migrate --ref-format=files
	for name in HEAD refs/heads/topic refs/heads/added
	do
		sed -E 's/^(.*> )[0-9]+ /\1TIME /' "$files/.git/logs/$name"
	done
	rm -rf "$files"
}

expected_transaction() {
	local new other zero old
	new=$(cat "$1/expected/new")
	other=$(cat "$1/expected/other")
	old=$(sed -n 's/ refs\/heads\/topic$//p' "$1/expected/refs")
	zero=${old//[0-9a-f]/0}
	{
		grep -v ' refs/heads/topic$' "$1/expected/refs"
		printf '%s refs/heads/topic\n%s refs/heads/added\n' "$new" "$other"
	} | LC_ALL=C awk '{ print $NF "\t" $0 }' | LC_ALL=C sort -t$'\t' -k1,1 | cut -f2
	tac "$1/expected/log-HEAD" | sed -E 's/^(.*> )[0-9]+ /\1TIME /'
	tac "$1/expected/log-refs-heads-topic" | sed -E 's/^(.*> )[0-9]+ /\1TIME /'
	printf '%s %s Example <example@localhost> TIME +0000\tby the example\n' "$old" "$new"
	printf '%s %s Example <example@localhost> TIME +0000\tby the example\n' "$zero" "$other"
}
