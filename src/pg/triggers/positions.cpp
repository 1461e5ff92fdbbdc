// Raw DML on positions is held to the same rules as the functions: decided before the row is
// written, re-checked and recorded after. Rows that arrive complete (a restore, a replica) are
// taken as they are; every later decision finds out if their events do not match.
#include "core/decide.hpp"
#include "core/parameters.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/border/trigger_call.hpp"
#include "pg/service/rules.hpp"
#include "pg/store/position_row.hpp"
#include "pg/store/session.hpp"
#include "pg/table/own_write.hpp"

namespace escrowgrid::pg {

namespace {

std::string_view hash_view(const core::Digest& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

// Whether the extension itself is writing this row. True once for each write, for the trigger that decides.
bool is_ours(const PositionRow& row) {
  return row.id && row.head_hash && take_own_write(OwnWrite::kPosition, *row.id, hash_view(*row.head_hash));
}

// A raw change has neither reason nor metadata, so its hash is the same whenever it is computed.
core::EventContent raw_content(const Caller& caller) {
  core::EventContent content;
  content.api_key_id = caller.api_key_id;
  return content;
}

struct OldAndNew {
  PositionRow before;
  PositionRow after;
};

OldAndNew read_update(const TriggerCall& call) {
  return {.before = read_position_row(call.old_row(), call.desc()),
          .after = read_position_row(call.new_row(), call.desc())};
}

const char* changed_term(const OldAndNew& rows) {
  const auto& [before, after] = rows;
  struct Term {
    const char* name;
    bool is_same;
  };
  const std::array<Term, 9> terms = {{
      {"id", before.id == after.id},
      {"institution_id", before.institution_id == after.institution_id},
      {"asset_id", before.asset_id == after.asset_id},
      {"holder_reference", before.holder_reference == after.holder_reference},
      {"currency", before.currency == after.currency},
      {"amount", before.amount == after.amount},
      {"external_reference", before.external_reference == after.external_reference},
      {"created_at", before.created_at == after.created_at},
      {"expires_at", before.expires_at == after.expires_at},
  }};
  for (const Term& term : terms) {
    if (!term.is_same) {
      return term.name;
    }
  }
  return nullptr;
}

void require_same_terms(const TriggerCall& call, const OldAndNew& rows) {
  if (const char* name = changed_term(rows)) {
    raise_immutable(call, {"column \"", name, "\" of a position cannot be changed"},
                    "Only state, and released_amount for a partial release, can be set.");
  }
}

// --- INSERT ------------------------------------------------------------------------------------

// What a raw INSERT has to leave to the extension.
void require_fresh(const TriggerCall& call, const PositionRow& row) {
  if (row.state != "CREATED") {
    core::Refusal why;
    if (core::require_state("state", row.state, why)) {
      why.begin(core::Condition::kInvalidTransition)
          .message({"a position cannot start at ", *row.state})
          .hint({"Insert it as CREATED, then move it."})
          .with("to_state", *row.state)
          .with_json("allowed", core::allowed_states_json(std::nullopt).view());
    }
    raise(why);
  }
  const auto is_zero = [](const TextView& text) { return text && core::parse_amount(*text).amount.is_zero(); };
  if (!is_zero(row.released_amount) || !is_zero(row.refunded_amount)) {
    raise_immutable(call, {"released_amount and refunded_amount of a new position must be 0"},
                    "Leave both columns out.");
  }
}

core::PositionTerms read_terms(const PositionRow& row, const core::TypeIdText& fresh_id) {
  core::Refusal why;
  const std::optional<core::Amount> amount = core::read_creation({.asset_id = row.asset_id,
                                                                  .holder_reference = row.holder_reference,
                                                                  .currency = row.currency,
                                                                  .amount = row.amount,
                                                                  .external_reference = row.external_reference,
                                                                  .expires_at = row.expires_at,
                                                                  .metadata = std::nullopt},
                                                                 why);
  if (!amount || !core::check_optional_text({.parameter = "id", .max_bytes = core::kMaxIdBytes}, row.id, why)) {
    raise(why);
  }
  const TextView institution_id = store::find_asset_institution(*row.asset_id, row.institution_id);
  if (!institution_id) {
    raise_not_found("asset", *row.asset_id);
  }
  const std::optional<int> exponent = store::find_currency(*row.currency);
  if (!exponent) {
    core::refuse_unknown_currency("currency", *row.currency, why);
    raise(why);
  }
  return {.id = row.id.value_or(fresh_id.view()),
          .institution_id = *institution_id,
          .asset_id = *row.asset_id,
          .holder_reference = *row.holder_reference,
          .currency = {.code = *row.currency, .exponent = *exponent},
          .amount = *amount,
          .external_reference = row.external_reference,
          .expires_at = row.expires_at};
}

core::Decision decide_raw_creation(const Caller& caller, const core::PositionTerms& terms, core::Micros now) {
  core::Refusal why;
  const std::optional<core::Decision> decision = core::decide_creation(terms, raw_content(caller), now, why);
  if (!decision) {
    raise(why);
  }
  return *decision;
}

HeapTuple before_insert(const TriggerCall& call) {
  const PositionRow row = read_position_row(call.new_row(), call.desc());
  if (is_ours(row)) {
    return call.new_row();
  }
  const Caller caller = require_root(call.operation());
  const bool is_complete = row.version.value_or(0) > 0 && row.head_hash.has_value();
  if (is_complete) {
    return call.new_row();
  }
  if (row.version.value_or(0) != 0 || row.head_hash || is_replica_role()) {
    raise_immutable(call, {"a position must be inserted complete or without version and head_hash"},
                    "Leave version and head_hash out to create a position; a restore brings both.");
  }
  require_fresh(call, row);
  // The row outlives the session, so its memory is taken before that opens.
  MemoryContext outer = CurrentMemoryContext;
  const store::Session session = store::open();
  const core::Micros now = clock_micros();
  const core::TypeIdText fresh_id = make_id("pos", now);
  const core::PositionTerms terms = read_terms(row, fresh_id);
  const core::Decision decision = decide_raw_creation(caller, terms, now);
  core::Refusal why;
  if (!check_rules({.terms = terms, .metadata = std::nullopt, .now = now}, why)) {
    raise(why);
  }
  note_raw_creation(hash_view(decision.hash));
  MemoryContext inner = MemoryContextSwitchTo(outer);
  HeapTuple decided = with_creation(call.new_row(), call.desc(), terms, decision);
  MemoryContextSwitchTo(inner);
  store::close(session);
  return decided;
}

void raise_altered(const TriggerCall& call, const PositionRow& row) {
  raise_immutable(call, {"position \"", row.id.value_or(""), "\" was not written as decided"},
                  "A trigger on escrowgrid.positions changes the row after the decision; remove it.");
}

void after_insert(const TriggerCall& call) {
  const PositionRow row = read_position_row(call.new_row(), call.desc());
  if (is_replica_role()) {
    return;
  }
  if (!row.head_hash || !take_raw_creation(hash_view(*row.head_hash))) {
    return;  // complete, or the extension's own: taken as it is
  }
  const Caller caller = require_root(call.operation());
  const store::Session session = store::open();
  const core::TypeIdText no_id;
  const core::PositionTerms terms = read_terms(row, no_id);
  const core::Decision decision = decide_raw_creation(caller, terms, row.created_at.value_or(0));
  if (!matches(to_snapshot(row, terms.currency.exponent), terms, decision)) {
    raise_altered(call, row);
  }
  store::record(store::origin_of(caller, "INSERT escrowgrid.positions"), terms, decision, raw_content(caller));
  store::close(session);
}

// --- UPDATE ------------------------------------------------------------------------------------

bool same_outcome(const PositionRow& before, const PositionRow& after) {
  return before.state == after.state && before.released_amount == after.released_amount &&
         before.refunded_amount == after.refunded_amount && before.version == after.version &&
         before.head_hash == after.head_hash;
}

core::Amount amount_of(const TriggerCall& call, const char* column, const TextView& text) {
  const core::ParsedAmount parsed = core::parse_amount(text.value_or(""));
  if (parsed.defect != core::AmountDefect::kNone) {
    core::Refusal why;
    why.begin(core::Condition::kInvalidAmount)
        .message({"column \"", column, "\" of table ", call.table(), " is not a valid amount"})
        .hint({"Set it to the sum released so far plus what is released now."})
        .with("parameter", column)
        .with("value", text.value_or("null"));
    raise(why);
  }
  return parsed.amount;
}

// The transition that a raw UPDATE asks for: the new state, and for a partial release the growth of
// released_amount. Whatever else it sets must be as it was, or as the transition makes it.
core::TransitionRequest read_request(const TriggerCall& call, const OldAndNew& rows, const Caller& caller) {
  core::Refusal why;
  const std::optional<core::State> to = core::require_state("state", rows.after.state, why);
  if (!to) {
    raise(why);
  }
  core::TransitionRequest request;
  request.to = *to;
  request.content = raw_content(caller);
  if (rows.after.released_amount != rows.before.released_amount) {
    const core::Amount before = amount_of(call, "released_amount", rows.before.released_amount);
    const core::Amount after = amount_of(call, "released_amount", rows.after.released_amount);
    const core::AmountText growth = (after - before).text(0);
    // A change that is none in value (1 for 1.00) asks for nothing.
    if (after != before) {
      request.amount = core::require_amount("amount", growth.view(), why);
      if (!request.amount) {
        raise(why);
      }
    }
  }
  return request;
}

// Columns that follow from the transition may be set to what they were or to what they become.
void require_followed(const TriggerCall& call, const OldAndNew& rows, const core::Decision& decision) {
  const auto& [before, after] = rows;
  if (after.head_hash != before.head_hash && after.head_hash != decision.hash) {
    raise_immutable(call, {"column \"head_hash\" of a position cannot be set"}, "Leave head_hash out.");
  }
  if (after.version != before.version && after.version != decision.version) {
    raise_immutable(call, {"column \"version\" of a position can only be counted up by one"}, "Leave version out.");
  }
  if (after.refunded_amount != before.refunded_amount &&
      amount_of(call, "refunded_amount", after.refunded_amount) != decision.refunded) {
    raise_immutable(call, {"column \"refunded_amount\" of a position follows from the transition"},
                    "Leave refunded_amount out.");
  }
}

HeapTuple before_update(const TriggerCall& call) {
  const OldAndNew rows = read_update(call);
  if (is_ours(rows.after)) {
    return call.new_row();
  }
  const Caller caller = require_root(call.operation());
  require_same_terms(call, rows);
  if (is_replica_role()) {
    if (!core::may_succeed(to_snapshot(rows.before, 0), to_snapshot(rows.after, 0))) {
      raise_immutable(call, {"a replicated position does not follow from the row it replaces"},
                      "The subscriber's row was changed, or a change was lost on the way.");
    }
    return call.new_row();
  }
  const bool asks_transition =
      call.sets_column("state") || call.sets_column("released_amount") || !same_outcome(rows.before, rows.after);
  if (!asks_transition) {
    return with_times_of(call.new_row(), call.old_row(), call.desc());  // a user's own columns may change
  }
  MemoryContext outer = CurrentMemoryContext;
  const store::Session session = store::open();
  core::PositionSnapshot position = to_snapshot(rows.before, 0);
  store::read_last_event(position);
  core::Refusal why;
  const core::TransitionRequest request = read_request(call, rows, caller);
  const std::optional<core::Decision> decision = core::decide_transition(position, request, clock_micros(), why);
  if (!decision) {
    raise(why);
  }
  require_followed(call, rows, *decision);
  if (!check_rules(position, request, CallNumber{0}, why)) {
    raise(why);
  }
  MemoryContext inner = MemoryContextSwitchTo(outer);
  HeapTuple decided = with_transition(call.new_row(), call.desc(), position.terms, *decision);
  MemoryContextSwitchTo(inner);
  store::close(session);
  return decided;
}

void after_update(const TriggerCall& call) {
  const OldAndNew rows = read_update(call);
  if (is_replica_role()) {
    return;
  }
  require_same_terms(call, rows);
  if (same_outcome(rows.before, rows.after)) {
    return;
  }
  if (rows.after.head_hash && take_own_update(hash_view(*rows.after.head_hash))) {
    return;
  }
  const Caller caller = require_root(call.operation());
  const store::Session session = store::open();
  core::PositionSnapshot position = to_snapshot(rows.before, 0);
  store::read_last_event(position);
  const core::TransitionRequest request = read_request(call, rows, caller);
  core::Refusal why;
  const std::optional<core::Decision> decision =
      core::decide_transition(position, request, rows.after.updated_at.value_or(0), why);
  if (!decision || !matches(to_snapshot(rows.after, position.terms.currency.exponent), position.terms, *decision)) {
    raise_altered(call, rows.after);
  }
  store::record(store::origin_of(caller, "UPDATE escrowgrid.positions"), position.terms, *decision, request.content);
  store::close(session);
}

// --- the trigger functions ---------------------------------------------------------------------

Datum decide_position(FunctionCallInfo fcinfo) {
  const TriggerCall call = require_trigger(fcinfo);
  return PointerGetDatum(call.is_insert() ? before_insert(call) : before_update(call));
}

Datum record_position(FunctionCallInfo fcinfo) {
  const TriggerCall call = require_trigger(fcinfo);
  if (call.is_insert()) {
    after_insert(call);
  } else {
    after_update(call);
  }
  return PointerGetDatum(nullptr);
}

}  // namespace

ESCROWGRID_FUNCTION(escrowgrid_decide_position, decide_position);
ESCROWGRID_FUNCTION(escrowgrid_record_position, record_position);

}  // namespace escrowgrid::pg
