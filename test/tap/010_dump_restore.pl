# Every form of dump restores without flags or help, row for row, verifies, and what is restored goes on working.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Records;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "log_statement = none\nfsync = off\nshared_buffers = 64MB");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE origin');
$node->safe_psql('origin', 'CREATE EXTENSION escrowgrid');
build_records($node, 'origin', 10_000);

sub is_working
{
	my ($database, $how) = @_;
	is($node->safe_psql($database, 'SELECT ok FROM escrowgrid.escrow_health()'), 't', "$how: healthy");
	is($node->safe_psql($database, "SELECT state, version FROM escrowgrid.escrow_transition('pos_000007', 'FUNDED')"),
		'FUNDED|2', "$how: a position that never moved goes on");
	is($node->safe_psql($database, "SELECT state, version FROM escrowgrid.escrow_transition('pos_000009', 'RELEASED')"),
		'RELEASED|4', "$how: a partly released one goes on");
	is($node->safe_psql($database, "SELECT state, version FROM escrowgrid.escrow_transition('pos_000002', 'PARTIALLY_RELEASED', amount => 0.1, idempotency_key => 'dumped')"),
		$node->safe_psql('origin', "SELECT state, version FROM escrowgrid.positions WHERE id = 'pos_000002'"), "$how: an idempotency key still has its effect");
	is($node->safe_psql($database, "SELECT sqlstate FROM escrowgrid.escrow_try_create_position((SELECT max(id) FROM escrowgrid.assets), 'h', 'BTC', 0.0001)"),
		'ZE201', "$how: a policy still holds");
	is($node->safe_psql($database, 'SELECT number FROM escrowgrid.escrow_checkpoint()'), '3', "$how: the next checkpoint follows the dumped ones");
	is($node->safe_psql($database, 'SELECT * FROM escrowgrid.escrow_verify()'), '', "$how: and all of that verifies");
}

my $dir = PostgreSQL::Test::Utils::tempdir();
my $psql = [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null' ];

# name, arguments of pg_dump, what makes the database, how it is restored.
my $empty = '';
my $installed = 'CREATE EXTENSION escrowgrid';
for my $form (
	[ 'plain', ['-Fp'], $empty, 'psql' ],
	[ 'custom', ['-Fc'], $empty, [] ],
	[ 'directory', [ '-Fd', '-j', '2' ], $empty, [] ],
	[ 'tar', ['-Ft'], $empty, [] ],
	[ 'plain_inserts', [ '-Fp', '--inserts', '--rows-per-insert=100' ], $empty, 'psql' ],
	[ 'data_only', [ '-Fc', '--data-only' ], $installed, [] ],
	[ 'plain_data_only', [ '-Fp', '--data-only' ], $installed, 'psql' ],
	[ 'one_schema', [ '-Fc', '-n', 'escrowgrid', '-e', 'escrowgrid' ], $empty, [] ],
	[ 'no_owner', [ '-Fc', '--no-owner', '--no-privileges' ], $empty, [] ],
	[ 'single_transaction', ['-Fc'], $empty, ['-1'] ],
	[ 'selected_data', ['-Fc'], $installed, [ '--section=data' ] ])
{
	my ($name, $arguments, $prepare, $restore) = @$form;
	my $file = "$dir/$name.dump";
	$node->command_ok([ 'pg_dump', @$arguments, '-f', $file, $node->connstr('origin') ], "$name: dump");
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, $prepare) if $prepare;
	$node->command_ok(
		$restore eq 'psql' ? [ @$psql, '-f', $file, $node->connstr($name) ] : [ 'pg_restore', '-e', @$restore, '-d', $node->connstr($name), $file ],
		"$name: restore");
	is_same_everywhere($node, 'origin', $node, $name, $name);
	is_working($name, $name);
	$node->safe_psql('postgres', "DROP DATABASE $name");
}

# Parallel restore loads tables side by side. PostgreSQL records no order between the data of an extension's
# tables, so foreign keys are switched off as a replica has them off, and verification looks after them.
$node->safe_psql('postgres', 'CREATE DATABASE parallel');
{
	local $ENV{PGOPTIONS} = '-c session_replication_role=replica';
	$node->command_ok([ 'pg_restore', '-e', '-j', '4', '-d', $node->connstr('parallel'), "$dir/directory.dump" ], 'parallel restore in the replica role');
}
is_same_everywhere($node, 'origin', $node, 'parallel', 'parallel');
is_working('parallel', 'parallel');

# pg_restore --clean drops first, and needs the setting that allows it.
$node->command_fails_like([ 'pg_restore', '-e', '--clean', '-d', $node->connstr('parallel'), "$dir/custom.dump" ],
	qr/cannot be dropped while it holds positions/, 'pg_restore --clean is refused');
{
	local $ENV{PGOPTIONS} = '-c escrowgrid.allow_drop=on';
	$node->command_ok([ 'pg_restore', '-e', '--clean', '-d', $node->connstr('parallel'), "$dir/custom.dump" ], 'pg_restore --clean with the setting');
}
is_same_everywhere($node, 'origin', $node, 'parallel', 'clean');

# A dump that someone edited is refused or inert.
$node->safe_psql('postgres', 'CREATE DATABASE edited');
my $dump = slurp_file("$dir/plain.dump");
$dump =~ s/^(pos_000007\t.*?\tBTC\t)[\d.]+/${1}900/m or die 'the position is not in the dump';
append_to_file("$dir/edited.sql", $dump);
$node->command_ok([ @$psql, '-f', "$dir/edited.sql", $node->connstr('edited') ], 'an edited dump is loaded');
is($node->safe_psql('edited', q(SELECT discrepancy FROM escrowgrid.escrow_verify() ORDER BY 1)), "audit_mismatch\nevent_hash\nledger_mismatch", 'and verification names what was edited');

# Without positions the extension drops, and comes back.
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION escrowgrid; DROP EXTENSION escrowgrid; CREATE EXTENSION escrowgrid');
is($node->safe_psql('fresh', "SELECT name FROM escrowgrid.escrow_create_institution('Again', '{US}')"),
	'Again', 'dropped and created again in one session');

$node->stop;
done_testing();
