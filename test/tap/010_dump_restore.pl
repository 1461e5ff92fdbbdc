# A dump restores without flags or help, and what is restored goes on working.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'log_statement = none');
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE origin');
$node->safe_psql('origin', <<'SQL');
CREATE EXTENSION escrowgrid;
SET search_path = escrowgrid;
INSERT INTO currencies (code, exponent, name) VALUES ('BTC', 8, 'Bitcoin');
SELECT id FROM escrow_create_institution('Dumped', '{US}') \gset i_
SELECT id FROM escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{"currency": "BTC"}', :'i_id') \gset t_
SELECT id FROM escrow_create_asset(:'t_id', 'Asset', '{"k": "v"}') \gset a_
-- Positions in every state, by function and by raw DML, one of them raw and never moved.
INSERT INTO positions (id, asset_id, holder_reference, currency, amount)
SELECT 'pos_' || n, :'a_id', 'holder', 'BTC', 10 FROM generate_series(1, 7) AS n;
SELECT count(t) FROM generate_series(2, 7) AS n, escrow_transition('pos_' || n, 'FUNDED', 'because', '{"n": 1}') AS t;
UPDATE positions SET state = 'PARTIALLY_RELEASED', released_amount = 0.00000001 WHERE id >= 'pos_3';
UPDATE positions SET state = 'RELEASED' WHERE id = 'pos_5';
UPDATE positions SET state = 'CANCELLED' WHERE id = 'pos_6';
UPDATE positions SET state = 'EXPIRED' WHERE id = 'pos_7';
SELECT count(t) FROM escrow_set_policy(:'i_id', 'US', '{"position": {"minAmount": 5, "maxOpenAmount": {"BTC": 60}}}') AS t;
SELECT count(t) FROM escrow_create_api_key(:'i_id', 'dumped', 'admin', NULL, '{10.0.0.0/8}') AS t;
SELECT count(t) FROM escrow_transition('pos_3', 'PARTIALLY_RELEASED', amount => 1, idempotency_key => 'dumped') AS t;
SQL

my @tables = qw(currencies institutions asset_templates assets positions position_events ledger_events audit_events
  institution_policies api_keys idempotency_keys);

sub digest
{
	my ($database, $table) = @_;
	return $node->safe_psql($database,
		"SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM escrowgrid.$table AS t");
}

sub check_restored
{
	my ($database, $how) = @_;
	is(digest($database, $_), digest('origin', $_), "$how: $_ is the same, row for row") for @tables;
	is($node->safe_psql($database, 'SELECT ok FROM escrowgrid.escrow_health()'), 't', "$how: healthy");
	is($node->safe_psql($database, "SELECT state, version FROM escrowgrid.escrow_transition('pos_1', 'FUNDED')"),
		'FUNDED|2', "$how: a position that never moved goes on");
	is($node->safe_psql($database, "SELECT state, version FROM escrowgrid.escrow_transition('pos_4', 'RELEASED')"),
		'RELEASED|4', "$how: a partly released one goes on");
	is($node->safe_psql($database, "SELECT state, version FROM escrowgrid.escrow_transition('pos_3', 'PARTIALLY_RELEASED', amount => 1, idempotency_key => 'dumped')"),
		'PARTIALLY_RELEASED|4', "$how: an idempotency key still has its effect");
	is($node->safe_psql($database, "SELECT sqlstate FROM escrowgrid.escrow_try_create_position((SELECT id FROM escrowgrid.assets), 'h', 'BTC', 4)"),
		'ZE201', "$how: a policy still holds");
}

my $dir = PostgreSQL::Test::Utils::tempdir();

$node->command_ok([ 'pg_dump', '-f', "$dir/plain.sql", $node->connstr('origin') ], 'plain dump');
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->command_ok([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/plain.sql", $node->connstr('plain') ],
	'plain restore');
check_restored('plain', 'plain');

$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/custom.dump", $node->connstr('origin') ], 'custom dump');
$node->safe_psql('postgres', 'CREATE DATABASE custom');
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('custom'), "$dir/custom.dump" ], 'custom restore');
check_restored('custom', 'custom');

$node->command_ok([ 'pg_dump', '-Fd', '-j', '2', '-f', "$dir/directory", $node->connstr('origin') ], 'parallel directory dump');
$node->safe_psql('postgres', 'CREATE DATABASE directory');
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('directory'), "$dir/directory" ],
	'restore of a parallel dump');
check_restored('directory', 'directory');

# Cleaning up after itself: without positions the extension drops, and comes back.
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION escrowgrid; DROP EXTENSION escrowgrid; CREATE EXTENSION escrowgrid');
is($node->safe_psql('fresh', "SELECT name FROM escrowgrid.escrow_create_institution('Again', '{US}')"),
	'Again', 'dropped and created again in one session');

$node->stop;
done_testing();
