-- Signing in among :count keys is an index lookup and never a scan.
\pset footer off
SET search_path = escrowgrid, public;
SELECT id FROM escrow_create_institution('Keys', '{US}') \gset i_
SELECT * FROM escrow_create_api_key(:'i_id', 'the one', 'admin') \gset k_
INSERT INTO api_keys (id, institution_id, key_hash, label, role, created_at)
SELECT 'ak_' || n, :'i_id', encode(sha256(n::text::bytea), 'hex'), 'key', 'admin', now()
FROM generate_series(1, :count) AS n;
ANALYZE api_keys;
SELECT pg_stat_force_next_flush() \g /dev/null
SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'api_keys' \gset before_
SELECT sum(idx_scan) AS idx_scan FROM pg_stat_user_indexes WHERE relname = 'api_keys' \gset before_
SET client_min_messages = error;
\timing on
SELECT count(escrow_authenticate(:'k_api_key')) AS sign_ins FROM generate_series(1, 10000);
\timing off
SELECT pg_stat_force_next_flush() \g /dev/null
SELECT seq_scan - :before_seq_scan AS scans FROM pg_stat_user_tables WHERE relname = 'api_keys' \gset
SELECT sum(idx_scan) - :before_idx_scan AS lookups FROM pg_stat_user_indexes WHERE relname = 'api_keys' \gset
SELECT count(*) AS keys, :scans AS scans, :lookups AS index_lookups FROM api_keys;
SELECT CASE WHEN :scans = 0 AND :lookups >= 10000 THEN '1 passed, 0 failed' ELSE '0 passed, 1 failed' END AS verdict
\gset
\echo :verdict
SELECT 1 / (:'verdict' = '1 passed, 0 failed')::int \g /dev/null
