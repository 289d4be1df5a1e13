#!/bin/sh
# shellcheck disable=SC1091,SC2015,SC2016,SC2034,SC2046,SC2086,SC2154,SC2283

test_description='git init keeps the formats of an existing repository

Combines each way to run "git init" again with each setting that chooses the formats
of new repositories, for both ref formats and both object formats. Then applies the
same settings after an init or a clone that was killed.
'

. ./lib-reftable.sh

if ! test_have_prereq PATCHED_GIT
then
	skip_all='git init of an unpatched git changes formats'
	test_done
fi

# The tests choose the formats by options or by the settings below.
sane_unset GIT_DEFAULT_REF_FORMAT GIT_DEFAULT_HASH

cell=$(pwd)/cell

# Assignments for env(1), one setting per line.
config_is () {
	echo "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=$1 GIT_CONFIG_VALUE_0=$2"
}
{
	echo NO_SETTING=1 &&
	for format in files reftable
	do
		config_is init.defaultRefFormat $format &&
		echo GIT_DEFAULT_REF_FORMAT=$format &&
		echo GIT_REFERENCE_BACKEND=$format &&
		echo GIT_REFERENCE_BACKEND="$format:///nowhere" || return 1
	done &&
	config_is feature.experimental true &&
	echo GIT_TEST_REFTABLE=true &&
	echo GIT_TEST_REFTABLE=false &&
	for hash in sha1 sha256
	do
		config_is init.defaultObjectFormat $hash &&
		echo GIT_DEFAULT_HASH=$hash || return 1
	done &&
	config_is init.defaultSubmodulePathConfig true
} >settings

other_than () {
	case $1 in
	files) echo reftable ;;
	reftable) echo files ;;
	sha1) echo sha256 ;;
	sha256) echo sha1 ;;
	esac
}

# for_each_setting COMMAND...: runs the command with each chosen line of settings in $setting,
# and prints the one with which it fails. $tried is the number of lines.
for_each_setting () {
	tried=0 &&
	while read -r setting
	do
		next_is_chosen || continue
		tried=$((tried + 1)) &&
		"$@" || {
			echo >&2 "failed with: $setting"
			return 1
		}
	done <settings
}

# state DIRECTORY: prints what git reads there, HEAD included. Subjects come from objects.
state () {
	git -C "$1" config --local --get-regexp \
		"^(core[.]repositoryformatversion|extensions[.].*)$" &&
	git -C "$1" for-each-ref $(root_refs) \
		--format="%(refname) %(objectname) %(symref) %(contents:subject)" &&
	git -C "$1" log -g --all --format="%gD %H %gs"
}

# bytes: prints names and checksums of all files in the cell.
bytes () {
	find "$cell" -type f -exec cksum {} + >bytes &&
	find "$cell" >>bytes &&
	LC_ALL=C sort bytes
}

# make_template FORMAT HASH: makes worktrees and bare repositories with commits in the
# directory of the cell, which is then renamed.
make_template () {
	rm -rf "$cell" &&
	mkdir -p "$cell/payload-refs" &&
	git init -q -b main --template= --ref-format=$1 --object-format=$2 "$cell/main" &&
	(
		cd "$cell/main" &&
		test_commit --no-tag one &&
		git tag -a -m annotated v1 &&
		git pack-refs --all &&
		test_commit --no-tag two &&
		git update-ref refs/heads/topic HEAD~ &&
		git worktree add -q -b linked ../linked &&
		git clone -q --bare --template= --ref-format=$1 . ../bare &&
		GIT_REFERENCE_BACKEND="$1://$cell/payload-refs" \
			git init -q -b main --template= --object-format=$2 ../payload &&
		git -C ../payload commit -q --allow-empty -m payload
	) &&
	cp -R "$cell/main" "$cell/symlinked" &&
	mv "$cell/symlinked/.git" "$cell/symlinked.git" &&
	rm -rf "$cell/symlinked.git/worktrees" &&
	ln -s ../symlinked.git "$cell/symlinked/.git" &&
	bytes >bytes.expect &&
	for view in main linked bare symlinked payload
	do
		state "$cell/$view" >state-$view || return 1
	done &&
	rm -rf template &&
	mv "$cell" template
}

