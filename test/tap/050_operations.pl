# The commands of docs/operations.md, run as they stand on the page. What they restore or replicate has to equal the
# original row for row.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Records;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
my $dir = PostgreSQL::Test::Utils::tempdir();
mkdir "$dir/archive";
$node->append_conf('postgresql.conf', <<"CONF");
wal_level = logical
fsync = off
archive_mode = on
archive_command = 'cp %p $dir/archive/%f'
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE escrow');
$node->safe_psql('escrow', 'CREATE EXTENSION escrowgrid');
build_records($node, 'escrow', 700);
$node->safe_psql('escrow', "CREATE ROLE app; SELECT escrowgrid.escrow_grant_access('app', 'application')");

my %port = (
	recovered => PostgreSQL::Test::Cluster::get_free_port(),
	standby => PostgreSQL::Test::Cluster::get_free_port());
my $page = slurp_file($ENV{ESCROWGRID_DOCS} . '/operations.md');
my @sections = split /^## /m, $page;
my @digests;

# Runs a query on a server that commands of the page have started.
sub elsewhere
{
	my ($port, $sql) = @_;
	my ($out, $err);
	IPC::Run::run([ 'psql', '-XAtq', '-h', $node->host, '-p', $port, '-d', 'escrow', '-c', $sql ],
		'>', \$out, '2>', \$err)
	  or die $err;
	chomp $out;
	return $out;
}

# Runs the shell commands of a section of the page, which have to succeed and to print nothing.
sub run_section
{
	my ($title) = @_;
	my ($section) = grep { /^\Q$title\E\n/ } @sections or die "no section $title";
	my $script = "cd '$dir'\n" . join('', $section =~ /^```sh\n(.*?)^```/msg);
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{RECOVERED_PORT} = $port{recovered};
	local $ENV{STANDBY_PORT} = $port{standby};
	my ($out, $err);
	my $done = IPC::Run::run([ 'bash', '-euo', 'pipefail', '-c', $script ], '>', \$out, '2>', \$err);
	ok($done, "the commands of the section \"$title\" succeed") or diag("$out\n$err");
	is($out, '', "the commands of the section \"$title\" print nothing");
	return;
}

run_section('Dump and restore');
for my $copy (qw(restored from_plain from_schema from_data from_parallel))
{
	is_same_everywhere($node, 'escrow', $node, $copy, $copy);
}
is( $node->safe_psql(
		'restored',
		q(SELECT has_table_privilege('app', 'escrowgrid.positions', 'SELECT'),
		    has_function_privilege('app',
		      'escrowgrid.escrow_list_positions(text,text,text,text,text,integer)', 'EXECUTE'))),
	't|t',
	'a restored database has the privileges that escrow_grant_access() granted');
is($node->safe_psql('from_additions', q(SELECT count(*) FROM pg_indexes WHERE indexname = 'branch_idx')),
	'1', 'a restored database has the index that was added to a table of the extension');
is($node->safe_psql('from_additions', 'SELECT count(*) FROM escrowgrid.escrow_verify()'),
	'0', 'a restored database with additions to tables of the extension verifies');

my $before = digest($node, 'escrow', 'positions');
run_section('Physical backup and point-in-time recovery');
isnt(digest($node, 'escrow', 'positions'), $before, 'the mistake in the section changed positions');
for (1 .. 100)
{
	last if elsewhere($port{recovered}, 'SELECT pg_is_in_recovery()') eq 'f';
	sleep 1;
}
is( elsewhere(
		$port{recovered},
		"SELECT count(*), encode(sha256(convert_to("
		  . "string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\"), 'UTF8')), 'hex')"
		  . " FROM escrowgrid.positions AS t"),
	$before,
	'a server recovered to the time before the mistake has the positions of then');
is(elsewhere($port{recovered}, 'SELECT count(*) FROM escrowgrid.escrow_verify()'), '0', 'a recovered server verifies');

# Funds the first position that was never moved.
my $fund_one = 'SELECT state FROM escrowgrid.escrow_transition('
  . "(SELECT min(id) FROM escrowgrid.positions WHERE state = 'CREATED'), 'FUNDED')";
is(elsewhere($port{recovered}, $fund_one), 'FUNDED', 'a transition succeeds on a recovered server');
system_or_bail('pg_ctl', '-D', "$dir/basebackup", '-m', 'immediate', '-s', 'stop');

run_section('Standby');
is(elsewhere($port{standby}, $fund_one), 'FUNDED', 'a transition succeeds on a promoted standby');
is(elsewhere($port{standby}, 'SELECT count(*) FROM escrowgrid.escrow_verify()'), '0', 'a promoted standby verifies');
system_or_bail('pg_ctl', '-D', "$dir/standby", '-m', 'immediate', '-s', 'stop');

