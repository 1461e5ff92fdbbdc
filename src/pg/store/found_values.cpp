#include "pg/store/found_values.hpp"

namespace escrowgrid::pg::store {

core::Digest found_digest(const std::optional<BytesView>& value) {
  core::Digest digest{};
  if (value && value->size() == digest.size()) {
    std::copy(value->begin(), value->end(), digest.begin());
  } else {
    digest.fill(0xFF);
  }
  return digest;
}

core::Salt found_salt(BytesView value) {
  core::Salt salt{};
  if (value.size() == salt.size()) {
    std::copy(value.begin(), value.end(), salt.begin());
  }
  return salt;
}

core::Amount found_amount(const std::optional<std::string_view>& value) {
  const core::ParsedAmount parsed = core::parse_amount(value.value_or(""));
  return parsed.defect == core::AmountDefect::kNone ? parsed.amount : core::Amount::from_units(-1);
}

}  // namespace escrowgrid::pg::store
