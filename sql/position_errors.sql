-- Creations and transitions with bad input are refused with an SQLSTATE, a DETAIL and a HINT, and change nothing.
SET search_path = escrowgrid, public;
INSERT INTO positions (id, asset_id, holder_reference, currency, amount) VALUES
    ('pos_errors', 'ast_acme', 'holder', 'USD', 100),
    ('pos_errors_funded', 'ast_acme', 'holder', 'USD', 100);
SELECT version FROM escrow_transition('pos_errors_funded', 'FUNDED');
SELECT count(*) AS events FROM position_events \gset before_
SELECT count(*) AS audits FROM audit_events \gset before_

-- escrow_create_position: each parameter is missing, malformed or out of range.
SELECT escrow_create_position(NULL, 'h', 'USD', 1);
SELECT escrow_create_position('ast_nobody', 'h', 'USD', 1);
SELECT escrow_create_position('ast_acme', NULL, 'USD', 1);
SELECT escrow_create_position('ast_acme', '', 'USD', 1);
SELECT escrow_create_position('ast_acme', repeat('x', 401), 'USD', 1);
SELECT escrow_create_position('ast_acme', 'h', NULL, 1);
SELECT escrow_create_position('ast_acme', 'h', 'usd', 1);
SELECT escrow_create_position('ast_acme', 'h', 'XXQ', 1);
SELECT escrow_create_position('ast_acme', 'h', 'USD', NULL);
SELECT escrow_create_position('ast_acme', 'h', 'USD', 0);
SELECT escrow_create_position('ast_acme', 'h', 'USD', -1);
SELECT escrow_create_position('ast_acme', 'h', 'USD', 'NaN');
SELECT escrow_create_position('ast_acme', 'h', 'USD', 'Infinity');
SELECT escrow_create_position('ast_acme', 'h', 'USD', '-Infinity');
SELECT escrow_create_position('ast_acme', 'h', 'USD', 1.001);
SELECT escrow_create_position('ast_acme', 'h', 'JPY', 1.5);
SELECT escrow_create_position('ast_acme', 'h', 'USD', 1000000000000000.01);
SELECT escrow_create_position('ast_acme', 'h', 'USD', 0.000000001);
SELECT escrow_create_position('ast_acme', 'h', 'USD', 1, external_reference => repeat('x', 401));
SELECT escrow_create_position('ast_acme', 'h', 'USD', 1, expires_at => 'infinity');
SELECT escrow_create_position('ast_acme', 'h', 'USD', 1, expires_at => '-infinity');
SELECT escrow_create_position('ast_acme', 'h', 'USD', 1, expires_at => '294276-12-31');
SELECT escrow_create_position('ast_acme', 'h', 'USD', 1, expires_at => '4713-01-01 BC');
SELECT escrow_create_position('ast_acme', 'h', 'USD', 1, metadata => '"text"');
SELECT escrow_create_position('ast_acme', 'h', 'USD', 1, metadata => '{"n": 1e131071}');
SELECT escrow_create_position('ast_acme', 'h', 'USD', 1, idempotency_key => ' ');
SELECT escrow_create_position('ast_nobody', 'h', 'USD', 1, idempotency_key => 'k');

-- escrow_transition of a position that is not there, and of one that is CREATED.
SELECT escrow_transition(NULL, 'FUNDED');
SELECT escrow_transition('', 'FUNDED');
SELECT escrow_transition('pos_nobody', 'FUNDED');
SELECT escrow_transition('pos_errors', NULL);
SELECT escrow_transition('pos_errors', 'funded');
SELECT escrow_transition('pos_errors', 'PAID');
SELECT escrow_transition('pos_errors', 'CREATED');
SELECT escrow_transition('pos_errors', 'RELEASED');
SELECT escrow_transition('pos_errors', 'FUNDED', reason => '');
SELECT escrow_transition('pos_errors', 'FUNDED', reason => repeat('x', 4001));
SELECT escrow_transition('pos_errors', 'FUNDED', metadata => '[]');
SELECT escrow_transition('pos_errors', 'FUNDED', amount => 99);
SELECT escrow_transition('pos_errors', 'FUNDED', expected_state => 'FUNDED');
SELECT escrow_transition('pos_errors', 'FUNDED', expected_state => 'paid');
SELECT escrow_transition('pos_errors', 'FUNDED', expected_version => 2);
SELECT escrow_transition('pos_errors', 'FUNDED', expected_version => 0);
SELECT escrow_transition('pos_errors', 'FUNDED', idempotency_key => repeat('k', 401));
SELECT escrow_transition('pos_nobody', 'FUNDED', idempotency_key => 'k');

-- escrow_transition of a position that is FUNDED and holds 100.
SELECT escrow_transition('pos_errors_funded', 'FUNDED');
SELECT escrow_transition('pos_errors_funded', 'PARTIALLY_RELEASED', amount => 'NaN');
SELECT escrow_transition('pos_errors_funded', 'PARTIALLY_RELEASED', amount => 0);
SELECT escrow_transition('pos_errors_funded', 'PARTIALLY_RELEASED', amount => -5);
SELECT escrow_transition('pos_errors_funded', 'PARTIALLY_RELEASED', amount => 0.001);
SELECT escrow_transition('pos_errors_funded', 'PARTIALLY_RELEASED', amount => 100);
SELECT escrow_transition('pos_errors_funded', 'PARTIALLY_RELEASED', amount => 100.01);
SELECT escrow_transition('pos_errors_funded', 'RELEASED', amount => 99);
SELECT escrow_transition('pos_errors_funded', 'CANCELLED', amount => 101);

-- Nothing has changed.
SELECT count(*) = :before_events AS unchanged FROM position_events;
SELECT count(*) = :before_audits AS unchanged FROM audit_events;
SELECT id, state, released_amount, version FROM positions WHERE id LIKE 'pos_errors%' ORDER BY id;

-- After expires_at a position cannot be released any more. It can expire.
SELECT id FROM escrow_create_position('ast_acme', 'h', 'USD', 10,
    expires_at => clock_timestamp() + interval '1 s') \gset late_
SELECT version FROM escrow_transition(:'late_id', 'FUNDED');
SELECT pg_sleep(1.1);
\set VERBOSITY sqlstate
SELECT escrow_transition(:'late_id', 'RELEASED');
SELECT escrow_transition(:'late_id', 'PARTIALLY_RELEASED', amount => 1);
\set VERBOSITY default
SELECT state, refunded_amount, due_at FROM escrow_transition(:'late_id', 'EXPIRED');

-- The largest and the smallest amount are accepted, and zeros after the last decimal.
SELECT amount FROM escrow_create_position('ast_acme', 'h', 'USD', 1000000000000000.00);
SELECT amount FROM escrow_create_position('ast_acme', 'h', 'USD', 0.01);
SELECT amount FROM escrow_create_position('ast_acme', 'h', 'USD', 1.50000000000000000000);
