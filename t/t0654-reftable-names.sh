#!/bin/sh
# shellcheck disable=SC1091,SC2016,SC2034,SC2046,SC2059,SC2086,SC2154

test_description='names, targets, messages and idents at the limits of reftables'

. ./lib-reftable.sh

test_expect_success 'setup' '
	git init template &&
	test_commit -C template one &&
	head=$(git -C template rev-parse HEAD)
'

# letters COUNT: prints this number of equal letters.
letters () {
	test-tool genzeros $1 | tr "\000" a
}

# refused_unchanged COMMAND...: git in repo fails with a reason and changes no byte.
refused_unchanged () {
	reftable_bytes repo >before &&
	must_die_politely git -C repo "$@" &&
	reftable_bytes repo >after &&
	test_cmp before after
}

# The bytes that a refname may contain anywhere, as octal numbers: without "." and "/" and
# those that git forbids (Documentation/git-check-ref-format).
legal_bytes () {
	for i in $(test_seq 33 255)
	do
		case $i in
		42 | 46 | 47 | 58 | 63 | 91 | 92 | 94 | 126 | 127) ;;
		*) printf "%03o\n" $i ;;
		esac
	done
}

illegal_bytes () {
	for i in $(test_seq 1 32) 42 58 63 91 92 94 126 127
	do
		printf "%03o\n" $i
	done
}

test_expect_success 'setup of a name for every legal byte' '
	legal_bytes >bytes &&
	test_line_count = 213 bytes &&
	while read byte
	do
		printf "refs/heads/b\\$byte/x\n" || return 1
	done <bytes | LC_ALL=C sort >names &&
	printf "refs/heads/all/" >all &&
	while read byte
	do
		test $byte = 100 || printf "\\$byte" || return 1
	done <bytes >>all &&
	echo >>all &&
	LC_ALL=C sort all names >sorted &&
	sed "s/^/create /; s/\$/ $head/" <sorted >create
'

# all_names_are_there: by iteration in order, by lookup and in the reflogs.
all_names_are_there () {
	git -C repo for-each-ref --format="%(refname)" refs/heads >actual &&
	grep -v -x refs/heads/main actual >others &&
	test_cmp sorted others &&
	sed "s/.*/$head commit $(git -C repo cat-file -s HEAD)/" sorted >expect &&
	git -C repo cat-file --batch-check <sorted >actual &&
	test_cmp expect actual &&
	reflog_names repo >actual &&
	grep -v -x -e HEAD -e refs/heads/main actual >others &&
	test_cmp sorted others
}

for size in 512 4096
do
	test_expect_success "refs with every legal byte, blocks of $size" '
		fresh_repo &&
		git -C repo config reftable.blockSize $size &&
		git -C repo config reftable.restartInterval 3 &&
		git -C repo update-ref --stdin <create &&
		git -C repo for-each-ref --format="%(refname)" refs/heads/b >actual &&
		test_must_be_empty actual &&
		all_names_are_there &&
		git -C repo pack-refs &&
		all_names_are_there &&
		git -C repo refs verify
	'
done

test_expect_success 'refs with every legal byte one by one, in many tables' '
	fresh_repo &&
	sed -n "1~7p" sorted >some &&
	while read -r name
	do
		git -C repo update-ref "$name" HEAD &&
		git -C repo rev-parse --verify "$name" || return 1
	done <some >actual &&
	sed "s/.*/$head/" some >expect &&
	test_cmp expect actual &&
	git -C repo for-each-ref --format="%(refname)" "refs/heads/*/*" >actual &&
	test_cmp some actual
'

test_expect_success 'refs with every legal byte are renamed, copied and deleted' '
	fresh_repo &&
	git -C repo update-ref --stdin <create &&
	all=$(cat all) &&
	git -C repo branch -m "${all#refs/heads/}" "${all#refs/heads/}-new" &&
	git -C repo branch -c "${all#refs/heads/}-new" "${all#refs/heads/}-copy" &&
	git -C repo rev-parse --verify "$all-new" &&
	git -C repo rev-parse --verify "$all-copy" &&
	test_must_fail git -C repo rev-parse --verify "$all" &&
	sed "s/^/delete /" names >delete &&
	git -C repo update-ref --stdin <delete &&
	git -C repo for-each-ref --format="%(refname)" >actual &&
	test_write_lines "$all-copy" "$all-new" refs/heads/main refs/tags/one >expect &&
	test_cmp expect actual
'

test_expect_success 'refs with illegal bytes are refused' '
	fresh_repo &&
	illegal_bytes >bytes &&
	reftable_bytes repo >before &&
	while read byte
	do
		printf "create refs/heads/b\\$byte/x\\0$head\\0" >input &&
		test_must_fail git -C repo update-ref -z --stdin <input 2>err &&
		test_grep -a "invalid ref format" err || return 1
	done <bytes &&
	for name in .x x. x.lock x..y x/.y x//y x@{y /x x/ x.lock/y
	do
		printf "create refs/heads/$name\\0$head\\0" >input &&
		test_must_fail git -C repo update-ref -z --stdin <input 2>err &&
		test_grep "invalid ref format" err || return 1
	done &&
	reftable_bytes repo >after &&
	test_cmp before after
