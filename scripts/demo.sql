-- A construction escrow, from an empty database to the last release.
\set QUIET on
\pset pager off
\pset linestyle unicode
\pset border 2
\pset null '·'
\pset footer off
SET client_min_messages = warning;
CREATE EXTENSION escrowgrid;
SET search_path = escrowgrid, public;
SET escrowgrid.request_id = 'demo-1';

\echo
\echo '1. Bayview Escrow joins, with a template for construction escrows in the US and an asset made from it.'
SELECT id FROM escrow_create_institution('Bayview Escrow', ARRAY['US']) \gset inst_
SELECT id FROM escrow_create_asset_template('CONSTR_ESCROW', 'Construction escrow', 'CONSTRUCTION', 'US',
    '{"currency": "USD", "minAmount": 1000, "maxAmount": 5000000}', :'inst_id') \gset tmpl_
SELECT id FROM escrow_create_asset(:'tmpl_id', 'Harbour Tower, phase 2', '{"permit": "B-2026-117"}') \gset ast_
SELECT i.name AS institution, t.code AS template, a.label AS asset
FROM institutions AS i JOIN asset_templates AS t ON t.institution_id = i.id JOIN assets AS a ON a.template_id = t.id;

\echo
\echo '2. A position of 100,000 USD is created for the contractor, and funded.'
SELECT id FROM escrow_create_position(:'ast_id', 'contractor-4711', 'USD', 100000,
    external_reference => 'PO-88', metadata => '{"contract": "C-2026-5"}') \gset pos_
SELECT state, amount, released_amount, version
FROM escrow_transition(:'pos_id', 'FUNDED', 'wire received', '{"wire": "W-991"}');

\echo
\echo '3. Two milestones are met: two partial releases.'
SELECT state, amount, released_amount, version
FROM escrow_transition(:'pos_id', 'PARTIALLY_RELEASED', 'milestone 1: foundations', amount => 30000);
SELECT state, amount, released_amount, version
FROM escrow_transition(:'pos_id', 'PARTIALLY_RELEASED', 'milestone 2: structure', amount => 45000);

\echo
\echo '4. Someone asks for more than is held. The database refuses, and nothing changes:'
\o | cat
SELECT state FROM escrow_transition(:'pos_id', 'PARTIALLY_RELEASED', 'milestone 3?', amount => 40000);
\o
\set refused :SQLSTATE
\echo '   SQLSTATE' :refused

\echo
\echo '5. The work is accepted: the rest is released.'
SELECT state, amount, released_amount, version FROM escrow_transition(:'pos_id', 'RELEASED', 'accepted');

\echo
\echo 'The position:'
\pset format aligned
\x on
SELECT id, holder_reference, currency, amount, state, released_amount, refunded_amount, version,
    left(encode(head_hash, 'hex'), 16) || '…' AS head_hash
FROM positions;
\x off
\echo 'Its events, each hashed over the one before:'
SELECT seq, from_state, to_state, amount, reason, left(encode(hash, 'hex'), 8) || '…' AS hash
FROM position_events ORDER BY position_id, seq;
\echo 'The ledger:'
SELECT to_char(at, 'HH24:MI:SS.US') AS at, kind, new_state, payload ->> 'amount' AS amount, request_id
FROM ledger_events ORDER BY id;
\echo 'The audit log:'
SELECT to_char(occurred_at, 'HH24:MI:SS.US') AS occurred_at, db_role, path, action, outcome, status_code AS status
FROM audit_events ORDER BY id;
\echo 'The balances:'
SELECT i.name AS institution, b.currency, b.held, b.released, b.refunded, b.open_positions
FROM balances AS b JOIN institutions AS i ON i.id = b.institution_id;
