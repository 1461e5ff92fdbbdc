#include "pg/service/institution_check.hpp"

#include "core/parameters.hpp"
#include "pg/border/report.hpp"

namespace escrowgrid::pg {

bool may_see(const Caller& caller, const TextView& institution_id) {
  return !caller.institution_id || caller.institution_id == institution_id;
}

store::Institution require_institution(const Caller& caller, const TextView& institution_id) {
  core::Refusal why;
  if (!core::require_text({.parameter = "institution_id", .max_bytes = core::kMaxIdBytes}, institution_id, why)) {
    raise(why);
  }
  const std::optional<store::Institution> institution =
      may_see(caller, institution_id) ? store::find_institution(*institution_id) : std::nullopt;
  if (!institution) {
    raise_not_found("institution", *institution_id);
  }
  return *institution;
}

void require_within(std::string_view parameter, std::span<const TextView> allowed, std::string_view value) {
  const bool is_allowed =
      std::any_of(allowed.begin(), allowed.end(), [&](const TextView& word) { return word && *word == value; });
  if (is_allowed) {
    return;
  }
  core::Refusal why;
  why.begin(core::Condition::kInvalidParameter)
      .message({parameter, " \"", value, "\" is not one of the institution's ", parameter, "s"})
      .hint({"Choose a ", parameter, " in which the institution acts."})
      .with("parameter", parameter)
      .with("value", value);
  raise(why);
}

}  // namespace escrowgrid::pg
