#!/bin/sh
# shellcheck disable=SC1091,SC2016,SC2034,SC2086,SC2154

test_description='the reftable backend and other files, and without its directory

Symbolic links, FIFOs, directories and foreign files in the place of each path;
missing and unusable directories.'

. ./lib-reftable.sh

test_expect_success 'setup' '
	git init template &&
	test_commit -C template one &&
	git -C template branch other &&
	git -C template for-each-ref >refs
'

oid=$(git -C template rev-parse HEAD)

# same_refs: repo has the references of the template.
same_refs () {
	git -C repo for-each-ref >actual &&
	test_cmp refs actual
}

# nothing_lost: no reference is lost, and no object that they need is pruned.
nothing_lost () {
	same_refs &&
	git -C repo gc --quiet --prune=now &&
	same_refs &&
	git -C repo cat-file -e $oid
}

# in_place KIND PATH: puts something other than a regular file at PATH.
in_place () {
	rm -rf "$2" &&
	case $1 in
	fifo) mkfifo "$2" ;;
	directory) mkdir "$2" && echo inside >"$2/inside" ;;
	device) ln -s /dev/zero "$2" ;;
	nowhere) ln -s missing "$2" ;;
	esac
}

test_expect_success MIGRATE,SYMLINKS,RUST_REFTABLE 'migrating leaves a symbolic link and its target alone' '
	migratable_repo &&
	test_when_finished "rm -rf store" &&
	mv $stack store &&
	ln -s ../../store $stack &&
	ls store >before &&
	test_must_fail git -C repo refs migrate --ref-format=files 2>err &&
	test_grep "could not delete reftables: .*reftable. is a symbolic link" err &&
	ls store >after &&
	test_cmp before after &&
	test -h $stack &&
	nothing_lost
'

for kind in file directory fifo link
do
	case $kind in
	file) make=">\$stack/notes" prereq= ;;
	directory) make="mkdir \$stack/notes" prereq= ;;
	fifo) make="mkfifo \$stack/notes" prereq=PIPE, ;;
	link) make="ln -s ../config \$stack/notes" prereq=SYMLINKS, ;;
	esac
	test_expect_success ${prereq}MIGRATE,RUST_REFTABLE "migrating beside a foreign $kind removes nothing" '
		migratable_repo &&
		eval "$make" &&
		reftable_bytes repo >before &&
		test_must_fail git -C repo refs migrate --ref-format=files 2>err &&
		test_grep "could not delete reftables: .*notes. does not belong" err &&
		reftable_bytes repo >after &&
		test_cmp before after &&
		nothing_lost &&
		rm -r $stack/notes repo/.git/ref_migration.* &&
		git -C repo refs migrate --ref-format=files &&
		test_path_is_missing $stack &&
		nothing_lost
	'
done

test_expect_success MIGRATE,PIPE,RUST_REFTABLE 'a FIFO or a directory with the name of a table is foreign' '
	for make in mkfifo mkdir
	do
		migratable_repo &&
		$make $stack/0x000000000009-0x000000000009-00000000.ref &&
		reftable_bytes repo >before &&
		test_must_fail git -C repo refs migrate --ref-format=files 2>err &&
		test_grep "09-00000000.ref. does not belong" err &&
		reftable_bytes repo >after &&
		test_cmp before after || return 1
	done
'

test_expect_success MIGRATE,SYMLINKS,RUST_REFTABLE 'a table that is a link is removed, its target stays' '
	migratable_repo &&
	test_when_finished "rm -f elsewhere" &&
	mv $table elsewhere &&
	ln -s ../../../elsewhere $table &&
	same_refs &&
	cksum elsewhere >before &&
	git -C repo refs migrate --ref-format=files &&
	cksum elsewhere >after &&
	test_cmp before after &&
	nothing_lost
'

test_expect_success MIGRATE,RUST_REFTABLE 'migrating removes all files of the stack' '
	migratable_repo &&
	>$stack/tables.list.lock &&
	>$stack/0x000000000009-0x000000000009-00000000.ref &&
	>$stack/0x000000000009-0x000000000009-00000000.ref.lock &&
	>$stack/000000000001-000000000009-f6a9c327.ref &&
	>$stack/0x000000000009-0x000000000009-00000000.temp.aBc123 &&
	git -C repo refs migrate --ref-format=files &&
	test_path_is_missing $stack &&
	nothing_lost
