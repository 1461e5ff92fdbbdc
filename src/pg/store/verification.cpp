#include "pg/store/verification.hpp"

#include "core/verification.hpp"
#include "pg/store/checkpoints.hpp"
#include "pg/store/found_values.hpp"
#include "pg/store/position_row.hpp"
#include "pg/store/verification_sql.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg::store {

namespace {

// --- rows as they are found ----------------------------------------------------------------------

core::StoredPosition found_position(const RowStream& stream) {
  const auto row = stream.row<layout::kPositions>();
  core::StoredPosition out;
  out.terms = to_terms(row, found_amount(row.find<"amount">()));
  out.state = row.get<"state">();
  out.released = found_amount(row.find<"released_amount">());
  out.refunded = found_amount(row.find<"refunded_amount">());
  out.version = row.get<"version">();
  out.created_at = row.get<"created_at">();
  out.updated_at = row.get<"updated_at">();
  out.due_at = row.find<"due_at">();
  out.head_hash = found_digest(row.find<"head_hash">());
  return out;
}

core::StoredEvent found_event(const RowStream& stream) {
  const auto row = stream.row<layout::kPositionEvents>();
  core::StoredEvent out;
  out.seq = row.get<"seq">();
  out.institution_id = row.get<"institution_id">();
  out.from_state = row.find<"from_state">();
  out.to_state = row.get<"to_state">();
  if (!row.is_null<"amount">()) {
    out.amount = found_amount(row.find<"amount">());
  }
  out.at = row.get<"at">();
  out.created_at = row.get<"created_at">();
  out.api_key_id = row.find<"api_key_id">();
  out.reason = row.find<"reason">();
  if (const std::optional<Datum> metadata = row.find<"metadata">()) {
    out.metadata = jsonb_text(*metadata);
  }
  if (const std::optional<BytesView> salt = row.find<"salt">()) {
    out.salt = found_salt(*salt);
  }
  if (const std::optional<BytesView> digest = row.find<"content_digest">()) {
    out.erased_content = found_digest(digest);
  }
  out.hash = found_digest(row.find<"hash">());
  return out;
}

std::string_view position_of(const RowStream& events) {
  return events.row<layout::kPositionEvents>().get<"position_id">();
}

std::string_view id_of(const RowStream& positions) {
  return positions.row<layout::kPositions>().get<"id">();
}

// --- the parts of a verification -----------------------------------------------------------------

class Report {
 public:
  explicit Report(FunctionCallInfo fcinfo) : fcinfo_(fcinfo) {}

  void put(ResultColumns columns) { put_row(fcinfo_, columns); }
  void put(const TextView& position_id, const core::Findings& findings) {
    for (const core::Finding& finding : findings.all()) {
      put(std::array<std::optional<Datum>, 5>{
          position_id ? std::optional(text_datum(*position_id)) : std::nullopt,
          finding.seq == 0 ? std::nullopt : std::optional(Int32GetDatum(finding.seq)), text_datum(finding.what),
          text_datum(finding.expected.view()), text_datum(finding.found.view())});
    }
  }

 private:
  FunctionCallInfo fcinfo_;
};

// Runs `judge` in memory that is freed with the row.
template <typename Judge>
void with_row(const RowStream& row, Judge judge) {
  MemoryContext outer = MemoryContextSwitchTo(row.memory());
  judge();
  MemoryContextSwitchTo(outer);
}

// Walks through positions and their events side by side, both in the order of position ids.
void verify_chains(const Bindings& values, Report& report) {
  RowStream positions(verify_positions.for_table(layout::kPositions), values, Sight::kCaller);
  RowStream events(verify_events.for_table(layout::kPositionEvents), values, Sight::kCaller);
  bool has_position = positions.next();
  bool has_event = events.next();
  core::ChainCheck chain;
  core::Findings findings;
  while (has_position || has_event) {
    const std::string_view event_of = has_event ? position_of(events) : std::string_view();
    if (has_event && (!has_position || event_of < id_of(positions))) {
      with_row(events, [&] {
        findings.clear();
        findings.add("position_missing", found_event(events).seq, "a position", "none");
        report.put(event_of, findings);
      });
      has_event = events.next();
      continue;
    }
    with_row(positions, [&] { chain.begin(found_position(positions)); });
    const std::string_view id = id_of(positions);
    while (has_event && position_of(events) == id) {
      with_row(events, [&] {
        findings.clear();
        chain.event(found_event(events), findings);
        report.put(id, findings);
      });
      has_event = events.next();
    }
    with_row(positions, [&] {
      findings.clear();
      chain.finish(findings);
      report.put(id, findings);
    });
    has_position = positions.next();
  }
  positions.close();
  events.close();
}

// Reports the rows of a statement that selects discrepancies.
void verify_by(Statement& statement, const Bindings& values, Report& report) {
  RowStream rows(statement, values, Sight::kCaller);
  while (rows.next()) {
    report.put(std::array{rows.value(1, TEXTOID), rows.value(2, INT4OID), rows.value(3, TEXTOID),
                          rows.value(4, TEXTOID), rows.value(5, TEXTOID)});
  }
  rows.close();
}

void verify_checkpoints(Report& report) {
  core::Findings findings;
  std::optional<core::Checkpoint> last;
  core::Digest last_hash{};
  RowStream rows = open_checkpoints(Sight::kCaller);
  while (rows.next()) {
    with_row(rows, [&] {
      findings.clear();
      const StoredCheckpoint stored = stored_checkpoint(rows);
      const std::int64_t last_number = last ? last->number : 0;
      const bool is_next = last_number < PG_INT64_MAX && stored.facts.number == last_number + 1;
      if (!is_next || stored.facts.previous != last_hash) {
        findings.add("checkpoint_link", 0, core::hex_text(last_hash).view(),
                     core::hex_text(stored.facts.previous).view());
      }
      const core::Digest expected = core::checkpoint_hash(stored.facts);
      if (expected != stored.hash) {
        findings.add("checkpoint_hash", 0, core::hex_text(expected).view(), core::hex_text(stored.hash).view());
      }
      last = stored.facts;
      last->id = {};  // it is a view into the row
      last_hash = stored.hash;
      report.put(std::nullopt, findings);
    });
  }
  rows.close();
  if (!last) {
    return;
  }
  const core::MerkleTree tree = heads_tree(last->number, Sight::kCaller);
  findings.clear();
  if (tree.root() != last->root || static_cast<std::int64_t>(tree.size()) != last->position_count) {
    findings.add("checkpoint_root", 0, core::hex_text(last->root).view(), core::hex_text(tree.root()).view());
  }
  report.put(std::nullopt, findings);
}

}  // namespace

void verify(FunctionCallInfo fcinfo, const TextView& institution_id) {
  Report report(fcinfo);
  Bindings values;
  values.text(institution_id);
  verify_chains(values, report);
  verify_by(verify_ledger, values, report);
  verify_by(verify_audit, values, report);
  verify_by(verify_references, values, report);
  verify_by(verify_erasures, values, report);
  verify_by(verify_heads, values, report);
  if (!institution_id) {
    verify_checkpoints(report);
  }
}

}  // namespace escrowgrid::pg::store
