#include "pg/direct/shape.hpp"

#include "pg/identity/owner.hpp"
#include "pg/layout/column_name.hpp"

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

bool has_expected_columns(const layout::Table& table, TupleDesc desc) {
  const auto count = static_cast<std::size_t>(desc->natts);
  if (count > layout::kMostColumns || count < table.columns.size()) {
    return false;
  }
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const FormData_pg_attribute* found = TupleDescAttr(desc, i);
    if (found->attisdropped || found->atttypid != layout::oid_of(table.columns[i].type) || found->atttypmod != -1 ||
        NameStr(found->attname) != table.columns[i].name) {
      return false;
    }
  }
  return true;
}

bool is_key_index(Relation index, const layout::KeyColumns& key) {
  const FormData_pg_index* form = index->rd_index;
  const bool fits = form->indisunique && form->indisvalid && form->indimmediate && form->indisready &&
                    form->indislive && form->indnkeyatts == key.count && index->rd_rel->relam == BTREE_AM_OID &&
                    heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, nullptr) &&
                    heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr);
  if (!fits) {
    return false;
  }
  for (int i = 0; i < key.count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const bool compares_alike = key.types[at] == layout::Type::kText ? index->rd_opfamily[i] == TEXT_BTREE_FAM_OID &&
                                                                           index->rd_indcollation[i] == C_COLLATION_OID
                                                                     : index->rd_opfamily[i] == INTEGER_BTREE_FAM_OID;
    if (form->indkey.values[i] != key.numbers[at] || !compares_alike) {
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
