# With a user's index on a column that transitions change, updates are not heap-only, and every index of positions gets
# new entries. PostgreSQL is told that the indexed columns have not changed; it then removes entries of dead versions
# before it splits a page. Direct writing has to tell it as well, so that indexes grow no more than through SPI.
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $positions = 300;
my $rounds = 40;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\nlog_statement = none");
$node->start;

# The pages of each index of positions, by its name, after rounds of calls by a way of writing. Each round moves every
# position and is a transaction of its own.
sub grown
{
	my ($way, $call) = @_;
	my $database = "${way}_$call";
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	my %call = (
		single => "SELECT count(t) FROM generate_series(1, $positions) AS n,"
		  . " LATERAL escrow_transition('pos_' || n, 'PARTIALLY_RELEASED', amount => 0.01) AS t;\n",
		batch => 'SELECT count(t) FROM escrow_transition_batch('
		  . "ARRAY(SELECT 'pos_' || n FROM generate_series(1, $positions) AS n), 'PARTIALLY_RELEASED',"
		  . " amounts => ARRAY(SELECT 0.01 FROM generate_series(1, $positions))) AS t;\n");
	my $pages = $node->safe_psql($database, <<"SQL" . $call{$call} x $rounds . <<'SQL');
CREATE EXTENSION escrowgrid;
SET search_path = escrowgrid;
SET escrowgrid.debug_write_path = $way;
SELECT id FROM escrow_create_institution('Growth', '{US}') \\gset i_
SELECT id FROM escrow_create_asset_template('OWN', 'T', 'CONSTRUCTION', 'US', '{}', :'i_id') \\gset t_
SELECT id FROM escrow_create_asset(:'t_id', 'Asset') \\gset a_
CREATE INDEX changing ON positions (updated_at);
INSERT INTO positions (id, asset_id, holder_reference, currency, amount)
SELECT 'pos_' || n, :'a_id', 'holder', 'USD', 100000 FROM generate_series(1, $positions) AS n;
SELECT count(t) FROM generate_series(1, $positions) AS n, escrow_transition('pos_' || n, 'FUNDED') AS t;
VACUUM positions;
\\o /dev/null
SQL
\o
SELECT 'pages ' || indexrelid::regclass || ' ' || pg_relation_size(indexrelid) / 8192
FROM pg_index
WHERE indrelid = 'positions'::regclass AND indexrelid <> 'changing'::regclass;
SQL
	return { $pages =~ /^pages (\S+) (\d+)$/mg };
}

for my $call ('single', 'batch')
{
	my $ordinary = grown('ordinary', $call);
	my $direct = grown('auto', $call);
	cmp_ok(scalar(keys %$direct), '>', 3, "more than three indexes of positions were measured after $call calls");
	for my $index (sort keys %$direct)
	{
		# One page more may be a split at another moment.
		cmp_ok($direct->{$index}, '<=', $ordinary->{$index} * 1.2 + 1,
			"after $rounds rounds of $call calls $index has no more pages when rows are written directly"
			  . " ($direct->{$index}) than through SPI ($ordinary->{$index})");
	}
}

$node->stop;
done_testing();
