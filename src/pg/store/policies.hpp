// Policies and what rules compare with. Part of the store.
#pragma once

#include "pg/direct/read_row.hpp"
#include "pg/store/session.hpp"

namespace escrowgrid::pg::store {

// What an asset's template says.
struct AssetTemplate {
  std::string_view institution_id;
  std::string_view code;
  std::string_view vertical;
  std::string_view region;
  Datum config = 0;
};
[[nodiscard]] std::optional<AssetTemplate> find_asset_template(std::string_view asset_id);

// The rows that an asset's rules are read from, as committed now.
class RuleRows {
 public:
  // Where they were found the last time. Looking there first is cheaper than three index scans.
  struct Places {
    ItemPointerData asset{};
    ItemPointerData asset_template{};
    ItemPointerData policy{};
    bool has_policy = false;
  };

  // False when the rows cannot be read without SPI, or are not there.
  [[nodiscard]] bool find(std::string_view asset_id, const Places* hint);
  [[nodiscard]] const Places& places() const { return places_; }
  [[nodiscard]] AssetTemplate asset_template() const;
  [[nodiscard]] std::optional<Datum> policy() const;
  void close();

 private:
  [[nodiscard]] bool find_rows(std::string_view asset_id, const Places* hint);
  [[nodiscard]] bool find_at(std::string_view asset_id, const Places& hint, Snapshot now);
  std::array<direct::Open, 3> tables_{};
  std::optional<direct::Row> asset_;
  std::optional<direct::Row> template_;
  std::optional<direct::Row> policy_;
  Places places_;
};

static_assert(std::is_trivially_destructible_v<RuleRows>);

struct PolicyName {
  std::string_view institution_id;
  std::string_view region;
};

// The policy's config as committed now, at every isolation level.
[[nodiscard]] std::optional<Datum> find_policy(const PolicyName& name);

// The same under a lock that creations share out one after the other, so that each sees what the last added.
[[nodiscard]] std::optional<Datum> lock_policy(const PolicyName& name);

// The sum of what is open in region and currency: created, or held.
[[nodiscard]] core::Amount sum_open(const PolicyName& name, std::string_view currency);

// Sets the policy, with an audit row of what it was and is; the row belongs to the caller.
[[nodiscard]] Datum upsert_policy(const Origin& origin, const PolicyName& name, std::string_view config);

// The policy as a document, or absent.
[[nodiscard]] std::optional<Datum> read_policy_document(const PolicyName& name);
void list_policies(FunctionCallInfo fcinfo, const TextView& institution_id);

}  // namespace escrowgrid::pg::store
