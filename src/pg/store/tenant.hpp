// The institution that a record belongs to.
#pragma once

#include "pg/table/find.hpp"
#include "pg/values/memory.hpp"

namespace escrowgrid::pg::store {

// The institution of the record with this id; absent if there is no such record, or if it does not belong to
// `institution_id` where that is given. The text is copied.
template <const layout::Table& kTable>
[[nodiscard]] TextView find_tenant(std::string_view id, const TextView& institution_id, Sight sight) {
  const View view = begin_view(sight, {&kTable});
  FoundRow row;
  TextView owner;
  if (row.find(view, kTable, id, institution_id)) {
    owner = copied(row.as<kTable>().template get<"institution_id">());
    row.close();
  }
  end_view(view);
  return owner;
}

}  // namespace escrowgrid::pg::store
