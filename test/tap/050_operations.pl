# docs/operations.md, run as it stands; what each section restores or replicates is the original, row for row.
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

my %port = (recovered => PostgreSQL::Test::Cluster::get_free_port(), standby => PostgreSQL::Test::Cluster::get_free_port());
my $page = slurp_file($ENV{ESCROWGRID_DOCS} . '/operations.md');
my @sections = split /^## /m, $page;
my @digests;

# A server that a block of the page started, for queries.
sub elsewhere
{
	my ($port, $sql) = @_;
	my ($out, $err);
	IPC::Run::run([ 'psql', '-XAtq', '-h', $node->host, '-p', $port, '-d', 'escrow', '-c', $sql ], '>', \$out, '2>', \$err) or die $err;
	chomp $out;
	return $out;
}

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
	ok($done, "$title: every command succeeds") or diag("$out\n$err");
	is($out, '', "$title: and says nothing");
	return;
}

run_section('Dump and restore');
for my $copy (qw(restored from_plain from_schema from_data from_parallel))
{
	is_same_everywhere($node, 'escrow', $node, $copy, $copy);
}
is($node->safe_psql('restored', q(SELECT has_table_privilege('app', 'escrowgrid.positions', 'SELECT'), has_function_privilege('app', 'escrowgrid.escrow_list_positions(text,text,text,text,text,integer)', 'EXECUTE'))),
	't|t', 'rights that were granted come along');
is($node->safe_psql('from_additions', q(SELECT count(*) FROM pg_indexes WHERE indexname = 'branch_idx')), '1', 'additions are there');
is($node->safe_psql('from_additions', 'SELECT count(*) FROM escrowgrid.escrow_verify()'), '0', 'and the rest verifies');

my $before = digest($node, 'escrow', 'positions');
run_section('Physical backup and point-in-time recovery');
isnt(digest($node, 'escrow', 'positions'), $before, 'a mistake was made');
for (1 .. 100)
{
	last if elsewhere($port{recovered}, 'SELECT pg_is_in_recovery()') eq 'f';
	sleep 1;
}
is(elsewhere($port{recovered}, "SELECT count(*), encode(sha256(convert_to(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\"), 'UTF8')), 'hex') FROM escrowgrid.positions AS t"),
	$before, 'and is undone in the recovered server');
is(elsewhere($port{recovered}, 'SELECT count(*) FROM escrowgrid.escrow_verify()'), '0', 'which verifies');
is(elsewhere($port{recovered}, "SELECT state FROM escrowgrid.escrow_transition((SELECT min(id) FROM escrowgrid.positions WHERE state = 'CREATED'), 'FUNDED')"), 'FUNDED', 'and goes on');
system_or_bail('pg_ctl', '-D', "$dir/basebackup", '-m', 'immediate', '-s', 'stop');

run_section('Standby');
is(elsewhere($port{standby}, "SELECT state FROM escrowgrid.escrow_transition((SELECT min(id) FROM escrowgrid.positions WHERE state = 'CREATED'), 'FUNDED')"), 'FUNDED', 'the promoted standby goes on');
is(elsewhere($port{standby}, 'SELECT count(*) FROM escrowgrid.escrow_verify()'), '0', 'and verifies');
system_or_bail('pg_ctl', '-D', "$dir/standby", '-m', 'immediate', '-s', 'stop');

# Replication goes on while the tables are copied for the first time: events may come before their positions.
run_section('Logical replication');
$node->safe_psql('escrow', q(SELECT count(t) FROM (SELECT id FROM escrowgrid.positions WHERE state = 'CREATED' ORDER BY id LIMIT 50) AS p, escrowgrid.escrow_transition(p.id, 'FUNDED', 'meanwhile', '{"a": 1}') AS t));
$node->safe_psql('escrow', q(SELECT count(p) FROM escrowgrid.escrow_create_position((SELECT max(id) FROM escrowgrid.assets), 'new', 'BTC', 3) AS p));
$node->poll_query_until('replica', q(SELECT count(*) = 13 FROM pg_subscription_rel WHERE srsubstate = 'r')) or die 'the tables are not copied';
$node->safe_psql('escrow', q(SELECT count(t) FROM (SELECT id FROM escrowgrid.positions WHERE state = 'FUNDED' ORDER BY id LIMIT 50) AS p, escrowgrid.escrow_transition(p.id, 'PARTIALLY_RELEASED', 'streamed', amount => 0.5) AS t));
$node->safe_psql('escrow', q(SELECT escrowgrid.escrow_redact_event(id) FROM escrowgrid.position_events WHERE reason = 'streamed' ORDER BY id LIMIT 1));
run_section('Checkpoints, and looking after it');
$node->wait_for_catchup('escrow');
is_same_everywhere($node, 'escrow', $node, 'replica', 'replica');
$node->safe_psql('replica', 'DROP SUBSCRIPTION escrow');
is($node->safe_psql('replica', "SELECT state FROM escrowgrid.escrow_transition((SELECT min(id) FROM escrowgrid.positions WHERE state = 'CREATED'), 'CANCELLED')"), 'CANCELLED', 'the replica can take over');
is($node->safe_psql('replica', 'SELECT count(*) FROM escrowgrid.escrow_verify()'), '0', 'and verifies');

run_section('Upgrade');
run_section('Dropping');
is($node->safe_psql('from_data', q(SELECT count(*) FROM pg_namespace WHERE nspname = 'escrowgrid')), '1', 'dropped; the schema of its name stays, as ever');

# Signed checkpoints, as docs/evidence.md has them.
my ($signing) = slurp_file($ENV{ESCROWGRID_DOCS} . '/evidence.md') =~ /^## Checkpoints\n(.*?)^## /ms;
my $script = "cd '$dir'\n" . join('', $signing =~ /^```sh\n(.*?)^```/msg);
{
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'escrow';
	my ($out, $err);
	ok(IPC::Run::run([ 'bash', '-euo', 'pipefail', '-c', $script ], '>', \$out, '2>', \$err), 'a checkpoint is signed and verified') or diag("$out\n$err");
	like($out, qr/^chk_\S+\nSignature Verified Successfully\n$/, 'by openssl');
	command_ok([ "$ENV{ESCROWGRID_TOOLS}/escrowgrid-export.sh", "$dir/export" ], 'records are exported');
	command_ok([ "$ENV{ESCROWGRID_TOOLS}/escrowgrid-verify.py", "$dir/export", "$dir/kept-checkpoint.txt" ], 'the independent verifier agrees, and finds the kept checkpoint');
	my $kept = slurp_file("$dir/kept-checkpoint.txt");
	$kept =~ s/^positions \K\d+/1/m;
	append_to_file("$dir/forged.txt", $kept);
	command_fails([ "$ENV{ESCROWGRID_TOOLS}/escrowgrid-verify.py", "$dir/export", "$dir/forged.txt" ], 'and not a forged one');
	command_fails([ 'bash', '-c', "cd '$dir' && openssl pkeyutl -verify -rawin -pubin -inkey checkpoint-key.pub -in forged.txt -sigfile kept-checkpoint.sig" ], 'nor does its signature hold');
}

$node->stop;
done_testing();
