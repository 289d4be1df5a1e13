# Names what can be made and in which order; the work is in scripts/.
#
#   make                everything: prerequisites, library, patched git, demonstration
#   make test           everything that must pass before a change lands; with
#                       SUITE=full, all of git's own tests too
#   make lib            build/lib/libreftable-git.a and its header
#   make git            git with the Rust backend in build/git-$(GIT_VERSION)
#   make upstream       the same git as released in build/upstream-$(GIT_VERSION)
#   make suite          git's own tests on reftables: T="t14*.sh" HASH=sha256 BACKEND=c
#   make random-commands  10,000 sequences of git commands on both gits, compared
#   make demo           the demonstration on real input
#   make bench          measures git's C code and this side by side; writes the figures
#                       into docs/performance.md and README.md, in about 20 minutes
#   make bench-quick    the same with less; prints the figures, in about 3 minutes
#   make bench-crate    the benchmarks of the crate alone
#   make headers        writes include/reftable-git.h anew
#   make clean
#
# CC, CFLAGS, NO_RUST=1 and DEVELOPER=1 reach git's build. BUILD names another
# build folder, so that different settings can stand side by side.

GIT_VERSION = 2.55.0
BUILD = build
JOBS =
T =
HASH = sha1
BACKEND = rust
SUITE = refs
SEQUENCES = 10000
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

# The scripts run the parallel jobs.
.NOTPARALLEL:

.PHONY: all
all: prerequisites git upstream demo

.PHONY: prerequisites
prerequisites:
	@scripts/prerequisites

.PHONY: lib
lib:
	scripts/build-lib $(GIT_VERSION)

.PHONY: git
git: lib
	scripts/build-git patched $(GIT_VERSION)

.PHONY: upstream
upstream:
	scripts/build-git upstream $(GIT_VERSION)

.PHONY: suite
ifeq ($(BACKEND),rust)
suite: git
else
suite: upstream
endif
	@set -f; scripts/suite --git $(GIT_VERSION) --backend $(BACKEND) --hash $(HASH) $(T)

.PHONY: random-commands
random-commands: git upstream
	scripts/random-commands $(GIT_VERSION) $(SEQUENCES)

.PHONY: demo
demo: git upstream
	scripts/demo $(BUILD)/git-$(GIT_VERSION) $(BUILD)/upstream-$(GIT_VERSION)

.PHONY: test
test:
	SUITE=$(SUITE) scripts/check $(GIT_VERSION)

.PHONY: bench bench-quick
bench: bench-prerequisites lib git upstream
	scripts/bench --disk $(BUILD)/bench/disk $(GIT_VERSION)

bench-quick: bench-prerequisites lib git upstream
	scripts/bench --quick $(GIT_VERSION)

.PHONY: bench-prerequisites
bench-prerequisites:
	@scripts/prerequisites --bench

.PHONY: bench-crate
bench-crate:
	cargo bench

.PHONY: headers
headers:
	scripts/make-headers

.PHONY: clean
clean:
	cargo clean
	rm -rf $(BUILD)
