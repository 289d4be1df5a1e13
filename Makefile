# The targets and their order; the work is done in scripts/.
#
#   make                everything: prerequisites, library, patched git, demonstration
#   make test           everything that must pass before a change lands; with
#                       SUITE=full, all of git's own tests too
#   make lib            in build/lib: git-RELEASE, the backend for git, and the C
#                       library, libreftable.a and libreftable.so; with CAPI=2.55 the
#                       C library in the shape of git 2.55, libreftable-2.55
#   make cli            the program `reftable` with its manual pages in build/cli
#   make install        installs the C library, and the program with its manual pages and
#                       completions: CAPI= PREFIX=/usr/local LIBDIR= INCLUDEDIR= DOCDIR=
#                       BINDIR= MANDIR= DESTDIR=; install-lib or install-cli one of them
#   make uninstall      removes what make install with the same settings installed; also
#                       uninstall-lib, uninstall-cli
#   make git            git with the Rust backend in build/git-$(GIT_VERSION)
#   make install-git    installs that git: PREFIX=/usr/local DESTDIR= NO_MANUAL=; uninstall-git
#                       removes it
#   make git-c          the same git with the series and its own C backend
#   make upstream       the same git as released in build/upstream-$(GIT_VERSION)
#   make git-capi       that git with this C library instead of its own
#   make suite          git's own tests on reftables: T="t14*.sh" HASH=sha256
#                       BACKEND=c (upstream's), patched-c (upstream's, in the patched
#                       git), capi (upstream's with the C library), files (references in
#                       files, in the patched git) or upstream-files
#   make suites         the whole suites of all releases, in hours; writes the results into
#                       docs/git-suite.md
#   make cross-release  lets all releases use the same repositories, after building them
#   make random-commands  compares both gits on 10,000 random sequences of commands
#   make crowd          long runs of 16 writers and 16 readers, and both gits compared
#   make hostile        runs git's commands on all malformed repositories
#   make fuzz           runs each fuzzer for FUZZ_SECONDS of processor time
#   make miri           unit tests under Miri, which detects undefined behaviour
#   make demo           the demonstration on real input
#   make bench          measures git's C code and this side by side; writes the figures
#                       into docs/performance.md and README.md, in about 20 minutes
#   make bench-quick    the same with smaller sizes; prints the figures, in about 3 minutes
#   make bench-crate    measures the crate beside git's C library, grit-lib and the command
#                       git; then its own benchmarks
#   make headers        writes the headers in include that are generated
#   make dist           the source release, build/dist/reftable-VERSION.tar.xz, with the sources
#                       of the crates, manual pages and completions, and its SHA-256
#   make deb            Debian packages of git and of this project, in build/deb; without
#                       GIT_VERSION of the release of git that this Debian has
#   make test-deb       installs and tests packages in clean trees of Debian
#   make test-dist      builds everything from two of them, without git and network
#   make clean
#
# GIT_VERSION selects another release of scripts/git-versions. CC, CFLAGS, NO_RUST=1 and
# DEVELOPER=1 are passed to git's build. BUILD selects another build directory, so that
# builds with different settings can exist side by side.

# make deb has another default.
DEB_RELEASE := $(GIT_VERSION)
# The release that scripts/git-versions marks as the default.
ifeq ($(GIT_VERSION),)
GIT_VERSION := $(shell awk '!/^\#/ && $$4 ~ /(^|,)default(,|$$)/ { print $$1 }' scripts/git-versions)
endif
# A release whose upstream git has a C backend to compare with: this one or the default.
C_VERSION = $(shell bash -c '. scripts/lib.sh && c_release $(GIT_VERSION)')
BUILD = build
JOBS =
T =
HASH = sha1
BACKEND = rust
SUITE = refs
SEQUENCES = 10000
CROWD_SECONDS = 300
CROWD_ROUNDS = 20
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DOCDIR ?=
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
# The shape of the C API: 2.56 or 2.55.
CAPI ?= 2.56
DESTDIR ?=
FUZZ_SECONDS = 60
OPTIONS =
NO_RUST =
DEVELOPER =

# make's own default, cc, is git's default too.
ifneq ($(origin CC),default)
export CC
endif
ifneq ($(origin CFLAGS),undefined)
export CFLAGS
endif
export BUILD JOBS NO_RUST DEVELOPER

# The scripts run jobs in parallel.
.NOTPARALLEL:

.PHONY: all
all: prerequisites git upstream demo

.PHONY: prerequisites
prerequisites:
	@scripts/prerequisites

.PHONY: lib
lib: lib-git lib-c

.PHONY: lib-git
lib-git:
	scripts/build-lib $(GIT_VERSION)

.PHONY: lib-c
lib-c:
	CAPI='$(CAPI)' scripts/build-capi

# In the shape of the release.
.PHONY: lib-c-of-release
lib-c-of-release:
	scripts/build-capi $(GIT_VERSION)

