# Every form of dump restores row for row, without special options or steps; what is restored verifies and goes on
# working.
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

# Whether the extension works on the restored rows.
sub is_working
{
	my ($database, $how) = @_;
	is($node->safe_psql($database, 'SELECT ok FROM escrowgrid.escrow_health()'),
		't', "$how: escrow_health() finds nothing wrong with the restored database");
	is($node->safe_psql($database, "SELECT state, version FROM escrowgrid.escrow_transition('pos_000007', 'FUNDED')"),
		'FUNDED|2', "$how: a restored position that had never been moved can be moved");
	is($node->safe_psql($database, "SELECT state, version FROM escrowgrid.escrow_transition('pos_000009', 'RELEASED')"),
		'RELEASED|4', "$how: a restored position that had been released in part can be released");
	is( $node->safe_psql(
			$database,
			'SELECT state, version FROM escrowgrid.escrow_transition('
			  . "'pos_000002', 'PARTIALLY_RELEASED', amount => 0.1, idempotency_key => 'dumped')"),
		$node->safe_psql('origin', "SELECT state, version FROM escrowgrid.positions WHERE id = 'pos_000002'"),
		"$how: a transition from before the dump, repeated with its idempotency key, returns the row of then");
	is( $node->safe_psql(
			$database,
			'SELECT sqlstate FROM escrowgrid.escrow_try_create_position('
			  . "(SELECT max(id) FROM escrowgrid.assets), 'h', 'BTC', 0.0001)"),
		'ZE201',
		"$how: a creation that violates a restored policy is refused");
	is($node->safe_psql($database, 'SELECT number FROM escrowgrid.escrow_checkpoint()'),
		'3', "$how: the next checkpoint has the number after the two restored ones");
	is($node->safe_psql($database, 'SELECT * FROM escrowgrid.escrow_verify()'),
		'', "$how: escrow_verify() finds nothing wrong after the restored database was written to");
}

my $dir = PostgreSQL::Test::Utils::tempdir();
my $psql = [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null' ];

# Name, arguments of pg_dump, what is run in the new database first, and whether psql restores or pg_restore with which
# arguments.
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
	$node->command_ok([ 'pg_dump', @$arguments, '-f', $file, $node->connstr('origin') ], "$name: pg_dump succeeds");
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, $prepare) if $prepare;
	$node->command_ok(
		$restore eq 'psql'
		? [ @$psql, '-f', $file, $node->connstr($name) ]
		: [ 'pg_restore', '-e', @$restore, '-d', $node->connstr($name), $file ],
		"$name: restoring the dump succeeds");
	is_same_everywhere($node, 'origin', $node, $name, $name);
	is_working($name, $name);
	$node->safe_psql('postgres', "DROP DATABASE $name");
}

# A parallel restore loads several tables at a time, and PostgreSQL records no order between the data of an extension's
# tables. With session_replication_role = replica foreign keys are not checked; escrow_verify() checks them afterwards.
$node->safe_psql('postgres', 'CREATE DATABASE parallel');
{
	local $ENV{PGOPTIONS} = '-c session_replication_role=replica';
	$node->command_ok([ 'pg_restore', '-e', '-j', '4', '-d', $node->connstr('parallel'), "$dir/directory.dump" ],
		'a parallel pg_restore with session_replication_role = replica succeeds');
}
is_same_everywhere($node, 'origin', $node, 'parallel', 'parallel');
is_working('parallel', 'parallel');

# pg_restore --clean drops the extension first, which escrowgrid.allow_drop has to allow.
$node->command_fails_like([ 'pg_restore', '-e', '--clean', '-d', $node->connstr('parallel'), "$dir/custom.dump" ],
	qr/cannot be dropped while it holds positions/, 'pg_restore --clean over positions fails');
{
	local $ENV{PGOPTIONS} = '-c escrowgrid.allow_drop=on';
	$node->command_ok([ 'pg_restore', '-e', '--clean', '-d', $node->connstr('parallel'), "$dir/custom.dump" ],
		'pg_restore --clean over positions succeeds with escrowgrid.allow_drop = on');
}
is_same_everywhere($node, 'origin', $node, 'parallel', 'clean');

# A dump with an amount that someone changed: it can be loaded, and verification shows it.
$node->safe_psql('postgres', 'CREATE DATABASE edited');
my $dump = slurp_file("$dir/plain.dump");
$dump =~ s/^(pos_000007\t.*?\tBTC\t)[\d.]+/${1}900/m or die 'the position is not in the dump';
append_to_file("$dir/edited.sql", $dump);
$node->command_ok([ @$psql, '-f', "$dir/edited.sql", $node->connstr('edited') ],
	'a dump in which an amount was edited can be loaded');
is($node->safe_psql('edited', q(SELECT discrepancy FROM escrowgrid.escrow_verify() ORDER BY 1)),
	"audit_mismatch\nevent_hash\nledger_mismatch",
	'escrow_verify() reports the position whose amount was edited in the dump');

# Without positions the extension can be dropped, and created again.
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION escrowgrid; DROP EXTENSION escrowgrid; CREATE EXTENSION escrowgrid');
is($node->safe_psql('fresh', "SELECT name FROM escrowgrid.escrow_create_institution('Again', '{US}')"),
	'Again', 'the extension works after it was dropped and created again in one session');

$node->stop;
done_testing();
