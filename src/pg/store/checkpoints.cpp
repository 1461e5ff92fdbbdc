#include "pg/store/checkpoints.hpp"

#include "pg/border/report.hpp"
#include "pg/layout/sql_text.hpp"
#include "pg/store/found_values.hpp"
#include "pg/store/verification_sql.hpp"
#include "pg/table/spi_write.hpp"
#include "pg/values/memory.hpp"
#include "pg/values/random.hpp"

namespace escrowgrid::pg::store {

namespace {

constexpr layout::SqlText checkpoints_text(const layout::Table& table, std::size_t count) {
  return layout::select_all_text(table, count, " ORDER BY r.number");
}
StatementForms select_checkpoints = kForms<layout::kCheckpoints, checkpoints_text>;

constexpr layout::SqlText one_checkpoint_text(const layout::Table& table, std::size_t count) {
  return layout::select_all_text(table, count, " WHERE $1 IS NULL OR r.id = $1 ORDER BY r.number DESC LIMIT 1");
}
StatementForms select_one = kForms<layout::kCheckpoints, one_checkpoint_text>;

Statement lock_checkpoints = {"LOCK TABLE escrowgrid.checkpoints IN SHARE ROW EXCLUSIVE MODE"};

Statement select_next_number = {"SELECT COALESCE(max(c.number), 0) + 1 AS number FROM escrowgrid.checkpoints AS c"};

// The newest head of each position up to a checkpoint.
#define ESCROWGRID_HEADS                                                   \
  "(SELECT DISTINCT ON (d.position_id) d.*"                                \
  " FROM escrowgrid.checkpoint_heads AS d WHERE d.checkpoint_number <= $1" \
  " ORDER BY d.position_id, d.checkpoint_number DESC)"

Statement insert_heads = {
    "INSERT INTO escrowgrid.checkpoint_heads (position_id, checkpoint_number, institution_id, version, head_hash)"
    " SELECT COALESCE(p.id, h.position_id), $1 + 1, COALESCE(p.institution_id, h.institution_id), p.version,"
    " p.head_hash FROM escrowgrid.positions AS p FULL JOIN " ESCROWGRID_HEADS
    " AS h ON h.position_id = p.id"
    " WHERE p.version IS DISTINCT FROM h.version OR p.head_hash IS DISTINCT FROM h.head_hash"};

constexpr layout::SqlText heads_text(const layout::Table& table, std::size_t count) {
  return layout::select_from_text(table, count, ESCROWGRID_HEADS,
                                  " WHERE r.version IS NOT NULL ORDER BY r.position_id");
}
StatementForms select_heads = kForms<layout::kCheckpointHeads, heads_text>;

Statement select_leaf = {
    "SELECT count(*) FILTER (WHERE h.position_id < $2),"
    " max(h.version) FILTER (WHERE h.position_id = $2 AND ($3 IS NULL OR h.institution_id = $3))"
    " FROM " ESCROWGRID_HEADS " AS h WHERE h.version IS NOT NULL"};

core::PositionHeadLeaf stored_head(const RowStream& row) {
  const auto head = row.row<layout::kCheckpointHeads>();
  return {.position_id = head.get<"position_id">(),
          .version = head.find<"version">().value_or(0),
          .head_hash = found_digest(head.find<"head_hash">())};
}

std::int64_t next_number(Sight sight) {
  Bindings none;
  execute(select_next_number, none, sight);
  return DatumGetInt64(result_value(0, 1, INT8OID).value_or(0));
}

// A new checkpoint must not hide that the history behind an earlier one has changed.
void require_earlier_heads() {
  Bindings none;
  if (execute(select_broken_head, none, Sight::kFresh) == 0) {
    return;
  }
  const std::string_view id = text_view(result_value(0, 1, TEXTOID).value_or(0));
  core::Refusal why;
  why.begin(core::Condition::kIntegrityViolation)
      .message(
          {"position \"", core::echo(id).view(), "\" no longer has the history that an earlier checkpoint stands for"})
      .hint({"Run escrow_verify() to see what differs."})
      .with("position_id", id);
  raise(why);
}

}  // namespace

RowStream open_checkpoints(Sight sight) {
  const Bindings none;
  return {select_checkpoints.for_table(layout::kCheckpoints), none, sight};
}

StoredCheckpoint stored_checkpoint(const RowStream& row) {
  const auto found = row.row<layout::kCheckpoints>();
  StoredCheckpoint out;
  out.facts = {.id = found.get<"id">(),
               .number = found.get<"number">(),
               .position_count = found.get<"position_count">(),
               .root = found_digest(found.find<"root_hash">()),
               .previous = found_digest(found.find<"previous_hash">()),
               .at = found.get<"created_at">()};
  out.hash = found_digest(found.find<"hash">());
  return out;
}

core::MerkleTree heads_tree(std::int64_t number, Sight sight) {
  Bindings values;
  values.number(number);
  core::MerkleTree tree;
  RowStream rows(select_heads.for_table(layout::kCheckpointHeads), values, sight);
  while (rows.next()) {
    tree.append(core::checkpoint_leaf(stored_head(rows)));
  }
  rows.close();
  return tree;
}

Datum insert_checkpoint(const char* db_role) {
  Bindings none;
  execute(lock_checkpoints, none, Sight::kFresh);
  const std::int64_t number = next_number(Sight::kFresh);
  if (number != next_number(Sight::kLatest)) {
    ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                    errmsg("could not serialize access due to a concurrent checkpoint")));
  }
  require_earlier_heads();
  Bindings after;
  after.number(number - 1);
  execute(insert_heads, after, Sight::kFresh);
  const core::MerkleTree tree = heads_tree(number, Sight::kFresh);
  const std::optional<StoredCheckpoint> previous = find_checkpoint(std::nullopt, Sight::kFresh);
  core::Checkpoint made;
  made.at = clock_micros();
  const core::TypeIdText id = make_id("chk", made.at);
  made.id = id.view();
  made.number = number;
  made.position_count = static_cast<std::int64_t>(tree.size());
  made.root = tree.root();
  made.previous = previous ? previous->hash : core::Digest{};
  layout::RowColumns<layout::kCheckpoints> row;
  row.set<"id">(made.id)
      .set<"number">(made.number)
      .set<"position_count">(made.position_count)
      .set<"root_hash">(made.root)
      .set<"previous_hash">(made.previous)
      .set<"hash">(core::checkpoint_hash(made))
      .set<"created_at">(made.at)
      .set<"db_role">(db_role);
  return insert_outside_moves(layout::kCheckpoints, row.values());
}

