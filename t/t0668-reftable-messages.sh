#!/bin/sh
# shellcheck disable=SC1091,SC2016,SC2034,SC2059,SC2086,SC2154

test_description='contents of messages about reftables

Messages name files, lines, positions and reasons. Bytes from files and directories are
quoted, so that they cannot forge a line or control a terminal.'

. ./lib-reftable.sh

test_expect_success 'setup' '
	git init template &&
	test_commit -C template one &&
	git -C template tag -a -m annotated annotated &&
	git -C template symbolic-ref refs/heads/sym refs/heads/main &&
	git -C template pack-refs
'

oid=$(git -C template rev-parse HEAD)
esc=$(printf '\033')

# list_names TEXT: writes the name of the table and TEXT into tables.list.
list_names () {
	printf "$table_name\n$1\n" >$stack/tables.list
}

# one_line_each: each of the last messages is a line with git's prefix and without control
# characters.
one_line_each () {
	test_grep ! "$esc" err &&
	test_grep ! "^fatal: fake" err &&
	! grep -a -v -E "^(error|warning|fatal|hint): |^Use .--. to|^.git <command>" err &&
	tr -d "\012\040-\176\200-\377" <err >control &&
	test_must_be_empty control
}

# test_bad_name NAME MESSAGE: NAME is a printf format.
test_bad_name () {
	bad=$1 shown=$2
	test_expect_success RUST_REFTABLE "a bad name in the list is reported: $2" '
		fresh_repo &&
		list_names "$bad" &&
		must_die_politely git -C repo refs verify &&
		one_line_each &&
		test_grep -F "error: tables.list: badReftableList: " err &&
		test_grep -F "$shown" err &&
		for command in for-each-ref "rev-parse --verify main" "reflog show main" \
			"update-ref refs/heads/new $oid" pack-refs "branch -m main new"
		do
			must_die_politely git -C repo $command &&
			one_line_each &&
			test_grep "tables.list:2:\|unable to open .*reftable/" err || return 1
		done
	'
}

test_bad_name "garbage" "line 2: 'garbage' is neither a file nor the name of a table"
test_bad_name "../x.ref" "tables.list:2: path separators in a table name"
test_bad_name "../x.ref" "in '../x.ref'"
test_bad_name ".." "tables.list:2: file names in a table name"
test_bad_name "x\\033[31m" "line 2: 'x\\033[31m' is neither"
test_bad_name "x\\000y.ref" "in 'x\\000y.ref'"
test_bad_name "\\377\\376.ref" "in '\\377\\376.ref'"
test_bad_name "a\\rfatal: fake" "line 2: 'a\\rfatal: fake' is neither"
test_bad_name "caf\\303\\251" "line 2: 'café' is neither"

test_expect_success RUST_REFTABLE 'a duplicate name, and a last line that is cut short' '
	fresh_repo &&
	list_names "$table_name" &&
	must_die_politely git -C repo refs verify &&
	test_grep "tables.list:2: lines with this table name .* in .$table_name." err &&
	printf "$table_name\ncut" >$stack/tables.list &&
	must_die_politely git -C repo refs verify &&
	test_grep "tables.list:2: newlines at the end .* in .cut." err
'

test_expect_success RUST_REFTABLE 'names of files in the directory are quoted' '
	migratable_repo &&
	forged="0x1
fatal: fake.ref" &&
	cp $table "$stack/$forged" &&
	cp $table "$stack/${esc}[2J.ref" &&
	git -C repo refs verify 2>err &&
	test_grep "^warning: 0x1.nfatal: fake.ref: unlistedReftableFile" err &&
	test_grep "^warning: .033\[2J.ref: unlistedReftableFile" err &&
	one_line_each &&
	rm "$stack/$forged" &&
	>"$stack/forged
fatal: fake" &&
	if test_have_prereq MIGRATE
	then
		must_die_politely git -C repo refs migrate --ref-format=files &&
		test_grep "could not delete reftables: .*/forged.nfatal: fake. does not belong" err &&
		test_grep ! "^fatal: fake" err
	fi
'

test_expect_success RUST_REFTABLE 'names of tables are quoted' '
	fresh_repo &&
	odd="${esc}[31m.ref" &&
	mv $table "$stack/$odd" &&
	echo "$odd" >$stack/tables.list &&
	git -C repo for-each-ref &&
	git -C repo refs verify --verbose 2>err &&
	if test_have_prereq FSCK_MESSAGES
	then
		test_grep "^Checking table: .033\[31m.ref$" err
	fi &&
	test_grep "^warning: .033\[31m.ref: badReftableTableName" err &&
	test_grep ! "$esc" err &&
	overwrite "$stack/$odd" 0 junk &&
	for command in "refs verify" for-each-ref "update-ref refs/heads/new $oid"
	do
		must_die_politely git -C repo $command &&
		one_line_each &&
		test_grep "033\[31m.ref" err || return 1
	done
'

test_expect_success RUST_REFTABLE 'names of locks are quoted' '
	fresh_repo &&
	odd="a
fatal: fake" &&
	mv repo "$odd" &&
	test_when_finished "rm -rf \"$odd\"" &&
	>"$odd/.git/reftable/$table_name.lock" &&
	GIT_TEST_REFTABLE_AUTOCOMPACTION=false \
		git -C "$odd" update-ref refs/heads/new HEAD &&
	>"$odd/.git/reftable/tables.list.lock" &&
	for command in "update-ref refs/heads/newer HEAD" "branch -m main x"
	do
		must_die_politely git -C "$odd" $command &&
		test_grep "Unable to create .*/a.nfatal: fake/" err &&
		test_grep ! "^fatal: fake" err || return 1
	done &&
	rm "$odd/.git/reftable/tables.list.lock" &&
	must_die_politely git -C "$odd" pack-refs &&
	test_grep "Unable to create .*/a.nfatal: fake/" err &&
	test_grep ! "^fatal: fake" err
