#include "core/verification.hpp"

#include <stdexcept>

#include "core/checkpoint.hpp"
#include "core/refusal.hpp"

namespace escrowgrid::core {

namespace {

FixedText<48> amount_text(const std::optional<Amount>& amount) noexcept {
  return amount ? amount->text(0) : FixedText<48>();
}

std::string_view or_none(const OptionalText& text) noexcept {
  return text.value_or("none");
}

void compare_number(const char* what, std::int32_t seq, std::int64_t expected, std::int64_t found, Findings& out) {
  if (expected != found) {
    out.add(what, seq, number_text(expected).view(), number_text(found).view());
  }
}

void compare_time(const char* what, const std::optional<Micros>& expected, const std::optional<Micros>& found,
                  Findings& out) {
  const auto text = [](const std::optional<Micros>& at) {
    NumberText none;
    none.append_clipped("none");
    return at ? number_text(*at) : none;
  };
  if (expected != found) {
    out.add(what, 0, text(expected).view(), text(found).view());
  }
}

void compare_amount(const char* what, Amount expected, Amount found, Findings& out) {
  if (expected != found) {
    out.add(what, 0, expected.text(0).view(), found.text(0).view());
  }
}

// An event with content has a salt. An event whose content was erased has its digest, and neither content nor salt.
void check_content(const StoredEvent& event, Findings& out) {
  const bool has_content = event.reason || event.metadata;
  if (has_content && !event.salt) {
    out.add("event_content", event.seq, "a salt", "none");
  }
  if (event.erased_content && (has_content || event.salt)) {
    out.add("event_content", event.seq, "only the digest of erased content", "content or a salt");
  }
}

}  // namespace

void Findings::add(const char* what, std::int32_t seq, std::string_view expected, std::string_view found) {
  if (count_ == kMost) {
    throw std::length_error("more discrepancies were found at once than a report has room for");
  }
  Finding& finding = findings_[count_++];
  finding = Finding();
  finding.what = what;
  finding.seq = seq;
  finding.expected.append_clipped(expected);
  finding.found.append_clipped(found);
}

void ChainCheck::begin(const StoredPosition& position) noexcept {
  *this = ChainCheck();
  position_ = position;
}

void ChainCheck::event(const StoredEvent& event, Findings& out) {
  // 64 bits, because a stored seq may be the largest 32-bit number.
  const std::int64_t next = std::int64_t{last_seq_} + 1;
  if (event.seq < next) {
    out.add("event_duplicate", event.seq, number_text(next).view(), number_text(event.seq).view());
    return;
  }
  if (event.seq > next) {
    out.add("event_missing", static_cast<std::int32_t>(next), number_text(next).view(), number_text(event.seq).view());
    last_hash_.reset();
  }
  if (event.institution_id != position_.terms.institution_id) {
    out.add("event_institution", event.seq, position_.terms.institution_id, event.institution_id);
  }
  if (event.at < last_at_) {
    compare_number("event_time", event.seq, last_at_, event.at, out);
  }
  compare_number("event_time", event.seq, event.at, event.created_at, out);
  check_content(event, out);
  check_move(event, out);
  check_hash(event, out);
  if (last_seq_ == 0) {
    first_at_ = event.at;
  }
  last_seq_ = event.seq;
  last_at_ = event.at;
  last_hash_ = event.hash;
}

void ChainCheck::check_hash(const StoredEvent& event, Findings& out) const {
  const std::optional<State> to = parse_state(event.to_state);
  const std::optional<State> from = event.from_state ? parse_state(*event.from_state) : std::nullopt;
  if (!last_hash_ || !to || from.has_value() != event.from_state.has_value()) {
    return;  // a gap or an unknown state, which was reported before
  }
  EventContent content;
  content.reason = event.reason;
  content.metadata = event.metadata;
  content.salt = event.salt.value_or(Salt{});
  const Digest expected =
      link_event(position_.terms, {.previous = *last_hash_,
                                   .seq = event.seq,
                                   .from = from,
                                   .to = *to,
                                   .moved = event.amount,
                                   .at = event.at,
                                   .api_key_id = event.api_key_id,
                                   .content = content.is_salted() ? content_digest(content) : event.erased_content});
  if (expected != event.hash) {
    out.add("event_hash", event.seq, hex_text(expected).view(), hex_text(event.hash).view());
  }
}

void ChainCheck::check_move(const StoredEvent& event, Findings& out) {
  const std::optional<State> to = parse_state(event.to_state);
  const OptionalText before = state_ ? OptionalText(state_name(*state_)) : std::nullopt;
  if (event.from_state != before) {
    out.add("event_from_state", event.seq, or_none(before), or_none(event.from_state));
  }
  if (!to) {
    out.add("event_to_state", event.seq, "a known state", event.to_state);
    return;
  }
  const std::optional<State> from = event.from_state ? parse_state(*event.from_state) : std::nullopt;
  if (!can_transition(from, *to)) {
    out.add("event_to_state", event.seq, allowed_states_prose(from).view(), event.to_state);
  }
  const Amount held = state_ && holds_money(*state_) ? position_.terms.amount - released_ - refunded_ : Amount();
  std::optional<Amount> expected = held;
  if (*to == State::kCreated) {
    expected = Amount();
  } else if (*to == State::kFunded) {
    expected = position_.terms.amount;
  } else if (*to == State::kPartiallyReleased) {
    const bool is_part = !event.amount || (event.amount->is_positive() && *event.amount < held);
    expected = is_part ? event.amount : std::nullopt;
  }
  if (event.amount != expected) {
    out.add("event_amount", event.seq, expected ? amount_text(expected).view() : "less than the held amount",
            event.amount ? amount_text(event.amount).view() : "none");
  }
  follow_money(*to, event.amount);
  state_ = to;
}

void ChainCheck::follow_money(State to, const std::optional<Amount>& amount) {
  if (to == State::kPartiallyReleased || to == State::kReleased) {
    released_ = released_ + amount.value_or(Amount());
  } else if (to == State::kCancelled || to == State::kExpired) {
    refunded_ = refunded_ + amount.value_or(Amount());
  }
}

void ChainCheck::finish(Findings& out) const {
  if (position_.version > last_seq_) {
    const std::int32_t next = last_seq_ + 1;  // cannot overflow: the version is larger than last_seq_
    out.add("event_missing", next, number_text(position_.version).view(), number_text(last_seq_).view());
  } else {
    compare_number("position_version", 0, last_seq_, position_.version, out);
  }
  const std::string_view state = state_ ? state_name(*state_) : "none";
  if (position_.state != state) {
    out.add("position_state", 0, state, position_.state);
  }
  compare_amount("position_released_amount", released_, position_.released, out);
  compare_amount("position_refunded_amount", refunded_, position_.refunded, out);
  compare_number("position_created_at", 0, first_at_, position_.created_at, out);
  compare_number("position_updated_at", 0, last_at_, position_.updated_at, out);
  const bool has_ended = state_ && is_terminal(*state_);
  compare_time("position_due_at", has_ended ? std::nullopt : position_.terms.expires_at, position_.due_at, out);
  if (last_hash_ && *last_hash_ != position_.head_hash) {
    out.add("position_head_hash", 0, hex_text(*last_hash_).view(), hex_text(position_.head_hash).view());
  }
}

}  // namespace escrowgrid::core
