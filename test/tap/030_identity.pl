# Who is signed in cannot be forged by settings from before the session, ends when it should, reaches parallel workers
# and standbys, and leaves no token in logs.
use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(sha256_hex);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root_token = 'eg_root_secret_of_this_test';
my $node = PostgreSQL::Test::Cluster->new('identity');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<"CONF");
max_prepared_transactions = 5
shared_preload_libraries = 'pg_stat_statements'
log_statement = all
log_parameter_max_length = 0
log_min_error_statement = error
CONF
$node->start;

# Runs SQL as a role, in one session. Returns the last line of the output and, in list context, the errors.
sub as
{
	my ($role, $sql, %options) = @_;
	my ($out, $err) = ('', '');
	local $ENV{PGOPTIONS} = $options{options} if defined $options{options};
	my $code = $node->psql('postgres', $sql,
		stdout => \$out,
		stderr => \$err,
		extra_params => [ '-U', $role, '-v', 'VERBOSITY=verbose' ],
		on_error_stop => 0);
	my @lines = split /\n/, $out;
	return wantarray ? ($lines[-1] // '', $err) : ($lines[-1] // '');
}

$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE boss SUPERUSER LOGIN');
my $planted = 'ak_01m7y7p25fe5m9wvaph3q13yv6';
# An identity planted before any session has loaded the library. At that time PostgreSQL takes any value for the setting.
$node->safe_psql('postgres', "ALTER ROLE app SET escrowgrid.session_key_id = '$planted'");
$node->safe_psql('postgres', "ALTER DATABASE postgres SET escrowgrid.session_key_id = '$planted'");
my %made = map { split /=/ } split /\n/, $node->safe_psql('postgres', <<'SQL');
SET client_min_messages = error;
CREATE EXTENSION escrowgrid;
CREATE EXTENSION pg_stat_statements;
SELECT escrowgrid.escrow_grant_access('app', 'application') \g /dev/null
SELECT id FROM escrowgrid.escrow_create_institution('A', '{US}') \gset a_
SELECT id FROM escrowgrid.escrow_create_institution('B', '{US}') \gset b_
SELECT * FROM escrowgrid.escrow_create_api_key(:'a_id', 'A', 'admin') \gset ka_
SELECT * FROM escrowgrid.escrow_create_api_key(:'b_id', 'B', 'admin') \gset kb_
SELECT t.id AS t, s.id AS ast
FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', :'a_id') AS t,
  LATERAL escrowgrid.escrow_create_asset(t.id, 'of A') AS s \gset
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount)
SELECT 'pos_' || n, :'ast', 'holder', 'USD', 10 FROM generate_series(1, 3000) AS n;
\echo a=:a_id
\echo b=:b_id
\echo key_a=:ka_id
\echo token_a=:ka_api_key
\echo key_b=:kb_id
\echo token_b=:kb_api_key
SQL
$node->safe_psql('postgres', "UPDATE escrowgrid.api_keys SET label = label");

my $who = 'SELECT coalesce(institution_id, role, $$nobody$$) FROM escrowgrid.escrow_whoami()';
my $sign_in = "SELECT escrowgrid.escrow_authenticate('$made{token_a}'";

# Loading the library throws away a value that the setting got before.
is(scalar as('app', $who), 'nobody', 'a key set by ALTER ROLE and ALTER DATABASE does not sign in');
is(scalar as('app', $who, options => "-c escrowgrid.session_key_id=$made{key_a}"),
	'nobody', 'a key set by PGOPTIONS does not sign in');
is(scalar as('boss', $who, options => "-c escrowgrid.session_key_id=$made{key_a}"),
	'root', 'a key that a superuser sets by PGOPTIONS does not sign in: the superuser stays root');
is(scalar as('app', "SET escrowgrid.session_key_id = '$made{key_a}'; $who"),
	'nobody', 'a key set by SET before the library is loaded does not sign in');
$node->safe_psql('postgres', "ALTER ROLE app RESET escrowgrid.session_key_id");
$node->safe_psql('postgres', "ALTER DATABASE postgres RESET escrowgrid.session_key_id");

