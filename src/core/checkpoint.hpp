// Checkpoints. A checkpoint is a short text with a hash over the heads of all positions at one time. Users sign it and
// keep it outside the database.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/digest.hpp"
#include "core/fixed_text.hpp"
#include "core/hash_chain.hpp"

namespace escrowgrid::core {

struct PositionHeadLeaf {
  std::string_view position_id;
  std::int32_t version = 0;
  Digest head_hash{};
};

// The leaf hash of one position: its id, version and head as fields (see hash_chain.hpp).
[[nodiscard]] Digest checkpoint_leaf(const PositionHeadLeaf& head);

struct Checkpoint {
  std::string_view id;
  std::int64_t number = 1;  // checkpoints are numbered 1, 2, 3 and so on
  std::int64_t position_count = 0;
  Digest root{};      // Merkle root over the heads in id order
  Digest previous{};  // hash of the previous checkpoint; zeros for the first one
  Micros at = 0;
};

// Lower-case hexadecimal digits. Each byte has two, so they always fit.
using DigestText = FixedText<2 * kDigestBytes>;
[[nodiscard]] DigestText hex_text(const Digest& digest) noexcept;

// The text that is signed, byte by byte. It is never cut: the function throws std::length_error for an id that does not
// fit. The constraints of the table allow 100 bytes, so only a row of a table without its constraints has such an id.
using CheckpointText = FixedText<512>;
[[nodiscard]] CheckpointText checkpoint_text(const Checkpoint& checkpoint);

// The checkpoint's hash: SHA-256 of its text. Here the id may have any length.
[[nodiscard]] Digest checkpoint_hash(const Checkpoint& checkpoint);

}  // namespace escrowgrid::core
