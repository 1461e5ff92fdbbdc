-- The main job by the functions: an institution, a template, an asset, and a position until it is released.
SET search_path = escrowgrid, public;
SET escrowgrid.request_id = 'req-1';
SET escrowgrid.client_ip = '192.0.2.7';

SELECT id FROM escrow_create_institution('Main Job Ltd', ARRAY['US', 'EU_UK']) \gset inst_
SELECT name, regions, verticals, id ~ '^inst_[0-9a-z]{26}$' AS typeid FROM institutions WHERE id = :'inst_id';

SELECT id FROM escrow_create_asset_template('CONSTR_ESCROW', 'Progress payments', 'CONSTRUCTION', 'US',
    '{"currency": "USD", "minAmount": 10, "maxAmount": 1000000}', :'inst_id') \gset tmpl_
SELECT id FROM escrow_create_asset(:'tmpl_id', 'Tower A', '{"permit": "B-17"}') \gset ast_
SELECT id FROM escrow_create_position(:'ast_id', 'contractor-9', 'USD', 100000,
    external_reference => 'PO-1', metadata => '{"contract": "C-5"}') \gset pos_

-- The position is funded, released in two parts and released. A part that is more than what is left is refused.
SELECT state, amount, released_amount, refunded_amount, version FROM positions WHERE id = :'pos_id';
SELECT state, released_amount, version FROM escrow_transition(:'pos_id', 'FUNDED', 'wire received', '{"wire": "W-1"}');
SELECT state, released_amount, version
FROM escrow_transition(:'pos_id', 'PARTIALLY_RELEASED', 'milestone 1', amount => 30000);
SELECT state, released_amount, version
FROM escrow_transition(:'pos_id', 'PARTIALLY_RELEASED', 'milestone 2', amount => 20000.25);
\set VERBOSITY sqlstate
SELECT state FROM escrow_transition(:'pos_id', 'PARTIALLY_RELEASED', amount => 60000);
\set VERBOSITY default
SELECT state, released_amount, version FROM escrow_transition(:'pos_id', 'RELEASED', 'done');

-- Each transition has an event, a ledger row and an audit row. Setting up the institution is audited, too.
SELECT seq, from_state, to_state, amount, reason, metadata, at = created_at AS one_time, salt IS NULL AS unsalted
FROM position_events WHERE position_id = :'pos_id' ORDER BY seq;
SELECT kind, previous_state, new_state, payload - 'eventId' - 'assetId' AS payload, request_id
FROM ledger_events WHERE position_id = :'pos_id' ORDER BY id;
SELECT action, method, path, outcome, status_code, payload - 'eventId' - 'assetId' - 'institutionId' AS payload,
    request_id, client_ip, db_role = current_user AS own_role
FROM audit_events WHERE resource_id = :'pos_id' ORDER BY id;
SELECT action, resource_type, status_code FROM audit_events WHERE institution_id = :'inst_id' ORDER BY id;
SELECT kind FROM ledger_events WHERE institution_id = :'inst_id' ORDER BY id;

-- The rows of a transition have the same timestamp. The position has the hash of its last event.
SELECT p.updated_at = e.at AND e.at = l.at AND l.at = a.occurred_at AS one_time, p.head_hash = e.hash AS head
FROM positions AS p
JOIN position_events AS e ON e.position_id = p.id AND e.seq = p.version
JOIN ledger_events AS l ON l.payload ->> 'eventId' = e.id
JOIN audit_events AS a ON a.payload ->> 'eventId' = e.id
WHERE p.id = :'pos_id';
SELECT held, released, refunded, open_positions FROM balances WHERE institution_id = :'inst_id';

-- A creation is refused for another currency than the template's, below its minimum and above its maximum.
\set VERBOSITY terse
SELECT escrow_create_position(:'ast_id', 'contractor-9', 'JPY', 1000);
SELECT escrow_create_position(:'ast_id', 'contractor-9', 'USD', 9.99);
SELECT escrow_create_position(:'ast_id', 'contractor-9', 'USD', 1000000.01);
\set VERBOSITY default
-- A template without rules, for the positions that follow.
SELECT id FROM escrow_create_asset_template('OWN', 'Any currency', 'CONSTRUCTION', 'US', '{}', :'inst_id') \gset tmpl_
SELECT id FROM escrow_create_asset(:'tmpl_id', 'Tower B') \gset ast_

-- A position is cancelled after a part was released: the rest is refunded.
SELECT id FROM escrow_create_position(:'ast_id', 'contractor-9', 'JPY', 1000) \gset yen_
SELECT version FROM escrow_transition(:'yen_id', 'FUNDED');
SELECT version FROM escrow_transition(:'yen_id', 'PARTIALLY_RELEASED', amount => 400);
SELECT state, amount, released_amount, refunded_amount FROM escrow_transition(:'yen_id', 'CANCELLED');
SELECT seq, to_state, amount FROM position_events WHERE position_id = :'yen_id' ORDER BY seq;

-- A partial release without an amount leaves released_amount as it is, and its event has no amount. The final release
-- moves everything.
SELECT id FROM escrow_create_position(:'ast_id', 'contractor-9', 'BHD', 1.125) \gset dinar_
SELECT version FROM escrow_transition(:'dinar_id', 'FUNDED');
SELECT state, released_amount FROM escrow_transition(:'dinar_id', 'PARTIALLY_RELEASED');
SELECT state, released_amount FROM escrow_transition(:'dinar_id', 'RELEASED');
SELECT seq, to_state, amount FROM position_events WHERE position_id = :'dinar_id' ORDER BY seq;

-- A position expires before it is funded: it held nothing, so nothing is refunded.
SELECT id FROM escrow_create_position(:'ast_id', 'contractor-9', 'USD', 5,
    expires_at => now() + interval '1 day') \gset unfunded_
SELECT state, released_amount, refunded_amount, expires_at IS NOT NULL AS expires, due_at
FROM escrow_transition(:'unfunded_id', 'EXPIRED');

-- A currency that an administrator adds is used with its own exponent. It cannot be changed or deleted while a position
-- uses it. Built-in currencies cannot be changed or added.
INSERT INTO currencies (code, exponent, name) VALUES ('BTC', 8, 'Bitcoin');
SELECT amount FROM escrow_create_position(:'ast_id', 'contractor-9', 'BTC', 0.00000001);
UPDATE currencies SET exponent = 2 WHERE code = 'BTC';
DELETE FROM currencies WHERE code = 'BTC';
UPDATE currencies SET exponent = 3 WHERE code = 'USD';
INSERT INTO currencies (code, exponent, name, builtin) VALUES ('DOGE', 8, 'Dogecoin', true);

-- A currency that no position uses can be changed and deleted. TRUNCATE is refused.
INSERT INTO currencies (code, exponent, name) VALUES ('GBX', 0, 'Penny sterling');
UPDATE currencies SET exponent = 1 WHERE code = 'GBX';
DELETE FROM currencies WHERE code = 'GBX';
TRUNCATE currencies;