# How long a sign-in lasts, by its scope.
my ($last, $err) = as('app', "$sign_in); $who");
is($last, 'nobody', 'a sign-in for the transaction, outside a transaction block, ends with its statement');
like($err, qr/WARNING:  25P01/, 'a sign-in for the transaction, outside a transaction block, warns like SET LOCAL');
is(scalar as('app', "BEGIN; $sign_in); $who;"), $made{a}, 'a sign-in for the transaction lasts in the transaction');
is(scalar as('app', "BEGIN; $sign_in); COMMIT; $who;"), 'nobody', 'COMMIT ends a sign-in for the transaction');
is(scalar as('app', "BEGIN; $sign_in); ROLLBACK; $who;"), 'nobody', 'ROLLBACK ends a sign-in for the transaction');
is(scalar as('app', "$sign_in, 'session'); $who;"), $made{a}, 'a sign-in for the session lasts beyond its statement');
is(scalar as('app', "BEGIN; $sign_in, 'session'); ROLLBACK; $who;"),
	'nobody', 'ROLLBACK of the transaction that signed in ends a sign-in for the session');
is(scalar as('app', "$sign_in, 'session'); DISCARD ALL; $who;"), 'nobody', 'DISCARD ALL ends a sign-in for the session');
is(scalar as('app', "$sign_in, 'session'); RESET ALL; $who;"), 'nobody', 'RESET ALL ends a sign-in for the session');
is(scalar as('app', "$sign_in, 'session'); SELECT escrowgrid.escrow_sign_out(); $who;"),
	'nobody', 'escrow_sign_out() ends a sign-in for the session');
is(scalar as('app', "BEGIN; $sign_in); PREPARE TRANSACTION 'p'; $who;"),
	'nobody', 'PREPARE TRANSACTION ends a sign-in for the transaction');
is(scalar as('app', "ROLLBACK PREPARED 'p'; BEGIN; $who;"),
	'nobody', 'a session that finishes a prepared transaction does not take up its sign-in');

# Signing in and calling in one statement, without a transaction block.
my $both = "SELECT t.state FROM escrowgrid.escrow_authenticate('%s') AS a (k),"
  . " LATERAL escrowgrid.escrow_transition(CASE WHEN a.k IS NOT NULL THEN 'pos_1' END, '%s') AS t";
is(scalar as('app', sprintf($both, $made{token_a}, 'FUNDED')), 'FUNDED', 'one statement may sign in and move a position');
(undef, $err) = as('app', sprintf($both, $made{token_b}, 'RELEASED'));
like($err, qr/ZE002/, 'one statement that signs in with a key of B does not find a position of A');
is(scalar as('app', sprintf($both, $made{token_a}, 'RELEASED') . "; $who"),
	'nobody', 'a sign-in in one statement with a call ends with the statement');

# Parallel workers see what their leader sees.
my $parallel =
    "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;"
  . " SET enable_indexscan = off; SET enable_bitmapscan = off; SET max_parallel_workers_per_gather = 2;"
  . " SET parallel_leader_participation = off;";
my $per_row =
  'SELECT count(*) FROM escrowgrid.positions WHERE escrowgrid.escrow_current_institution_id() = institution_id';
is(scalar as('app', "$parallel BEGIN; $sign_in); $per_row;"),
	'3000', 'escrow_current_institution_id() in a parallel worker gives the institution of the key that signed in');
like(
	$node->safe_psql('postgres', "$parallel BEGIN; $sign_in); EXPLAIN $per_row;"),
	qr/Parallel Seq Scan/,
	'the query with escrow_current_institution_id() has a parallel plan');
is( scalar as(
		'app',
		"$parallel BEGIN; SELECT escrowgrid.escrow_authenticate('$made{token_b}');"
		  . " SELECT count(*) FROM escrowgrid.positions;"),
	'0',
	'parallel workers of a session of B see no position of A');

# COPY is under row-level security like SELECT.
my $copy = "COPY (SELECT count(*) FROM escrowgrid.positions) TO STDOUT; COPY escrowgrid.positions TO STDOUT;";
is(scalar as('app', "BEGIN; SELECT escrowgrid.escrow_authenticate('$made{token_b}') \\g /dev/null\n$copy"),
	'0', 'COPY of positions shows B nothing of A');
like(scalar as('app', "BEGIN; $sign_in) \\g /dev/null\n$copy"), qr/^pos_/, 'COPY of positions shows A its own');

# Cursors that survive their transaction.
(undef, $err) = as(
	'app',
	"BEGIN; $sign_in); DECLARE c CURSOR WITH HOLD FOR SELECT id FROM escrowgrid.positions; COMMIT;"
	  . " SELECT escrowgrid.escrow_authenticate('$made{token_b}', 'session');");
like($err, qr/ZE403.*cursor is open/, 'signing in while a cursor WITH HOLD is open is refused');

