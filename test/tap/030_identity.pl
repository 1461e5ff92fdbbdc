# What a session's start, end, plan and log can be made to say about who is signed in.
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

# A node's SQL as a role, in one session; returns the last line.
sub as
{
	my ($role, $sql, %options) = @_;
	my ($out, $err) = ('', '');
	local $ENV{PGOPTIONS} = $options{options} if defined $options{options};
	my $code = $node->psql('postgres', $sql, stdout => \$out, stderr => \$err, extra_params => [ '-U', $role, '-v', 'VERBOSITY=verbose' ], on_error_stop => 0);
	my @lines = split /\n/, $out;
	return wantarray ? ($lines[-1] // '', $err) : ($lines[-1] // '');
}

$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE boss SUPERUSER LOGIN');
my $planted = 'ak_01m7y7p25fe5m9wvaph3q13yv6';
# Planted before any session has loaded the library, as a superuser could at any time.
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
SELECT t.id AS t, s.id AS ast FROM escrowgrid.escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', :'a_id') AS t, LATERAL escrowgrid.escrow_create_asset(t.id, 'of A') AS s \gset
INSERT INTO escrowgrid.positions (id, asset_id, holder_reference, currency, amount) SELECT 'pos_' || n, :'ast', 'holder', 'USD', 10 FROM generate_series(1, 3000) AS n;
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

# A value that is there before the library is loaded is thrown away when it is.
is(scalar as('app', $who), 'nobody', 'ALTER ROLE and ALTER DATABASE SET, before the library is loaded');
is(scalar as('app', $who, options => "-c escrowgrid.session_key_id=$made{key_a}"), 'nobody', 'PGOPTIONS');
is(scalar as('boss', $who, options => "-c escrowgrid.session_key_id=$made{key_a}"), 'root', 'PGOPTIONS of a superuser');
is(scalar as('app', "SET escrowgrid.session_key_id = '$made{key_a}'; $who"), 'nobody', 'a placeholder set in the session');
$node->safe_psql('postgres', "ALTER ROLE app RESET escrowgrid.session_key_id");
$node->safe_psql('postgres', "ALTER DATABASE postgres RESET escrowgrid.session_key_id");

# Scopes.
my ($last, $err) = as('app', "$sign_in); $who");
is($last, 'nobody', 'scope transaction ends with its statement outside a block');
like($err, qr/WARNING:  25P01/, 'and warns, as SET LOCAL does');
is(scalar as('app', "BEGIN; $sign_in); $who;"), $made{a}, 'scope transaction lasts in its transaction');
is(scalar as('app', "BEGIN; $sign_in); COMMIT; $who;"), 'nobody', 'COMMIT ends it');
is(scalar as('app', "BEGIN; $sign_in); ROLLBACK; $who;"), 'nobody', 'ROLLBACK ends it');
is(scalar as('app', "$sign_in, 'session'); $who;"), $made{a}, 'scope session lasts');
is(scalar as('app', "BEGIN; $sign_in, 'session'); ROLLBACK; $who;"), 'nobody', 'but not beyond a ROLLBACK');
is(scalar as('app', "$sign_in, 'session'); DISCARD ALL; $who;"), 'nobody', 'DISCARD ALL ends it');
is(scalar as('app', "$sign_in, 'session'); RESET ALL; $who;"), 'nobody', 'RESET ALL ends it');
is(scalar as('app', "$sign_in, 'session'); SELECT escrowgrid.escrow_sign_out(); $who;"), 'nobody', 'escrow_sign_out() ends it');
is(scalar as('app', "BEGIN; $sign_in); PREPARE TRANSACTION 'p'; $who;"), 'nobody', 'PREPARE TRANSACTION ends it');
is(scalar as('app', "ROLLBACK PREPARED 'p'; BEGIN; $who;"), 'nobody', 'and nobody takes it up');

# Sign in and call in one statement, on one connection in autocommit.
my $both = "SELECT t.state FROM escrowgrid.escrow_authenticate('%s') AS a (k),"
  . " LATERAL escrowgrid.escrow_transition(CASE WHEN a.k IS NOT NULL THEN 'pos_1' END, '%s') AS t";
is(scalar as('app', sprintf($both, $made{token_a}, 'FUNDED')), 'FUNDED', 'one statement signs in and calls');
(undef, $err) = as('app', sprintf($both, $made{token_b}, 'RELEASED'));
like($err, qr/ZE002/, 'with the rights of its own key only');
is(scalar as('app', sprintf($both, $made{token_a}, 'RELEASED') . "; $who"), 'nobody', 'and is over with the statement');

# Parallel workers see what their leader sees.
my $parallel = "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET enable_indexscan = off;"
  . " SET enable_bitmapscan = off; SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off;";
my $per_row = 'SELECT count(*) FROM escrowgrid.positions WHERE escrowgrid.escrow_current_institution_id() = institution_id';
is(scalar as('app', "$parallel BEGIN; $sign_in); $per_row;"), '3000', 'a parallel worker knows the tenant, called row by row');
like($node->safe_psql('postgres', "$parallel BEGIN; $sign_in); EXPLAIN $per_row;"), qr/Parallel Seq Scan/, 'which does run in parallel');
is(scalar as('app', "$parallel BEGIN; SELECT escrowgrid.escrow_authenticate('$made{token_b}'); SELECT count(*) FROM escrowgrid.positions;"), '0', 'and another tenant sees nothing there');

# COPY shows what SELECT shows.
my $copy = "COPY (SELECT count(*) FROM escrowgrid.positions) TO STDOUT; COPY escrowgrid.positions TO STDOUT;";
is(scalar as('app', "BEGIN; SELECT escrowgrid.escrow_authenticate('$made{token_b}') \\g /dev/null\n$copy"), '0', 'COPY of another tenant is empty');
like(scalar as('app', "BEGIN; $sign_in) \\g /dev/null\n$copy"), qr/^pos_/, "and of one's own is not");

# Cursors that survive their transaction.
(undef, $err) = as('app', "BEGIN; $sign_in); DECLARE c CURSOR WITH HOLD FOR SELECT id FROM escrowgrid.positions; COMMIT;"
	  . " SELECT escrowgrid.escrow_authenticate('$made{token_b}', 'session');");
like($err, qr/ZE403.*cursor is open/, 'nobody signs in beside a held cursor');

# Another session's revocation bites here at once, at every isolation level.
for my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')
{
	my $key = $node->safe_psql('postgres', "SELECT id || ' ' || api_key FROM escrowgrid.escrow_create_api_key('$made{a}', 'short-lived', 'admin')");
	my ($id, $token) = split / /, $key;
	(undef, $err) = as('app', <<"SQL");
BEGIN ISOLATION LEVEL $level;
SELECT escrowgrid.escrow_authenticate('$token');
SELECT count(*) FROM escrowgrid.positions;
\\! psql -X -q -U boss -d '@{[ $node->connstr('postgres') ]}' -c "SELECT FROM escrowgrid.escrow_revoke_api_key('$id')" >/dev/null
SELECT escrowgrid.escrow_get_position('pos_1');
SQL
	like($err, qr/ZE401.*no longer valid/, "revoked by another session, $level");
}

# The root key: from the configuration file alone, bound to its hash.
my $load = 'SELECT escrowgrid.escrow_version();';
(undef, $err) = as('boss', "$load SET escrowgrid.root_key_hash = '" . ('0' x 64) . "'");
like($err, qr/55P02/, 'a session cannot set the root key');
# Before the library is loaded the name is anybody's placeholder; what was put there counts for nothing.
my $own = sha256_hex('my-own-root-token');
my $try = "SELECT escrowgrid.escrow_verify_api_key('my-own-root-token')";
is(scalar as('app', "SET escrowgrid.root_key_hash = '$own'; $try"), 'NOT_FOUND', 'a placeholder of the session is no root key');
is(scalar as('app', $try, options => "-c escrowgrid.root_key_hash=$own"), 'NOT_FOUND', 'nor is one of PGOPTIONS');
is(scalar as('boss', $try, options => "-c escrowgrid.root_key_hash=$own"), 'NOT_FOUND', 'not even of a superuser');
as('app', "ALTER ROLE app SET escrowgrid.root_key_hash = '$own'");
is(scalar as('app', $try), 'NOT_FOUND', 'nor one that the role has for itself');
$node->safe_psql('postgres', 'ALTER ROLE app RESET escrowgrid.root_key_hash');
$node->append_conf('postgresql.conf', "escrowgrid.root_key_hash = '" . sha256_hex($root_token) . "'");
$node->reload;
is(scalar as('app', "SELECT escrowgrid.escrow_verify_api_key('$root_token')"), 'NOT_FOUND', 'a token of our form needs the right checksum');
$root_token = 'root-token-of-the-operator';
$node->append_conf('postgresql.conf', "escrowgrid.root_key_hash = '" . sha256_hex($root_token) . "'");
$node->reload;
my $as_root = "SELECT escrowgrid.escrow_authenticate('$root_token', 'session');";
is(scalar as('app', "$as_root SELECT role FROM escrowgrid.escrow_whoami()"), 'root', 'the configured key is root');
is(scalar as('app', "$as_root SELECT name FROM escrowgrid.escrow_create_institution('By key', '{US}')"), 'By key', 'and acts as root');
is($node->safe_psql('postgres', "SELECT api_key_id || ' ' || db_role FROM escrowgrid.audit_events WHERE action = 'INSTITUTION_CREATED' ORDER BY id DESC LIMIT 1"),
	'root app', 'which the audit log tells');
(undef, $err) = as('app', "$load SELECT current_setting('escrowgrid.root_key_hash')");
like($err, qr/42501/, 'nobody reads its hash');
$node->append_conf('postgresql.conf', "escrowgrid.root_allowed_cidrs = '10.0.0.0/8,::1'");
$node->reload;
is(scalar as('app', "SELECT escrowgrid.escrow_verify_api_key('$root_token')"), 'FORBIDDEN_ADDRESS', 'only from the allowed networks');
for my $bad ('10.0.0.1/8', '10.0.0.0/33', 'ten', '10.0.0.0/8,', '::1/129', '10.0.0.0/8, ::1')
{
	(undef, $err) = as('boss', "$load ALTER SYSTEM SET escrowgrid.root_allowed_cidrs = '$bad'");
	like($err, qr/22023/, "no network: $bad");
}

# Tokens passed as bind parameters are nowhere to be found afterwards.
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
my $fresh = $node->safe_psql('postgres', "SELECT api_key FROM escrowgrid.escrow_create_api_key('$made{a}', 'bound', 'admin')");
my $log_start = -s $node->logfile;
my $seen = '';
# pgbench quotes nothing, so the token goes in as it is and reaches the server in a Bind message.
my $bench = IPC::Run::start([ 'pgbench', '-n', '-M', 'extended', '-t', '1', '-f', $script, '-D', "token=$fresh", '-U', 'app', '-d', $node->connstr('postgres') ], '>', \my $bench_out, '2>', \my $bench_err);
for (1 .. 400)
{
	last if $seen =~ /pg_sleep/;
	$seen .= $node->safe_psql('postgres', "SELECT coalesce(string_agg(query, ' '), '') FROM pg_stat_activity WHERE usename = 'app'");
	select(undef, undef, undef, 0.05);
}
ok($bench->finish, 'signing in with a bind parameter') or diag $bench_err;
like($seen, qr/pg_sleep|positions/, 'the session was seen at work');
$node->command_fails([ 'pgbench', '-n', '-M', 'extended', '-t', '1', '-f', $bad_script, '-D', "token=${fresh}x", '-U', 'app', $node->connstr('postgres') ], 'and failing to');
my $log = PostgreSQL::Test::Utils::slurp_file($node->logfile, $log_start);
like($log, qr/escrow_authenticate\(\$1\)/, 'the log has the statement');
unlike($log, qr/\Q$fresh\E/, 'and not the token');
unlike($seen, qr/\Q$fresh\E/, 'pg_stat_activity does not either');
unlike($node->safe_psql('postgres', q(SELECT string_agg(query, ' ') FROM pg_stat_statements)), qr/\Q$fresh\E/, 'nor pg_stat_statements');
like($log, qr/LOG:  escrowgrid refusal ZE401 not_authenticated \{.*"reason": "NOT_FOUND".*\}/, 'the refusal is one structured line');
$node->append_conf('postgresql.conf', 'log_statement = none');
$node->reload;
$log_start = -s $node->logfile;
as('app', "SELECT escrowgrid.escrow_authenticate('eg_literal_token_in_the_statement')");
unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile, $log_start), qr/eg_literal_token/, 'a failed sign-in hides its statement, even with a literal');
like($node->safe_psql('postgres', "SET log_statement = 'all'; SET log_parameter_max_length = -1; SELECT reasons FROM escrowgrid.escrow_health()"),
	qr/bind_parameters_logged/, 'escrow_health() warns where bind parameters would be logged');

# A standby: signing in and reading write nothing.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('identity_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', "SELECT escrowgrid.escrow_authenticate('$made{token_a}', 'session') \\g /dev/null\n$who", extra_params => [ '-U', 'app' ]), $made{a}, 'a standby signs in');
is($standby->safe_psql('postgres', "BEGIN; SELECT escrowgrid.escrow_authenticate('$made{token_a}') \\g /dev/null\nSELECT count(*) FROM escrowgrid.positions", extra_params => [ '-U', 'app' ]), '3000', 'and reads');

$standby->stop;
$node->stop;
done_testing();