'

test_expect_success SYMLINKS 'a linked directory is read and written' '
	fresh_repo &&
	test_when_finished "rm -rf store" &&
	mv $stack store &&
	ln -s ../../store $stack &&
	same_refs &&
	git -C repo update-ref refs/heads/new HEAD &&
	git -C repo reflog expire --expire=now --all &&
	git -C repo pack-refs &&
	git -C repo refs verify &&
	test -h $stack &&
	test_line_count = 1 store/tables.list &&
	git -C repo update-ref -d refs/heads/new &&
	nothing_lost
'

test_expect_success SYMLINKS 'a linked tables.list is replaced, and its target stays' '
	fresh_repo &&
	mv $stack/tables.list repo/list &&
	ln -s ../../list $stack/tables.list &&
	cp repo/list before &&
	same_refs &&
	git -C repo update-ref refs/heads/new HEAD &&
	git -C repo rev-parse --verify refs/heads/new &&
	test ! -h $stack/tables.list &&
	test_cmp before repo/list
'

test_expect_success SYMLINKS 'locks and new tables never follow a link' '
	fresh_repo &&
	echo precious >precious &&
	ln -s ../../../precious $stack/tables.list.lock &&
	test_must_fail git -C repo update-ref refs/heads/new HEAD &&
	test -h $stack/tables.list.lock &&
	rm $stack/tables.list.lock &&
	ln -s ../../../precious $table.lock &&
	GIT_TEST_REFTABLE_AUTOCOMPACTION=false \
		git -C repo update-ref refs/heads/new HEAD &&
	test_must_fail git -C repo pack-refs &&
	test -h $table.lock &&
	echo precious >expect &&
	test_cmp expect precious
'

for kind in fifo directory device
do
	test_expect_success PIPE,SYMLINKS,RUST_REFTABLE "a $kind in the place of the list or a table" '
		for path in tables.list table
		do
			fresh_repo &&
			test $path = table || table=$stack/tables.list &&
			in_place $kind $table &&
			for command in for-each-ref "rev-parse --verify main" \
				"update-ref refs/heads/new $oid" "reflog show main" "refs verify" pack-refs
			do
				must_die_politely git -C repo $command &&
				test_grep "not a regular file" err || return 1
			done &&
			test_path_exists $table &&
			test_path_is_missing $stack/tables.list.lock || return 1
		done
	'
done

test_expect_success PIPE,SYMLINKS,RUST_REFTABLE 'cleaning removes only regular files of a stack' '
	fresh_repo &&
	name=$stack/0x000000000001-0x000000000001-0000000 &&
	mkfifo ${name}1.ref ${name}2.ref.lock ${name}3.temp.aBc123 &&
	mkdir ${name}4.ref ${name}5.ref.lock ${name}6.temp.aBc123 &&
	ln -s ../config ${name}7.ref &&
	cp $table repo/table &&
	ln -s ../../table ${name}8.ref &&
	ln -s ../config ${name}9.ref.lock &&
	>$stack/notes.ref &&
	>$stack/notes.ref.lock &&
	>$stack/notes &&
	find $stack -print | sort >before &&
	>${name}a.ref.lock &&
	cp $table ${name}b.ref &&
	find $stack ! -type l -exec test-tool chmtime -1000000 {} + &&
	git -C repo pack-refs &&
	find $stack -print | sort >after &&
	test_cmp before after &&
	same_refs
'

test_expect_success SYMLINKS,RUST_REFTABLE 'a dangling link is not an empty stack' '
	fresh_repo &&
	mv $stack store &&
	test_when_finished "rm -rf store" &&
	ln -s ../../missing $stack &&
	for command in for-each-ref "rev-parse --verify HEAD" "update-ref refs/heads/new $oid" \
		"gc --prune=now" pack-refs "refs verify"
	do
		must_die_politely git -C repo $command || return 1
	done &&
	test_grep "badReftableList: unable to open directory .*: No such file" err &&
	test -h $stack &&
	rm $stack &&
	mv store $stack &&
	nothing_lost