# A key that another session revokes ends with the next call, at every isolation level.
for my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')
{
	my $key = $node->safe_psql('postgres',
		"SELECT id || ' ' || api_key FROM escrowgrid.escrow_create_api_key('$made{a}', 'short-lived', 'admin')");
	my ($id, $token) = split / /, $key;
	(undef, $err) = as('app', <<"SQL");
BEGIN ISOLATION LEVEL $level;
SELECT escrowgrid.escrow_authenticate('$token');
SELECT count(*) FROM escrowgrid.positions;
\\! psql -X -q -U boss -d '@{[ $node->connstr('postgres') ]}' -c "SELECT FROM escrowgrid.escrow_revoke_api_key('$id')" >/dev/null
SELECT escrowgrid.escrow_get_position('pos_1');
SQL
	like($err, qr/ZE401.*no longer valid/, "at $level a call by a key that another session has just revoked is refused");
}

# The root key: its hash comes from the configuration file alone.
my $load = 'SELECT escrowgrid.escrow_version();';
(undef, $err) = as('boss', "$load SET escrowgrid.root_key_hash = '" . ('0' x 64) . "'");
like($err, qr/55P02/, 'SET of root_key_hash is refused');
# Before the library is loaded anybody can set a placeholder of that name. It must count for nothing.
my $own = sha256_hex('my-own-root-token');
my $try = "SELECT escrowgrid.escrow_verify_api_key('my-own-root-token')";
is(scalar as('app', "SET escrowgrid.root_key_hash = '$own'; $try"),
	'NOT_FOUND', 'a root key whose hash was set by SET before the library is loaded is NOT_FOUND');
is(scalar as('app', $try, options => "-c escrowgrid.root_key_hash=$own"),
	'NOT_FOUND', 'a root key whose hash was set by PGOPTIONS is NOT_FOUND');
is(scalar as('boss', $try, options => "-c escrowgrid.root_key_hash=$own"),
	'NOT_FOUND', 'a root key whose hash a superuser set by PGOPTIONS is NOT_FOUND');
as('app', "ALTER ROLE app SET escrowgrid.root_key_hash = '$own'");
is(scalar as('app', $try), 'NOT_FOUND', 'a root key whose hash a role set for itself by ALTER ROLE is NOT_FOUND');
$node->safe_psql('postgres', 'ALTER ROLE app RESET escrowgrid.root_key_hash');
$node->append_conf('postgresql.conf', "escrowgrid.root_key_hash = '" . sha256_hex($root_token) . "'");
$node->reload;
is(scalar as('app', "SELECT escrowgrid.escrow_verify_api_key('$root_token')"),
	'NOT_FOUND', 'a configured root key that begins with eg_ and has no valid checksum is NOT_FOUND');
$root_token = 'root-token-of-the-operator';
$node->append_conf('postgresql.conf', "escrowgrid.root_key_hash = '" . sha256_hex($root_token) . "'");
$node->reload;
my $as_root = "SELECT escrowgrid.escrow_authenticate('$root_token', 'session');";
is(scalar as('app', "$as_root SELECT role FROM escrowgrid.escrow_whoami()"),
	'root', 'a session that signed in with the configured root key has the role root');
is(scalar as('app', "$as_root SELECT name FROM escrowgrid.escrow_create_institution('By key', '{US}')"),
	'By key', 'a session that signed in with the root key may create an institution');
is( $node->safe_psql(
		'postgres',
		"SELECT api_key_id || ' ' || db_role FROM escrowgrid.audit_events"
		  . " WHERE action = 'INSTITUTION_CREATED' ORDER BY id DESC LIMIT 1"),
	'root app',
	'the audit row of a call by the root key names root and the database role');
(undef, $err) = as('app', "$load SELECT current_setting('escrowgrid.root_key_hash')");
like($err, qr/42501/, 'reading root_key_hash is refused');
$node->append_conf('postgresql.conf', "escrowgrid.root_allowed_cidrs = '10.0.0.0/8,::1'");
$node->reload;
is(scalar as('app', "SELECT escrowgrid.escrow_verify_api_key('$root_token')"),
	'FORBIDDEN_ADDRESS', 'the root key is FORBIDDEN_ADDRESS outside the networks of root_allowed_cidrs');
for my $bad ('10.0.0.1/8', '10.0.0.0/33', 'ten', '10.0.0.0/8,', '::1/129', '10.0.0.0/8, ::1')
{
	(undef, $err) = as('boss', "$load ALTER SYSTEM SET escrowgrid.root_allowed_cidrs = '$bad'");
	like($err, qr/22023/, "root_allowed_cidrs = '$bad' is refused");
}

