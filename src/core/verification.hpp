// Verification of one position. Its events are recomputed one after the other, and its row is compared with the result.
// Nothing is assumed about the stored rows: a person who tampers with them can drop the tables' constraints first.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "core/fixed_text.hpp"
#include "core/hash_chain.hpp"

namespace escrowgrid::core {

// One discrepancy: what is wrong, the expected value and the value found. A value that is too long ends with an
// ellipsis.
struct Finding {
  const char* what = "";
  std::int32_t seq = 0;  // the event's seq; 0 for a discrepancy of the position
  FixedText<128> expected;
  FixedText<128> found;
};

class Findings {
 public:
  // ChainCheck finds at most 9 discrepancies of one event and 8 of a position; a unit test has both cases.
  static constexpr std::size_t kMost = 16;

  // Throws std::length_error if there is no room, so that no discrepancy is lost. There is room if the caller calls
  // clear() before each event.
  void add(const char* what, std::int32_t seq, std::string_view expected, std::string_view found);
  void clear() noexcept { count_ = 0; }
  [[nodiscard]] std::span<const Finding> all() const noexcept { return {findings_.data(), count_}; }

 private:
  std::array<Finding, kMost> findings_;
  std::size_t count_ = 0;
};

using OptionalText = std::optional<std::string_view>;

struct StoredPosition {
  PositionTerms terms;
  std::string_view state;
  Amount released;
  Amount refunded;
  std::int32_t version = 0;
  Micros created_at = 0;
  Micros updated_at = 0;
  std::optional<Micros> due_at;
  Digest head_hash{};
};

struct StoredEvent {
  std::int32_t seq = 0;
  std::string_view institution_id;
  OptionalText from_state;
  std::string_view to_state;
  std::optional<Amount> amount;
  Micros at = 0;
  Micros created_at = 0;
  OptionalText api_key_id;
  OptionalText reason;
  OptionalText metadata;
  std::optional<Salt> salt;
  std::optional<Digest> erased_content;  // content digest of an event whose content was erased
  Digest hash{};
};

// Call begin(), then event() for each event in the order of seq, then finish(). They add findings and remove none.
class ChainCheck {
 public:
  void begin(const StoredPosition& position) noexcept;
  void event(const StoredEvent& event, Findings& out);
  void finish(Findings& out) const;

 private:
  void check_hash(const StoredEvent& event, Findings& out) const;
  void check_move(const StoredEvent& event, Findings& out);
  void follow_money(State to, const std::optional<Amount>& amount);

  StoredPosition position_;
  std::int32_t last_seq_ = 0;
  std::optional<State> state_;
  Amount released_;
  Amount refunded_;
  Micros first_at_ = 0;
  Micros last_at_ = 0;
  std::optional<Digest> last_hash_ = Digest{};  // absent after a gap, where the next hash cannot be checked
};

static_assert(std::is_trivially_destructible_v<Findings>);
static_assert(std::is_trivially_destructible_v<ChainCheck>);

}  // namespace escrowgrid::core
