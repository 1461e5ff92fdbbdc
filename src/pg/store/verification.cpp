#include "pg/store/verification.hpp"

#include "core/verification.hpp"
#include "pg/store/checkpoints.hpp"
#include "pg/store/verification_sql.hpp"
#include "pg/table/statement.hpp"

namespace escrowgrid::pg::store {

namespace {

// --- rows as they are found ----------------------------------------------------------------------
// Constraints may have been dropped by whoever tampered, so nothing is taken for granted here.

core::Amount found_amount(const std::optional<Datum>& value) {
  const core::ParsedAmount parsed = core::parse_amount(value ? numeric_text(*value) : "");
  // An amount that cannot be one equals none that can.
  return parsed.defect == core::AmountDefect::kNone ? parsed.amount : core::Amount::from_units(-1);
}

core::StoredPosition found_position(const RowStream& row) {
  core::StoredPosition out;
  out.terms = {.id = row.text(1),
               .institution_id = row.text(2),
               .asset_id = row.text(3),
               .holder_reference = row.text(4),
               .currency = {.code = row.text(5), .exponent = 0},
               .amount = found_amount(row.value(6)),
               .external_reference = row.optional_text(8),
               .expires_at = row.optional_time(9)};
  out.state = row.text(7);
  out.released = found_amount(row.value(10));
  out.refunded = found_amount(row.value(11));
  out.version = row.integer(12);
  out.created_at = row.time(13);
  out.updated_at = row.time(14);
  out.due_at = row.optional_time(15);
  out.head_hash = row.digest(16);
  return out;
}

core::StoredEvent found_event(const RowStream& row) {
  core::StoredEvent out;
  out.seq = row.integer(2);
  out.institution_id = row.text(3);
  out.from_state = row.optional_text(4);
  out.to_state = row.text(5);
  if (const std::optional<Datum> amount = row.value(6)) {
    out.amount = found_amount(amount);
  }
  out.at = row.time(7);
  out.created_at = row.time(8);
  out.api_key_id = row.optional_text(9);
  out.reason = row.optional_text(10);
  if (const std::optional<Datum> metadata = row.value(11)) {
    out.metadata = jsonb_text(*metadata);
  }
  if (const std::optional<Datum> salt = row.value(12)) {
    out.salt = found_salt(*salt);
  }
  if (row.value(13)) {
    out.erased_content = row.digest(13);
  }
  out.hash = row.digest(14);
  return out;
}

// --- the parts of a verification -----------------------------------------------------------------

class Report {
 public:
  explicit Report(FunctionCallInfo fcinfo) : result_(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo)) {}

  void put(std::array<std::optional<Datum>, 5> columns) {
    std::array<Datum, 5> values{};
    std::array<bool, 5> nulls{};
    for (std::size_t i = 0; i < columns.size(); ++i) {
      values[i] = columns[i].value_or(0);
      nulls[i] = !columns[i].has_value();
    }
    tuplestore_putvalues(result_->setResult, result_->setDesc, values.data(), nulls.data());
  }

  void put(const TextView& position_id, const core::Findings& findings) {
    for (const core::Finding& finding : findings.all()) {
      put({position_id ? std::optional(text_datum(*position_id)) : std::nullopt,
           finding.seq == 0 ? std::nullopt : std::optional(Int32GetDatum(finding.seq)), text_datum(finding.what),
           text_datum(finding.expected.view()), text_datum(finding.found.view())});
    }
  }

 private:
  ReturnSetInfo* result_;
};

// Runs `judge` with memory that the row takes with it.
template <typename Judge>
void with_row(const RowStream& row, Judge judge) {
  MemoryContext outer = MemoryContextSwitchTo(row.memory());
  judge();
  MemoryContextSwitchTo(outer);
}

// Positions and their events, both in id order, side by side.
void verify_chains(const Bindings& values, Report& report) {
  RowStream positions(verify_positions, values, Sight::kCaller);
  RowStream events(verify_events, values, Sight::kCaller);
  bool has_position = positions.next();
  bool has_event = events.next();
  core::ChainCheck chain;
  core::Findings findings;
  while (has_position || has_event) {
    const std::string_view event_of = has_event ? events.text(1) : std::string_view();
    if (has_event && (!has_position || event_of < positions.text(1))) {
      with_row(events, [&] {
        findings.clear();
        findings.add("position_missing", found_event(events).seq, "a position", "none");
        report.put(event_of, findings);
      });
      has_event = events.next();
      continue;
    }
    with_row(positions, [&] { chain.begin(found_position(positions)); });
    const std::string_view id = positions.text(1);
    while (has_event && events.text(1) == id) {
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

// A statement whose rows are discrepancies already.
void verify_by(Statement& statement, const Bindings& values, Report& report) {
  RowStream rows(statement, values, Sight::kCaller);
  while (rows.next()) {
    report.put({rows.value(1), rows.value(2), rows.value(3), rows.value(4), rows.value(5)});
  }
  rows.close();
}

void verify_checkpoints(Report& report) {
  core::Findings findings;
  core::Checkpoint last;
  core::Digest last_hash{};
  std::int64_t count = 0;
  Bindings none;
  RowStream rows(select_checkpoints, none, Sight::kCaller);
  while (rows.next()) {
    with_row(rows, [&] {
      findings.clear();
      const StoredCheckpoint stored = stored_checkpoint(rows);
      ++count;
      if (stored.facts.number != count || stored.facts.previous != last_hash) {
        findings.add("checkpoint_link", 0, core::hex_text(last_hash).view(),
                     core::hex_text(stored.facts.previous).view());
        count = stored.facts.number;
      }
      const core::Digest expected = core::checkpoint_hash(stored.facts);
      if (expected != stored.hash) {
        findings.add("checkpoint_hash", 0, core::hex_text(expected).view(), core::hex_text(stored.hash).view());
      }
      last = stored.facts;
      last_hash = stored.hash;
      report.put(std::nullopt, findings);
    });
  }
  rows.close();
  if (count == 0) {
    return;
  }
  const core::MerkleTree tree = heads_tree(last.number, Sight::kCaller);
  findings.clear();
  if (tree.root() != last.root || static_cast<std::int64_t>(tree.size()) != last.position_count) {
    findings.add("checkpoint_root", 0, core::hex_text(last.root).view(), core::hex_text(tree.root()).view());
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