# Tokens that are passed as bind parameters appear neither in the log nor in statistics.
my $script = PostgreSQL::Test::Utils::tempdir() . '/bind.sql';
PostgreSQL::Test::Utils::append_to_file($script, <<'SQL');
BEGIN;
SELECT escrowgrid.escrow_authenticate(:token);
SELECT escrowgrid.escrow_verify_api_key(:token);
SELECT count(*) FROM escrowgrid.positions;
SELECT pg_sleep(2);
SELECT count(*) FROM escrowgrid.positions;
END;
SQL
my $bad_script = PostgreSQL::Test::Utils::tempdir() . '/bad.sql';
PostgreSQL::Test::Utils::append_to_file($bad_script, "SELECT escrowgrid.escrow_authenticate(:token);\n");
my $fresh = $node->safe_psql('postgres',
	"SELECT api_key FROM escrowgrid.escrow_create_api_key('$made{a}', 'bound', 'admin')");
my $log_start = -s $node->logfile;
my $seen = '';
# In extended mode pgbench sends a variable in a Bind message, and so the token.
my @pgbench = ('pgbench', '-n', '-M', 'extended', '-t', '1');
my $bench = IPC::Run::start(
	[ @pgbench, '-f', $script, '-D', "token=$fresh", '-U', 'app', '-d', $node->connstr('postgres') ],
	'>', \my $bench_out, '2>', \my $bench_err);
for (1 .. 400)
{
	last if $seen =~ /pg_sleep/;
	$seen .= $node->safe_psql('postgres',
		"SELECT coalesce(string_agg(query, ' '), '') FROM pg_stat_activity WHERE usename = 'app'");
	select(undef, undef, undef, 0.05);
}
ok($bench->finish, 'signing in with the token as a bind parameter succeeds') or diag $bench_err;
like($seen, qr/pg_sleep|positions/, 'pg_stat_activity showed statements of the session that signed in');
$node->command_fails(
	[ @pgbench, '-f', $bad_script, '-D', "token=${fresh}x", '-U', 'app', $node->connstr('postgres') ],
	'signing in with a wrong token as a bind parameter fails');
my $log = PostgreSQL::Test::Utils::slurp_file($node->logfile, $log_start);
like($log, qr/escrow_authenticate\(\$1\)/, 'the log has the statement that signed in');
unlike($log, qr/\Q$fresh\E/, 'the log does not have a token that was a bind parameter');
unlike($seen, qr/\Q$fresh\E/, 'pg_stat_activity did not show a token that was a bind parameter');
unlike(
	$node->safe_psql('postgres', q(SELECT string_agg(query, ' ') FROM pg_stat_statements)),
	qr/\Q$fresh\E/,
	'pg_stat_statements does not have a token that was a bind parameter');
like(
	$log,
	qr/LOG:  escrowgrid refusal ZE401 not_authenticated \{.*"reason": "NOT_FOUND".*\}/,
	'a sign-in that was refused has one line in the log with its reason as JSON');
$node->append_conf('postgresql.conf', 'log_statement = none');
$node->reload;
$log_start = -s $node->logfile;
as('app', "SELECT escrowgrid.escrow_authenticate('eg_literal_token_in_the_statement')");
unlike(
	PostgreSQL::Test::Utils::slurp_file($node->logfile, $log_start),
	qr/eg_literal_token/,
	'the log does not have the statement of a sign-in that was refused, with the token as a literal in it');
like(
	$node->safe_psql(
		'postgres',
		"SET log_statement = 'all'; SET log_parameter_max_length = -1; SELECT reasons FROM escrowgrid.escrow_health()"),
	qr/bind_parameters_logged/,
	'escrow_health() reports settings by which bind parameters are logged');

# A standby takes no writes; signing in and reading need none.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('identity_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is( $standby->safe_psql(
		'postgres',
		"SELECT escrowgrid.escrow_authenticate('$made{token_a}', 'session') \\g /dev/null\n$who",
		extra_params => [ '-U', 'app' ]),
	$made{a},
	'a key can sign in on a standby');
is( $standby->safe_psql(
		'postgres',
		"BEGIN; SELECT escrowgrid.escrow_authenticate('$made{token_a}') \\g /dev/null\n"
		  . 'SELECT count(*) FROM escrowgrid.positions',
		extra_params => [ '-U', 'app' ]),
	'3000',
	'a key that signed in on a standby sees the positions of its institution');

$standby->stop;
$node->stop;
done_testing();
