// The extension's tables: columns in order with type and nullability, and keys. This is the only place in the code that
// lists them. Statements, rows and readers are derived from it when the module is compiled. The test layout.sql
// compares it with the catalog.
//
// To add a column, change the install script and an upgrade script, add a line here, and change the code that writes or
// reads the column's value.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace escrowgrid::pg::layout {

enum class Type : std::uint8_t {
  kText,
  kTextArray,
  kBoolean,
  kSmallint,
  kInteger,
  kBigint,
  kNumeric,
  kTime,  // timestamptz
  kBytes,
  kJsonb,
  kAddress,   // inet
  kNetworks,  // cidr[]
};

enum class Nulls : std::uint8_t { kForbidden, kAllowed };
// Whether a transition changes the column.
enum class Change : std::uint8_t { kNever, kByTransition };

// Whether the first release had the column. The library also serves installations that have not been upgraded, in which
// a later column is missing. Such columns are nullable and stand at the end.
enum class Since : std::uint8_t { kFirstRelease, kLaterRelease };

struct Column {
  std::string_view name;
  Type type;
  Nulls nulls = Nulls::kForbidden;
  Change change = Change::kNever;
  Since since = Since::kFirstRelease;
};

// The columns of a unique index over all rows. `second` is empty for a key of one column.
struct Key {
  std::string_view first;
  std::string_view second;
};
enum class WhichKey : std::uint8_t { kPrimary, kSecondary };

enum class TableId : std::uint8_t {
  kCurrencies,
  kInstitutions,
  kAssetTemplates,
  kAssets,
  kPositions,
  kPositionEvents,
  kLedgerEvents,
  kInstitutionPolicies,
  kApiKeys,
  kAuditEvents,
  kIdempotencyKeys,
  kCheckpoints,
  kCheckpointHeads,
};

struct Table {
  TableId id;
  std::string_view name;
  std::span<const Column> columns;
  Key primary;
  Key secondary;  // empty for none

  [[nodiscard]] constexpr std::size_t index() const { return static_cast<std::size_t>(id); }
  [[nodiscard]] constexpr const Key& key(WhichKey which) const {
    return which == WhichKey::kPrimary ? primary : secondary;
  }
  // The column's number as in pg_attribute.attnum, from 1; 0 if there is no column of this name.
  [[nodiscard]] constexpr int number_of(std::string_view column) const {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].name == column) {
        return static_cast<int>(i) + 1;
      }
    }
    return 0;
  }
  [[nodiscard]] constexpr const Column& column(std::string_view name_of_column) const {
    return columns[static_cast<std::size_t>(number_of(name_of_column)) - 1];
  }
  // The number of columns that every installation has.
  [[nodiscard]] constexpr std::size_t first_count() const {
    std::size_t count = columns.size();
    while (count > 0 && columns[count - 1].since == Since::kLaterRelease) {
      --count;
    }
    return count;
  }
  [[nodiscard]] constexpr bool has(std::string_view column) const { return number_of(column) != 0; }
};

inline constexpr std::array kCurrencyColumns = {
    Column{"code", Type::kText},
    Column{"exponent", Type::kSmallint},
    Column{"name", Type::kText},
    Column{"builtin", Type::kBoolean},
};
inline constexpr Table kCurrencies = {TableId::kCurrencies, "currencies", kCurrencyColumns, {"code", ""}, {}};

inline constexpr std::array kInstitutionColumns = {
    Column{"id", Type::kText},           Column{"name", Type::kText},
    Column{"regions", Type::kTextArray}, Column{"verticals", Type::kTextArray},
    Column{"created_at", Type::kTime},   Column{"updated_at", Type::kTime},
};
inline constexpr Table kInstitutions = {TableId::kInstitutions, "institutions", kInstitutionColumns, {"id", ""}, {}};

inline constexpr std::array kAssetTemplateColumns = {
    Column{"id", Type::kText},      Column{"institution_id", Type::kText}, Column{"code", Type::kText},
    Column{"name", Type::kText},    Column{"vertical", Type::kText},       Column{"region", Type::kText},
    Column{"config", Type::kJsonb}, Column{"created_at", Type::kTime},     Column{"updated_at", Type::kTime},
};
inline constexpr Table kAssetTemplates = {
    TableId::kAssetTemplates, "asset_templates", kAssetTemplateColumns, {"id", ""}, {}};

inline constexpr std::array kAssetColumns = {
    Column{"id", Type::kText},
    Column{"institution_id", Type::kText},
    Column{"template_id", Type::kText},
    Column{"label", Type::kText},
    Column{"metadata", Type::kJsonb, Nulls::kAllowed},
    Column{"created_at", Type::kTime},
    Column{"updated_at", Type::kTime},
};
inline constexpr Table kAssets = {TableId::kAssets, "assets", kAssetColumns, {"id", ""}, {}};

