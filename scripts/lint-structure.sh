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
unlisted_regress() { differing "$(listed REGRESS)" "$(cd sql && printf '%s\n' *.sql | sed 's/\.sql$//')"; }
unpaired_regress() { differing "$(cd sql && printf '%s\n' *.sql | sed 's/\.sql$//')" "$(cd expected && printf '%s\n' *.out | sed 's/\.out$//')"; }
unlisted_isolation() { differing "$(listed ISOLATION)" "$(cd test/isolation/specs && printf '%s\n' *.spec | sed 's/\.spec$//')"; }
unpaired_isolation() { differing "$(listed ISOLATION)" "$(cd test/isolation/expected && printf '%s\n' *.out | sed 's/\.out$//')"; }
empty_expected() { find expected test/isolation/expected -name '*.out' -empty; }
core_knows_postgres() { grep -nE '#include.*(postgres|utils/|pg/|fmgr|executor|catalog)' src/core/*; }
stray_exceptions() { grep -nE '\b(try|catch|throw|setjmp|PG_TRY)\b *[({]?' src/pg/*.cpp src/pg/*/*.[ch]pp | grep -vE 'src/pg/border/boundary.hpp|//'; }
stray_reports() { grep -nE 'ERRCODE_|MAKE_SQLSTATE' src/core/*.[ch]pp; }
long_files() { wc -l src/core/* src/pg/*.cpp src/pg/*/* test/unit/* test/fuzz/*.?pp test/*/*.py scripts/* | awk '$2 != "total" && $1 > 420 {print}'; }
# Google style closes a function with "}" in column 1 and opens it on a line that ends with "{".
long_functions() {
  awk 'FNR == 1 {start = 0} /^[A-Za-z].*\) (const )?(noexcept )?\{$|^    .*\) (const )?(noexcept )?\{$/ && !start {start = FNR; name = $0}
       /^}/ {if (start && FNR - start > 72) print FILENAME ":" start ": " FNR - start " lines: " name; start = 0}' src/core/*.cpp src/pg/*.cpp src/pg/*/*.cpp
}
replacing_sql() { grep -nE 'OR REPLACE|IF NOT EXISTS' src/sql/*.sql src/sql/upgrade/*.sql; }
unqualified_operators() { # in statements of functions without a fixed search_path
  grep -nE '"[^"]*[a-z_]\.[a-z_]+ (=|<|>|<>|<=|>=) ' src/pg/store/positions.cpp src/pg/store/institutions.cpp src/pg/store/move_records.cpp src/pg/store/erasure.cpp
}
version_differs() {
  local version
  version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" escrowgrid.control)
  grep -q "\"version\": \"$version\"" META.json || echo "META.json is not at version $version"
  grep -q "^## \[\?$version" CHANGELOG.md || echo "CHANGELOG.md does not mention $version"
}
released_changed() { (cd src/sql/released && sha256sum --check --quiet SHA256SUMS 2>&1 && printf '%s\n' *.sql | diff - <(sed 's/.*  //' SHA256SUMS)); }
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
  grep -oE '"escrowgrid\.[a-z_]+"' src/pg/border/settings.cpp | tr -d '"' | sort -u | while read -r name; do
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
check 'one version everywhere' version_differs
check 'docs/errors.md is what errors.def says' errors_doc_stale
check 'every function is documented' functions_undocumented
check 'every setting is documented' settings_undocumented
check 'scripts can be run' unexecutable_scripts
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
