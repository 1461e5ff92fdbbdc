#include "pg/store/currencies.hpp"

#include "core/parameters.hpp"
#include "pg/border/report.hpp"
#include "pg/table/find.hpp"

namespace escrowgrid::pg::store {

namespace {

Statement select_currency_use = {
    "SELECT 1 FROM escrowgrid.positions AS p WHERE p.currency OPERATOR(pg_catalog.=) $1 LIMIT 1"};

struct Currency {
  std::optional<int> exponent;
  bool is_builtin = false;
};

// Built-in currencies never change, so a backend looks each of them up once. Another definition of the table may bring
// others (the extension is dropped and created again, or its triggers are switched off), and empties the list.
struct KnownCurrency {
  core::FixedText<core::kMaxCodeBytes> code;
  int exponent = 0;
};
constexpr std::size_t kMostKnown = 64;
std::array<KnownCurrency, kMostKnown> known_currencies;
std::size_t known_count = 0;
std::uint64_t known_by = 0;  // known_definition() of the table when they were read

std::optional<int> find_known(std::string_view code) {
  if (known_by != known_definition(layout::kCurrencies)) {
    known_count = 0;
  }
  for (const KnownCurrency& known : std::span(known_currencies).first(known_count)) {
    if (known.code.view() == code) {
      return known.exponent;
    }
  }
  return std::nullopt;
}

void keep_known(std::string_view code, int exponent) {
  const std::uint64_t definition = known_definition(layout::kCurrencies);
  if (known_by != definition) {
    known_count = 0;
    known_by = definition;
  }
  if (definition == 0 || known_count == kMostKnown) {
    return;
  }
  KnownCurrency& known = known_currencies[known_count];
  known.code.clear();
  if (known.code.try_append(code)) {
    known.exponent = exponent;
    ++known_count;
  }
}

Currency read_currency(std::string_view code) {
  if (const std::optional<int> exponent = find_known(code)) {
    return {.exponent = exponent, .is_builtin = true};
  }
  Currency found;
  const View view = begin_view(Sight::kFresh, {&layout::kCurrencies});
  FoundRow row;
  if (row.find(view, layout::kCurrencies, code, std::nullopt)) {
    const auto currency = row.as<layout::kCurrencies>();
    found = {.exponent = currency.get<"exponent">(), .is_builtin = currency.get<"builtin">()};
    row.close();
  }
  end_view(view);
  if (found.is_builtin) {
    keep_known(code, *found.exponent);
  }
  return found;
}

}  // namespace

std::optional<int> find_exponent(std::string_view code) {
  return read_currency(code).exponent;
}

std::optional<int> lock_exponent(std::string_view code) {
  const Currency currency = read_currency(code);
  // A lock on a row like USD would be taken by every creation, and cost a multixact. Built-in codes cannot change.
  if (!currency.exponent || currency.is_builtin) {
    return currency.exponent;
  }
  FoundRow row;
  if (!row.find_and_lock(layout::kCurrencies, code, std::nullopt, LockStrength::kShare)) {
    return std::nullopt;
  }
  const int exponent = row.as<layout::kCurrencies>().get<"exponent">();
  row.close();
  return exponent;
}

int require_exponent(const core::PositionTerms& terms) {
  const std::optional<int> exponent = find_exponent(terms.currency.code);
  if (!exponent) {
    core::Refusal why;
    why.begin(core::Condition::kIntegrityViolation)
        .message({"the currency of position \"", terms.id, "\" is unknown"})
        .hint({"Add the code to escrowgrid.currencies again, with the exponent it had."})
        .with("position_id", terms.id)
        .with("currency", terms.currency.code);
    raise(why);
  }
  return *exponent;
}

bool is_currency_used(std::string_view code) {
  const View view = begin_view(Sight::kLatest, {&layout::kPositions});
  Bindings values;
  values.text(code);
  const bool is_used = execute(select_currency_use, values, view.sight, 1) > 0;
  end_view(view);
  return is_used;
}

}  // namespace escrowgrid::pg::store
