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

// All of them in order; stored_checkpoint() reads a row.
extern Statement select_checkpoints;
[[nodiscard]] StoredCheckpoint stored_checkpoint(const RowStream& row);

// The Merkle tree over the heads of the checkpoint with this number.
[[nodiscard]] core::MerkleTree heads_tree(std::int64_t number, Sight sight);

// Makes the next checkpoint; the row belongs to the caller. `db_role` is who asked for it.
[[nodiscard]] Datum insert_checkpoint(const char* db_role);

// The checkpoint with this id, or the last one; what it points to belongs to the session.
[[nodiscard]] std::optional<StoredCheckpoint> find_checkpoint(const TextView& id, Sight sight);

struct Inclusion {
  std::uint64_t index = 0;
  core::PositionHeadLeaf head;
  core::Digest leaf{};
  core::Digest root{};  // recomputed
  std::span<const core::Digest> path;
};
// Where the position is in the checkpoint, if it is and if it belongs to the institution (where given).
[[nodiscard]] std::optional<Inclusion> find_inclusion(std::string_view position_id, const TextView& institution_id,
                                                      const core::Checkpoint& checkpoint);

}  // namespace escrowgrid::pg::store
