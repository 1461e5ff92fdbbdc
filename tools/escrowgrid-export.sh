#!/bin/sh
# escrowgrid-export.sh DIRECTORY: writes what escrowgrid-verify.py reads, as one snapshot, from the database that
# libpq's environment names (PGDATABASE, PGHOST and so on). Needs a role that sees every row: a superuser or the
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
  # Hashes of tokens stay where they are.
  printf '%s\n' "\\copy (SELECT id, institution_id FROM escrowgrid.api_keys) TO '$directory/api_keys.copy' WITH (HEADER)"
  echo 'COMMIT;'
} | psql -X -q -v ON_ERROR_STOP=1