inline constexpr std::array kPositionColumns = {
    Column{"id", Type::kText},
    Column{"institution_id", Type::kText},
    Column{"asset_id", Type::kText},
    Column{"holder_reference", Type::kText},
    Column{"currency", Type::kText},
    Column{"amount", Type::kNumeric},
    Column{"state", Type::kText, Nulls::kForbidden, Change::kByTransition},
    Column{"external_reference", Type::kText, Nulls::kAllowed},
    Column{"created_at", Type::kTime},
    Column{"updated_at", Type::kTime, Nulls::kForbidden, Change::kByTransition},
    Column{"released_amount", Type::kNumeric, Nulls::kForbidden, Change::kByTransition},
    Column{"refunded_amount", Type::kNumeric, Nulls::kForbidden, Change::kByTransition},
    Column{"expires_at", Type::kTime, Nulls::kAllowed},
    Column{"due_at", Type::kTime, Nulls::kAllowed, Change::kByTransition},
    Column{"version", Type::kInteger, Nulls::kForbidden, Change::kByTransition},
    Column{"head_hash", Type::kBytes, Nulls::kForbidden, Change::kByTransition},
};
inline constexpr Table kPositions = {TableId::kPositions, "positions", kPositionColumns, {"id", ""}, {}};

inline constexpr std::array kPositionEventColumns = {
    Column{"id", Type::kText},
    Column{"position_id", Type::kText},
    Column{"from_state", Type::kText, Nulls::kAllowed},
    Column{"to_state", Type::kText},
    Column{"reason", Type::kText, Nulls::kAllowed},
    Column{"at", Type::kTime},
    Column{"metadata", Type::kJsonb, Nulls::kAllowed},
    Column{"created_at", Type::kTime},
    Column{"institution_id", Type::kText},
    Column{"seq", Type::kInteger},
    Column{"amount", Type::kNumeric, Nulls::kAllowed},
    Column{"api_key_id", Type::kText, Nulls::kAllowed},
    Column{"salt", Type::kBytes, Nulls::kAllowed},
    Column{"hash", Type::kBytes},
    Column{"content_digest", Type::kBytes, Nulls::kAllowed, Change::kNever, Since::kLaterRelease},
};
inline constexpr Table kPositionEvents = {
    TableId::kPositionEvents, "position_events", kPositionEventColumns, {"id", ""}, {"position_id", "seq"}};

inline constexpr std::array kLedgerEventColumns = {
    Column{"id", Type::kText},
    Column{"kind", Type::kText},
    Column{"position_id", Type::kText, Nulls::kAllowed},
    Column{"at", Type::kTime},
    Column{"previous_state", Type::kText, Nulls::kAllowed},
    Column{"new_state", Type::kText, Nulls::kAllowed},
    Column{"payload", Type::kJsonb},
    Column{"created_at", Type::kTime},
    Column{"institution_id", Type::kText},
    Column{"request_id", Type::kText, Nulls::kAllowed},
};
inline constexpr Table kLedgerEvents = {TableId::kLedgerEvents, "ledger_events", kLedgerEventColumns, {"id", ""}, {}};

inline constexpr std::array kInstitutionPolicyColumns = {
    Column{"id", Type::kText},      Column{"institution_id", Type::kText}, Column{"region", Type::kText},
    Column{"config", Type::kJsonb}, Column{"created_at", Type::kTime},     Column{"updated_at", Type::kTime},
};
inline constexpr Table kInstitutionPolicies = {TableId::kInstitutionPolicies,
                                               "institution_policies",
                                               kInstitutionPolicyColumns,
                                               {"id", ""},
                                               {"institution_id", "region"}};

inline constexpr std::array kApiKeyColumns = {
    Column{"id", Type::kText},
    Column{"institution_id", Type::kText},
    Column{"key_hash", Type::kText},
    Column{"label", Type::kText},
    Column{"role", Type::kText},
    Column{"created_at", Type::kTime},
    Column{"revoked_at", Type::kTime, Nulls::kAllowed},
    Column{"expires_at", Type::kTime, Nulls::kAllowed},
    Column{"allowed_cidrs", Type::kNetworks, Nulls::kAllowed},
    Column{"token_hint", Type::kText, Nulls::kAllowed},
};
inline constexpr Table kApiKeys = {TableId::kApiKeys, "api_keys", kApiKeyColumns, {"id", ""}, {"key_hash", ""}};

inline constexpr std::array kAuditEventColumns = {
    Column{"id", Type::kText},
    Column{"occurred_at", Type::kTime},
    Column{"created_at", Type::kTime},
    Column{"api_key_id", Type::kText, Nulls::kAllowed},
    Column{"institution_id", Type::kText, Nulls::kAllowed},
    Column{"method", Type::kText},
    Column{"path", Type::kText},
    Column{"action", Type::kText},
    Column{"resource_type", Type::kText, Nulls::kAllowed},
    Column{"resource_id", Type::kText, Nulls::kAllowed},
    Column{"payload", Type::kJsonb, Nulls::kAllowed},
    Column{"outcome", Type::kText},
    Column{"error", Type::kJsonb, Nulls::kAllowed},
    Column{"status_code", Type::kInteger, Nulls::kAllowed},
    Column{"request_id", Type::kText, Nulls::kAllowed},
    Column{"client_ip", Type::kAddress, Nulls::kAllowed},
    Column{"db_role", Type::kText},
};
inline constexpr Table kAuditEvents = {TableId::kAuditEvents, "audit_events", kAuditEventColumns, {"id", ""}, {}};

