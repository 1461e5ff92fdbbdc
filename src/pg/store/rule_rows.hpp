// The rows that an asset's rules are read from, as committed now: the asset, its template, and the policy of the
// template's institution and region.
#pragma once

#include "pg/table/find.hpp"

namespace escrowgrid::pg::store {

// What an asset's template says.
struct AssetTemplate {
  std::string_view institution_id;
  std::string_view code;
  std::string_view vertical;
  std::string_view region;
  Datum config = 0;
};

class RuleRows {
 public:
  // Where the rows were found the last time. Looking there first is cheaper than three index scans.
  struct Places {
    ItemPointerData asset{};
    ItemPointerData asset_template{};
    ItemPointerData policy{};
    bool has_policy = false;
  };

  // False when there is no such asset.
  [[nodiscard]] bool find(std::string_view asset_id, const Places* hint);
  [[nodiscard]] Places places() const;
  [[nodiscard]] AssetTemplate asset_template() const;
  [[nodiscard]] std::optional<Datum> policy() const;
  void close();

 private:
  [[nodiscard]] bool find_at(const View& view, std::string_view asset_id, const Places& hint);
  [[nodiscard]] bool find_by_keys(const View& view, std::string_view asset_id);
  FoundRow asset_;
  FoundRow template_;
  FoundRow policy_;
  bool has_policy_ = false;
};

static_assert(std::is_trivially_destructible_v<RuleRows>);

}  // namespace escrowgrid::pg::store
