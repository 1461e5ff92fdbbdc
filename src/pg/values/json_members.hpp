// JSON configs as the core reads them: flattened, with views into the document.
#pragma once

#include "core/rules.hpp"
#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

// The members of a template's config object, one level deep.
[[nodiscard]] std::span<const core::ConfigMember> template_members(Datum config);

// Every value of a policy's config object.
[[nodiscard]] std::span<const core::PolicyMember> policy_members(Datum config);

// The top-level keys of metadata that was passed as text.
[[nodiscard]] std::span<const std::string_view> metadata_keys(const TextView& metadata);

}  // namespace escrowgrid::pg
