// Checkpoints: one text that stands for every position's head at a moment, to be signed and kept elsewhere.
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
  std::int64_t number = 1;  // 1, 2, 3 and so on
  std::int64_t position_count = 0;
  Digest root{};      // Merkle root over the heads in id order
  Digest previous{};  // hash of the checkpoint before; zeros for the first
  Micros at = 0;
};

// Lower-case hexadecimal digits; two for a byte, so they always fit.
using DigestText = FixedText<2 * kDigestBytes>;
[[nodiscard]] DigestText hex_text(const Digest& digest) noexcept;

// What is signed, byte by byte. Throws std::length_error for an id that does not fit, which only a row of a table
// without its constraints can have: text that is signed is never cut.
using CheckpointText = FixedText<512>;
[[nodiscard]] CheckpointText checkpoint_text(const Checkpoint& checkpoint);

// The checkpoint's hash: SHA-256 of its text, with an id of any length.
[[nodiscard]] Digest checkpoint_hash(const Checkpoint& checkpoint);

}  // namespace escrowgrid::core
