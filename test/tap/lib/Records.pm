# What the tests of dumps, backups and replicas share: filling a database with records of every kind, and comparing two
# databases row for row.
package Records;
use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use Test::More;

our @EXPORT = qw(@TABLES build_records digest is_same_everywhere);

our @TABLES = qw(currencies institutions asset_templates assets positions position_events ledger_events audit_events
  institution_policies api_keys idempotency_keys checkpoints checkpoint_heads);

# Three tenants and $count positions in all states, made by functions, batches and raw DML; two checkpoints, and an
# event whose content is erased.
sub build_records
{
	my ($node, $database, $count) = @_;
	$node->safe_psql($database, <<"SQL");
SET search_path = escrowgrid;
INSERT INTO currencies (code, exponent, name) VALUES ('BTC', 8, 'Bitcoin');
CREATE TEMPORARY TABLE made AS SELECT n, i.id AS institution, t.id AS template, a.id AS asset
FROM generate_series(0, 2) AS n, escrow_create_institution('Tenant ' || n, '{US, SG}') AS i,
  escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{"currency": "BTC"}', i.id) AS t,
  escrow_create_asset(t.id, 'Asset', '{"k": "v"}') AS a;
SELECT count(p)
FROM made AS m,
  escrow_set_policy(m.institution, 'US', '{"position": {"minAmount": 0.001, "maxOpenAmount": {"EUR": 60}}}') AS p;
SELECT count(k) FROM made AS m, escrow_create_api_key(m.institution, 'key', 'admin', NULL, '{10.0.0.0/8}') AS k;
-- By raw DML. A seventh of them is never moved.
INSERT INTO positions (id, asset_id, holder_reference, currency, amount, expires_at)
SELECT 'pos_' || lpad(s::text, 6, '0'), m.asset, E'h\\u00f6lder \\\\ ' || s, 'BTC', 1 + s / 8.0,
  CASE WHEN s % 2 = 0 THEN now() + interval '1 day' END
FROM generate_series(1, $count) AS s JOIN made AS m ON m.n = s % 3;
CREATE TEMPORARY TABLE batches AS
SELECT (row_number() OVER (PARTITION BY institution_id, right(id, 6)::int % 7)) / 1000 AS part,
  institution_id, right(id, 6)::int % 7 AS kind, id
FROM positions;
SELECT count(t) FROM (SELECT array_agg(id) AS ids FROM batches WHERE kind >= 1 GROUP BY institution_id, part) AS b,
  escrow_transition_batch(b.ids, 'FUNDED', E'because\\n\\t\\\\N', '{"n": 1.50, "t": "\\\\n"}') AS t;
SELECT id FROM escrow_checkpoint();
SELECT count(t) FROM (SELECT array_agg(id) AS ids FROM batches WHERE kind IN (2, 3) GROUP BY institution_id, part) AS b,
  escrow_transition_batch(b.ids, 'PARTIALLY_RELEASED', amounts => ARRAY(SELECT 0.00000001 FROM unnest(b.ids))) AS t;
UPDATE positions SET state = 'PARTIALLY_RELEASED' WHERE right(id, 6)::int % 21 = 2;
SELECT count(t)
FROM (SELECT array_agg(id) AS ids, kind FROM batches WHERE kind >= 3 GROUP BY institution_id, part, kind) AS b,
  escrow_transition_batch(b.ids,
    CASE kind WHEN 3 THEN 'RELEASED' WHEN 4 THEN 'RELEASED' WHEN 5 THEN 'CANCELLED' ELSE 'EXPIRED' END,
    idempotency_key => 'end ' || kind || (ids)[1]) AS t;
SELECT id FROM escrow_transition('pos_000002', 'PARTIALLY_RELEASED', amount => 0.1, idempotency_key => 'dumped');
SELECT count(e) FROM escrow_redact_event((SELECT id FROM position_events WHERE reason IS NOT NULL ORDER BY id LIMIT 1)) AS e;
SELECT id FROM escrow_checkpoint();
SQL
	is( $node->safe_psql(
			$database, 'SELECT count(*), count(DISTINCT state), count(DISTINCT institution_id) FROM escrowgrid.positions'),
		"$count|6|3",
		"the database $database has $count positions of three tenants in all six states");
	return;
}

# The number of rows of a table and a SHA-256 over all of them.
sub digest
{
	my ($node, $database, $table) = @_;
	return $node->safe_psql($database,
		"SELECT count(*), encode(sha256(convert_to("
		  . "coalesce(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\"), ''), 'UTF8')), 'hex')"
		  . " FROM escrowgrid.$table AS t");
}

# Whether a copy has the rows of the original in every table, and whether the copy verifies.
sub is_same_everywhere
{
	my ($origin, $origin_database, $copy, $copy_database, $how) = @_;
	for my $table (@TABLES)
	{
		is(digest($copy, $copy_database, $table),
			digest($origin, $origin_database, $table),
			"$how: $table has the rows of the original");
	}
	is($copy->safe_psql($copy_database, 'SELECT * FROM escrowgrid.escrow_verify()'), '',
		"$how: escrow_verify() finds nothing wrong");
	return;
}

1;
