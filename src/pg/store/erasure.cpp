#include "pg/store/erasure.hpp"

#include "core/checkpoint.hpp"
#include "core/merkle.hpp"
#include "pg/layout/sql_text.hpp"
#include "pg/store/audit_events.hpp"
#include "pg/store/event_content.hpp"
#include "pg/store/found_values.hpp"
#include "pg/table/find.hpp"
#include "pg/table/own_write.hpp"
#include "pg/table/spi_write.hpp"
#include "pg/values/json_object.hpp"
#include "pg/values/memory.hpp"
#include "pg/values/result.hpp"

extern "C" {
#include "utils/json.h"
}

namespace escrowgrid::pg::store {

namespace {

Statement select_event = {"SELECT e FROM escrowgrid.position_events AS e WHERE e.id OPERATOR(pg_catalog.=) $1"};

Statement update_event = {
    "UPDATE escrowgrid.position_events AS e SET reason = NULL, metadata = NULL, salt = NULL, content_digest = $2"
    " WHERE e.id OPERATOR(pg_catalog.=) $1 RETURNING e"};

Statement select_held = {
    "SELECT pg_catalog.count(*) FILTER (WHERE s.state OPERATOR(pg_catalog.=) 'FUNDED'"
    " OR s.state OPERATOR(pg_catalog.=) 'PARTIALLY_RELEASED')"
    " FROM (SELECT p.state FROM escrowgrid.positions AS p WHERE p.institution_id OPERATOR(pg_catalog.=) $1"
    " ORDER BY p.id FOR UPDATE OF p) AS s"};

constexpr layout::SqlText purged_text(const layout::Table& table, std::size_t count) {
  return layout::select_all_text(table, count, " WHERE r.institution_id OPERATOR(pg_catalog.=) $1 ORDER BY r.id");
}
StatementForms select_purged = kForms<layout::kPositions, purged_text>;

#define ESCROWGRID_DELETE(table) \
  { "DELETE FROM escrowgrid." table " AS d WHERE d.institution_id OPERATOR(pg_catalog.=) $1" }

// Children before parents.
Statement delete_idempotency_keys = ESCROWGRID_DELETE("idempotency_keys");
Statement delete_ledger_events = ESCROWGRID_DELETE("ledger_events");
Statement delete_position_events = ESCROWGRID_DELETE("position_events");
Statement delete_positions = ESCROWGRID_DELETE("positions");
Statement delete_assets = ESCROWGRID_DELETE("assets");
Statement delete_asset_templates = ESCROWGRID_DELETE("asset_templates");
Statement delete_policies = ESCROWGRID_DELETE("institution_policies");
Statement delete_api_keys = ESCROWGRID_DELETE("api_keys");
Statement delete_institution = {"DELETE FROM escrowgrid.institutions AS d WHERE d.id OPERATOR(pg_catalog.=) $1"};

void append_tombstone(const Origin& origin, std::string_view institution_id, JsonObject& payload) {
  append_audit(origin, {.action = "INSTITUTION_PURGED",
                        .institution_id = institution_id,
                        .resource_type = "institution",
                        .resource_id = institution_id,
                        .payload = payload.datum(),
                        .at = clock_micros()});
}

// Collects heads as a JSON array, up to a number that stays far below the limit of one row.
class HeadList {
 public:
  HeadList() { initStringInfo(&text_); }
  void add(const core::PositionHeadLeaf& head) {
    appendStringInfoString(&text_, count_ == 0 ? R"([{"positionId": )" : R"(, {"positionId": )");
    char* id = pnstrdup(head.position_id.data(), head.position_id.size());
    escape_json(&text_, id);
    pfree(id);
    appendStringInfo(&text_, R"(, "version": %d, "headHash": "%s"})", head.version,
                     core::hex_text(head.head_hash).c_str());
    ++count_;
  }
  [[nodiscard]] bool is_full() const { return count_ == kMost; }
  [[nodiscard]] bool is_empty() const { return count_ == 0; }
  [[nodiscard]] std::string_view take() {
    appendStringInfoChar(&text_, ']');
    const std::string_view view = copied({text_.data, static_cast<std::size_t>(text_.len)});
    resetStringInfo(&text_);
    count_ = 0;
    return view;
  }

