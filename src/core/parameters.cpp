#include "core/parameters.hpp"

#include <algorithm>
#include <array>

#include "core/json_limits.hpp"

namespace escrowgrid::core {

namespace {

constexpr std::array<std::string_view, 4> kRegions = {"US", "EU_UK", "SG", "UAE"};
constexpr std::array<std::string_view, 2> kVerticals = {"CONSTRUCTION", "TRADE_FINANCE"};

struct Vocabulary {
  std::string_view parameter;
  std::string_view plural;
  std::span<const std::string_view> words;
};

constexpr Vocabulary kRegionWords = {.parameter = "region", .plural = "regions", .words = kRegions};
constexpr Vocabulary kVerticalWords = {.parameter = "vertical", .plural = "verticals", .words = kVerticals};

FixedText<320> listed(std::span<const std::string_view> words) noexcept {
  FixedText<320> out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) {
      out.append_clipped(i + 1 == words.size() ? " or " : ", ");
    }
    out.append_clipped(words[i]);
  }
  return out;
}

constexpr std::size_t longest_list(std::span<const std::string_view> words) noexcept {
  std::size_t bytes = 0;
  for (const std::string_view word : words) {
    bytes += word.size() + std::string_view(" or ").size();
  }
  return bytes;
}
static_assert(longest_list(kRegions) <= 320 && longest_list(kVerticals) <= 320);

bool is_blank(std::string_view text) noexcept {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool refuse_missing(std::string_view parameter, Refusal& why) noexcept {
  why.begin(Condition::kInvalidParameter)
      .message({parameter, " must not be null"})
      .hint({"Pass a value for ", parameter, "."})
      .with("parameter", parameter)
      .with_null("value");
  return false;
}

bool require_word(const Vocabulary& vocabulary, const std::optional<std::string_view>& value, Refusal& why) noexcept {
  if (!value) {
    return refuse_missing(vocabulary.parameter, why);
  }
  if (std::find(vocabulary.words.begin(), vocabulary.words.end(), *value) != vocabulary.words.end()) {
    return true;
  }
  why.begin(Condition::kInvalidParameter)
      .message({"unknown ", vocabulary.parameter, " \"", echo(*value).view(), "\""})
      .hint({"A ", vocabulary.parameter, " is one of ", listed(vocabulary.words).view(), "."})
      .with("parameter", vocabulary.parameter)
      .with("value", *value);
  return false;
}

bool require_words(const Vocabulary& vocabulary, std::span<const std::optional<std::string_view>> values,
                   Refusal& why) noexcept {
  if (values.empty()) {
    why.begin(Condition::kInvalidParameter)
        .message({vocabulary.plural, " must contain at least one ", vocabulary.parameter})
        .hint({"A ", vocabulary.parameter, " is one of ", listed(vocabulary.words).view(), "."})
        .with("parameter", vocabulary.plural);
    return false;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!require_word(vocabulary, values[i], why)) {
      return false;
    }
    if (std::find(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(i), values[i]) !=
        values.begin() + static_cast<std::ptrdiff_t>(i)) {
      why.begin(Condition::kInvalidParameter)
          .message({vocabulary.plural, " contains \"", *values[i], "\" twice"})
          .hint({"Pass each ", vocabulary.parameter, " once."})
          .with("parameter", vocabulary.plural)
          .with("value", *values[i]);
      return false;
    }
  }
  return true;
}

std::size_t edit_distance(std::string_view a, std::string_view b) noexcept {
  constexpr std::size_t kLongest = 48;
  if (a.size() > kLongest || b.size() > kLongest) {
    return std::string_view::npos;  // too long for a typing error in one of our short words
  }
  std::array<std::size_t, kLongest + 1> row{};
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

}  // namespace

bool require_text(TextRule rule, const std::optional<std::string_view>& value, Refusal& why) noexcept {
  return value ? check_optional_text(rule, value, why) : refuse_missing(rule.parameter, why);
}

bool check_optional_text(TextRule rule, const std::optional<std::string_view>& value, Refusal& why) noexcept {
  if (!value) {
    return true;
  }
  if (is_blank(*value)) {
    why.begin(Condition::kInvalidParameter)
        .message({rule.parameter, " must not be blank"})
        .hint({"Pass text, or omit ", rule.parameter, " if it is optional."})
        .with("parameter", rule.parameter)
        .with("value", *value);
    return false;
  }
  if (value->size() > rule.max_bytes) {
    why.begin(Condition::kInvalidParameter)
        .message({rule.parameter, " is too long"})
        .hint({"Shorten ", rule.parameter, " to at most ",
               number_text(static_cast<std::int64_t>(rule.max_bytes)).view(), " bytes."})
        .with("parameter", rule.parameter)
        .with_number("bytes", static_cast<std::int64_t>(value->size()))
        .with_number("max_bytes", static_cast<std::int64_t>(rule.max_bytes));
    return false;
  }
  return true;
}

bool require_json_object(std::string_view parameter, const std::optional<std::string_view>& text,
                         Refusal& why) noexcept {
  return text ? check_json_object(parameter, text, why) : refuse_missing(parameter, why);
}

bool require_region(const std::optional<std::string_view>& value, Refusal& why) noexcept {
  return require_word(kRegionWords, value, why);
}

bool require_vertical(const std::optional<std::string_view>& value, Refusal& why) noexcept {
  return require_word(kVerticalWords, value, why);
}

bool require_regions(std::span<const std::optional<std::string_view>> values, Refusal& why) noexcept {
  return require_words(kRegionWords, values, why);
}

bool require_verticals(std::span<const std::optional<std::string_view>> values, Refusal& why) noexcept {
  return require_words(kVerticalWords, values, why);
}

std::optional<State> require_state(std::string_view parameter, const std::optional<std::string_view>& value,
                                   Refusal& why) noexcept {
  if (!value) {
    refuse_missing(parameter, why);
    return std::nullopt;
  }
  const std::optional<State> state = parse_state(*value);
  if (!state) {
    why.begin(Condition::kInvalidParameter)
        .message({"unknown state \"", echo(*value).view(), "\""})
        .hint({"A state is one of CREATED, FUNDED, PARTIALLY_RELEASED, RELEASED, CANCELLED or EXPIRED."})
        .with("parameter", parameter)
        .with("value", *value);
  }
  return state;
}

void refuse_not_found(std::string_view kind, std::string_view id, Refusal& why) noexcept {
  why.begin(Condition::kNotFound)
      .message({kind, " \"", echo(id).view(), "\" does not exist"})
      .hint({"Check the id. Records of other institutions are reported as missing, too."})
      .with("resource", kind)
      .with("id", id);
}

void refuse_unknown_currency(std::string_view parameter, std::string_view code, Refusal& why) noexcept {
  why.begin(Condition::kInvalidParameter)
      .message({"unknown currency \"", echo(code).view(), "\""})
      .hint({"Use an ISO 4217 code in upper case, or ask an administrator to add the code to escrowgrid.currencies."})
      .with("parameter", parameter)
      .with("value", code);
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) noexcept {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace escrowgrid::core