std::optional<StoredCheckpoint> find_checkpoint(const TextView& id, Sight sight) {
  Bindings values;
  values.text(id);
  RowStream rows(select_one.for_table(layout::kCheckpoints), values, sight);
  if (!rows.next()) {
    rows.close();
    return std::nullopt;
  }
  StoredCheckpoint found = stored_checkpoint(rows);
  found.facts.id = copied(found.facts.id);
  rows.close();
  return found;
}

std::optional<Inclusion> find_inclusion(std::string_view position_id, const TextView& institution_id,
                                        const core::Checkpoint& checkpoint) {
  Bindings values;
  values.number(checkpoint.number).text(position_id).text(institution_id);
  execute(select_leaf, values, Sight::kCaller);
  if (!result_value(0, 2, INT4OID)) {
    return std::nullopt;
  }
  Inclusion found;
  found.index = static_cast<std::uint64_t>(DatumGetInt64(result_value(0, 1, INT8OID).value_or(0)));
  found.head.position_id = position_id;
  core::MerklePath path(found.index, static_cast<std::uint64_t>(checkpoint.position_count));
  core::MerkleTree tree;
  Bindings upto;
  upto.number(checkpoint.number);
  RowStream rows(select_heads.for_table(layout::kCheckpointHeads), upto, Sight::kCaller);
  while (rows.next()) {
    const core::PositionHeadLeaf head = stored_head(rows);
    const core::Digest leaf = core::checkpoint_leaf(head);
    if (tree.size() == found.index) {
      found.head.version = head.version;
      found.head.head_hash = head.head_hash;
      found.leaf = leaf;
    }
    tree.append(leaf);
    path.append(leaf);
  }
  rows.close();
  found.root = tree.root();
  found.is_complete = path.is_complete();
  const std::span<core::Digest> hashes = make_array<core::Digest>(path.hashes().size());
  std::copy(path.hashes().begin(), path.hashes().end(), hashes.begin());
  found.path = hashes;
  return found;
}

}  // namespace escrowgrid::pg::store
