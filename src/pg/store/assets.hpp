// Asset templates and assets: what positions are claims on.
#pragma once

#include "pg/store/origin.hpp"

namespace escrowgrid::pg::store {

// The institution that a template or an asset belongs to; absent when there is none, or when it is not `institution_id`
// where that is given.
[[nodiscard]] TextView find_template_institution(std::string_view id, const TextView& institution_id);
[[nodiscard]] TextView find_asset_institution(std::string_view id, const TextView& institution_id);

// The same for an asset that a new position will refer to: its row is locked, so that it cannot go away.
[[nodiscard]] TextView lock_asset_institution(Writes& writes, std::string_view id, const TextView& institution_id);

struct NewTemplate {
  std::string_view institution_id;
  std::string_view code;
  std::string_view name;
  std::string_view vertical;
  std::string_view region;
  std::string_view config;
};
// The new row; it outlives the session.
[[nodiscard]] Datum insert_template(const Origin& origin, const NewTemplate& asset_template);

struct NewAsset {
  std::string_view institution_id;
  std::string_view template_id;
  std::string_view label;
  TextView metadata;
};
// The new row; it outlives the session.
[[nodiscard]] Datum insert_asset(const Origin& origin, const NewAsset& asset);

}  // namespace escrowgrid::pg::store
