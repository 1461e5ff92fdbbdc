#include "pg/identity.hpp"

#include "core/refusal.hpp"
#include "pg/report.hpp"

namespace escrowgrid::pg {

namespace {

Oid tables_owner() {
  const Oid relation = get_relname_relid("positions", get_namespace_oid(kSchema, false));
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
  if (!HeapTupleIsValid(tuple)) {
    elog(ERROR, "escrowgrid: table positions is missing");
  }
  const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
  ReleaseSysCache(tuple);
  return owner;
}

Oid database_owner() {
  HeapTuple tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
  if (!HeapTupleIsValid(tuple)) {
    elog(ERROR, "escrowgrid: the current database is missing from the catalog");
  }
  const Oid owner = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple))->datdba;
  ReleaseSysCache(tuple);
  return owner;
}

bool is_root(Oid role) {
  return superuser_arg(role) || has_privs_of_role(role, database_owner()) || has_privs_of_role(role, tables_owner());
}

}  // namespace

Caller require_root() {
  const Oid role = GetUserId();
  const char* name = GetUserNameFromId(role, false);
  if (!is_root(role)) {
    core::Refusal why;
    why.begin(core::Condition::kNotAuthenticated)
        .message({"role \"", name, "\" is not signed in"})
        .hint({"Call as the owner of the database or as a superuser."})
        .with("db_role", name);
    raise(why);
  }
  return {.db_role = name, .api_key_id = std::nullopt};
}

OwnerScope enter_owner() {
  OwnerScope scope{};
  GetUserIdAndSecContext(&scope.saved_role, &scope.saved_context);
  SetUserIdAndSecContext(tables_owner(), scope.saved_context | SECURITY_LOCAL_USERID_CHANGE);
  return scope;
}

void leave_owner(OwnerScope scope) {
  SetUserIdAndSecContext(scope.saved_role, scope.saved_context);
}

}  // namespace escrowgrid::pg
