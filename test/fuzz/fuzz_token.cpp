// Any text is judged safely as a token, and a token that was made is always plausible.
#include <algorithm>

#include "check.hpp"
#include "core/token.hpp"

using namespace escrowgrid::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool plausible = is_plausible_token(text);
  ESCROWGRID_CHECK(!plausible || (size > 0 && size <= kMaxTokenBytes));
  std::array<std::uint8_t, kTokenRandomBytes> random{};
  std::copy_n(data, std::min(size, random.size()), random.begin());
  if (const std::optional<TokenText> token = make_token(random)) {
    ESCROWGRID_CHECK(token->size() == kTokenBytes && is_plausible_token(token->view()));
    ESCROWGRID_CHECK(is_key_hash(hash_token(token->view()).view()));
  }
  return 0;
}
