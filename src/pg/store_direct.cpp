#include "pg/store_direct.hpp"

#include "pg/position_row.hpp"
#include "pg/report.hpp"
#include "pg/rule_check.hpp"

extern "C" {
#include "utils/numeric.h"
}

namespace escrowgrid::pg::store {

namespace {

enum Column : std::uint8_t {
  kId = 1,
  kInstitutionId,
  kAssetId,
  kHolderReference,
  kCurrency,
  kAmount,
  kState,
  kExternalReference,
  kCreatedAt,
  kUpdatedAt,
  kReleasedAmount,
  kRefundedAmount,
  kExpiresAt,
  kDueAt,
  kVersion,
  kHeadHash,
};
constexpr int kEventHash = 14;

core::Amount stored_amount(const direct::Row& row, int column) {
  const std::optional<Datum> value = row.value(column);
  const core::ParsedAmount parsed = core::parse_amount(value ? numeric_text(*value) : "");
  if (parsed.defect != core::AmountDefect::kNone) {
    ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("an amount of a position is out of range")));
  }
  return parsed.amount;
}

std::optional<Datum> time_value(const std::optional<core::Micros>& at) {
  return at ? std::optional(TimestampTzGetDatum(to_timestamp(*at))) : std::nullopt;
}

}  // namespace

void open_tables(Origin& origin) {
  // PostgreSQL asks this of every statement that writes; here nobody else would.
  const char* command = psprintf("%.*s()", static_cast<int>(origin.path.size()), origin.path.data());
  PreventCommandIfReadOnly(command);
  PreventCommandDuringRecovery(command);
  PreventCommandIfParallelMode(command);
  constexpr std::array kNames = {direct::Name::kPositions, direct::Name::kPositionEvents, direct::Name::kLedgerEvents,
                                 direct::Name::kAuditEvents};
  if (debug_write_path() == WritePath::kOrdinary) {
    return;
  }
  auto* tables = new (palloc(sizeof(Tables))) Tables();
  const std::array<direct::Target*, 4> targets = {&tables->positions, &tables->events, &tables->ledger, &tables->audit};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const std::optional<direct::Target> target = direct::open_target(kNames[i]);
    if (!target) {
      while (i > 0) {
        direct::close_target(*targets[--i]);
      }
      return;
    }
    *targets[i] = *target;
  }
  // What the calling statement has done so far is to be seen, as SPI would have it.
  CommandCounterIncrement();
  tables->call = next_call_number();
  origin.tables = tables;
}

void close_tables(Origin& origin) {
  if (origin.tables == nullptr) {
    return;
  }
  for (direct::Target* target :
       {&origin.tables->positions, &origin.tables->events, &origin.tables->ledger, &origin.tables->audit}) {
    direct::close_target(*target);
  }
  origin.tables = nullptr;
}

void begin_records(Origin& origin, std::size_t most) {
  if (origin.tables == nullptr) {
    return;
  }
  for (Waiting* waiting :
       {&origin.tables->waiting_events, &origin.tables->waiting_ledger, &origin.tables->waiting_audit}) {
    *waiting = {.rows = static_cast<direct::NewRow*>(palloc(sizeof(direct::NewRow) * std::max<std::size_t>(most, 1))),
                .count = 0};
  }
  origin.tables->waiting_most = most;
}

void write_records(Origin& origin) {
  if (origin.tables == nullptr) {
    return;
  }
  Tables& tables = *origin.tables;
  const auto write = [](direct::Target& target, Waiting& waiting) {
    direct::insert_many(target, {waiting.rows, waiting.count});
    waiting.count = 0;
  };
  write(tables.events, tables.waiting_events);
  write(tables.ledger, tables.waiting_ledger);
  write(tables.audit, tables.waiting_audit);
  CommandCounterIncrement();
}

void write_direct(Tables& tables, direct::Target& target, Waiting& waiting, const Bindings& values,
                  ColumnSources sources) {
  const bool waits = waiting.count < tables.waiting_most;
  direct::NewRow only;
  direct::NewRow& row = waits ? *new (&waiting.rows[waiting.count++]) direct::NewRow() : only;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i] != 0) {
      row.set(static_cast<int>(i) + 1, values.value(sources[i]));
    }
  }
  if (!waits) {
    direct::insert(target, only);
  }
}

Datum insert_position_direct(Tables& tables, const Bindings& values) {
  constexpr std::array<std::uint8_t, 16> kSources = {1, 2, 3, 4, 5, 6, 10, 7, 9, 9, 11, 12, 8, 13, 14, 15};
  direct::NewRow row;
  for (std::size_t i = 0; i < kSources.size(); ++i) {
    row.set(static_cast<int>(i) + 1, values.value(kSources[i]));
  }
  direct::insert(tables.positions, row);
  return direct::composite(tables.positions, row);
}

