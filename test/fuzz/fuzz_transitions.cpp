// Random sequences of transitions conserve money, and each accepted transition adds one event after the previous one.
#include "check.hpp"
#include "core/decide.hpp"

using namespace escrowgrid::core;

namespace {

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  [[nodiscard]] bool empty() const { return at_ >= size_; }
  std::uint8_t next() { return empty() ? std::uint8_t{0} : data_[at_++]; }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

void check_money(const PositionSnapshot& position) {
  const Amount zero;
  ESCROWGRID_CHECK(position.released >= zero && position.refunded >= zero && position.held() >= zero);
  const Amount accounted = position.released + position.refunded + position.held();
  const bool was_funded = accounted != zero;
  ESCROWGRID_CHECK(!was_funded || accounted == position.terms.amount);
  ESCROWGRID_CHECK(was_funded || position.state == State::kCreated || position.state == State::kCancelled ||
                   position.state == State::kExpired);
}

TransitionRequest read_request(Bytes& bytes) {
  TransitionRequest request;
  request.to = kAllStates[bytes.next() % kAllStates.size()];
  const std::uint8_t options = bytes.next();
  if ((options & 1U) != 0) {
    const Int128 units = static_cast<Int128>(bytes.next() + 1) * kUnitsPerOne / ((options & 2U) != 0 ? 1 : 1000);
    request.amount = Amount::from_units(units);
  }
  if ((options & 4U) != 0) {
    request.expected_version = bytes.next();
  }
  if ((options & 8U) != 0) {
    request.expected_state = kAllStates[bytes.next() % kAllStates.size()];
  }
  if ((options & 16U) != 0) {
    request.content.reason = "why";
  }
  return request;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  PositionSnapshot position;
  position.terms = {.id = "pos_1",
                    .institution_id = "inst_1",
                    .asset_id = "ast_1",
                    .holder_reference = "holder",
                    .currency = {.code = "XXX", .exponent = bytes.next() % (kMaxDecimals + 1)},
                    .amount = Amount::from_units(static_cast<Int128>(bytes.next() + 1) * kUnitsPerOne),
                    .external_reference = std::nullopt,
                    .expires_at = std::nullopt};
  Micros now = 1'700'000'000'000'000;
  if (const std::uint8_t tenor = bytes.next(); tenor > 128) {
    position.terms.expires_at = now + tenor;
  }
  Refusal why;
  const std::optional<Decision> creation = decide_creation(position.terms, {}, now, why);
  if (!creation) {
    return 0;
  }
  position.version = creation->version;
  position.updated_at = creation->at;
  position.head_hash = creation->hash;
  position.last_event_hash = creation->hash;
  while (!bytes.empty()) {
    now += bytes.next() - 20;  // the clock may be set back
    const TransitionRequest request = read_request(bytes);
    const std::optional<Decision> decision = decide_transition(position, request, now, why);
    if (!decision) {
      continue;
    }
    ESCROWGRID_CHECK(can_transition(position.state, decision->to));
    ESCROWGRID_CHECK(decision->version == position.version + 1 && decision->at >= position.updated_at);
    ESCROWGRID_CHECK(decision->hash != position.head_hash && decision->previous_hash == position.head_hash);
    ESCROWGRID_CHECK(decision->released >= position.released && decision->refunded >= position.refunded);
    position.state = decision->to;
    position.released = decision->released;
    position.refunded = decision->refunded;
    position.version = decision->version;
    position.updated_at = decision->at;
    position.head_hash = decision->hash;
    position.last_event_hash = decision->hash;
    check_money(position);
  }
  return 0;
}