'

test_expect_success SYMLINKS 'worktrees whose stack is a link are removed without its target' '
	fresh_repo &&
	test_when_finished "rm -rf wt store expect" &&
	for how in remove prune
	do
		rm -rf store &&
		git -C repo worktree add ../wt other &&
		of_worktree=repo/.git/worktrees/wt/reftable &&
		mv $of_worktree store &&
		ln -s ../../../../store $of_worktree &&
		ls store >expect &&
		git -C wt rev-parse --verify HEAD &&
		if test $how = remove
		then
			git -C repo worktree remove ../wt
		else
			rm -rf wt &&
			git -C repo worktree prune --expire=now
		fi &&
		test_path_is_missing repo/.git/worktrees/wt &&
		ls store >actual &&
		test_cmp expect actual || return 1
	done
'

test_expect_success RUST_REFTABLE 'the first write creates the directory' '
	fresh_repo &&
	rm -r $stack &&
	must_die_politely git -C repo refs verify &&
	test_grep "badReftableList: unable to open directory .*/reftable.: No such file" err &&
	git -C repo pack-refs &&
	test_path_is_missing $stack &&
	git -C repo update-ref refs/heads/new $oid &&
	git -C repo rev-parse --verify refs/heads/new &&
	git -C repo symbolic-ref HEAD refs/heads/new &&
	git -C repo refs verify 2>err &&
	test_must_be_empty err
'

for command in "symbolic-ref HEAD refs/heads/x" "tag new $oid" "update-ref --stdin" \
	"reflog write refs/heads/a $oid $oid m"
do
	needs=RUST_REFTABLE
	case $command in
	"reflog write"*) needs=REFLOG_WRITE,$needs ;;
	esac
	test_expect_success $needs "without the directory: git ${command%%"$oid"*}" '
		fresh_repo &&
		rm -r $stack &&
		echo "create refs/heads/stdin $oid" >input &&
		git -C repo $command <input &&
		test_path_is_file $stack/tables.list
	'
done

test_expect_success RUST_REFTABLE 'the first write creates the directory of a worktree' '
	fresh_repo &&
	test_when_finished "rm -rf wt" &&
	git -C repo worktree add ../wt other &&
	of_worktree=repo/.git/worktrees/wt/reftable &&
	rm -r $of_worktree &&
	for dir in repo wt
	do
		must_die_politely git -C $dir refs verify &&
		test_grep "unable to open directory .*worktrees/wt/reftable.: No such file" err || return 1
	done &&
	git -C wt symbolic-ref HEAD refs/heads/other &&
	git -C wt rev-parse --verify HEAD &&
	git -C wt refs verify &&
	rm -r $of_worktree &&
	git -C repo update-ref worktrees/wt/refs/bisect/x $oid &&
	git -C wt rev-parse --verify refs/bisect/x
'

test_expect_success POSIXPERM,RUST_REFTABLE 'it gets the permissions of a shared repository' '
	for shared in umask group all 0660 0640
	do
		fresh_repo &&
		git -C repo config core.sharedRepository $shared &&
		git init --shared=$shared --ref-format=reftable expect &&
		rm -r $stack &&
		git -C repo update-ref refs/heads/new $oid &&
		test_modebits expect/.git/reftable >expect.bits &&
		test_modebits $stack >actual.bits &&
		test_cmp expect.bits actual.bits &&
		rm -rf expect || return 1
	done
'

test_expect_success RUST_REFTABLE 'a file in the place of the directory is reported' '
	fresh_repo &&
	rm -r $stack &&
	echo file >$stack &&
	for command in for-each-ref "update-ref refs/heads/new $oid" pack-refs "refs verify"
	do
		must_die_politely git -C repo $command &&
		test_grep "unable to open .*reftable/tables.list.: Not a directory" err || return 1
	done &&
	echo file >expect &&
	test_cmp expect $stack
'

# read_only DIRECTORY: makes everything below it read-only.
read_only () {
	chmod -R a-w "$1" &&
	test_when_finished "chmod -R u+w $1"
}

