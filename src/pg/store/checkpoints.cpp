#include "pg/store/checkpoints.hpp"

#include "pg/border/report.hpp"
#include "pg/store/verification_sql.hpp"

namespace escrowgrid::pg::store {

#define ESCROWGRID_CHECKPOINT_COLUMNS \
  "SELECT c.id, c.number, c.position_count, c.root_hash, c.previous_hash, c.hash, c.created_at"

Statement select_checkpoints = {ESCROWGRID_CHECKPOINT_COLUMNS " FROM escrowgrid.checkpoints AS c ORDER BY c.number"};

namespace {

Statement select_one = {ESCROWGRID_CHECKPOINT_COLUMNS
                        " FROM escrowgrid.checkpoints AS c WHERE $1 IS NULL OR c.id = $1"
                        " ORDER BY c.number DESC LIMIT 1"};

Statement lock_checkpoints = {"LOCK TABLE escrowgrid.checkpoints IN SHARE ROW EXCLUSIVE MODE"};

Statement select_last_number = {"SELECT COALESCE(max(c.number), 0) FROM escrowgrid.checkpoints AS c"};

// The newest head of each position up to a checkpoint.
#define ESCROWGRID_HEADS                                                                        \
  "(SELECT DISTINCT ON (d.position_id) d.position_id, d.institution_id, d.version, d.head_hash" \
  " FROM escrowgrid.checkpoint_heads AS d WHERE d.checkpoint_number <= $1"                      \
  " ORDER BY d.position_id, d.checkpoint_number DESC)"

Statement insert_heads = {
    "INSERT INTO escrowgrid.checkpoint_heads (position_id, checkpoint_number, institution_id, version, head_hash)"
    " SELECT COALESCE(p.id, h.position_id), $1 + 1, COALESCE(p.institution_id, h.institution_id), p.version,"
    " p.head_hash FROM escrowgrid.positions AS p FULL JOIN " ESCROWGRID_HEADS
    " AS h ON h.position_id = p.id"
    " WHERE p.version IS DISTINCT FROM h.version OR p.head_hash IS DISTINCT FROM h.head_hash"};

Statement select_heads = {"SELECT h.position_id, h.version, h.head_hash FROM " ESCROWGRID_HEADS
                          " AS h WHERE h.version IS NOT NULL ORDER BY h.position_id"};

Statement select_leaf = {
    "SELECT count(*) FILTER (WHERE h.position_id < $2),"
    " max(h.version) FILTER (WHERE h.position_id = $2 AND ($3 IS NULL OR h.institution_id = $3))"
    " FROM " ESCROWGRID_HEADS " AS h WHERE h.version IS NOT NULL"};

Statement insert_row = {
    "INSERT INTO escrowgrid.checkpoints AS c"
    " (id, number, position_count, root_hash, previous_hash, hash, created_at, db_role)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING c"};

core::PositionHeadLeaf stored_head(const RowStream& row) {
  return {.position_id = row.text(1), .version = row.integer(2), .head_hash = row.digest(3)};
}

std::int64_t last_number(Sight sight) {
  Bindings none;
  execute(select_last_number, none, sight);
  return DatumGetInt64(result_value(0, 1).value_or(0));
}

// A checkpoint must not cover up that what an earlier one stood for has changed.
void require_earlier_heads() {
  Bindings none;
  if (execute(select_broken_head, none, Sight::kFresh) == 0) {
    return;
  }
  const std::string_view id = text_view(result_value(0, 1).value_or(0));
  core::Refusal why;
  why.begin(core::Condition::kIntegrityViolation)
      .message({"position \"", core::clip(id), "\" no longer has the history that an earlier checkpoint stands for"})
      .hint({"escrow_verify() tells what differs."})
      .with("position_id", id);
  raise(why);
}

}  // namespace

StoredCheckpoint stored_checkpoint(const RowStream& row) {
  StoredCheckpoint out;
  out.facts = {.id = row.text(1),
               .number = row.number(2),
               .position_count = row.number(3),
               .root = row.digest(4),
               .previous = row.digest(5),
               .at = row.time(7)};
  out.hash = row.digest(6);
  return out;
}

core::MerkleTree heads_tree(std::int64_t number, Sight sight) {
  Bindings values;
  values.number(number);
  core::MerkleTree tree;
  RowStream rows(select_heads, values, sight);
  while (rows.next()) {
    tree.append(core::checkpoint_leaf(stored_head(rows)));
  }
  rows.close();
  return tree;
}

Datum insert_checkpoint(const char* db_role) {
  Bindings none;
  execute(lock_checkpoints, none, Sight::kFresh);
  const std::int64_t number = last_number(Sight::kFresh);
  if (number != last_number(Sight::kLatest)) {
    ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                    errmsg("could not serialize access due to a concurrent checkpoint")));
  }
  require_earlier_heads();
  Bindings after;
  after.number(number);
  execute(insert_heads, after, Sight::kFresh);
  const core::MerkleTree tree = heads_tree(number + 1, Sight::kFresh);
  const std::optional<StoredCheckpoint> previous = find_checkpoint(std::nullopt, Sight::kFresh);
  core::Checkpoint made;
  made.at = clock_micros();
  const core::TypeIdText id = make_id("chk", made.at);
  made.id = id.view();
  made.number = number + 1;
  made.position_count = static_cast<std::int64_t>(tree.size());
  made.root = tree.root();
  made.previous = previous ? previous->hash : core::Digest{};
  Bindings values;
  values.text(made.id)
      .number(made.number)
      .number(made.position_count)
      .bytes(made.root)
      .bytes(made.previous)
      .bytes(core::checkpoint_hash(made))
      .time(made.at)
      .text(db_role);
  if (execute(insert_row, values, Sight::kFresh) != 1) {
    ereport(ERROR, (errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
                    errmsg("a checkpoint was suppressed by a trigger or a rule")));
  }
  return SPI_datumTransfer(result_value(0, 1).value_or(0), false, -1);
}

std::optional<StoredCheckpoint> find_checkpoint(const TextView& id, Sight sight) {
  Bindings values;
  values.text(id);
  RowStream rows(select_one, values, sight);
  if (!rows.next()) {
    rows.close();
    return std::nullopt;
  }
  StoredCheckpoint found = stored_checkpoint(rows);
  found.facts.id = {pnstrdup(found.facts.id.data(), found.facts.id.size()), found.facts.id.size()};
  rows.close();
  return found;
}

std::optional<Inclusion> find_inclusion(std::string_view position_id, const TextView& institution_id,
                                        const core::Checkpoint& checkpoint) {
  Bindings values;
  values.number(checkpoint.number).text(position_id).text(institution_id);
  execute(select_leaf, values, Sight::kCaller);
  if (!result_value(0, 2)) {
    return std::nullopt;
  }
  Inclusion found;
  found.index = static_cast<std::uint64_t>(DatumGetInt64(result_value(0, 1).value_or(0)));
  found.head.position_id = position_id;
  core::MerklePath path(found.index, static_cast<std::uint64_t>(checkpoint.position_count));
  core::MerkleTree tree;
  Bindings upto;
  upto.number(checkpoint.number);
  RowStream rows(select_heads, upto, Sight::kCaller);
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
  auto* hashes = static_cast<core::Digest*>(palloc(sizeof(core::Digest) * core::kMaxMerkleDepth));
  std::copy(path.hashes().begin(), path.hashes().end(), hashes);
  found.path = {hashes, path.hashes().size()};
  return found;
}

}  // namespace escrowgrid::pg::store