# init_again WAY OPTION...: runs git init in one of the ways with the setting; $run is empty
# or test_must_fail.
init_again () {
	way=$1 &&
	shift &&
	case $way in
	main | linked | symlinked | payload)
		$run env $setting git -C "$cell/$way" init -q --template= "$@"
		;;
	directory)
		$run env $setting git init -q --template= "$@" "$cell/main"
		;;
	git-dir)
		$run env $setting git -C "$cell" --git-dir="$cell/main/.git" init -q --template= "$@"
		;;
	bare)
		$run env $setting git init -q --bare --template= "$@" "$cell/bare"
		;;
	in-bare)
		$run env $setting git -C "$cell/bare" --bare init -q --template= "$@"
		;;
	separate)
		$run env $setting git -C "$cell/main" init -q --template= --separate-git-dir=../moved "$@"
		;;
	separate-linked)
		$run env $setting git -C "$cell/linked" init -q --template= --separate-git-dir=../moved "$@"
		;;
	separate-symlinked)
		$run env $setting git -C "$cell/symlinked" init -q --template= --separate-git-dir=../moved "$@"
		;;
	esac
}

fresh_cell () {
	rm -rf "$cell" &&
	cp -R "$1" "$cell"
}

# refuse_other WAY FORMAT HASH: tries to change each format.
refuse_other () {
	run=test_must_fail &&
	init_again $1 --ref-format=$(other_than $2) 2>>err.ref &&
	init_again $1 --object-format=$(other_than $3) 2>>err.object
}

# check_refusals WAY FORMAT HASH: tries all settings in one cell, because none may change it.
check_refusals () {
	fresh_cell template &&
	: >err.ref &&
	: >err.object &&
	for_each_setting refuse_other "$@" &&
	grep "different reference storage format" err.ref >refused &&
	test_line_count = $tried refused &&
	grep "different hash" err.object >refused &&
	test_line_count = $tried refused &&
	bytes >bytes.actual &&
	test_cmp bytes.expect bytes.actual
}

# check_cells WAY FORMAT HASH: runs git init with each setting, in a copy of the template.
check_cells () {
	same_as_template= &&
	for_each_setting check_cell "$@"
}

# check_cell WAY FORMAT HASH: neither init changes what git reads. If not even a byte has
# changed, git need not be asked, and the next setting uses the same copy.
check_cell () {
	case $1 in
	main | directory | git-dir | separate) view=main ;;
	linked | separate-linked) view=linked ;;
	bare | in-bare) view=bare ;;
	symlinked | separate-symlinked) view=symlinked ;;
	payload) view=payload ;;
	esac &&
	if test -z "$same_as_template"
	then
		fresh_cell template
	fi &&
	run= &&
	init_again $1 &&
	# Only a git directory called .git can be moved from a linked worktree.
	init_again ${1#separate-} --ref-format=$2 --object-format=$3 &&
	same_as_template= &&
	if diff -r --no-dereference template "$cell" >difference 2>&1
	then
		same_as_template=yes
	else
		state "$cell/$view" >state.actual &&
		test_cmp state-$view state.actual
	fi
}

# check_usable FORMAT HASH: the repository in the cell is sound and has a HEAD.
check_usable () {
	git -C "$cell/main" commit -q --allow-empty -m later &&
	printf "%s\n" refs/heads/main $1 $2 >expect &&
	git -C "$cell/main" rev-parse --symbolic-full-name HEAD \
		--show-ref-format --show-object-format >actual &&
	test_cmp expect actual &&
	git -C "$cell/main" refs verify
}