inline constexpr std::array kIdempotencyKeyColumns = {
    Column{"institution_id", Type::kText}, Column{"key", Type::kText},
    Column{"fingerprint", Type::kBytes},   Column{"event_ids", Type::kTextArray, Nulls::kAllowed},
    Column{"created_at", Type::kTime},
};
inline constexpr Table kIdempotencyKeys = {
    TableId::kIdempotencyKeys, "idempotency_keys", kIdempotencyKeyColumns, {"institution_id", "key"}, {}};

inline constexpr std::array kCheckpointColumns = {
    Column{"id", Type::kText},         Column{"number", Type::kBigint},       Column{"position_count", Type::kBigint},
    Column{"root_hash", Type::kBytes}, Column{"previous_hash", Type::kBytes}, Column{"hash", Type::kBytes},
    Column{"created_at", Type::kTime}, Column{"db_role", Type::kText},
};
inline constexpr Table kCheckpoints = {
    TableId::kCheckpoints, "checkpoints", kCheckpointColumns, {"id", ""}, {"number", ""}};

inline constexpr std::array kCheckpointHeadColumns = {
    Column{"position_id", Type::kText},
    Column{"checkpoint_number", Type::kBigint},
    Column{"institution_id", Type::kText},
    Column{"version", Type::kInteger, Nulls::kAllowed},
    Column{"head_hash", Type::kBytes, Nulls::kAllowed},
};
inline constexpr Table kCheckpointHeads = {
    TableId::kCheckpointHeads, "checkpoint_heads", kCheckpointHeadColumns, {"position_id", "checkpoint_number"}, {}};

// Whether transitions update rows of the table.
constexpr bool is_updated_by_transitions(const Table& table) {
  return std::ranges::any_of(table.columns,
                             [](const Column& column) { return column.change == Change::kByTransition; });
}

// By TableId.
inline constexpr std::array kTables = {&kCurrencies,     &kInstitutions,   &kAssetTemplates,  &kAssets,
                                       &kPositions,      &kPositionEvents, &kLedgerEvents,    &kInstitutionPolicies,
                                       &kApiKeys,        &kAuditEvents,    &kIdempotencyKeys, &kCheckpoints,
                                       &kCheckpointHeads};

// The most columns that a table may have, users' own included, to be read and written without SPI.
inline constexpr std::size_t kMostColumns = 32;

namespace detail {

constexpr bool is_sound(const Key& key, const Table& table) {
  return (key.first.empty() || table.has(key.first)) && (key.second.empty() || table.has(key.second));
}

constexpr bool are_sound() {
  for (std::size_t i = 0; i < kTables.size(); ++i) {
    const Table& table = *kTables[i];
    if (table.index() != i || table.columns.size() > kMostColumns || table.primary.first.empty() ||
        !is_sound(table.primary, table) || !is_sound(table.secondary, table)) {
      return false;
    }
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
      if (table.number_of(table.columns[column].name) != static_cast<int>(column) + 1) {
        return false;  // the name occurs twice
      }
      const bool is_later = table.columns[column].since == Since::kLaterRelease;
      if (is_later != (column >= table.first_count()) || (is_later && table.columns[column].nulls != Nulls::kAllowed)) {
        return false;
      }
    }
  }
  return true;
}
static_assert(are_sound());

}  // namespace detail

// A key by column numbers, from 1.
struct KeyColumns {
  int count = 0;  // 0 for no such key
  std::array<int, 2> numbers{};
  std::array<Type, 2> types{};
};

namespace detail {

constexpr KeyColumns resolve(const Table& table, const Key& key) {
  KeyColumns out;
  for (const std::string_view name : {key.first, key.second}) {
    if (!name.empty()) {
      const auto at = static_cast<std::size_t>(out.count++);
      out.numbers[at] = table.number_of(name);
      out.types[at] = table.column(name).type;
    }
  }
  return out;
}

inline constexpr auto kKeyColumns = [] {
  std::array<std::array<KeyColumns, 2>, kTables.size()> out{};
  for (const Table* table : kTables) {
    out[table->index()] = {resolve(*table, table->primary), resolve(*table, table->secondary)};
  }
  return out;
}();

inline constexpr auto kTenantNumbers = [] {
  std::array<int, kTables.size()> out{};
  for (const Table* table : kTables) {
    out[table->index()] = table->number_of("institution_id");
  }
  return out;
}();

}  // namespace detail

[[nodiscard]] constexpr const KeyColumns& key_columns(const Table& table, WhichKey which) {
  return detail::kKeyColumns[table.index()][static_cast<std::size_t>(which)];
}

// The number of the column that names the tenant; 0 for a table without tenants.
[[nodiscard]] constexpr int tenant_number(const Table& table) {
  return detail::kTenantNumbers[table.index()];
}

}  // namespace escrowgrid::pg::layout
