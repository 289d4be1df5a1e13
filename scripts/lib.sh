# shellcheck shell=bash
# shellcheck disable=SC2034 # the scripts that source it use the variables
# Functions that the scripts share. To be sourced; sets $top and $build.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The build directory, absolute: git's build trees contain its path.
build=$(realpath -m "${BUILD:-$top/build}")
export TMPDIR="${TMPDIR:-/tmp}"
# Absolute, too: some scripts change to $top, where cargo looks for its configuration.
if test -n "${CARGO_TARGET_DIR:-}"
then
	CARGO_TARGET_DIR=$(realpath -m "$CARGO_TARGET_DIR")
fi

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
	say "error: $*"
	exit 1
}

# The only release that scripts/git-versions marks with a flag.
marked_release() {
	awk -v flag="$1" '!/^#/ && ("," $4 ",") ~ ("," flag ",") { print $1 }' "$top/scripts/git-versions"
}

# The release that scripts build and test when none is named: GIT_VERSION, else the default
# of scripts/git-versions.
default_release() {
	printf '%s\n' "${GIT_VERSION:-$(marked_release default)}"
}

# Names the scripts of git to run on the release in $version: in $about_refs those about
# references, with those that the series adds or changes; in $using_refs those that depend
# on references most, with those of the series about the Rust backend alone.
name_ref_scripts() {
	local each
	about_refs=('t061[0-4]-*.sh' 't14[0-9][0-9]-*.sh')
	using_refs=('t0602-*.sh' 't240[0-7]-*.sh' 't3200-*.sh' 't3903-*.sh' 't5510-*.sh' 't7004-*.sh')
	while IFS= read -r each
	do
		case $each in
		*-rust.sh) using_refs+=("$each") ;;
		*) about_refs+=("$each") ;;
		esac
	done < <(sed -nE 's,^\+\+\+ b/t/(t[0-9]{4}-.*\.sh)$,\1,p' "$series"/*.patch | sort -u)
}

# existing PATTERN...: those that match scripts of the release in $version.
existing() {
	local pattern
	for pattern
	do
		! (cd "$build/git-$version/t" && compgen -G "$pattern" >/dev/null) || printf '%s\n' "$pattern"
	done
}

# Reads the line of a release in scripts/git-versions into $version and the variables
# named below; scripts/git-versions describes the columns. No argument, or an empty one,
# names the default release.
use_release() {
	local series_name
	version=${1:-$(default_release)}
	read -r _ feature series_name release_flags package suites tarball_name tarball_sum < <(
		awk -v version="$version" '!/^#/ && $1 == version' "$top/scripts/git-versions"
	) || die "unknown release '$version'; scripts/git-versions lists those that can be built"
	series=$top/git-patches/$series_name
	library=$build/lib/git-$version/libreftable-git.a
}

# The releases that a patch series exists for.
releases_with_series() {
	awk '!/^#/ && NF { print $1, $3 }' "$top/scripts/git-versions" |
		while read -r release series_name
		do
			test ! -d "$top/git-patches/$series_name" || echo "$release"
		done
}

# Whether the release has a flag: default, c-backend or capi-SHAPE.
release_has() {
	[[ ,$release_flags, = *,$1,* ]]
}

# The release whose upstream git has a reftable backend in C to compare a release with: the
# same one, or the default.
c_release() {
	(
		use_release "$1"
		release_has c-backend || use_release "$(marked_release default)"
		printf '%s\n' "$version"
	)
}

need_c_backend() {
	release_has c-backend || die "git $version has no reftable backend in C"
}

crate_version() {
	sed -n 's/^version = "\(.*\)"/\1/p' "$top/Cargo.toml" | head -n 1
}

# The shape of the C API that the release has, or nothing.
capi_of_release() {
	tr , '\n' <<<"$release_flags" | sed -n 's/^capi-//p'
}

# Sets the variables below to the names of one shape of the C API: $1, else CAPI, else the
# newer one. The files of the newer shape have no suffix.
use_capi() {
	capi=${1:-${CAPI:-2.56}}
	case $capi in
	2.56)
		capi_feature=capi
		capi_name=reftable
		capi_soname=libreftable.so.$(crate_version | cut -d. -f1-2)
		;;
	2.55)
		capi_feature="capi-2-55"
		capi_name=reftable-2.55
		# That of version 0.1 of the library, whose only shape this was.
		capi_soname=libreftable.so.0
		;;
	*) die "unknown shape of the C API: '$capi' (CAPI is 2.55 or 2.56)" ;;
	esac
	capi_header=$top/include/$capi_name.h
	capi_archive=$build/lib/lib$capi_name.a
	capi_shared=$build/lib/lib$capi_name.so.$(crate_version)
	# The header by its installed name, and git's header names.
	capi_include=$build/include/$capi_name
}

# The same for the shape of the release.
use_capi_of_release() {
	local shape
	shape=$(capi_of_release)
	test -n "$shape" || die "this library does not have the interface of git $version's C library"
	use_capi "$shape"
}

sum_of() {
	sha256sum <"$1" | cut -d' ' -f1
}

# Makes rustc replace the paths of this machine in messages and debugging information, for
# libraries and programs that are passed on to others. The argument is that of
# scripts/linked-crates. The crates have the same names wherever cargo keeps them.
hide_paths() {
	local directory flags=() separator=$'\x1f' IFS
	read -r -a flags <<<"${RUSTFLAGS:-}" || :
	# rustc uses the last prefix that matches: crates and build directory may be below $top.
	flags+=("--remap-path-prefix=$top=reftable-$(crate_version)"
		"--remap-path-prefix=${CARGO_TARGET_DIR:-$top/target}=target"
		"--remap-path-prefix=$(rustc --print sysroot)=rust")
	while IFS= read -r directory
	do
		flags+=("--remap-path-prefix=$directory=crates")
	done < <("$top/scripts/linked-crates" "$@" | cut -f 4 | sed 's,/[^/]*$,,' | sort -u)
	IFS=$separator
	export CARGO_ENCODED_RUSTFLAGS="${CARGO_ENCODED_RUSTFLAGS:+$CARGO_ENCODED_RUSTFLAGS$separator}${flags[*]}"
}

have() {
	command -v "$1" >/dev/null 2>&1
}

# Exports the paths of the gits of a release for the tests of the crate. The C backend of
# another release is named if it has none, and the C library whose interface tests/c uses.
name_gits() {
	local library_release c
	library_release=$(marked_release capi-2.55)
	c=$(c_release "$1")
	export REFTABLE_UPSTREAM_SRC=$build/upstream-$library_release
	export REFTABLE_GIT=$build/git-$1/bin-wrappers/git
	export REFTABLE_UPSTREAM_GIT=$build/upstream-$c/bin-wrappers/git
	# For tests that compare the backends alone, without what the patches change.
	if test -x "$build/git-c-$1/git"
	then
		export REFTABLE_PATCHED_C_GIT=$build/git-c-$1/bin-wrappers/git
	fi
}

# have_header LIBRARY HEADER...: whether the C compiler finds the headers and the library
# (-lNAME, or - for none).
have_header() {
	local library=$1 header lines=
	shift
	for header
	do
		lines+="#include <$header>"$'\n'
	done
	lines+='int main(void) { return 0; }'
	test "$library" != - || library=
	# shellcheck disable=SC2086 # CC may hold options; no library, no argument
	printf '%s\n' "$lines" |
		${CC:-cc} -DPCRE2_CODE_UNIT_WIDTH=8 -x c - -o /dev/null $library 2>/dev/null
}

# write_if_changed FILE: replaces FILE by standard input if it differs. An unchanged file
# keeps its time, so that make rebuilds nothing.
write_if_changed() {
	local new
	new=$(mktemp "$1.XXXXXX")
	cat >"$new"
	chmod 644 "$new"
	if cmp -s "$new" "$1"
	then
		rm -f "$new"
	else
		mv -f "$new" "$1"
	fi
}
