# After a crash everything that was committed is there, and no call is there in part. A standby reads and refuses to
# write.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "fsync = on\nlog_statement = none");
$primary->start;
$primary->safe_psql('postgres', <<'SQL');
CREATE EXTENSION escrowgrid;
SET search_path = escrowgrid;
SELECT id FROM escrow_create_institution('Crash', '{US}') \gset i_
SELECT id FROM escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', :'i_id') \gset t_
SELECT id FROM escrow_create_asset(:'t_id', 'Asset') \gset a_
INSERT INTO positions (id, asset_id, holder_reference, currency, amount)
SELECT 'pos_' || n, :'a_id', 'holder', 'USD', 100000 FROM generate_series(1, 4) AS n;
SELECT count(t) FROM generate_series(1, 4) AS n, escrow_transition('pos_' || n, 'FUNDED') AS t;
SQL

# The number of positions whose events, ledger rows and audit rows agree with their row.
my $sound = <<'SQL';
SELECT count(*) FROM escrowgrid.positions AS p
JOIN (SELECT position_id, count(*) AS n, max(seq) AS last,
        sum(amount) FILTER (WHERE to_state = 'PARTIALLY_RELEASED') AS released
      FROM escrowgrid.position_events GROUP BY position_id) AS e ON e.position_id = p.id
JOIN (SELECT position_id, count(*) AS n FROM escrowgrid.ledger_events GROUP BY position_id) AS l ON l.position_id = p.id
JOIN (SELECT resource_id, count(*) AS n FROM escrowgrid.audit_events GROUP BY resource_id) AS a ON a.resource_id = p.id
JOIN escrowgrid.position_events AS h ON h.position_id = p.id AND h.seq = p.version AND h.hash = p.head_hash
WHERE e.n = p.version AND e.last = p.version AND l.n = p.version AND a.n = p.version
  AND coalesce(e.released, 0) = p.released_amount
SQL

# Four sessions release cents and print the version after each commit. When each has printed fifty, the server is
# stopped without a chance to clean up.
my @sessions;
for my $n (1 .. 4)
{
	my ($out, $err) = ('', '');
	my $script = PostgreSQL::Test::Utils::tempdir() . '/release.sql';
	PostgreSQL::Test::Utils::append_to_file($script,
		"SELECT 'done ' || version FROM escrowgrid.escrow_transition('pos_$n', 'PARTIALLY_RELEASED', amount => 0.01);\n" x 5000);
	push @sessions, { out => \$out };
	$sessions[-1]{run} =
	  IPC::Run::start([ 'psql', '-XAtq', '-f', $script, '-d', $primary->connstr('postgres') ], '>', \$out, '2>', \$err);
}
for (1 .. 1200)
{
	$_->{run}->pump_nb for @sessions;
	last if !grep { (() = ${ $_->{out} } =~ /done/g) < 50 } @sessions;
	select(undef, undef, undef, 0.05);
}
$primary->stop('immediate');
$_->{run}->finish for @sessions;
$primary->start;

is($primary->safe_psql('postgres', $sound),
	'4', 'after a crash every position agrees with its events, ledger rows and audit rows');
for my $n (1 .. 4)
{
	my @acknowledged = ${ $sessions[ $n - 1 ]{out} } =~ /done (\d+)/g;
	my $version = $primary->safe_psql('postgres', "SELECT version FROM escrowgrid.positions WHERE id = 'pos_$n'");
	cmp_ok(scalar(@acknowledged), '>=', 50, "session $n had committed at least 50 transitions when the server crashed");
	cmp_ok($version, '>=', $acknowledged[-1] // 0, "after a crash the last transition that session $n saw committed is there");
	cmp_ok($version, '<=',
		($acknowledged[-1] // 0) + 1,
		"after a crash at most one transition more than session $n saw committed is there");
}

# A hot standby: reading works, writing gets PostgreSQL's own error.
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', "SELECT escrowgrid.escrow_get_position('pos_1') ->> 'state'"),
	'PARTIALLY_RELEASED', 'escrow_get_position() works on a standby');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM escrowgrid.escrow_list_positions()'),
	'4', 'escrow_list_positions() works on a standby');
is($standby->safe_psql('postgres', 'SELECT ok FROM escrowgrid.escrow_health()'),
	't', 'escrow_health() finds nothing wrong on a standby');
for my $call ("escrow_transition('pos_1', 'RELEASED')",
	"escrow_create_institution('X', '{US}')",
	"escrow_create_position((SELECT asset_id FROM escrowgrid.positions LIMIT 1), 'h', 'USD', 1)")
{
	my ($code, $stdout, $stderr) = $standby->psql('postgres', "SELECT escrowgrid.$call");
	isnt($code, 0, "$call fails on a standby");
	like(
		$stderr,
		qr/cannot execute .* (read-only transaction|during recovery)/,
		"$call fails on a standby with PostgreSQL's own error");
}
$standby->promote;
is($standby->safe_psql('postgres', "SELECT state FROM escrowgrid.escrow_transition('pos_1', 'RELEASED')"),
	'RELEASED', 'a transition succeeds on a promoted standby');
is($standby->safe_psql('postgres', "SELECT count(*) FROM escrowgrid.position_events AS e WHERE e.position_id = 'pos_1'"),
	$standby->safe_psql('postgres', "SELECT version FROM escrowgrid.positions WHERE id = 'pos_1'"),
	'a position on a promoted standby has an event for each version');

$standby->stop;
$primary->stop;
done_testing();