# The user who installs, often root, may have no Rust toolchain: then what was built before
# is installed.
.PHONY: install uninstall
install: install-lib install-cli
uninstall: uninstall-lib uninstall-cli

.PHONY: install-lib
install-lib: $(if $(shell command -v cargo),lib-c)
	CAPI='$(CAPI)' PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' DOCDIR='$(DOCDIR)' \
		DESTDIR='$(DESTDIR)' scripts/install-lib

.PHONY: uninstall-lib
uninstall-lib:
	CAPI='$(CAPI)' PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' DOCDIR='$(DOCDIR)' \
		DESTDIR='$(DESTDIR)' scripts/install-lib --uninstall

.PHONY: cli
cli:
	scripts/build-cli

.PHONY: install-cli
install-cli: $(if $(shell command -v cargo),cli)
	PREFIX='$(PREFIX)' BINDIR='$(BINDIR)' MANDIR='$(MANDIR)' DESTDIR='$(DESTDIR)' scripts/install-cli

.PHONY: uninstall-cli
uninstall-cli:
	PREFIX='$(PREFIX)' BINDIR='$(BINDIR)' MANDIR='$(MANDIR)' DESTDIR='$(DESTDIR)' \
		scripts/install-cli --uninstall

.PHONY: git
git: lib-git
	scripts/build-git patched $(GIT_VERSION)

# As for the library, the user who installs may have no Rust toolchain.
.PHONY: install-git
install-git: $(if $(shell command -v cargo),git)
	PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install-git $(GIT_VERSION)

.PHONY: uninstall-git
uninstall-git:
	PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install-git --uninstall $(GIT_VERSION)

.PHONY: upstream
upstream:
	scripts/build-git upstream $(GIT_VERSION)

# Upstream's git with the C backend that this release is compared with.
.PHONY: upstream-c
upstream-c: $(if $(filter-out $(GIT_VERSION),$(C_VERSION)),,upstream)
	$(if $(filter-out $(GIT_VERSION),$(C_VERSION)),scripts/build-git upstream $(C_VERSION))

.PHONY: git-c
git-c:
	scripts/build-git patched-c $(GIT_VERSION)

.PHONY: git-capi
git-capi: lib-c-of-release upstream
	scripts/build-git-capi $(GIT_VERSION)

.PHONY: suite
ifneq ($(filter rust files,$(BACKEND)),)
suite: git
else ifeq ($(BACKEND),patched-c)
suite: git-c
else ifeq ($(BACKEND),capi)
suite: git-capi
else
suite: upstream
endif
	@set -f; scripts/suite --git $(GIT_VERSION) --backend $(BACKEND) --hash $(HASH) $(T)

.PHONY: suites
suites:
	scripts/suites

.PHONY: cross-release
cross-release:
	scripts/cross-releases

.PHONY: random-commands
random-commands: git git-c upstream
	scripts/random-commands $(GIT_VERSION) $(SEQUENCES)

.PHONY: crowd
crowd: git upstream
	scripts/crowd $(GIT_VERSION) $(CROWD_SECONDS) $(CROWD_ROUNDS)

.PHONY: hostile
hostile: git
	scripts/hostile $(GIT_VERSION)

.PHONY: fuzz
fuzz:
	FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz

.PHONY: miri
miri:
	scripts/miri

.PHONY: demo
demo: git upstream upstream-c
	scripts/demo $(BUILD)/git-$(GIT_VERSION) $(BUILD)/upstream-$(GIT_VERSION) \
		$(BUILD)/upstream-$(C_VERSION)

.PHONY: test
test:
	SUITE=$(SUITE) scripts/check $(GIT_VERSION)

.PHONY: bench bench-quick
bench: bench-prerequisites lib git upstream upstream-c
	scripts/bench --disk $(BUILD)/bench/disk $(GIT_VERSION)

bench-quick: bench-prerequisites lib git upstream upstream-c
	scripts/bench --quick $(GIT_VERSION)

.PHONY: bench-prerequisites
bench-prerequisites:
	@scripts/prerequisites --bench

.PHONY: bench-crate
bench-crate: upstream
	scripts/bench-crate
	cargo bench --manifest-path benches/Cargo.toml

.PHONY: headers
headers:
	scripts/make-headers

.PHONY: dist
dist: cli
	scripts/dist

.PHONY: test-dist
test-dist: cli
	scripts/test-dist $(GIT_VERSION)

# OPTIONS are those of the script.
.PHONY: deb
deb:
	scripts/make-deb $(OPTIONS) $(DEB_RELEASE)
	scripts/make-deb $(OPTIONS) reftable

.PHONY: test-deb
test-deb:
	scripts/test-deb $(OPTIONS) $(DEB_RELEASE)

.PHONY: clean
clean:
	cargo clean
	rm -rf $(BUILD)
