-- The functions that read: the lifecycle, documents, lists.
SET search_path = escrowgrid, public;

-- The lifecycle.
SELECT * FROM escrow_lifecycle();
SELECT escrow_can_transition('FUNDED', 'RELEASED') AS yes, escrow_can_transition('RELEASED', 'FUNDED') AS no,
    escrow_can_transition(NULL, 'CREATED') AS birth, escrow_can_transition(NULL, 'FUNDED') AS no_birth;
SELECT escrow_can_transition('FUNDED', 'PAID');
SELECT escrow_can_transition('FUNDED', NULL);

-- Rows with fixed ids and times.
INSERT INTO institutions (id, name, regions, verticals, created_at, updated_at) VALUES
    ('inst_reader', 'Reader', '{US}', '{CONSTRUCTION}', '2026-01-02 03:04:05.678901Z', '2026-01-02 03:04:05.678901Z');
INSERT INTO asset_templates (id, institution_id, code, name, vertical, region, config, created_at, updated_at) VALUES
    ('tmpl_reader', 'inst_reader', 'OWN', 'Own', 'CONSTRUCTION', 'US', '{}', '2026-01-02Z', '2026-01-02Z');
INSERT INTO assets (id, institution_id, template_id, label, created_at, updated_at) VALUES
    ('ast_reader', 'inst_reader', 'tmpl_reader', 'Read me', '2026-01-02Z', '2026-01-02Z');
INSERT INTO positions (id, asset_id, holder_reference, currency, amount)
SELECT 'pos_reader_' || n, 'ast_reader', 'holder-' || n % 2, 'USD', n FROM generate_series(1, 5) AS n;
SELECT state FROM escrow_transition('pos_reader_1', 'FUNDED', 'why', '{"k": null}');

-- Documents.
SELECT escrow_get_institution('inst_reader');
SELECT escrow_get_asset_template('tmpl_reader');
SELECT escrow_get_asset('ast_reader');
SELECT key,
    CASE WHEN key IN ('createdAt', 'updatedAt') THEN regexp_replace(value #>> '{}', '\d', '9', 'g')
         ELSE value::text END AS value
FROM jsonb_each(escrow_get_position('pos_reader_1')) WHERE key <> 'events' ORDER BY key;
SELECT e - 'id' - 'at' AS event FROM jsonb_array_elements(escrow_get_position('pos_reader_1') -> 'events') AS e;

-- Ids that do not exist are refused. So is NULL.
SELECT escrow_get_position('pos_nobody');
SELECT escrow_get_position(NULL);
SELECT escrow_get_institution('inst_nobody');
SELECT escrow_get_asset_template('tmpl_nobody');
SELECT escrow_get_asset('ast_nobody');

-- Times in documents do not depend on the session's settings.
SET TIME ZONE 'Asia/Kolkata';
SET DateStyle = 'German';
SELECT escrow_get_institution('inst_reader') ->> 'createdAt' AS created_at;
RESET TIME ZONE;
RESET DateStyle;

-- Lists, in pages by id.
SELECT id FROM escrow_list_positions('inst_reader', max_count => 2);
SELECT id FROM escrow_list_positions('inst_reader', after_id => 'pos_reader_2', max_count => 2);
SELECT id FROM escrow_list_positions('inst_reader', after_id => 'pos_reader_4', max_count => 2);
SELECT id FROM escrow_list_positions(asset_id => 'ast_reader', holder_reference => 'holder-1');
SELECT id FROM escrow_list_positions(asset_id => 'ast_reader', state => 'FUNDED');
SELECT id FROM escrow_list_positions('inst_nobody');
SELECT id FROM escrow_list_institutions(after_id => 'inst_other', max_count => 1);
SELECT id FROM escrow_list_asset_templates('inst_reader');
SELECT id FROM escrow_list_assets('inst_reader', 'tmpl_reader');
SELECT kind, new_state FROM escrow_list_ledger_events(position_id => 'pos_reader_1');
SELECT count(*) FROM escrow_list_ledger_events('inst_reader');
SELECT action, count(*) FROM escrow_list_audit_events('inst_reader') GROUP BY action ORDER BY action;
SELECT count(*) FROM escrow_list_audit_events('inst_reader', action => 'POSITION_TRANSITIONED');

-- Bad parameters of lists are refused.
SELECT * FROM escrow_list_positions(max_count => 0);
SELECT * FROM escrow_list_positions(max_count => 1001);
SELECT * FROM escrow_list_positions(max_count => NULL);
SELECT * FROM escrow_list_positions(state => 'PAID');

-- The view of balances.
SELECT held, released, refunded, open_positions FROM balances WHERE institution_id = 'inst_reader';

-- Settings that describe the request are copied to the audit row. They are checked for their form only.
SET escrowgrid.client_ip = 'not-an-address';
SELECT set_config('escrowgrid.request_id', repeat('x', 401), false);
SET escrowgrid.no_such_setting = 1;
SET escrowgrid.client_ip = '2001:db8::1';
SET escrowgrid.request_method = 'POST';
SET escrowgrid.request_path = '/positions/pos_reader_2/transition';
SET escrowgrid.traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
SELECT state FROM escrow_transition('pos_reader_2', 'FUNDED');
SELECT method, path, client_ip, payload ->> 'traceparent' AS traceparent
FROM audit_events WHERE resource_id = 'pos_reader_2' ORDER BY id DESC LIMIT 1;