test_expect_success SANITY,RUST_REFTABLE 'a read-only repository' '
	fresh_repo &&
	git -C repo for-each-ref >expect &&
	git -C repo reflog expire --dry-run --verbose --expire=now --all >expect.log &&
	read_only repo/.git &&
	git -C repo for-each-ref >actual &&
	test_cmp expect actual &&
	if test_have_prereq PACK_AUTO
	then
		git -C repo pack-refs --auto 2>err &&
		test_must_be_empty err
	fi &&
	git -C repo refs verify &&
	git -C repo reflog expire --dry-run --verbose --expire=now --all >actual.log 2>err &&
	test_must_be_empty err &&
	test_cmp expect.log actual.log &&
	git -C repo reflog delete --dry-run main@{0}
'

test_expect_success SANITY,RUST_REFTABLE 'a read-only repository with nothing to pack' '
	fresh_repo &&
	git -C repo pack-refs &&
	read_only repo/.git &&
	git -C repo pack-refs 2>err &&
	test_must_be_empty err &&
	if test_have_prereq REFS_OPTIMIZE
	then
		git -C repo refs optimize 2>err &&
		test_must_be_empty err
	fi
'

for command in "update-ref refs/heads/new HEAD" "branch -m main renamed" "branch -c main copied" \
	"reflog expire --expire=now main" "reflog delete main@{0}" "symbolic-ref HEAD refs/heads/x" \
	"tag new" "update-ref -d refs/heads/other" "commit --allow-empty -m new" pack-refs
do
	test_expect_success SANITY,RUST_REFTABLE "a read-only directory is named: git $command" '
		fresh_repo &&
		GIT_TEST_REFTABLE_AUTOCOMPACTION=false git -C repo branch third &&
		reftable_bytes repo >before &&
		read_only $stack &&
		must_die_politely git -C repo $command &&
		test_grep "unable to create .*reftable/tables.list.lock.: Permission denied" err &&
		test_grep ! "os error" err &&
		test_grep ! "I/O error" err &&
		reftable_bytes repo >after &&
		test_cmp before after
	'
done

test_expect_success SANITY,RUST_REFTABLE 'a directory that cannot be created is named' '
	fresh_repo &&
	rm -r $stack &&
	chmod a-w repo/.git &&
	test_when_finished "chmod u+w repo/.git" &&
	must_die_politely git -C repo update-ref refs/heads/new $oid &&
	test_grep "unable to create directory .*/reftable.: Permission denied" err
'

for what in list table directory
do
	test_expect_success SANITY,RUST_REFTABLE "an unreadable $what is named" '
		fresh_repo &&
		case $what in
		list) path=$stack/tables.list file=tables.list ;;
		table) path=$table file=$(basename $table) ;;
		directory) path=$stack file=tables.list ;;
		esac &&
		chmod 0 $path &&
		test_when_finished "chmod 700 $path" &&
		for command in for-each-ref "rev-parse --verify main" "log main" "reflog show main" \
			"reflog list" "update-ref refs/heads/new $oid" "branch -m main new" pack-refs
		do
			case $command in
			"reflog list") test_have_prereq REFLOG_LIST || continue ;;
			esac &&
			must_die_politely git -C repo $command &&
			test_grep "unable to open .*reftable/$file.: Permission denied" err &&
			test_grep ! "os error" err || return 1
		done
	'
done

test_lazy_prereq STRACE '
	strace -o trace -f -e trace=openat -P "$(pwd)/none" -e inject=openat:error=EROFS true
'

test_expect_success STRACE,RUST_REFTABLE 'errors of the system are reported as they are' '
	for case in EROFS:"Read-only file system" ENOSPC:"No space left on device" \
		EDQUOT:"Disk quota exceeded" EIO:"Input/output error" \
		EMFILE:"Too many open files"
	do
		fresh_repo &&
		reftable_bytes repo >before &&
		(
			cd repo &&
			! strace -f -o ../trace -e trace=openat \
				-P "$(pwd)/.git/reftable/tables.list.lock" \
				-e inject=openat:error=${case%%:*} \
				git update-ref refs/heads/new $oid 2>../err
		) &&
		test_grep "unable to create .*tables.list.lock.: ${case#*:}" err &&
		reftable_bytes repo >after &&
		test_cmp before after || return 1
	done
'

test_done