# Positions are moved while a subscription copies the tables for the first time, table by table: events may arrive
# before their positions.
run_section('Logical replication');
$node->safe_psql('escrow', <<'SQL');
SELECT count(t)
FROM (SELECT id FROM escrowgrid.positions WHERE state = 'CREATED' ORDER BY id LIMIT 50) AS p,
  escrowgrid.escrow_transition(p.id, 'FUNDED', 'meanwhile', '{"a": 1}') AS t
SQL
$node->safe_psql('escrow', <<'SQL');
SELECT count(p)
FROM escrowgrid.escrow_create_position((SELECT max(id) FROM escrowgrid.assets), 'new', 'BTC', 3) AS p
SQL
$node->poll_query_until('replica', q(SELECT count(*) = 13 FROM pg_subscription_rel WHERE srsubstate = 'r'))
  or die 'the subscription has not copied every table in time';
$node->safe_psql('escrow', <<'SQL');
SELECT count(t)
FROM (SELECT id FROM escrowgrid.positions WHERE state = 'FUNDED' ORDER BY id LIMIT 50) AS p,
  escrowgrid.escrow_transition(p.id, 'PARTIALLY_RELEASED', 'streamed', amount => 0.5) AS t
SQL
$node->safe_psql('escrow', <<'SQL');
SELECT escrowgrid.escrow_redact_event(id)
FROM escrowgrid.position_events
WHERE reason = 'streamed'
ORDER BY id
LIMIT 1
SQL
run_section('Checkpoints, and looking after it');
$node->wait_for_catchup('escrow');
is_same_everywhere($node, 'escrow', $node, 'replica', 'replica');
$node->safe_psql('replica', 'DROP SUBSCRIPTION escrow');
is( $node->safe_psql(
		'replica',
		'SELECT state FROM escrowgrid.escrow_transition('
		  . "(SELECT min(id) FROM escrowgrid.positions WHERE state = 'CREATED'), 'CANCELLED')"),
	'CANCELLED',
	'a transition succeeds in a replica whose subscription was dropped');
is($node->safe_psql('replica', 'SELECT count(*) FROM escrowgrid.escrow_verify()'),
	'0', 'a replica that took over verifies');

run_section('Upgrade');
run_section('Dropping');
is($node->safe_psql('from_data', q(SELECT count(*) FROM pg_namespace WHERE nspname = 'escrowgrid')),
	'1', 'the schema escrowgrid is still there after the extension was dropped');

# Signed checkpoints, as docs/evidence.md has them.
my ($signing) = slurp_file($ENV{ESCROWGRID_DOCS} . '/evidence.md') =~ /^## Checkpoints\n(.*?)^## /ms;
my $script = "cd '$dir'\n" . join('', $signing =~ /^```sh\n(.*?)^```/msg);
{
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'escrow';
	my ($out, $err);
	ok( IPC::Run::run([ 'bash', '-euo', 'pipefail', '-c', $script ], '>', \$out, '2>', \$err),
		'the commands of docs/evidence.md that sign and verify a checkpoint succeed')
	  or diag("$out\n$err");
	like(
		$out,
		qr/^chk_\S+\nSignature Verified Successfully\n$/,
		'the commands of docs/evidence.md print the checkpoint and that openssl has verified its signature');
	command_ok([ "$ENV{ESCROWGRID_TOOLS}/escrowgrid-export.sh", "$dir/export" ], 'escrowgrid-export.sh succeeds');
	command_ok([ "$ENV{ESCROWGRID_TOOLS}/escrowgrid-verify.py", "$dir/export", "$dir/kept-checkpoint.txt" ],
		'escrowgrid-verify.py finds nothing wrong with the export and the checkpoint that was kept');
	my $kept = slurp_file("$dir/kept-checkpoint.txt");
	$kept =~ s/^positions \K\d+/1/m;
	append_to_file("$dir/forged.txt", $kept);
	command_fails(
		[ "$ENV{ESCROWGRID_TOOLS}/escrowgrid-verify.py", "$dir/export", "$dir/forged.txt" ],
		'escrowgrid-verify.py fails with a checkpoint in which the number of positions was changed');
	command_fails(
		[
			'bash', '-c',
			"cd '$dir' && openssl pkeyutl -verify -rawin -pubin -inkey checkpoint-key.pub"
			  . ' -in forged.txt -sigfile kept-checkpoint.sig'
		],
		'openssl does not verify the signature for a checkpoint in which the number of positions was changed');
}

$node->stop;
done_testing();
