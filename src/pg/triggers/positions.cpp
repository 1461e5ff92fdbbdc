// Raw DML on positions has to obey the same rules as the functions. The BEFORE trigger decides on the row. The AFTER
// trigger checks the row again and writes its records. Rows that arrive complete, from a restore or a publisher, are
// taken as they are; if their events do not match them, every later decision is refused.
#include "pg/store/positions.hpp"
#include "core/decide.hpp"
#include "core/parameters.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/border/trigger_call.hpp"
#include "pg/layout/tuple_row.hpp"
#include "pg/service/authentication.hpp"
#include "pg/service/rules.hpp"
#include "pg/store/assets.hpp"
#include "pg/store/currencies.hpp"
#include "pg/store/move_records.hpp"
#include "pg/table/own_write.hpp"
#include "pg/table/session.hpp"
#include "pg/values/random.hpp"

namespace escrowgrid::pg {

namespace {

using Row = layout::TupleRow<layout::kPositions>;

Row new_values(const TriggerCall& call) {
  return {call.new_row(), call.desc()};
}

std::optional<core::Digest> head_of(const Row& row) {
  const std::optional<BytesView> hash = row.find<"head_hash">();
  return hash ? std::optional(require_digest(*hash)) : std::nullopt;
}

// Whether the extension itself is writing this row. True only once for each write, for the BEFORE trigger.
bool is_ours(const Row& row) {
  const std::optional<core::Digest> head = head_of(row);
  return !row.is_null<"id">() && head && take_own_write(OwnWrite::kRow, layout::kPositions, row.get<"id">(), *head);
}

// Whether the row says exactly what was decided.
bool matches(const Row& row, const core::PositionTerms& terms, const core::Decision& decision) {
  const core::PositionSnapshot found = store::to_snapshot(row.view());
  const core::PositionTerms& same = found.terms;
  const bool has_terms = same.id == terms.id && same.institution_id == terms.institution_id &&
                         same.asset_id == terms.asset_id && same.holder_reference == terms.holder_reference &&
                         same.currency.code == terms.currency.code && same.amount == terms.amount &&
                         same.external_reference == terms.external_reference && same.expires_at == terms.expires_at;
  return has_terms && found.state == decision.to && found.released == decision.released &&
         found.refunded == decision.refunded && found.version == decision.version && found.updated_at == decision.at &&
         found.head_hash == decision.hash;
}

// A raw change has neither reason nor metadata, so its hash is the same whenever it is computed.
core::EventContent raw_content(const Caller& caller) {
  core::EventContent content;
  content.api_key_id = caller.api_key_id;
  return content;
}

struct OldAndNew {
  Row before;
  Row after;
};

OldAndNew read_update(const TriggerCall& call) {
  return {.before = {call.old_row(), call.desc()}, .after = new_values(call)};
}

const char* changed_term(const OldAndNew& rows) {
  const auto& [before, after] = rows;
  struct Term {
    const char* name;
    bool is_same;
  };
  const std::array<Term, 9> terms = {{
      {"id", before.find<"id">() == after.find<"id">()},
      {"institution_id", before.find<"institution_id">() == after.find<"institution_id">()},
      {"asset_id", before.find<"asset_id">() == after.find<"asset_id">()},
      {"holder_reference", before.find<"holder_reference">() == after.find<"holder_reference">()},
      {"currency", before.find<"currency">() == after.find<"currency">()},
      {"amount", before.find<"amount">() == after.find<"amount">()},
      {"external_reference", before.find<"external_reference">() == after.find<"external_reference">()},
      {"created_at", before.find<"created_at">() == after.find<"created_at">()},
      {"expires_at", before.find<"expires_at">() == after.find<"expires_at">()},
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
                    "Set only state, and released_amount for a partial release.");
  }
}

// --- INSERT ------------------------------------------------------------------------------------

// Refuses a raw INSERT that sets what the extension has to decide.
void require_fresh(const TriggerCall& call, const Row& row) {
  if (row.find<"state">() != "CREATED") {
    core::Refusal why;
    if (core::require_state("state", row.find<"state">(), why)) {
      why.begin(core::Condition::kInvalidTransition)
          .message({"a position cannot start in state ", *row.find<"state">()})
          .hint({"Insert it as CREATED, then move it."})
          .with("to_state", *row.find<"state">())
          .with_json("allowed", core::allowed_states_json(std::nullopt).view());
    }
    raise(why);
  }
  const auto is_zero = [](const TextView& text) { return text && core::parse_amount(*text).amount.is_zero(); };
  if (!is_zero(row.find<"released_amount">()) || !is_zero(row.find<"refunded_amount">())) {
    raise_immutable(call, {"released_amount and refunded_amount of a new position must be 0"},
                    "Leave both columns out.");
  }
}

core::PositionTerms read_terms(const Row& row, const core::TypeIdText& fresh_id) {
  core::Refusal why;
  const std::optional<core::Amount> amount =
      core::read_creation({.asset_id = row.find<"asset_id">(),
                           .holder_reference = row.find<"holder_reference">(),
                           .currency = row.find<"currency">(),
                           .amount = row.find<"amount">(),
                           .external_reference = row.find<"external_reference">(),
                           .expires_at = row.find<"expires_at">(),
                           .metadata = std::nullopt},
                          why);
  if (!amount ||
      !core::check_optional_text({.parameter = "id", .max_bytes = core::kMaxIdBytes}, row.find<"id">(), why)) {
    raise(why);
  }
  const TextView institution_id = store::find_asset_institution(*row.find<"asset_id">(), row.find<"institution_id">());
  if (!institution_id) {
    raise_not_found("asset", *row.find<"asset_id">());
  }
  const std::optional<int> exponent = store::lock_exponent(*row.find<"currency">());
  if (!exponent) {
    core::refuse_unknown_currency("currency", *row.find<"currency">(), why);
    raise(why);
  }
  return {.id = row.find<"id">().value_or(fresh_id.view()),
          .institution_id = *institution_id,
          .asset_id = *row.find<"asset_id">(),
          .holder_reference = *row.find<"holder_reference">(),
          .currency = {.code = *row.find<"currency">(), .exponent = *exponent},
          .amount = *amount,
          .external_reference = row.find<"external_reference">(),
          .expires_at = row.find<"expires_at">()};
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
  const Row row = new_values(call);
  if (is_ours(row)) {
    return call.new_row();
  }
  const Caller caller = require_root(call.operation());
  const bool is_complete = row.find<"version">().value_or(0) > 0 && !row.is_null<"head_hash">();
  if (is_complete) {
    return call.new_row();
  }
  if (row.find<"version">().value_or(0) != 0 || !row.is_null<"head_hash">() || is_replica_role()) {
    raise_immutable(call, {"a position must be inserted complete or without version and head_hash"},
                    "To create a position, leave version and head_hash out. Only a restore sets both.");
  }
  require_fresh(call, row);
  // The row has to outlive the session, so it is made in the memory context from before the session.
  MemoryContext outer = CurrentMemoryContext;
  const Session session = open_session();
  const core::Micros now = clock_micros();
  const core::TypeIdText fresh_id = make_id("pos", now);
  const core::PositionTerms terms = read_terms(row, fresh_id);
  const core::Decision decision = decide_raw_creation(caller, terms, now);
  core::Refusal why;
  if (!check_rules({.terms = terms, .metadata = std::nullopt, .now = now}, why)) {
    raise(why);
  }
  note_raw_creation(decision.hash);
  MemoryContext inner = MemoryContextSwitchTo(outer);
  // Fill in the columns that have been left out or follow from the decision.
  HeapTuple decided = layout::with_columns(layout::kPositions, call.new_row(), call.desc(),
                                           store::new_position(terms, decision).values());
  MemoryContextSwitchTo(inner);
  close_session(session);
  return decided;
}

void raise_altered(const TriggerCall& call, const Row& row) {
  raise_immutable(call, {"position \"", row.find<"id">().value_or(""), "\" was not written as decided"},
                  "Remove the trigger on escrowgrid.positions that changes the row after the decision.");
}

void after_insert(const TriggerCall& call) {
  const Row row = new_values(call);
  if (is_replica_role()) {
    return;
  }
  if (row.is_null<"head_hash">() || !take_raw_creation(row.get<"head_hash">())) {
    return;  // a complete row or one of the extension's own needs no records
  }
  const Caller caller = require_root(call.operation());
  const Session session = open_session();
  const core::TypeIdText no_id;
  const core::PositionTerms terms = read_terms(row, no_id);
  const core::Decision decision = decide_raw_creation(caller, terms, row.find<"created_at">().value_or(0));
  if (!matches(row, terms, decision)) {
    raise_altered(call, row);
  }
  store::record_move(store::origin_of(caller, "INSERT escrowgrid.positions"), terms, decision, raw_content(caller));
  close_session(session);
}

// --- UPDATE ------------------------------------------------------------------------------------

bool same_outcome(const Row& before, const Row& after) {
  return before.find<"state">() == after.find<"state">() &&
         before.find<"released_amount">() == after.find<"released_amount">() &&
         before.find<"refunded_amount">() == after.find<"refunded_amount">() &&
         before.find<"version">() == after.find<"version">() && head_of(before) == head_of(after);
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

// The transition that a raw UPDATE asks for: the new state, and for a partial release the increase of released_amount.
// Any other column must keep its value or get the value that the transition gives it.
core::TransitionRequest read_request(const TriggerCall& call, const OldAndNew& rows, const Caller& caller) {
  core::Refusal why;
  const std::optional<core::State> to = core::require_state("state", rows.after.find<"state">(), why);
  if (!to) {
    raise(why);
  }
  core::TransitionRequest request;
  request.to = *to;
  request.content = raw_content(caller);
  if (rows.after.find<"released_amount">() != rows.before.find<"released_amount">()) {
    const core::Amount before = amount_of(call, "released_amount", rows.before.find<"released_amount">());
    const core::Amount after = amount_of(call, "released_amount", rows.after.find<"released_amount">());
    const core::AmountText growth = (after - before).text(0);
    // The same value written differently (1 for 1.00) asks for nothing.
    if (after != before) {
      request.amount = core::require_amount("amount", growth.view(), why);
      if (!request.amount) {
        raise(why);
      }
    }
  }
  return request;
}

// Columns that follow from the transition may keep their value or get the value that the transition gives them.
void require_followed(const TriggerCall& call, const OldAndNew& rows, const core::Decision& decision) {
  const auto& [before, after] = rows;
  if (head_of(after) != head_of(before) && head_of(after) != decision.hash) {
    raise_immutable(call, {"column \"head_hash\" of a position cannot be set"}, "Leave head_hash out.");
  }
  if (after.find<"version">() != before.find<"version">() && after.find<"version">() != decision.version) {
    raise_immutable(call, {"column \"version\" of a position can only be increased by one"}, "Leave version out.");
  }
  if (after.find<"refunded_amount">() != before.find<"refunded_amount">() &&
      amount_of(call, "refunded_amount", after.find<"refunded_amount">()) != decision.refunded) {
    raise_immutable(call, {"column \"refunded_amount\" of a position follows from the transition"},
                    "Leave refunded_amount out.");
  }
}

// The new row with the old updated_at and due_at, which only transitions change.
HeapTuple with_old_times(const TriggerCall& call, const Row& before) {
  store::PositionColumns times;
  times.set<"updated_at">(before.get<"updated_at">()).set<"due_at">(before.find<"due_at">());
  return layout::with_columns(layout::kPositions, call.new_row(), call.desc(), times.values());
}

HeapTuple before_update(const TriggerCall& call) {
  const OldAndNew rows = read_update(call);
  if (is_ours(rows.after)) {
    return call.new_row();
  }
  const Caller caller = require_root(call.operation());
  require_same_terms(call, rows);
  if (is_replica_role()) {
    if (!core::may_succeed(store::to_snapshot(rows.before.view()), store::to_snapshot(rows.after.view()))) {
      raise_immutable(call, {"a replicated position does not follow from the row it replaces"},
                      "Check whether the subscriber's row was changed or a change of the publisher was lost.");
    }
    return call.new_row();
  }
  const bool asks_transition =
      call.sets_column("state") || call.sets_column("released_amount") || !same_outcome(rows.before, rows.after);
  if (!asks_transition) {
    return with_old_times(call, rows.before);  // a user's own columns may change
  }
  MemoryContext outer = CurrentMemoryContext;
  const Session session = open_session();
  core::PositionSnapshot position = store::to_snapshot(rows.before.view());
  store::complete_snapshot(position);
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
  store::PositionColumns changes;
  store::set_decided(changes, position.terms, *decision);
  HeapTuple decided = layout::with_columns(layout::kPositions, call.new_row(), call.desc(), changes.values());
  MemoryContextSwitchTo(inner);
  close_session(session);
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
  if (!rows.after.is_null<"head_hash">() && take_own_update(rows.after.get<"head_hash">())) {
    return;
  }
  const Caller caller = require_root(call.operation());
  const Session session = open_session();
  core::PositionSnapshot position = store::to_snapshot(rows.before.view());
  store::complete_snapshot(position);
  const core::TransitionRequest request = read_request(call, rows, caller);
  core::Refusal why;
  const std::optional<core::Decision> decision =
      core::decide_transition(position, request, rows.after.find<"updated_at">().value_or(0), why);
  if (!decision || !matches(rows.after, position.terms, *decision)) {
    raise_altered(call, rows.after);
  }
  store::record_move(store::origin_of(caller, "UPDATE escrowgrid.positions"), position.terms, *decision,
                     request.content);
  close_session(session);
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
