#!/usr/bin/env bash
# The house rules that a program can check. Ends with "N passed, N failed".
set -uo pipefail
. "$(dirname "$0")/common.sh"
cd "$ROOT" || exit 1

passed=0
failed=0
# Each check prints what it objects to; nothing printed is a pass.
check() { # name, command...
  local name=$1 found
  shift
  found=$("$@")
  if [ -z "$found" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'not ok: %s\n%s\n' "$name" "$found"
  fi
}

listed() { # Makefile variable
  make -s --no-print-directory -f - "PG_CONFIG=$PG_CONFIG" print <<MAKE
include Makefile
.PHONY: print
print: ; @printf '%s\n' \$($1)
MAKE
}
differing() { diff <(printf '%s\n' "$1" | sort) <(printf '%s\n' "$2" | sort); }
names_of() { # folder, ending
  (cd "$1" && printf '%s\n' *."$2") | sed "s/\\.$2\$//"
}
unlisted_regress() { differing "$(listed REGRESS)" "$(names_of sql sql)"; }
unpaired_regress() { differing "$(names_of sql sql)" "$(names_of expected out)"; }
unlisted_isolation() { differing "$(listed ISOLATION)" "$(names_of test/isolation/specs spec)"; }
unpaired_isolation() { differing "$(listed ISOLATION)" "$(names_of test/isolation/expected out)"; }
empty_expected() { find expected test/isolation/expected -name '*.out' -empty; }
core_knows_postgres() { grep -nE '#include.*(postgres|utils/|pg/|fmgr|executor|catalog)' src/core/*; }
stray_exceptions() {
  grep -nE '\b(try|catch|throw|setjmp|PG_TRY)\b *[({]?' src/pg/*.cpp src/pg/*/*.[ch]pp |
    grep -vE 'src/pg/border/(boundary.hpp|subtransaction.cpp)|//'
}
stray_reports() { grep -nE 'ERRCODE_|MAKE_SQLSTATE' src/core/*.[ch]pp; }
long_files() {
  wc -l src/core/* src/pg/*.cpp src/pg/*/* test/unit/* test/fuzz/*.?pp test/*/*.py test/pgtap/*.sql scripts/* |
    awk '$2 != "total" && $1 > 420 {print}'
}
# Google style closes a function with "}" in column 1 and opens it on a line that ends with "{".
long_functions() {
  awk 'FNR == 1 {start = 0}
       /^[A-Za-z].*\) (const )?(noexcept )?\{$|^    .*\) (const )?(noexcept )?\{$/ && !start {start = FNR; name = $0}
       /^}/ {if (start && FNR - start > 72) print FILENAME ":" start ": " FNR - start " lines: " name; start = 0}' \
    src/core/*.cpp src/pg/*.cpp src/pg/*/*.cpp
}
replacing_sql() { grep -nE 'OR REPLACE|IF NOT EXISTS' src/sql/*.sql src/sql/upgrade/*.sql; }
# In statements of functions that are declared without a fixed search_path.
unqualified_in() { # files
  grep -HnE '"[^"]*[a-z_]\.[a-z_]+ (=|<|>|<>|<=|>=) ' "$@"
}
unqualified_operators() {
  local files
  # The functions of the files that are left out are declared with a fixed search_path.
  files=$(find src/pg/store src/pg/table src/pg/layout -name '*.?pp' ! -name 'documents.cpp' ! -name 'health.cpp' \
    ! -name 'verification*' ! -name 'checkpoints.cpp')
  # shellcheck disable=SC2086 # one file a word
  unqualified_in $files
}
operators_unguarded() {
  unqualified_in - <<<'Statement select = {"SELECT FROM escrowgrid.positions AS p WHERE p.version = 1"};' >/dev/null ||
    echo 'an unqualified operator is not found'
}

# The rooms of src/pg from the lowest floor up; rooms of one floor stand side by side. A file includes headers of its own
# room and of lower floors only.
FLOORS='border
values
identity
layout
direct
table
store
service
api triggers'
upward_includes() { # root of the rooms
  (cd "$1" && grep -HnE '^ *# *include +"pg/' -r . --include='*.?pp') |
    awk -v floors="$FLOORS" '
      BEGIN {
        count = split(floors, lines, "\n")
        for (i = 1; i <= count; i++) { n = split(lines[i], rooms, " "); for (j = 1; j <= n; j++) floor[rooms[j]] = i }
      }
      {
        split($0, part, ":")
        depth = split(part[1], path, "/")
        if (depth < 3) next  # module.cpp, which PostgreSQL enters, may include every room
        room = path[2]
        match($0, /"pg\/[^"]*"/)
        split(substr($0, RSTART + 1, RLENGTH - 2), target, "/")
        if (!(room in floor)) print part[1] ": room " room " is on no floor"
        else if (!(target[2] in floor)) print $0 " includes a header outside of the rooms"
        else if (target[2] != room && floor[target[2]] >= floor[room]) print $0 " points upwards"
      }'
}
includes_upwards() {
  upward_includes src/pg
  # The check above reads includes of this form only.
  grep -HnE '^ *# *include *("\.|<pg/|<core/)' -r src | sed 's/$/ must be written as "pg\/…" or "core\/…"/'
}
# A check that never objects is worth nothing: it has to find an include that is put into a copy.
floors_unguarded() {
  local copy found
  copy=$(mktemp -d) && mkdir -p "$copy/values" "$copy/store" "$copy/api" "$copy/triggers"
  printf '#include "pg/store/positions.hpp"\n' >"$copy/values/datum.cpp"
  printf '#include "pg/triggers/positions.hpp"\n' >"$copy/api/positions.cpp"
  printf '#include "pg/values/datum.hpp"\n#include "pg/store/origin.hpp"\n' >"$copy/store/positions.cpp"
  found=$(upward_includes "$copy" | cut -d: -f1 | sort | tr '\n' ' ')
  rm -r "$copy"
  [ "$found" = './api/positions.cpp ./values/datum.cpp ' ] || echo "an upward include is not found, or another is: $found"
}
# Two files that include each other, in one room.
include_cycles() {
  grep -HnE '^#include "pg/' -r src/pg --include='*.hpp' | sed -E 's|^src/(pg/[^:]*):[0-9]*:#include "([^"]*)".*|\1 \2|' |
    tsort 2>&1 >/dev/null | sed -n 's/^tsort: \(pg.*\)/\1/p'
}
# palloc() aligns to 8 bytes and knows no types: objects come from values/memory.hpp.
raw_allocations() {
  grep -nE 'palloc0?\(sizeof|palloc0?\([^)]*sizeof' -r src/pg --include='*.?pp' | grep -v '^src/pg/values/memory.hpp'
}

version_differs() {
  local version
  version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" escrowgrid.control)
  grep -q "\"version\": \"$version\"" META.json || echo "META.json is not at version $version"
  grep -q "^## \[\?$version" CHANGELOG.md || echo "CHANGELOG.md does not mention $version"
}
released_changed() {
  (cd src/sql/released && sha256sum --check --quiet SHA256SUMS 2>&1 &&
    printf '%s\n' *.sql | diff - <(sed 's/.*  //' SHA256SUMS))
}
errors_doc_stale() { scripts/generate-errors-doc.sh | diff - docs/errors.md; }
functions_undocumented() {
  sed -n 's/^CREATE FUNCTION escrowgrid\.\(escrow_[a-z_]*\).*/\1/p' src/sql/*.sql | while read -r name; do
    grep -q "\`$name" docs/reference.md || echo "docs/reference.md does not describe $name"
  done
}
headings_twice() { # a page that says a heading twice was spliced badly
  local page
  for page in *.md docs/*.md; do
    grep -E '^#+ ' "$page" | sort | uniq -d | sed "s|^|$page says twice: |"
  done
}
settings_undocumented() {
  grep -ohE '"escrowgrid\.[a-z_]+"' src/pg/border/settings.cpp src/pg/identity/sign_in.cpp | tr -d '"' | sort -u | while read -r name; do
    grep -q "\`$name\`" docs/reference.md || echo "docs/reference.md does not describe $name"
  done
}
unexecutable_scripts() { find scripts .ci -type f ! -perm -u+x ! -name common.sh ! -name server.sh ! -name suites.sh ! -name '*.sql' ! -name '*.md'; }

check 'pages have each heading once' headings_twice
check 'every regression test is listed' unlisted_regress
check 'every regression test has its output' unpaired_regress
check 'every isolation test is listed' unlisted_isolation
check 'every isolation test has its output' unpaired_isolation
check 'no expected output is empty' empty_expected
check 'the core knows no header of PostgreSQL' core_knows_postgres
check 'exceptions end at the boundary' stray_exceptions
check 'SQLSTATEs come from one table' stray_reports
check 'files stay readable' long_files
check 'functions stay readable' long_functions
check 'scripts of released versions are as they were' released_changed
check 'the install script creates, it never replaces' replacing_sql
check 'operators are qualified where search_path is the caller'"'"'s' unqualified_operators
check 'includes point downwards' includes_upwards
check 'an upward include would be found' floors_unguarded
check 'headers do not include each other' include_cycles
check 'objects are allocated by one helper' raw_allocations
check 'an unqualified operator would be found' operators_unguarded
check 'one version everywhere' version_differs
check 'docs/errors.md is what errors.def says' errors_doc_stale
check 'every function is documented' functions_undocumented
check 'every setting is documented' settings_undocumented
check 'scripts can be run' unexecutable_scripts
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