'

test_oid_cache <<-\EOF
header sha1:24
header sha256:28
EOF

# The bytes of a block of 1024 that are not part of the name in its first record, a name
# of several hundred bytes: the file header, the block header, two lengths, the update
# index, the object id, one restart and the number of restarts.
test_expect_success 'setup of the longest name' '
	raw=$(test_oid rawsz) &&
	header=$(test_oid header) &&
	longest=$((1024 - header - 4 - 3 - 1 - raw - 5)) &&
	name=refs/heads/$(letters $((longest - 11)))
'

test_expect_success 'the longest name that fits in a block, and one byte more' '
	fresh_repo &&
	git -C repo config reftable.blockSize 1024 &&
	git -C repo config core.logAllRefUpdates false &&
	refused_unchanged update-ref ${name}a HEAD &&
	test_grep "transaction failure: entry too large" err &&
	git -C repo update-ref $name HEAD &&
	same_rev repo HEAD $name &&
	git -C repo pack-refs &&
	same_rev repo HEAD $name &&
	git -C repo refs verify &&
	git -C repo update-ref -d $name &&
	test_must_fail git -C repo rev-parse --verify $name
'

test_expect_success 'a name too long in the middle of a transaction: nothing is written' '
	fresh_repo &&
	git -C repo config reftable.blockSize 1024 &&
	git -C repo config core.logAllRefUpdates false &&
	cat >input <<-EOF &&
	create refs/heads/a HEAD
	create ${name}$(letters 30) HEAD
	create refs/heads/z HEAD
	EOF
	refused_unchanged update-ref --stdin <input &&
	test_grep "entry too large" err
'

test_expect_success 'many names of maximal length, in blocks and index blocks' '
	fresh_repo &&
	git -C repo config reftable.blockSize 1024 &&
	git -C repo config core.logAllRefUpdates false &&
	test_seq -f "create ${name%aaaa}%04d HEAD" 50 >input &&
	git -C repo update-ref --stdin <input &&
	for pass in written packed
	do
		git -C repo for-each-ref --format="%(refname)" "${name%aaaa}*" >actual &&
		test_seq -f "${name%aaaa}%04d" 50 >expect &&
		test_cmp expect actual &&
		same_rev repo HEAD ${name%aaaa}0037 &&
		git -C repo pack-refs || return 1
	done
'

test_expect_success 'a name whose reflog entry does not fit: neither is written' '
	fresh_repo &&
	git -C repo config reftable.blockSize 1024 &&
	refused_unchanged update-ref $name HEAD &&
	test_grep "entry too large" err &&
	fits= &&
	for cut in $(test_seq 200)
	do
		shorter=refs/heads/$(letters $((longest - 11 - cut))) &&
		if git -C repo update-ref $shorter HEAD 2>err
		then
			fits=yes &&
			break
		fi &&
		test_grep "entry too large" err || return 1
	done &&
	test -n "$fits" &&
	git -C repo log -g --format=%H $shorter >actual &&
	echo $head >expect &&
	test_cmp expect actual
'

test_expect_success 'the longest target of a symbolic ref, and one byte more' '
	fresh_repo &&
	git -C repo config reftable.blockSize 1024 &&
	target=refs/heads/$(letters $((1024 - header - 4 - 14 - 1 - 2 - 5 - 11))) &&
	refused_unchanged symbolic-ref refs/heads/s ${target}a &&
	test_grep "entry too large" err &&
	git -C repo symbolic-ref refs/heads/s $target &&
	echo $target >expect &&
	git -C repo symbolic-ref refs/heads/s >actual &&
	test_cmp expect actual &&
	git -C repo pack-refs &&
	git -C repo symbolic-ref refs/heads/s >actual &&
	test_cmp expect actual &&
	test_must_fail git -C repo rev-parse --verify refs/heads/s
'

test_expect_success 'targets of symbolic refs with every legal byte' '
	fresh_repo &&
	git -C repo update-ref --stdin <create &&
	git -C repo symbolic-ref refs/symbolic/all "$(cat all)" &&
	sed -n "1~9p" names >some &&
	count=100 &&
	while read -r target
	do
		count=$((count + 1)) &&
		git -C repo symbolic-ref refs/symbolic/$count "$target" || return 1
	done <some &&
	git -C repo for-each-ref --format="%(symref)" refs/symbolic >actual &&
	cat some all >expect &&
	test_cmp expect actual &&
	same_rev repo HEAD refs/symbolic/all
'

# logged REPO: prints everything in the reflog of a branch.
logged () {
	git -C $1 log -g --date=raw --format="%H %gd|%gn|%ge|%gs" refs/heads/logged
}

