# Every released version, with records in it, is upgraded to the current one: the catalog becomes that of a fresh
# installation, and the records stay. A library with the SQL of another version works or says what is missing.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'log_statement = none');
$node->start;

my $current =
  $node->safe_psql('postgres', "SELECT default_version FROM pg_available_extensions WHERE name = 'escrowgrid'");
my @released = split /\n/,
  $node->safe_psql('postgres',
	"SELECT version FROM pg_available_extension_versions"
	  . " WHERE name = 'escrowgrid' AND version <> '$current' ORDER BY version");
ok(scalar(@released), "there are versions to upgrade from to $current: @released");

# Everything that the catalogs have about the extension, without OIDs.
my $catalog = <<'SQL';
SELECT string_agg(line, E'\n' ORDER BY line COLLATE "C") FROM (
  SELECT 'member ' || pg_describe_object(classid, objid, objsubid) AS line
    FROM pg_depend
    WHERE refclassid = 'pg_extension'::regclass
      AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'escrowgrid')
      AND deptype = 'e'
  UNION ALL
  SELECT concat_ws(' ', 'table', relname, relkind, relrowsecurity, relforcerowsecurity, relreplident, reloptions,
      relacl::text)
    FROM pg_class
    WHERE relnamespace = 'escrowgrid'::regnamespace
  UNION ALL
  SELECT concat_ws(' ', 'column', attrelid::regclass, attnum, attname, format_type(atttypid, atttypmod), attnotnull,
      attcollation::regcollation, attstorage, pg_get_expr(d.adbin, d.adrelid), attacl::text)
    FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = attrelid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = attrelid AND d.adnum = attnum
    WHERE relnamespace = 'escrowgrid'::regnamespace AND attnum > 0
  UNION ALL
  SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated)
    FROM pg_constraint
    WHERE connamespace = 'escrowgrid'::regnamespace
  UNION ALL
  SELECT concat_ws(' ', 'index', indexdef) FROM pg_indexes WHERE schemaname = 'escrowgrid'
  UNION ALL
  SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid), tgenabled)
    FROM pg_trigger AS t
    JOIN pg_class AS c ON c.oid = tgrelid
    WHERE relnamespace = 'escrowgrid'::regnamespace AND NOT tgisinternal
  UNION ALL
  SELECT concat_ws(' ', 'function', pg_get_functiondef(oid), proacl::text)
    FROM pg_proc
    WHERE pronamespace = 'escrowgrid'::regnamespace
  UNION ALL
  SELECT concat_ws(' ', 'view', viewname, definition) FROM pg_views WHERE schemaname = 'escrowgrid'
  UNION ALL
  SELECT concat_ws(' ', 'policy', tablename, policyname, permissive, roles::text, cmd, qual, with_check)
    FROM pg_policies
    WHERE schemaname = 'escrowgrid'
  UNION ALL
  SELECT concat_ws(' ', 'event trigger', evtname, evtevent, evtfoid::regproc, evtenabled, evttags::text)
    FROM pg_event_trigger
  UNION ALL
  SELECT concat_ws(' ', 'dumped', c.t::regclass, c.w)
    FROM pg_extension AS x, unnest(x.extconfig, x.extcondition) AS c (t, w)
    WHERE extname = 'escrowgrid'
  UNION ALL
  SELECT concat_ws(' ', 'comment', pg_describe_object(classoid, objoid, objsubid), description)
    FROM pg_description
    WHERE pg_describe_object(classoid, objoid, objsubid) ~ 'escrowgrid'
  UNION ALL
  SELECT concat_ws(' ', 'rows', count(*), sum(exponent)) FROM escrowgrid.currencies
) AS lines
SQL

my $records = <<'SQL';
SET search_path = escrowgrid;
SELECT id FROM escrow_create_institution('Upgraded', '{US}') \gset i_
SELECT id FROM escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', :'i_id') \gset t_
SELECT id FROM escrow_create_asset(:'t_id', 'A') \gset a_
INSERT INTO positions (id, asset_id, holder_reference, currency, amount)
VALUES ('pos_1', :'a_id', 'h', 'USD', 10), ('pos_2', :'a_id', 'h', 'USD', 10);
SELECT id FROM escrow_transition('pos_1', 'FUNDED', 'why', '{"a": 1}', idempotency_key => 'k');
SQL

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION escrowgrid');
my $wanted = $node->safe_psql('fresh', $catalog);
like($wanted, qr/event trigger escrowgrid_guard_drop/,
	'the description of the catalog that is compared includes the event trigger');

