#include "pg/direct/shape.hpp"

#include "pg/service/authentication.hpp"

extern "C" {
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_opfamily.h"
#include "utils/relcache.h"
#include "utils/rls.h"
}

namespace escrowgrid::pg::direct {

namespace {

constexpr std::array kPositionColumns = {
    Column{"id", TEXTOID},
    Column{"institution_id", TEXTOID},
    Column{"asset_id", TEXTOID},
    Column{"holder_reference", TEXTOID},
    Column{"currency", TEXTOID},
    Column{"amount", NUMERICOID},
    Column{"state", TEXTOID},
    Column{"external_reference", TEXTOID},
    Column{"created_at", TIMESTAMPTZOID},
    Column{"updated_at", TIMESTAMPTZOID},
    Column{"released_amount", NUMERICOID},
    Column{"refunded_amount", NUMERICOID},
    Column{"expires_at", TIMESTAMPTZOID},
    Column{"due_at", TIMESTAMPTZOID},
    Column{"version", INT4OID},
    Column{"head_hash", BYTEAOID},
};
constexpr std::array kEventColumns = {
    Column{"id", TEXTOID},
    Column{"position_id", TEXTOID},
    Column{"from_state", TEXTOID},
    Column{"to_state", TEXTOID},
    Column{"reason", TEXTOID},
    Column{"at", TIMESTAMPTZOID},
    Column{"metadata", JSONBOID},
    Column{"created_at", TIMESTAMPTZOID},
    Column{"institution_id", TEXTOID},
    Column{"seq", INT4OID},
    Column{"amount", NUMERICOID},
    Column{"api_key_id", TEXTOID},
    Column{"salt", BYTEAOID},
    Column{"hash", BYTEAOID},
};
constexpr std::array kLedgerColumns = {
    Column{"id", TEXTOID},
    Column{"kind", TEXTOID},
    Column{"position_id", TEXTOID},
    Column{"at", TIMESTAMPTZOID},
    Column{"previous_state", TEXTOID},
    Column{"new_state", TEXTOID},
    Column{"payload", JSONBOID},
    Column{"created_at", TIMESTAMPTZOID},
    Column{"institution_id", TEXTOID},
    Column{"request_id", TEXTOID},
};
constexpr std::array kAuditColumns = {
    Column{"id", TEXTOID},
    Column{"occurred_at", TIMESTAMPTZOID},
    Column{"created_at", TIMESTAMPTZOID},
    Column{"api_key_id", TEXTOID},
    Column{"institution_id", TEXTOID},
    Column{"method", TEXTOID},
    Column{"path", TEXTOID},
    Column{"action", TEXTOID},
    Column{"resource_type", TEXTOID},
    Column{"resource_id", TEXTOID},
    Column{"payload", JSONBOID},
    Column{"outcome", TEXTOID},
    Column{"error", JSONBOID},
    Column{"status_code", INT4OID},
    Column{"request_id", TEXTOID},
    Column{"client_ip", INETOID},
    Column{"db_role", TEXTOID},
};
constexpr std::array kAssetColumns = {
    Column{"id", TEXTOID},
    Column{"institution_id", TEXTOID},
    Column{"template_id", TEXTOID},
};
constexpr std::array kTemplateColumns = {
    Column{"id", TEXTOID},       Column{"institution_id", TEXTOID}, Column{"code", TEXTOID},    Column{"name", TEXTOID},
    Column{"vertical", TEXTOID}, Column{"region", TEXTOID},         Column{"config", JSONBOID},
};
constexpr std::array kPolicyColumns = {
    Column{"id", TEXTOID},
    Column{"institution_id", TEXTOID},
    Column{"region", TEXTOID},
    Column{"config", JSONBOID},
};
constexpr std::array kKeyColumns = {
    Column{"id", TEXTOID},
    Column{"institution_id", TEXTOID},
    Column{"key_hash", TEXTOID},
    Column{"label", TEXTOID},
    Column{"role", TEXTOID},
    Column{"created_at", TIMESTAMPTZOID},
    Column{"revoked_at", TIMESTAMPTZOID},
    Column{"expires_at", TIMESTAMPTZOID},
    Column{"allowed_cidrs", CIDRARRAYOID},
};

constexpr std::array<Shape, kTables> kShapes = {{
    {"positions", kPositionColumns, {{{1, 0}, {0, 0}}}},
    {"position_events", kEventColumns, {{{1, 0}, {2, 10}}}},
    {"ledger_events", kLedgerColumns, {{{1, 0}, {0, 0}}}},
    {"audit_events", kAuditColumns, {{{1, 0}, {0, 0}}}},
    {"assets", kAssetColumns, {{{1, 0}, {0, 0}}}},
    {"asset_templates", kTemplateColumns, {{{1, 0}, {0, 0}}}},
    {"institution_policies", kPolicyColumns, {{{1, 0}, {2, 3}}}},
    {"api_keys", kKeyColumns, {{{1, 0}, {3, 0}}}},
}};

}  // namespace

const Shape& shape_of(Name name) {
  return kShapes[static_cast<std::size_t>(name)];
}

bool has_expected_columns(const Shape& shape, TupleDesc desc) {
  if (desc->natts > kMostColumns || static_cast<std::size_t>(desc->natts) < shape.columns.size()) {
    return false;
  }
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    const FormData_pg_attribute* found = TupleDescAttr(desc, i);
    if (found->attisdropped || found->atttypid != shape.columns[i].type || found->atttypmod != -1 ||
        std::strcmp(NameStr(found->attname), shape.columns[i].name) != 0) {
      return false;
    }
  }
  return true;
}

bool is_key_index(Relation index, const Shape& shape, const std::array<int, 2>& columns) {
  const FormData_pg_index* form = index->rd_index;
  const int wanted = columns[1] == 0 ? 1 : 2;
  const bool fits = form->indisunique && form->indisvalid && form->indimmediate && form->indisready &&
                    form->indislive && form->indnkeyatts == wanted && index->rd_rel->relam == BTREE_AM_OID &&
                    heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, nullptr) &&
                    heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr);
  if (!fits) {
    return false;
  }
  for (int i = 0; i < wanted; ++i) {
    const int column = columns[static_cast<std::size_t>(i)];
    const bool is_text = shape.columns[static_cast<std::size_t>(column) - 1].type == TEXTOID;
    const bool compares_alike =
        is_text ? index->rd_opfamily[i] == TEXT_BTREE_FAM_OID && index->rd_indcollation[i] == C_COLLATION_OID
                : index->rd_opfamily[i] == INTEGER_BTREE_FAM_OID;
    if (form->indkey.values[i] != column || !compares_alike) {
      return false;
    }
  }
  return true;
}

bool has_children(Oid relation_id, const FormData_pg_class& form) {
  return form.relhassubclass && find_inheritance_children(relation_id, NoLock) != NIL;
}

bool applies_row_security(Oid relation_id) {
  return check_enable_rls(relation_id, tables_owner(), true) == RLS_ENABLED;
}

bool is_usable_now(Relation index) {
  return !index->rd_index->indcheckxmin ||
         TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data), TransactionXmin);
}

}  // namespace escrowgrid::pg::direct
