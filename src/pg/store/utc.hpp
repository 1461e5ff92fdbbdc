// Times in JSON documents.
#pragma once

// A timestamptz column as ISO 8601 in UTC, whatever the session's settings.
#define ESCROWGRID_UTC(column) \
  "pg_catalog.to_char(pg_catalog.timezone('UTC', " column "), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
#define ESCROWGRID_UTC_MEMBER(key, column) " '" key "', " ESCROWGRID_UTC(column)