'

test_expect_success RUST_REFTABLE 'names of worktrees are quoted' '
	fresh_repo &&
	test_when_finished "rm -rf wt" &&
	git -C repo worktree add ../wt annotated &&
	odd="wt
fatal: fake" &&
	overwrite "$(tables_of repo/.git/worktrees/wt/reftable | tail -n 1)" 0 junk &&
	mv repo/.git/worktrees/wt "repo/.git/worktrees/$odd" &&
	must_die_politely git -C repo refs verify &&
	test_grep "reftable stack for worktree .wt.nfatal: fake. is broken" err &&
	one_line_each
'

# replace_bytes FROM TO: replaces a string in the only table of repo by one of its length.
replace_bytes () {
	chmod u+w $table &&
	perl -e '
		my ($file, $from, $to) = @ARGV;
		open(my $in, "<:raw", $file) or die $!;
		my $bytes = do { local $/; <$in> };
		$to = eval "\"$to\"";
		$bytes =~ s/\Q$from\E/$to/ or die "no $from";
		open(my $out, ">:raw", $file) or die $!;
		print $out $bytes;
	' $table "$1" "$2"
}

test_expect_success PERL_TEST_HELPERS,RUST_REFTABLE 'a NUL in a refname: the reason is reported' '
	migratable_repo &&
	git -C repo update-ref refs/heads/zzzz $oid &&
	git -C repo pack-refs &&
	table=$(tables_of $stack) &&
	replace_bytes sym "s\\0m" &&
	for command in "refs migrate --ref-format=files" for-each-ref "refs verify"
	do
		case $command in
		"refs migrate"*) test_have_prereq MIGRATE || continue ;;
		esac &&
		must_die_politely git -C repo $command &&
		test_grep "$(basename $table): .*NUL.* at offset " err &&
		test_grep ! "^error: *$" err || return 1
	done &&
	test_path_is_file $table
'

test_expect_success MIGRATE,PERL_TEST_HELPERS,RUST_REFTABLE 'a NUL in the target of a symbolic ref' '
	migratable_repo &&
	replace_bytes refs/heads/main "refs/heads\\0main" &&
	for command in "refs migrate --ref-format=files" "refs verify"
	do
		must_die_politely git -C repo $command &&
		test_grep "NUL\|refs/heads.000main" err &&
		test_grep ! "^error: *$" err || return 1
	done
'

test_expect_success FSCK_REFERENCES,PERL_TEST_HELPERS,RUST_REFTABLE 'refnames from tables are quoted' '
	fresh_repo &&
	git -C repo symbolic-ref refs/heads/link refs/heads/xfatal-_fake &&
	git -C repo pack-refs &&
	table=$(tables_of $stack) &&
	replace_bytes "xfatal-_fake" "\\nfatal: fake" &&
	must_die_politely git -C repo refs verify &&
	test_grep "points to invalid refname .refs/heads/.nfatal: fake." err &&
	one_line_each
'

test_expect_success RUST_REFTABLE 'damage is reported with file and position' '
	fresh_repo &&
	overwrite $table 0 junk &&
	for command in for-each-ref "rev-parse --verify main" "update-ref refs/heads/new $oid"
	do
		must_die_politely git -C repo $command &&
		test_grep "corrupt reftable: $table_name: .* at offset [0-9]*: found [0-9]*, expected" err ||
		return 1
	done
'

test_expect_success RUST_REFTABLE 'a command reports each reason once' '
	fresh_repo &&
	mv $table $table.aside &&
	must_die_politely git -C repo log --all &&
	grep -c "unable to open .*$table_name" err >count &&
	echo 1 >expect &&
	test_cmp expect count
'

test_expect_success RUST_REFTABLE 'messages that the tests of git compare are unchanged' '
	fresh_repo &&
	>$table.lock &&
	GIT_TEST_REFTABLE_AUTOCOMPACTION=false git -C repo branch new &&
	test_must_fail git -C repo pack-refs 2>err &&
	test_grep "^error: unable to compact stack: data is locked$" err &&
	git -C repo config reftable.blockSize 200 &&
	test_must_fail git -C repo update-ref refs/heads/$(test_seq -f %05d 60 | tr -d "\012") HEAD 2>err &&
	test_grep "transaction failure: entry too large$" err
'

test_expect_success SANITY,RUST_REFTABLE 'an I/O error while preparing is not a conflict of names' '
	fresh_repo &&
	git init --bare other.git &&
	test_when_finished "rm -rf other.git" &&
	git -C repo remote add other ../other.git &&
	git -C repo update-ref refs/remotes/other/main HEAD &&
	test_when_finished "chmod +w \"$PWD/$stack\"" &&
	chmod -w $stack &&
	must_die_politely git -C repo remote rename other another &&
	test_grep "unable to create .*tables.list.lock.: Permission denied" err &&
	test_grep ! "conflict" err
'

test_expect_success RUST_REFTABLE 'a lock that is needed only for the log of HEAD is named' '
	fresh_repo &&
	test_when_finished "rm -rf wt" &&
	git -C repo worktree add -b topic ../wt &&
	lock=repo/.git/worktrees/wt/reftable/tables.list.lock &&
	>$lock &&
	two=$(git -C repo commit-tree -p HEAD -m two HEAD^{tree}) &&
	must_die_politely git -C wt update-ref refs/heads/topic $two &&
	test_grep "cannot lock references: Unable to create .*worktrees/wt/reftable/tables.list.lock" err
'

test_done
