# PgBouncer in transaction mode: two clients of different institutions share one server connection.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('pooled');
$node->init;
$node->start;
my %made = map { split /=/ } split /\n/, $node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION escrowgrid;
CREATE ROLE app LOGIN;
SELECT escrowgrid.escrow_grant_access('app', 'application') \g /dev/null
SELECT id FROM escrowgrid.escrow_create_institution('A', '{US}') \gset a_
SELECT id FROM escrowgrid.escrow_create_institution('B', '{US}') \gset b_
SELECT * FROM escrowgrid.escrow_create_api_key(:'a_id', 'A', 'admin') \gset ka_
SELECT * FROM escrowgrid.escrow_create_api_key(:'b_id', 'B', 'admin') \gset kb_
SELECT s.id AS s
FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', :'a_id') AS t,
  LATERAL escrowgrid.escrow_create_asset(t.id, 'of A') AS s \gset a_
SELECT s.id AS s
FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', :'b_id') AS t,
  LATERAL escrowgrid.escrow_create_asset(t.id, 'of B') AS s \gset b_
\echo token_a=:ka_api_key
\echo token_b=:kb_api_key
\echo asset_a=:a_s
\echo asset_b=:b_s
SQL

my $dir = PostgreSQL::Test::Utils::tempdir_short();
my $port = PostgreSQL::Test::Cluster::get_free_port();
PostgreSQL::Test::Utils::append_to_file("$dir/pgbouncer.ini", <<"INI");
[databases]
postgres = host=@{[ $node->host ]} port=@{[ $node->port ]}
[pgbouncer]
listen_addr =
unix_socket_dir = $dir
listen_port = $port
auth_type = any
pool_mode = transaction
default_pool_size = 1
max_client_conn = 20
logfile = $dir/pgbouncer.log
INI
# With auth_type = any PgBouncer connects every client as the user that is configured for the database.
my $ini = PostgreSQL::Test::Utils::slurp_file("$dir/pgbouncer.ini");
$ini =~ s/(port=\d+)/$1 user=app/;
unlink "$dir/pgbouncer.ini";
PostgreSQL::Test::Utils::append_to_file("$dir/pgbouncer.ini", $ini);
my $pooler = IPC::Run::start([ '/usr/sbin/pgbouncer', "$dir/pgbouncer.ini" ], '>', \my $pool_out, '2>', \my $pool_err);
for (1 .. 100)
{
	last if -S "$dir/.s.PGSQL.$port";
	select(undef, undef, undef, 0.1);
}
ok(-S "$dir/.s.PGSQL.$port", 'PgBouncer listens on its socket') or diag $pool_err;

# A psql connected through PgBouncer, to which ask() speaks line by line.
sub client
{
	my %client = (in => '', out => '', err => '');
	$client{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'VERBOSITY=sqlstate', '-d', "host=$dir port=$port dbname=postgres user=app" ],
		'<', \$client{in}, '>', \$client{out}, '2>', \$client{err});
	return \%client;
}

my $turn = 0;
# The last line that a client answers to a statement: of its output, or of its errors if there are any.
sub ask
{
	my ($client, $sql) = @_;
	my $mark = 'mark_' . ++$turn;
	$client->{out} = $client->{err} = '';
	$client->{in} .= "$sql\n\\echo $mark\n";
	for (1 .. 400)
	{
		$client->{run}->pump_nb;
		last if $client->{out} =~ /$mark/;
		select(undef, undef, undef, 0.025);
	}
	(my $answer = $client->{out}) =~ s/$mark\n//;
	chomp $answer;
	$answer .= $client->{err};
	$answer =~ s/.*\n(?=.)//s;
	chomp $answer;
	return $answer;
}

my ($a, $b, $c) = (client(), client(), client());
is(ask($a, 'SELECT pg_backend_pid();'),
	ask($b, 'SELECT pg_backend_pid();'),
	'two clients of PgBouncer share one server connection');

my $sign_in = "SELECT escrowgrid.escrow_authenticate('%s') \\g /dev/null";
my $mine = 'SELECT label FROM escrowgrid.assets';
my $who = "SELECT coalesce(role, 'nobody') FROM escrowgrid.escrow_whoami()";

for my $round (1 .. 5)
{
	is(ask($a, "BEGIN;\n" . sprintf($sign_in, $made{token_a}) . "\n$mine;\nCOMMIT;"),
		'of A', "round $round: a client that signs in for A in a transaction sees the asset of A");
	is(ask($b, "$who;"), 'nobody', "round $round: the next client on the connection is not signed in");
	is(ask($b, "BEGIN;\n" . sprintf($sign_in, $made{token_b}) . "\n$mine;\nCOMMIT;"),
		'of B', "round $round: a client that signs in for B on the same connection sees the asset of B");
	is(ask($a, "$mine;"), '', "round $round: the client of A sees no asset after its transaction");
	is( ask($a,
			"BEGIN;\n"
			  . sprintf($sign_in, $made{token_a})
			  . "\nSELECT escrowgrid.escrow_create_position('$made{asset_b}', 'h', 'USD', 1);"),
		'ERROR:  ZE002',
		"round $round: the client of A cannot create a position on the asset of B");
	ask($a, 'ROLLBACK;');
	is(ask($c, "$who;"), 'nobody', "round $round: after a transaction that failed the next client is not signed in");
}

# Signing in and calling in one statement, without a transaction block, from both clients in turn.
my $call =
    "SELECT p.state FROM escrowgrid.escrow_authenticate('%s') AS a (k),"
  . " LATERAL escrowgrid.escrow_create_position(CASE WHEN a.k IS NOT NULL THEN '%s' END, 'h', 'USD', 1) AS p;";
ask($_, 'SET client_min_messages = error;') for ($a, $b);
is(ask($a, sprintf($call, $made{token_a}, $made{asset_a})),
	'CREATED', 'one statement may sign in for A and create a position of A');
is(ask($b, sprintf($call, $made{token_b}, $made{asset_b})),
	'CREATED', 'one statement may sign in for B, on the same connection, and create a position of B');
is(ask($a, sprintf($call, $made{token_a}, $made{asset_b})),
	'ERROR:  ZE002', 'one statement that signs in for A cannot create a position on the asset of B');
is(ask($b, "$who;"), 'nobody', 'after statements that sign in and call the next client is not signed in');

$_->{in} .= "\\q\n" for ($a, $b, $c);
$_->{run}->finish for ($a, $b, $c);
$pooler->signal('INT');
$pooler->kill_kill(grace => 5);
$node->stop;
done_testing();