TextView share_asset(Origin& origin, std::string_view id) {
  if (origin.tables == nullptr) {
    return find_asset_institution(id, origin.caller.institution_id);
  }
  const direct::Open assets = direct::open(direct::Name::kAssets, RowShareLock);
  if (!assets) {
    close_tables(origin);
    return find_asset_institution(id, origin.caller.institution_id);
  }
  direct::Row row(assets);
  TextView institution_id;
  direct::push_snapshot();
  if (direct::find(assets, direct::Key::kId, direct::TextKey{.first = id}, GetActiveSnapshot(), row)) {
    const std::string_view owner = row.text(2);
    const bool is_visible = !origin.caller.institution_id || *origin.caller.institution_id == owner;
    if (is_visible && direct::lock(assets, row, LockTupleKeyShare)) {
      const std::string_view locked = row.text(2);
      institution_id = TextView(std::string_view(pnstrdup(locked.data(), locked.size()), locked.size()));
    }
    row.clear();
  }
  direct::pop_snapshot();
  direct::close(assets);
  return institution_id;
}

void FoundPosition::read() {
  const std::optional<core::State> state = core::parse_state(row_.text(kState));
  if (!state || !row_.value(kHeadHash)) {
    ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("a position lacks a known state or its head_hash")));
  }
  snapshot_.terms = {.id = row_.text(kId),
                     .institution_id = row_.text(kInstitutionId),
                     .asset_id = row_.text(kAssetId),
                     .holder_reference = row_.text(kHolderReference),
                     .currency = {.code = row_.text(kCurrency), .exponent = 0},
                     .amount = stored_amount(row_, kAmount),
                     .external_reference = row_.optional_text(kExternalReference),
                     .expires_at = row_.time(kExpiresAt)};
  snapshot_.state = *state;
  snapshot_.released = stored_amount(row_, kReleasedAmount);
  snapshot_.refunded = stored_amount(row_, kRefundedAmount);
  snapshot_.version = DatumGetInt32(row_.value(kVersion).value_or(0));
  snapshot_.updated_at = row_.time(kUpdatedAt).value_or(0);
  snapshot_.head_hash = stored_digest(*row_.value(kHeadHash));
  snapshot_.terms.currency.exponent = require_exponent(snapshot_.terms);
  direct::Row event(tables_.events.open);
  snapshot_.last_event_hash.reset();
  if (direct::find(tables_.events.open, direct::Key::kSecond, snapshot_.terms.id, snapshot_.version,
                   GetActiveSnapshot(), event)) {
    snapshot_.last_event_hash = stored_digest(event.value(kEventHash).value_or(0));
    event.clear();
  }
}

bool FoundPosition::find(std::string_view id, const TextView& institution_id) {
  if (!direct::find(tables_.positions.open, direct::Key::kId, direct::TextKey{.first = id}, GetActiveSnapshot(),
                    row_)) {
    return false;
  }
  if (institution_id && row_.text(kInstitutionId) != *institution_id) {
    row_.clear();
    return false;
  }
  read();
  return true;
}

bool FoundPosition::lock() {
  if (!direct::lock(tables_.positions.open, row_, LockTupleNoKeyExclusive)) {
    return false;
  }
  hold_ = direct::Hold::kLocked;
  // What the last holder committed is newer than the snapshot of before.
  direct::pop_snapshot();
  direct::push_snapshot();
  read();
  return true;
}

std::optional<Datum> FoundPosition::update(const core::Decision& decision) {
  direct::NewRow row;
  const auto count = static_cast<std::size_t>(tables_.positions.open.table->desc->natts);
  std::copy_n(row_.slot()->tts_values, count, row.values.begin());
  std::copy_n(row_.slot()->tts_isnull, count, row.nulls.begin());
  const int decimals = snapshot_.terms.currency.exponent;
  row.set(kState, text_datum(core::state_name(decision.to)));
  row.set(kReleasedAmount, numeric_datum(decision.released, decimals));
  row.set(kRefundedAmount, numeric_datum(decision.refunded, decimals));
  row.set(kUpdatedAt, time_value(decision.at));
  row.set(kDueAt, time_value(decision.due_at));
  row.set(kVersion, Int32GetDatum(decision.version));
  row.set(kHeadHash, bytes_datum(decision.hash));
  if (!direct::update(tables_.positions, row_, hold_, row)) {
    return std::nullopt;
  }
  return direct::composite(tables_.positions, row);
}

}  // namespace escrowgrid::pg::store
