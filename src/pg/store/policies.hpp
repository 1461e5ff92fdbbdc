// Policies: the limits that an institution sets per region.
#pragma once

#include "pg/store/origin.hpp"

namespace escrowgrid::pg::store {

struct PolicyName {
  std::string_view institution_id;
  std::string_view region;
};

// The policy's config, with its row locked: creations under an exposure limit take turns, so that each of them sees
// what the one before added.
[[nodiscard]] std::optional<Datum> lock_policy(const PolicyName& name);

// The sum of what is open in region and currency: created, or held.
[[nodiscard]] core::Amount sum_open(const PolicyName& name, std::string_view currency);

// Sets the policy, with an audit row of what it was and is; the row outlives the session.
[[nodiscard]] Datum upsert_policy(const Origin& origin, const PolicyName& name, std::string_view config);

// The policy as a document, or absent.
[[nodiscard]] std::optional<Datum> read_policy_document(const PolicyName& name);
void list_policies(FunctionCallInfo fcinfo, const TextView& institution_id);

}  // namespace escrowgrid::pg::store
