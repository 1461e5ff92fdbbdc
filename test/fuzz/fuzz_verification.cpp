// Stored positions and events with any numbers, times, amounts and texts are verified without overflow, and there is
// room for all discrepancies.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "check.hpp"
#include "core/verification.hpp"

using namespace escrowgrid::core;

namespace {

class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : left_(bytes) {}
  [[nodiscard]] bool empty() const { return left_.empty(); }

  template <typename Number>
  Number number() {
    Number value{};
    const std::size_t size = std::min(sizeof(Number), left_.size());
    std::memcpy(&value, left_.data(), size);
    left_.remove_prefix(size);
    return value;
  }
  // The smallest number, the largest number, a number near 0, or any number.
  template <typename Number>
  Number extreme() {
    switch (number<std::uint8_t>() % 4) {
      case 0:
        return std::numeric_limits<Number>::max();
      case 1:
        return std::numeric_limits<Number>::min();
      case 2:
        return static_cast<Number>(number<std::int8_t>());
      default:
        return number<Number>();
    }
  }
  Amount amount() {
    const Int128 units = extreme<std::int64_t>();
    return Amount::from_units((number<std::uint8_t>() & 1U) != 0 ? units : units << 60);
  }
  std::string_view text() {
    const std::size_t size = std::min<std::size_t>(number<std::uint8_t>(), left_.size());
    const std::string_view out = left_.substr(0, size);
    left_.remove_prefix(size);
    return out;
  }
  std::string_view state() {
    const std::size_t which = number<std::uint8_t>() % (kAllStates.size() + 1);
    return which < kAllStates.size() ? state_name(kAllStates[which]) : text();
  }
  template <typename Make>
  auto maybe(Make make) {
    return (number<std::uint8_t>() & 1U) != 0 ? std::optional(make()) : std::nullopt;
  }

 private:
  std::string_view left_;
};

StoredPosition read_position(Bytes& bytes) {
  StoredPosition position;
  position.terms.id = "pos_1";
  position.terms.institution_id = bytes.text();
  position.terms.amount = bytes.amount();
  position.terms.expires_at = bytes.maybe([&] { return bytes.extreme<Micros>(); });
  position.state = bytes.state();
  position.released = bytes.amount();
  position.refunded = bytes.amount();
  position.version = bytes.extreme<std::int32_t>();
  position.created_at = bytes.extreme<Micros>();
  position.updated_at = bytes.extreme<Micros>();
  position.due_at = bytes.maybe([&] { return bytes.extreme<Micros>(); });
  return position;
}

StoredEvent read_event(Bytes& bytes) {
  StoredEvent event;
  event.seq = bytes.extreme<std::int32_t>();
  event.institution_id = bytes.text();
  event.from_state = bytes.maybe([&] { return bytes.state(); });
  event.to_state = bytes.state();
  event.amount = bytes.maybe([&] { return bytes.amount(); });
  event.at = bytes.extreme<Micros>();
  event.created_at = bytes.extreme<Micros>();
  event.reason = bytes.maybe([&] { return bytes.text(); });
  event.salt = bytes.maybe([] { return Salt{}; });
  event.erased_content = bytes.maybe([] { return Digest{}; });
  return event;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes({reinterpret_cast<const char*>(data), size});
  const StoredPosition position = read_position(bytes);
  ChainCheck chain;
  Findings findings;
  chain.begin(position);
  while (!bytes.empty()) {
    findings.clear();
    chain.event(read_event(bytes), findings);
    ESCROWGRID_CHECK(findings.all().size() <= 9);
  }
  findings.clear();
  chain.finish(findings);
  ESCROWGRID_CHECK(findings.all().size() <= 8);
  return 0;
}