 private:
  static constexpr std::size_t kMost = 500;
  StringInfoData text_{};
  std::size_t count_ = 0;
};

static_assert(std::is_trivially_destructible_v<HeadList>);

// Writes the last heads of all positions to the audit log, several in each row, and returns their Merkle tree.
core::MerkleTree record_heads(const Origin& origin, std::string_view institution_id) {
  Bindings values;
  values.text(institution_id);
  core::MerkleTree tree;
  HeadList list;
  std::int64_t part = 0;
  // A part is forgotten once it is written, so that memory does not grow with the number of positions.
  MemoryContext part_memory = AllocSetContextCreate(CurrentMemoryContext, "escrowgrid heads", ALLOCSET_DEFAULT_SIZES);
  const auto write_part = [&] {
    MemoryContext outer = MemoryContextSwitchTo(part_memory);
    JsonObject payload;
    payload.integer("part", ++part).json("heads", list.take());
    append_tombstone(origin, institution_id, payload);
    MemoryContextSwitchTo(outer);
    MemoryContextReset(part_memory);
  };
  RowStream rows(select_purged.for_table(layout::kPositions), values, Sight::kFresh);
  while (rows.next()) {
    const auto row = rows.row<layout::kPositions>();
    const core::PositionHeadLeaf head = {.position_id = row.get<"id">(),
                                         .version = row.get<"version">(),
                                         .head_hash = found_digest(row.find<"head_hash">())};
    tree.append(core::checkpoint_leaf(head));
    list.add(head);
    if (list.is_full()) {
      write_part();
    }
  }
  rows.close();
  if (!list.is_empty()) {
    write_part();
  }
  MemoryContextDelete(part_memory);
  return tree;
}

}  // namespace

std::optional<Datum> erase_content(const Origin& origin, std::string_view event_id, const TextView& institution_id) {
  FoundRow event;
  if (!event.find_and_lock(layout::kPositionEvents, event_id, institution_id, LockStrength::kUpdate)) {
    return std::nullopt;
  }
  const auto found = event.as<layout::kPositionEvents>();
  const std::optional<core::Digest> digest = core::content_digest(content_of(found));
  if (!digest) {  // there is nothing to erase
    event.close();
    Bindings values;
    values.text(event_id);
    execute(select_event, values, Sight::kFresh);
    return keep_for_caller(result_composite(0));
  }
  const std::string_view owner = copied(found.get<"institution_id">());
  const std::string_view position_id = copied(found.get<"position_id">());
  const std::int32_t seq = found.get<"seq">();
  event.close();
  Bindings erased;
  erased.text(event_id).bytes(*digest);
  begin_own_write(OwnWrite::kErasure, layout::kPositionEvents, event_id);
  const std::uint64_t count = execute(update_event, erased, Sight::kFresh);
  end_own_write();
  require_one_row(count, layout::kPositionEvents);
  const Datum row = keep_for_caller(result_composite(0));
  JsonObject payload;
  payload.text("positionId", position_id).integer("seq", seq);
  append_audit(origin, {.action = "EVENT_REDACTED",
                        .institution_id = owner,
                        .resource_type = "position_event",
                        .resource_id = event_id,
                        .payload = payload.datum(),
                        .at = clock_micros()});
  return row;
}

TextView lock_institution(std::string_view institution_id) {
  FoundRow row;
  if (!row.find_and_lock(layout::kInstitutions, institution_id, std::nullopt, LockStrength::kUpdate)) {
    return std::nullopt;
  }
  const std::string_view name = copied(row.as<layout::kInstitutions>().get<"name">());
  row.close();
  return name;
}

std::int64_t lock_positions(std::string_view institution_id) {
  Bindings values;
  values.text(institution_id);
  execute(select_held, values, Sight::kFresh);
  return DatumGetInt64(result_value(0, 1, INT8OID).value_or(0));
}

Purged purge(const Origin& origin, std::string_view institution_id, std::string_view name) {
  const core::MerkleTree heads = record_heads(origin, institution_id);
  Bindings values;
  values.text(institution_id);
  const auto remove = [&](Statement& statement) {
    return static_cast<std::int64_t>(execute(statement, values, Sight::kFresh));
  };
  Purged purged;
  begin_own_write(OwnWrite::kPurge, layout::kInstitutions, institution_id);
  remove(delete_idempotency_keys);
  purged.ledger_events = remove(delete_ledger_events);
  purged.position_events = remove(delete_position_events);
  purged.positions = remove(delete_positions);
  const std::int64_t assets = remove(delete_assets);
  const std::int64_t templates = remove(delete_asset_templates);
  remove(delete_policies);
  remove(delete_api_keys);
  const std::uint64_t institutions = execute(delete_institution, values, Sight::kFresh);
  end_own_write();
  require_one_row(institutions, layout::kInstitutions);
  if (purged.positions != static_cast<std::int64_t>(heads.size())) {
    raise_suppressed(layout::kPositions);
  }
  const core::DigestText heads_root = core::hex_text(heads.root());
  JsonObject payload;
  payload.text("name", name)
      .integer("positions", purged.positions)
      .integer("positionEvents", purged.position_events)
      .integer("ledgerEvents", purged.ledger_events)
      .integer("assets", assets)
      .integer("assetTemplates", templates)
      .text("headsRoot", heads_root.view());
  append_tombstone(origin, institution_id, payload);
  return purged;
}

}  // namespace escrowgrid::pg::store
