# shellcheck shell=bash
# shellcheck disable=SC2034 # the scripts that source it use the variables
# Functions that link programs from the objects of upstream's built tree, with this library
# in place of git's C library. Source it after lib.sh, with $tree set to the tree and $work
# to a directory. The tree is not changed.

# Sets $compiler and the array `flags` to those that git was built with.
read_flags() {
	local line
	# shellcheck disable=SC2154 # set by the script
	line=$(head -n 1 "$tree/GIT-CFLAGS")
	line=${line%: }
	line=${line%:}
	compiler=${line%%:*}
	flags=()
	eval "flags=(${line#*:})"
}

# Prints the definition that our C sources need for the library whose headers are in a
# directory. After git 2.55.0 the options of a stack became a struct of their own.
definition_for() {
	! grep -qs 'struct reftable_stack_options {' "$1/reftable-stack.h" "$1/reftable.h" ||
		echo -DSTACK_OPTIONS
}

# Makes $work/libgit.a without the C library. Other objects of git may have the same name
# as one of the library's, so the contents decide.
strip_archive() {
	local object name count
	# shellcheck disable=SC2154 # set by the script
	cp "$tree/libgit.a" "$work/libgit.a"
	mkdir "$work/member"
	for object in "$tree"/reftable/*.o
	do
		name=${object##*/}
		count=$(ar t "$work/libgit.a" | grep -cx "$name" || :)
		while test "$count" -gt 0
		do
			(cd "$work/member" && ar xN "$count" "$work/libgit.a" "$name")
			! cmp -s "$work/member/$name" "$object" || break
			count=$((count - 1))
		done
		test "$count" -gt 0 || die "$name of $tree/reftable is not in libgit.a"
		ar dN "$count" "$work/libgit.a" "$name"
	done
	rm -r "$work/member"
	ranlib "$work/libgit.a"
}

# Sets the array `plain_names` to linker options that let objects which were compiled with
# git's own headers find the functions that our header renames. Only safe if these headers
# have the same shape as the library.
read_plain_names() {
	# shellcheck disable=SC2154 # set by use_capi
	mapfile -t plain_names < <(sed -nE 's/^#define (reftable_[a-z_]+) (reftable_[a-z_]+_[0-9]+_[0-9]+)$/-Wl,--defsym=\1=\2/p' "$capi_header")
}

# link_program OUTPUT ARGUMENT...: links a program from git's objects, with the libraries
# that git needs.
link_program() {
	local output=$1 rust=$tree/target/release/libgitcore.a libraries=()
	shift
	test ! -f "$rust" || libraries+=("$rust")
	! grep -q "^USE_LIBPCRE2='1'" "$tree/GIT-BUILD-OPTIONS" || libraries+=(-lpcre2-8)
	# shellcheck disable=SC2086 # the compiler may have arguments
	$compiler -o "$output" "$@" "${libraries[@]}" -lz -lpthread -lrt -ldl -lm
}

# Prints the names of the static functions in object files.
static_functions() {
	nm --defined-only "$@" | awk 'NF == 3 && $2 == "t" { print $3 }' | sort -u
}

# Fails if the program $1 contains an object of the C library, recognised by its static
# functions. Those of headers are in other objects, too, if they are not inlined.
without_c_library() {
	local left others=("$tree"/*.o)
	! compgen -G "$work/*.o" >/dev/null || others+=("$work"/*.o)
	static_functions "${others[@]}" >"$work/other-names"
	static_functions "$tree"/reftable/*.o | comm -23 - "$work/other-names" >"$work/c-names"
	test "$(wc -l <"$work/c-names")" -gt 100 || die "the C objects of $tree have not been built"
	left=$(nm --defined-only "$1" | awk 'NF == 3 { print $3 }' | sort -u | comm -12 - "$work/c-names" | tr '\n' ' ')
	test -z "$left" || die "objects of the C library are still linked: $left"
}