test_expect_success 'messages are kept up to half a block' '
	fresh_repo &&
	for length in 1 127 128 2046 2047 2048 2049 3000 20000
	do
		git -C repo update-ref --create-reflog -m $(letters $length) refs/heads/logged HEAD &&
		git -C repo log -g -1 --format=%gs refs/heads/logged >actual &&
		letters $((length > 2048 ? 2048 : length)) >expect &&
		echo >>expect &&
		test_cmp expect actual &&
		git -C repo update-ref -d refs/heads/logged || return 1
	done &&
	git -C repo config reftable.blockSize 1000 &&
	git -C repo update-ref -m $(letters 3000) refs/heads/logged HEAD &&
	git -C repo pack-refs &&
	git -C repo log -g -1 --format=%gs refs/heads/logged >actual &&
	letters 500 >expect &&
	echo >>expect &&
	test_cmp expect actual
'

test_expect_success '40 messages of half a block each stay whole when packed' '
	fresh_repo &&
	git -C repo commit --allow-empty -m two &&
	for i in $(test_seq 20)
	do
		git -C repo update-ref -m "$i $(letters 2000)" refs/heads/logged HEAD &&
		git -C repo update-ref -m "$i $(letters 2000)" refs/heads/logged HEAD^ || return 1
	done &&
	logged repo >expect &&
	test_line_count = 40 expect &&
	git -C repo pack-refs &&
	logged repo >actual &&
	test_cmp expect actual
'

# The files backend keeps the same text.
test_expect_success MIGRATE_REFLOGS 'odd messages are stored as by the files backend' '
	fresh_repo &&
	test_when_finished "rm -rf files" &&
	cp -R -p repo files &&
	git -C files refs migrate --ref-format=files &&
	git -C repo commit --allow-empty -m two &&
	git -C files fetch ../repo main &&
	two=$(git -C repo rev-parse HEAD) &&
	for repo in repo files
	do
		next=$head &&
		for message in plain " before and after " "tab	inside" "two
lines" "

many lines

" "$(printf "\\303\\244\\377\\200")" "<a@b> 1 +0000" "%s %n" \
		"\\ \"quoted\" '\''single'\''" "HEAD@{0}" "$(printf "\\001\\033[m\\177")"
		do
			git -C $repo update-ref -m "$message" refs/heads/logged $next &&
			if test $next = $head
			then
				next=$two
			else
				next=$head
			fi || return 1
		done || return 1
	done &&
	logged files >expect &&
	logged repo >actual &&
	test_line_count = 11 expect &&
	test_cmp expect actual
'

test_expect_success MIGRATE_REFLOGS 'odd idents are stored as by the files backend' '
	fresh_repo &&
	test_when_finished "rm -rf files" &&
	cp -R -p repo files &&
	git -C files refs migrate --ref-format=files &&
	git -C repo commit --allow-empty -m two &&
	git -C files fetch ../repo main &&
	two=$(git -C repo rev-parse HEAD) &&
	for repo in repo files
	do
		next=$head &&
		while IFS="|" read -r ident email date
		do
			GIT_COMMITTER_NAME="$(printf "$ident")" \
			GIT_COMMITTER_EMAIL="$(printf "$email")" \
			GIT_COMMITTER_DATE="$date" \
			git -C $repo update-ref -m "$ident" refs/heads/logged $next &&
			if test $next = $head
			then
				next=$two
			else
				next=$head
			fi || return 1
		done <<-\EOF || return 1
		Name|a@b|@1 +0000
		Name||@1 -0001
		A B  C|a b@c d|@1112911993 -1200
		.A;|<a@b>|@1112911993 +1400
		A <B> C|a>b|@2147483648 +0545
		\303\204\377|\200@\303\244|@4294967296 -0330
		new\nline|new\nline|@4398046511104 +0000
		"quoted"|"a"@b|@1112911993 -0059
		x|x|@1112911993 -0000
		EOF
	done &&
	logged files >expect &&
	logged repo >actual &&
	test_line_count = 9 expect &&
	test_cmp expect actual &&
	git -C repo pack-refs &&
	logged repo >actual &&
	test_cmp expect actual
'

test_expect_success 'an ident that does not fit in a block is refused' '
	fresh_repo &&
	reftable_bytes repo >before &&
	for length in 4096 20000
	do
		(
			GIT_COMMITTER_NAME=$(letters $length) &&
			export GIT_COMMITTER_NAME &&
			refused_unchanged update-ref -m short refs/heads/logged HEAD &&
			test_grep "entry too large" err
		) || return 1
	done &&
	GIT_COMMITTER_NAME=$(letters 1900) git -C repo update-ref \
		-m $(letters 3000) refs/heads/logged HEAD &&
	git -C repo log -g --format="%gn %gs" refs/heads/logged >actual &&
	echo "$(letters 1900) $(letters 2048)" >expect &&
	test_cmp expect actual
'

test_done
