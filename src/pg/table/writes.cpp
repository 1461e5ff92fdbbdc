#include "pg/table/writes.hpp"

#include "pg/border/report.hpp"
#include "pg/service/rules.hpp"
#include "pg/store/position_row.hpp"

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

namespace {

// The tables of a move, positions first.
struct Place {
  direct::Name name;
  direct::Target* target;
};

std::array<Place, 4> places_of(Writes& writes) {
  return {{{direct::Name::kPositions, &writes.positions},
           {direct::Name::kPositionEvents, &writes.target(RecordKind::kEvent)},
           {direct::Name::kLedgerEvents, &writes.target(RecordKind::kLedgerEvent)},
           {direct::Name::kAuditEvents, &writes.target(RecordKind::kAuditEvent)}}};
}

// All four tables, or none.
bool open_tables(Writes& writes) {
  const std::array<Place, 4> places = places_of(writes);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::optional<direct::Target> target = direct::open_target(writes.call, places[i].name);
    if (!target) {
      while (i > 0) {
        direct::close_target(*places[--i].target);
      }
      return false;
    }
    *places[i].target = *target;
  }
  direct::check_permissions(writes.call);
  return true;
}

void close_tables(Writes& writes) {
  if (writes.is_direct) {
    const std::array<Place, 4> places = places_of(writes);
    for (std::size_t i = places.size(); i > 0; --i) {
      direct::close_target(*places[i - 1].target);
    }
  }
  writes.is_direct = false;
}

}  // namespace

void begin_writes(Origin& origin) {
  // PostgreSQL asks this of every statement that writes; without SPI nobody else would.
  const char* command = psprintf("%.*s()", static_cast<int>(origin.path.size()), origin.path.data());
  PreventCommandIfReadOnly(command);
  PreventCommandDuringRecovery(command);
  PreventCommandIfParallelMode(command);
  // What the calling statement has done so far is to be seen, as SPI would have it.
  CommandCounterIncrement();
  auto* writes = new (palloc(sizeof(Writes))) Writes();
  writes->call = direct::begin_call();
  writes->number = next_call_number();
  writes->is_direct = debug_write_path() == WritePath::kAuto && open_tables(*writes);
  if (!writes->is_direct || writes->call.runs_users_code) {
    direct::restrict_search_path(writes->call);
  }
  origin.writes = writes;
}

void finish_writes(Origin& origin) {
  for (const Waiting& waiting : origin.writes->waiting) {
    if (waiting.count != 0) {
      elog(ERROR, "escrowgrid: records of a batch were not written");
    }
  }
  // Rows of positions that the function returns are formed already, so no trigger may change what the table is made of.
  const bool holds = origin.writes->call.has_queue;
  const direct::Open positions = holds ? direct::open_any(direct::Name::kPositions, AccessShareLock) : direct::Open();
  close_tables(*origin.writes);
  direct::finish_call(origin.writes->call);
  if (positions) {
    direct::close(positions);
  }
  origin.writes = nullptr;
}

std::uint64_t execute_writing(const Origin& origin, Statement& statement, const Bindings& values) {
  if (origin.writes == nullptr) {
    return execute(statement, values, Sight::kFresh);
  }
  origin.writes->call.has_queue = true;
  return execute_and_queue(statement, values);
}

Datum insert_position_direct(Writes& writes, const Bindings& values) {
  constexpr std::array<std::uint8_t, 16> kSources = {1, 2, 3, 4, 5, 6, 10, 7, 9, 9, 11, 12, 8, 13, 14, 15};
  direct::NewRow row;
  for (std::size_t i = 0; i < kSources.size(); ++i) {
    row.set(static_cast<int>(i) + 1, values.value(kSources[i]));
  }
  direct::refresh_target(writes.call, writes.positions);
  direct::insert(writes.call, writes.positions, row);
  return direct::composite(writes.positions);
}

TextView share_asset(Origin& origin, std::string_view id) {
  if (!writes_directly(origin)) {
    return lock_asset_institution(id, origin.caller.institution_id);
  }
  const direct::Open assets = direct::open(direct::Name::kAssets, RowShareLock);
  if (!assets || !assets.table->is_lockable) {
    if (assets) {
      direct::close(assets);
    }
    close_tables(*origin.writes);
    direct::restrict_search_path(origin.writes->call);
    return lock_asset_institution(id, origin.caller.institution_id);
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
  direct::Row event(writes_.target(RecordKind::kEvent).open);
  snapshot_.last_event_hash.reset();
  if (direct::find(writes_.target(RecordKind::kEvent).open, direct::Key::kSecond, snapshot_.terms.id, snapshot_.version,
                   GetActiveSnapshot(), event)) {
    snapshot_.last_event_hash = stored_digest(event.value(kEventHash).value_or(0));
    event.clear();
  }
}

bool FoundPosition::find(std::string_view id, const TextView& institution_id) {
  if (!direct::find(writes_.positions.open, direct::Key::kId, direct::TextKey{.first = id}, GetActiveSnapshot(),
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
  if (!direct::lock(writes_.positions.open, row_, LockTupleNoKeyExclusive)) {
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
  TupleDesc desc = writes_.positions.open.table->desc;
  const auto count = static_cast<std::size_t>(desc->natts);
  std::copy_n(row_.slot()->tts_values, count, row.values.begin());
  for (std::size_t i = 0; i < count; ++i) {
    // A dropped column's value goes with the next update, as in the executor.
    row.nulls[i] = row_.slot()->tts_isnull[i] || TupleDescAttr(desc, i)->attisdropped;
  }
  const int decimals = snapshot_.terms.currency.exponent;
  row.set(kState, text_datum(core::state_name(decision.to)));
  row.set(kReleasedAmount, numeric_datum(decision.released, decimals));
  row.set(kRefundedAmount, numeric_datum(decision.refunded, decimals));
  row.set(kUpdatedAt, time_value(decision.at));
  row.set(kDueAt, time_value(decision.due_at));
  row.set(kVersion, Int32GetDatum(decision.version));
  row.set(kHeadHash, bytes_datum(decision.hash));
  if (!direct::update(writes_.call, writes_.positions, row_, hold_, row)) {
    return std::nullopt;
  }
  return direct::composite(writes_.positions);
}

}  // namespace escrowgrid::pg::store
