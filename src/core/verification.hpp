// Verification of one position: its events, recomputed one after the other, and its row against them.
// Rows are judged as they are found, constraints or not: whoever tampers has dropped those first.
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

// One discrepancy: what is wrong, what should be there, what is. Longer values end with an ellipsis.
struct Finding {
  const char* what = "";
  std::int32_t seq = 0;  // 0 when it is not about one event
  FixedText<128> expected;
  FixedText<128> found;
};

class Findings {
 public:
  // Of one event ChainCheck finds 9 discrepancies at most, and 8 of a position.
  static constexpr std::size_t kMost = 16;

  // Throws std::length_error when there is no room: a discrepancy is never forgotten. Callers clear() before each
  // event, so there is.
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
  std::optional<Digest> erased_content;  // the content digest of an event whose content was erased
  Digest hash{};
};

// begin(), event() for each event by seq, finish(). Findings are added, never removed.
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
  std::optional<Digest> last_hash_ = Digest{};  // none after a gap: the link cannot be checked there
};

static_assert(std::is_trivially_destructible_v<Findings>);
static_assert(std::is_trivially_destructible_v<ChainCheck>);

}  // namespace escrowgrid::core