for my $version (@released)
{
	(my $name = "from_$version") =~ tr/./_/;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, "CREATE EXTENSION escrowgrid VERSION '$version'; $records");

	# The new library with the SQL of $version.
	is($node->safe_psql($name, "SELECT state FROM escrowgrid.escrow_transition('pos_2', 'FUNDED')"),
		'FUNDED', "escrow_transition() works with the current library and the SQL of $version");
	is( $node->safe_psql(
			$name, "UPDATE escrowgrid.positions SET state = 'CANCELLED' WHERE id = 'pos_2' RETURNING version"),
		'3',
		"a raw UPDATE works with the current library and the SQL of $version");
	is( $node->safe_psql(
			$name, "SELECT version FROM escrowgrid.escrow_create_position((SELECT id FROM escrowgrid.assets), 'h', 'USD', 1)"),
		'1',
		"escrow_create_position() works with the current library and the SQL of $version");
	is( $node->safe_psql(
			$name,
			'INSERT INTO escrowgrid.positions (asset_id, holder_reference, currency, amount)'
			  . " SELECT id, 'h', 'USD', 1 FROM escrowgrid.assets RETURNING version"),
		'1',
		"a raw INSERT works with the current library and the SQL of $version");
	is( $node->safe_psql(
			$name,
			'SET escrowgrid.debug_write_path = ordinary;'
			  . " SELECT version FROM escrowgrid.escrow_create_position((SELECT id FROM escrowgrid.assets), 'h', 'USD', 1)"),
		'1',
		"escrow_create_position() works by SPI with the current library and the SQL of $version");
	like(
		$node->safe_psql($name, 'SELECT reasons FROM escrowgrid.escrow_health()'),
		qr/library_version_mismatch: the library is \Q$current\E, the extension \Q$version\E/,
		"escrow_health() reports the current library with the SQL of $version");

	$node->safe_psql($name, 'ALTER EXTENSION escrowgrid UPDATE');
	is($node->safe_psql($name, $catalog), $wanted, "an upgrade from $version gives the catalog of a fresh installation");
	is($node->safe_psql($name, 'SELECT ok FROM escrowgrid.escrow_health()'),
		't', "after an upgrade from $version escrow_health() finds nothing wrong");
	is($node->safe_psql($name, 'SELECT * FROM escrowgrid.escrow_verify()'),
		'', "after an upgrade from $version escrow_verify() finds nothing wrong with the records");
	is( $node->safe_psql(
			$name,
			'SELECT version FROM escrowgrid.escrow_transition('
			  . "'pos_1', 'FUNDED', 'why', '{\"a\": 1}', idempotency_key => 'k')"),
		'2',
		"after an upgrade from $version a transition repeated with its idempotency key returns the row of then");
	is($node->safe_psql($name, "SELECT version FROM escrowgrid.escrow_transition('pos_1', 'RELEASED')"),
		'3', "after an upgrade from $version a position can be moved");
	is($node->safe_psql($name, 'SELECT position_count FROM escrowgrid.escrow_checkpoint()'),
		'5', "after an upgrade from $version escrow_checkpoint() works");
}

# An old library with the current SQL: functions that it has work, and for others PostgreSQL says that they are missing.
my $old = $ENV{ESCROWGRID_OLD_LIBRARY};
$node->safe_psql('fresh', $records);
$node->safe_psql('fresh', "UPDATE pg_proc SET probin = '$old' WHERE probin = '\$libdir/escrowgrid'");
is($node->safe_psql('fresh', "SELECT state FROM escrowgrid.escrow_transition('pos_2', 'FUNDED')"),
	'FUNDED', 'escrow_transition() works with an old library and the current SQL');
for my $call ('escrow_verify()', 'escrow_checkpoint()', "escrow_redact_event('x')")
{
	my ($code, $out, $err) = $node->psql('fresh', "SELECT * FROM escrowgrid.$call");
	like(
		$err,
		qr/could not find function "escrow_\w+" in file/,
		"$call fails with an old library, and the error names the function that is missing");
}
my ($code, $out, $err) = $node->psql('fresh', 'DROP EXTENSION escrowgrid');
like(
	$err,
	qr/could not find function "escrowgrid_guard_drop"/,
	'DROP EXTENSION fails with an old library that lacks the function of the guard');
is($node->safe_psql('fresh', 'SELECT count(*) FROM escrowgrid.positions'),
	'2', 'the positions are still there after DROP EXTENSION failed with an old library');

$node->stop;
done_testing();
