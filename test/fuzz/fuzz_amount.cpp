// Any text is parsed safely. Amounts stay in range, and a printed amount is parsed to the same amount.
#include "check.hpp"
#include "core/money.hpp"

using namespace escrowgrid::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Refusal why;
  const ParsedAmount parsed = parse_amount(text);
  const std::optional<Amount> required = require_amount("amount", text, why);
  if (parsed.defect != AmountDefect::kNone) {
    ESCROWGRID_CHECK(!required);
    return 0;
  }
  ESCROWGRID_CHECK(parsed.amount <= Amount::max() && Amount() - parsed.amount <= Amount::max());
  ESCROWGRID_CHECK(required.has_value() == parsed.amount.is_positive());
  for (int decimals = 0; decimals <= kMaxDecimals; ++decimals) {
    const ParsedAmount back = parse_amount(parsed.amount.text(decimals).view());
    ESCROWGRID_CHECK(back.defect == AmountDefect::kNone && back.amount == parsed.amount);
  }
  return 0;
}
