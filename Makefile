# escrowgrid: build, install and check.
#
#   make                 build the module and the installation script
#   make install         install them into the PostgreSQL that PG_CONFIG names
#   make installcheck    run the regression and isolation tests against a running server
#   make demo            install what is missing, build, play an escrow on a throwaway server
#   make test            install what is missing, build, check the sources, run every test on a throwaway server
#   make help            all targets

# The only place that names the version of PostgreSQL: scripts/common.sh and CMakeLists.txt read this line.
PGVERSION ?= 15
PG_CONFIG ?= $(firstword $(wildcard /usr/lib/postgresql/$(PGVERSION)/bin/pg_config) pg_config)
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" escrowgrid.control)

EXTENSION = escrowgrid
MODULE_big = escrowgrid
SOURCES := $(sort $(wildcard src/core/*.cpp) $(wildcard src/pg/*.cpp) $(wildcard src/pg/*/*.cpp))
OBJS = $(SOURCES:src/%.cpp=build/%.o)
SQL_SCRIPT = build/escrowgrid--$(EXTVERSION).sql
# Scripts of released versions never change; scripts/lint-structure.sh compares them with their digests.
DATA = $(wildcard src/sql/released/*.sql) $(wildcard src/sql/upgrade/*.sql)
DATA_built = $(SQL_SCRIPT)

# Listed by hand, in the order they run; scripts/lint-structure.sh fails for a test that is not listed.
REGRESS = install main_job setup_errors position_errors raw_dml records reading savepoints
REGRESS_OPTS = --inputdir=. --outputdir=build/regress
# test_setup comes first: it makes what the other specs use.
ISOLATION = test_setup double_release release_cancel release_cancel_spi release_expire cancel_expire partial_partial \
	partial_version function_raw raw_raw create_currency idempotency expire_due policy_tightened \
	policy_first_set policy_moved table_locked decided_after_wait \
	exposure_race asset_deleted purge_race checkpoint_race decided_after_wait_in_update
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=build/isolation
# Both runners refuse to start without their output directory.
$(shell mkdir -p build/regress build/isolation)

SHLIB_LINK = -lstdc++ -lcrypto
EXTRA_CLEAN = build
# Never write into a library that a running server may have mapped.
override INSTALL_SHLIB = scripts/install-library.sh
# Bitcode for JIT would need the exact clang the server was built with, for no gain.
override with_llvm = no

CXX = g++
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-register -Werror
CXXFLAGS_ALL = -std=c++20 -O2 -g -fPIC -fvisibility=hidden $(WARNINGS) -MMD -MP \
	-Isrc -DESCROWGRID_VERSION='"$(EXTVERSION)"'

PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
else
all install installcheck clean:
	@echo "PostgreSQL's server headers are missing: install postgresql-server-dev-$(PGVERSION), or set PG_CONFIG." >&2
	@exit 1
endif

# PostgreSQL's headers are not ours to warn about.
PG_INCLUDES = -isystem $(shell $(PG_CONFIG) --includedir-server)

# Objects for one server are never linked with objects for another, because assertions change the headers' macros: this
# file changes, and with it everything that is made from the headers, when PG_CONFIG names another server.
build/server: FORCE
	@mkdir -p $(@D)
	@$(PG_CONFIG) --version --configure >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
FORCE:
.PHONY: FORCE

build/core/%.o: src/core/%.cpp escrowgrid.control
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS_ALL) $(CXXFLAGS_EXTRA) -c $< -o $@

build/pg/%.o: src/pg/%.cpp escrowgrid.control build/server
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS_ALL) $(CXXFLAGS_EXTRA) -D_GNU_SOURCE $(PG_INCLUDES) -c $< -o $@

-include $(OBJS:.o=.d)

$(SQL_SCRIPT): $(sort $(wildcard src/sql/*.sql)) escrowgrid.control
	@mkdir -p $(@D)
	cat $(filter %.sql,$^) > $@.new
	mv $@.new $@

.PHONY: demo test unit lint format fuzz release-check proof-model proof-agreement proof-batches proof-escape \
	proof-keys proof-tampering proof-verify proof-direct proof-assert proof-storm proof-grants proof-valgrind \
	bench bench-compare bench-extras bench-scale bench-core bench-instructions help errors-doc

demo: ## Play a construction escrow on a throwaway server (KEEP=1 leaves it running)
	@PGVERSION=$(PGVERSION) KEEP=$(KEEP) scripts/demo.sh

test: ## What contributors and CI run: quick checks of the sources, and every test on a throwaway server
	@PGVERSION=$(PGVERSION) scripts/test.sh

unit: ## Run the core's unit tests under ASan and UBSan
	@scripts/unit.sh

TIME ?= 60
fuzz: ## Fuzz the core with libFuzzer, TIME=60 seconds a target
	@scripts/fuzz.sh $(TIME)

CALLS ?= 100000
SEED ?= 1
proof-model: ## Compare CALLS random calls of 4 sessions with a model (SEED=1)
	@PGVERSION=$(PGVERSION) scripts/proof.sh model $(CALLS) $(SEED)

REQUESTS ?= 50000
proof-agreement: ## Ask explain, try and the real call REQUESTS times: they never disagree
	@PGVERSION=$(PGVERSION) scripts/proof.sh agreement $(REQUESTS) $(SEED)

ROUNDS ?= 10000
proof-batches: ## ROUNDS batches with overlapping ids in opposite orders by 8 sessions: no deadlock
	@PGVERSION=$(PGVERSION) scripts/proof.sh batches $(ROUNDS)

ATTEMPTS ?= 10000
proof-escape: ## Make ATTEMPTS attempts of one tenant to reach another's rows
	@PGVERSION=$(PGVERSION) scripts/proof.sh escape $(ATTEMPTS)

KEYS ?= 1000000
proof-keys: ## Sign in among KEYS keys: an index lookup, never a scan
	@PGVERSION=$(PGVERSION) scripts/proof.sh keys $(KEYS)

TAMPERINGS ?= 20000
proof-tampering: ## Tamper TAMPERINGS times at random: escrow_verify() and the independent verifier agree
	@PGVERSION=$(PGVERSION) scripts/proof.sh tampering $(TAMPERINGS) $(SEED)

ROUNDS_DIRECT ?= 400
proof-direct: ## Write ROUNDS_DIRECT random rounds with and without SPI: nothing tells the ways apart
	@PGVERSION=$(PGVERSION) scripts/proof-direct.sh $(ROUNDS_DIRECT) $(SEED)

EVENTS ?= 1000000
proof-verify: ## Verify EVENTS events: rate, and memory that does not grow
	@PGVERSION=$(PGVERSION) scripts/proof.sh verify $(EVENTS)

STORM ?= 300
proof-assert: ## The tests with assertions, with caches discarded, and in a DDL storm of STORM seconds (SEED=1)
	@PGVERSION=$(PGVERSION) scripts/proof-assert.sh $(STORM) $(SEED)

proof-storm: ## Calls for STORM seconds against DDL that changes their tables without pause, on Debian's server (SEED=1)
	@PGVERSION=$(PGVERSION) scripts/proof.sh storm $(STORM) $(SEED)

proof-grants: ## New connections for STORM seconds against 10 and as long against 100 GRANTs and REVOKEs a second
	@PGVERSION=$(PGVERSION) scripts/proof.sh grants $(STORM) $(SEED) 10 100

proof-valgrind: ## The regression tests and pgTAP on a server under valgrind
	@PGVERSION=$(PGVERSION) scripts/proof-valgrind.sh

ROUNDS_TAKEN ?= 5
SECONDS ?= 3
bench: ## Compare with peers, interleaved, in en_US.UTF-8 and in C (WRITE=1 updates docs/performance.md)
	@PGVERSION=$(PGVERSION) WRITE=$(WRITE) scripts/bench.sh --rounds $(ROUNDS_TAKEN) --seconds $(SECONDS)

BASE ?= HEAD
bench-compare: ## Compare the present module with that of revision BASE, in turns (EXTRA=file.sql on the present server)
	@PGVERSION=$(PGVERSION) EXTRA="$(EXTRA)" scripts/bench-compare.sh $(BASE) $(COMPARE)

bench-extras: ## What a user's AFTER ROW trigger and a GIN index cost a transition
	@PGVERSION=$(PGVERSION) scripts/bench-extras.sh $(COMPARE)

bench-scale: ## Transitions among 100 thousand and among 10 million events (EVENTS=…)
	@PGVERSION=$(PGVERSION) scripts/bench-scale.sh \
		$(if $(filter command line environment,$(origin EVENTS)),$(EVENTS),10000000)

bench-core: ## The core's part of a call, by Google Benchmark
	@scripts/bench-core.sh

bench-instructions: ## Instructions of one transition in the backend, by callgrind
	@PGVERSION=$(PGVERSION) scripts/bench-instructions.sh

lint: ## All checks of the sources: those of make test, and clang-tidy, which takes minutes
	@PGVERSION=$(PGVERSION) scripts/lint.sh

release-check: ## All that a program can check before a release (QUICK=1 leaves out what takes minutes)
	@PGVERSION=$(PGVERSION) QUICK=$(QUICK) scripts/release-check.sh

format: ## Format the C++ sources
	clang-format -i src/core/*.[ch]pp src/pg/*.cpp src/pg/*/*.[ch]pp test/unit/*.[ch]pp test/fuzz/*.[ch]pp test/bench/*.cpp

errors-doc: ## Generate docs/errors.md from src/core/errors.def
	scripts/generate-errors-doc.sh > docs/errors.md

help: ## List the targets
	@echo "make, make install, make installcheck, make clean: as with any PostgreSQL extension, and:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 28
