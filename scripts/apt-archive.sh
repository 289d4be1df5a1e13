# shellcheck shell=bash
# Reads other suites of the distribution's archive with a private apt configuration, which
# leaves the machine's own lists and packages as they are. Source it after lib.sh.

# The URI of the archive that has the suite in this machine's apt configuration; that of
# security updates is another one.
archive_uri() {
	local security=
	[[ ${1:-} != *-security ]] || security=yes
	# shellcheck disable=SC2016 # apt-get expands these
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
		awk -v security="$security" '
			$2 ~ /-(updates|backports)/ { next }
			($2 ~ /-security/) == (security != "") { print $1; exit }'
}

# The keyring that this machine's configuration names for it, if any.
archive_keys() {
	cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
		sed -n -e 's/^Signed-By: *\(\/.*\)/\1/p' \
			-e 's/^deb.*signed-by=\([^] ]*\).*/\1/p' | head -n 1
}

# Runs an apt command on the suite that open_suite has opened.
private_apt() {
	local command=$1
	shift
	"$command" -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/sources" \
		-o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" \
		-o APT::Sandbox::User="$(id -un)" "$@"
}

# open_suite DIRECTORY TYPES SUITE: fetches the package lists of a suite into DIRECTORY,
# which private_apt uses from then on. TYPES is deb or deb-src.
open_suite() {
	local uri keys
	apt=$1
	have apt-get && have apt-cache || return 1
	uri=$(archive_uri "$3")
	keys=$(archive_keys)
	test -n "$uri" || return 1
	rm -rf "$apt"
	mkdir -p "$apt/sources" "$apt/lists/partial" "$apt/cache/archives/partial"
	{
		printf 'Types: %s\nURIs: %s\n' "$2" "$uri"
		printf 'Suites: %s\nComponents: main\n' "$3"
		test -z "$keys" || printf 'Signed-By: %s\n' "$keys"
	} >"$apt/sources/archive.sources"
	private_apt apt-get update >/dev/null 2>&1
}