# make_interrupted FORMAT HASH: removes what init has made in reverse order, and keeps a copy
# after each step in interrupted/FORMAT-HASH. Without a version in the configuration no
# format has been chosen.
make_interrupted () {
	dir=$cell/main/.git &&
	kept=interrupted/$1-$2 &&
	rm -rf "$cell" &&
	mkdir -p $kept &&
	git init -q -b main --ref-format=$1 --object-format=$2 "$cell/main" &&
	version=$(git config --file "$dir/config" core.repositoryFormatVersion) &&
	for step in objects no-head no-refs empty-head version extensions templates directory
	do
		case $step in
		objects)
			rm -r "$dir/objects"
			;;
		no-head)
			if test $1 = reftable
			then
				rm "$dir"/reftable/*
			else
				rm "$dir/HEAD"
			fi
			;;
		no-refs)
			rm -rf "$dir/reftable" "$dir/refs"
			;;
		empty-head)
			: >"$dir/HEAD"
			;;
		version)
			rm "$dir/HEAD" &&
			git config --file "$dir/config" --remove-section core &&
			git config --file "$dir/config" \
				core.repositoryFormatVersion $version
			;;
		extensions)
			git config --file "$dir/config" --remove-section core
			;;
		templates)
			rm "$dir/config"
			;;
		directory)
			rm -r "$dir" &&
			mkdir "$dir"
			;;
		esac &&
		cp -R "$cell" $kept/$step || return 1
	done
}

# check_interrupted_init FORMAT HASH
check_interrupted_init () {
	for at in objects no-head no-refs empty-head version extensions templates directory
	do
		fresh_cell interrupted/$1-$2/$at &&
		options="--ref-format=$1 --object-format=$2" &&
		case "$at,$setting" in
		# The environment overrides the options.
		extensions,GIT_REFERENCE_BACKEND=* | templates,GIT_REFERENCE_BACKEND=* | \
		directory,GIT_REFERENCE_BACKEND=*)
			setting=NO_SETTING=1
			;;
		objects,* | no-head,* | no-refs,* | empty-head,* | version,*)
			options=
			;;
		esac &&
		env $setting git init -q -b main $options "$cell/main" &&
		check_usable $1 $2 || {
			echo >&2 "failed after an interruption at: $at"
			return 1
		}
	done
}

# check_after_choice FORMAT HASH: an init that was interrupted before the formats were
# chosen is continued by one with different options.
check_after_choice () {
	for at in extensions templates directory
	do
		fresh_cell interrupted/$(other_than $1)-$(other_than $2)/$at &&
		git init -q -b main --ref-format=$1 --object-format=$2 "$cell/main" &&
		check_usable $1 $2 || {
			echo >&2 "failed after an interruption at: $at"
			return 1
		}
	done
}

# killed COMMAND...: the command ends by SIGKILL; its lock files are removed.
killed () {
	"$@"
	test $? = 137 &&
	find "$cell" -name "*.lock" -exec rm {} +
}

# In older releases, `git init` runs the hook in fewer phases or not at all.
kill_points=
test_expect_success 'templates whose hooks kill git' '
	for at in preparing prepared committed
	do
		mkdir -p kill-$at/hooks &&
		write_script kill-$at/hooks/reference-transaction <<-EOF &&
		case \$1 in
		$at) kill -9 \$PPID ;;
		esac
		EOF
		code=0 &&
		{ git init -q --template="$(pwd)/kill-$at" probe || code=$?; } &&
		rm -rf probe &&
		if test $code = 137
		then
			kill_points="$kill_points $at"
		fi || return 1
	done
'
test -z "$kill_points" || test_set_prereq INIT_RUNS_HOOK

test_lazy_prereq PAYLOAD '
	mkdir store &&
	GIT_REFERENCE_BACKEND="reftable://$(pwd)/store" git init repo &&
	git -C repo config extensions.refStorage >storage &&
	grep store storage
'

# make_killed_inits FORMAT HASH
make_killed_inits () {
	rm -rf killed-init &&
	mkdir killed-init &&
	for at in $kill_points
	do
		rm -rf "$cell" &&
		killed git init -q -b main --ref-format=$1 --object-format=$2 \
			--template="$(pwd)/kill-$at" "$cell/main" &&
		rm -r "$cell/main/.git/hooks" &&
		cp -R "$cell" killed-init/$at || return 1
	done
}

# check_killed_init FORMAT HASH
check_killed_init () {
	for at in $kill_points
	do
		fresh_cell killed-init/$at &&
		env $setting git init -q -b main "$cell/main" &&
		check_usable $1 $2 || {
			echo >&2 "failed after a kill when $at"
			return 1
		}
	done
}

# kill_clone AT FORMAT: kills a clone before the references are known, or while they are
# stored.
kill_clone () {
	at=$1 &&
	set -- git clone -q --no-local --ref-format=$2 source "$cell/main" &&
	case $at in
	connected)
		killed "$@" -u "kill -9 \$PPID; false"
		;;
	*)
		killed "$@" --template="$(pwd)/kill-$at" &&
		rm -r "$cell/main/.git/hooks"
		;;
	esac
}

# make_killed_clones FORMAT
make_killed_clones () {
	rm -rf killed-clone &&
	mkdir killed-clone &&
	for at in connected $kill_points
	do
		rm -rf "$cell" &&
		kill_clone $at $1 &&
		cp -R "$cell" killed-clone/$at || return 1
	done
}

# check_killed_clone FORMAT HASH
check_killed_clone () {
	for at in connected $kill_points
	do
		fresh_cell killed-clone/$at &&
		env $setting git init -q -b main "$cell/main" &&
		if test $at = connected
		then
			# The clone does not know the object format yet.
			check_usable $1 sha1
		else
			check_usable $1 $2 &&
			git -C "$cell/main" fsck --strict &&
			git -C "$cell/main" fetch -q &&
			same_rev "$cell/main" v1^{} origin/main~
		fi || {
			echo >&2 "failed after a kill when $at"
			return 1
		}
	done
}

# Commits and fetches would start it each time.
test_expect_success 'switch off maintenance' '
	git config --global maintenance.auto false
'

test_expect_success 'interrupted repositories' '
	for format in files reftable
	do
		make_interrupted $format sha1 &&
		make_interrupted $format sha256 || return 1
	done
'

for format in files reftable
do
	for hash in sha1 sha256
	do
		test_expect_success "setup ($format, $hash)" '
			make_template $format $hash
		'

		for way in main directory git-dir bare in-bare linked separate \
			separate-linked payload
		do
			case $way in
			payload) needs=PAYLOAD ;;
			*) needs= ;;
			esac
			test_expect_success $needs "formats stay: $way ($format, $hash)" '
				check_refusals $way $format $hash &&
				check_cells $way $format $hash
			'
		done

		test_expect_success "a killed move is completed ($format, $hash)" '
			rm -rf "$cell" &&
			cp -R template "$cell" &&
			mv "$cell/main/.git" "$cell/moved" &&
			git -C "$cell/main" init -q --separate-git-dir=../moved &&
			git -C "$cell/main" worktree repair ../linked &&
			for view in main linked
			do
				state "$cell/$view" >state.actual &&
				test_cmp state-$view state.actual || return 1
			done
		'

		for way in symlinked separate-symlinked
		do
			test_expect_success SYMLINKS "formats stay: $way ($format, $hash)" '
				check_refusals $way $format $hash &&
				check_cells $way $format $hash
			'
		done

		test_expect_success "an interrupted init is completed ($format, $hash)" '
			for_each_setting check_interrupted_init $format $hash
		'

		test_expect_success "an interrupted init has not chosen yet ($format, $hash)" '
			check_after_choice $format $hash
		'

		test_expect_success !MINGW,INIT_RUNS_HOOK "a killed init is completed ($format, $hash)" '
			make_killed_inits $format $hash &&
			for_each_setting check_killed_init $format $hash
		'

		test_expect_success !MINGW "a killed clone is completed ($format, $hash)" '
			rm -rf source &&
			cp -R template/main source &&
			make_killed_clones $format &&
			for_each_setting check_killed_clone $format $hash
		'
	done
done

test_done
