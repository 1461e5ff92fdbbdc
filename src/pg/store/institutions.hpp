// Institutions: the tenants.
#pragma once

#include "pg/store/origin.hpp"

namespace escrowgrid::pg::store {

struct Institution {
  std::span<const TextView> regions;
  std::span<const TextView> verticals;
};
[[nodiscard]] std::optional<Institution> find_institution(std::string_view id);

struct NewInstitution {
  std::string_view name;
  std::span<const TextView> regions;
  std::span<const TextView> verticals;
};
// The new row; it outlives the session.
[[nodiscard]] Datum insert_institution(const Origin& origin, const NewInstitution& institution);

}  // namespace escrowgrid::pg::store
