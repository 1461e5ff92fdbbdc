// Checkpoints. The functions that come here are declared with a fixed search_path.
#pragma once

#include "core/checkpoint.hpp"
#include "core/merkle.hpp"
#include "pg/table/statement.hpp"

namespace escrowgrid::pg::store {

struct StoredCheckpoint {
  core::Checkpoint facts;
  core::Digest hash{};
};

// All checkpoints in order. stored_checkpoint() reads a row; close the stream at the end.
[[nodiscard]] RowStream open_checkpoints(Sight sight);
[[nodiscard]] StoredCheckpoint stored_checkpoint(const RowStream& row);

// The Merkle tree over the heads of the checkpoint with this number.
[[nodiscard]] core::MerkleTree heads_tree(std::int64_t number, Sight sight);

// Makes the next checkpoint and returns its row, which outlives the session. `db_role` is the role that asked for it.
[[nodiscard]] Datum insert_checkpoint(const char* db_role);

// The checkpoint with this id, or the last one if no id is given. Views in it live until the session is closed.
[[nodiscard]] std::optional<StoredCheckpoint> find_checkpoint(const TextView& id, Sight sight);

struct Inclusion {
  std::uint64_t index = 0;
  core::PositionHeadLeaf head;
  core::Digest leaf{};
  core::Digest root{};       // recomputed
  bool is_complete = false;  // whether the checkpoint has as many heads as it says
  std::span<const core::Digest> path;
};
// The place of the position in the checkpoint. Absent if the checkpoint does not contain it, or if it does not belong
// to `institution_id` where that is given.
[[nodiscard]] std::optional<Inclusion> find_inclusion(std::string_view position_id, const TextView& institution_id,
                                                      const core::Checkpoint& checkpoint);

}  // namespace escrowgrid::pg::store
