#!/bin/sh
# escrowgrid-export.sh DIRECTORY: writes the files that escrowgrid-verify.py reads, all from one snapshot. PGDATABASE,
# PGHOST and libpq's other variables name the database. The role must see every row, so it has to be a superuser or the
# extension's owner.
set -eu
directory=${1:?usage: escrowgrid-export.sh DIRECTORY}
mkdir -p "$directory"
{
  echo "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET bytea_output = 'hex';"
  echo 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;'
  for table in institutions institution_policies asset_templates assets positions position_events \
    ledger_events audit_events checkpoints checkpoint_heads; do
    printf '%s\n' "\\copy (SELECT * FROM escrowgrid.$table) TO '$directory/$table.copy' WITH (HEADER)"
  done
  # The hashes of the keys' tokens are not exported.
  keys='SELECT id, institution_id FROM escrowgrid.api_keys'
  printf '%s\n' "\\copy ($keys) TO '$directory/api_keys.copy' WITH (HEADER)"
  echo 'COMMIT;'
} | psql -X -q -v ON_ERROR_STOP=1
