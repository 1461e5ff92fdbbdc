#include "pg/store/health.hpp"

#include "pg/table/statement.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg::store {

namespace {

Statement health = {
    "WITH tables AS ("
    " SELECT c.oid, c.relname, c.relrowsecurity, c.relacl FROM pg_class AS c"
    " WHERE c.relnamespace = 'escrowgrid'::regnamespace AND c.relkind = 'r'),"
    " reasons (position, reason) AS ("
    " SELECT 1, 'library_version_mismatch: the library is ' || $1 || ', the extension ' || x.extversion"
    "  FROM pg_extension AS x WHERE x.extname = 'escrowgrid' AND x.extversion <> $1"
    " UNION ALL SELECT 2, 'trigger_disabled: ' || g.tgname || ' on ' || t.relname"
    "  FROM pg_trigger AS g JOIN tables AS t ON t.oid = g.tgrelid JOIN pg_proc AS f ON f.oid = g.tgfoid"
    "  WHERE f.pronamespace = 'escrowgrid'::regnamespace AND g.tgenabled <> 'A'"
    " UNION ALL SELECT 3, 'trigger_missing: ' || w.relname || ' has ' || w.found || ' of ' || w.wanted || ' triggers'"
    "  FROM (SELECT e.relname, e.wanted, count(g.oid) AS found"
    "   FROM (VALUES ('positions', 4), ('position_events', 3), ('ledger_events', 3), ('audit_events', 3),"
    "     ('checkpoints', 3), ('checkpoint_heads', 3))"
    "    AS e (relname, wanted) JOIN tables AS t ON t.relname = e.relname"
    "   LEFT JOIN (pg_trigger AS g JOIN pg_proc AS f ON f.oid = g.tgfoid"
    "    AND f.pronamespace = 'escrowgrid'::regnamespace) ON g.tgrelid = t.oid"
    "   GROUP BY e.relname, e.wanted) AS w WHERE w.found < w.wanted"
    " UNION ALL SELECT 3, 'drop_guard_disabled: event trigger ' || v.evtname"
    "  FROM pg_event_trigger AS v WHERE v.evtname = 'escrowgrid_guard_drop' AND v.evtenabled <> 'A'"
    " UNION ALL SELECT 4, 'row_security_disabled: ' || t.relname FROM tables AS t WHERE NOT t.relrowsecurity"
    " UNION ALL SELECT 5, 'public_privileges: ' || t.relname FROM tables AS t"
    "  WHERE EXISTS (SELECT 1 FROM aclexplode(t.relacl) AS a WHERE a.grantee = 0)"
    " UNION ALL SELECT 6, 'public_privileges: ' || f.proname FROM pg_proc AS f"
    "  WHERE f.pronamespace = 'escrowgrid'::regnamespace AND EXISTS ("
    "   SELECT 1 FROM aclexplode(COALESCE(f.proacl, acldefault('f', f.proowner))) AS a WHERE a.grantee = 0)"
    " UNION ALL SELECT 7, 'bind_parameters_logged: log_parameter_max_length is '"
    "   || current_setting('log_parameter_max_length')"
    "  WHERE current_setting('log_parameter_max_length')::int <> 0"
    "   AND (current_setting('log_statement') <> 'none' OR current_setting('log_min_duration_statement') <> '-1'"
    "    OR current_setting('log_min_duration_sample') <> '-1')"
    " UNION ALL SELECT 8, 'bind_parameters_logged: log_parameter_max_length_on_error is '"
    "   || current_setting('log_parameter_max_length_on_error')"
    "  WHERE current_setting('log_parameter_max_length_on_error')::int <> 0)"
    " SELECT COALESCE(array_agg(r.reason ORDER BY r.position, r.reason), '{}') FROM reasons AS r"};

}  // namespace

Datum read_health(TupleDesc desc) {
  Bindings values;
  values.text(ESCROWGRID_VERSION);
  execute(health, values, Sight::kCaller);
  const Datum reasons = result_value(0, 1, TEXTARRAYOID).value_or(0);
  const ArrayType* list = DatumGetArrayTypeP(reasons);
  const bool is_healthy = ArrayGetNItems(ARR_NDIM(list), ARR_DIMS(list)) == 0;
  return keep_for_caller(form_row(desc, std::array<std::optional<Datum>, 2>{BoolGetDatum(is_healthy), reasons}));
}

}  // namespace escrowgrid::pg::store
