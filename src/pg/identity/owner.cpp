#include "pg/identity/owner.hpp"

namespace escrowgrid::pg {

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
