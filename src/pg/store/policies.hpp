// Policies: the limits that an institution sets per region.
#pragma once

#include "pg/store/origin.hpp"
#include "pg/values/datum.hpp"

namespace escrowgrid::pg::store {

struct PolicyName {
  std::string_view institution_id;
  std::string_view region;
};

// Locks the policy's row and returns its config. Creations under an exposure limit take turns on this lock, so that
// each of them sees the positions that the previous one has added.
[[nodiscard]] std::optional<Datum> lock_policy(const PolicyName& name);

// The open amount in the region and currency: the amounts of positions that have not ended, less what has been released
// or refunded.
[[nodiscard]] core::Amount sum_open(const PolicyName& name, std::string_view currency);

// Sets the policy and writes an audit row with the old and the new config. The returned row outlives the session.
[[nodiscard]] Datum upsert_policy(const Origin& origin, const PolicyName& name, std::string_view config);

// The policy as a document, or absent.
[[nodiscard]] std::optional<Datum> read_policy_document(const PolicyName& name);
void list_policies(FunctionCallInfo fcinfo, const TextView& institution_id);

}  // namespace escrowgrid::pg::store
