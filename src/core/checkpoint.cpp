#include "core/checkpoint.hpp"

#include <stdexcept>

#include "core/merkle.hpp"
#include "core/parameters.hpp"

namespace escrowgrid::core {

Digest checkpoint_leaf(const PositionHeadLeaf& head) {
  CanonicalBytes out;
  out.text(head.position_id);
  out.integer(head.version);
  out.digest(head.head_hash);
  return merkle_leaf(out.bytes());
}

DigestText hex_text(const Digest& digest) noexcept {
  return hex_digits(digest);
}

namespace {

// The text before and behind the id. Its length has an upper bound. A stored id has one only while the constraints of
// its table hold.
constexpr std::string_view kHead = "escrowgrid checkpoint 1\nid ";

auto tail(const Checkpoint& checkpoint) noexcept {
  return joined("\nnumber ", number_text(checkpoint.number), "\npositions ", number_text(checkpoint.position_count),
                "\nroot ", hex_text(checkpoint.root), "\nprevious ", hex_text(checkpoint.previous), "\nat ",
                number_text(checkpoint.at), "\n");
}

}  // namespace

CheckpointText checkpoint_text(const Checkpoint& checkpoint) {
  const auto behind = tail(checkpoint);
  static_assert(kHead.size() + kMaxIdBytes + decltype(behind)::kCapacity <= CheckpointText::kCapacity);
  CheckpointText out;
  if (!out.try_append(kHead) || !out.try_append(checkpoint.id) || !out.try_append(behind.view())) {
    throw std::length_error("the id of a checkpoint is longer than its text has room for");
  }
  return out;
}

Digest checkpoint_hash(const Checkpoint& checkpoint) {
  const auto behind = tail(checkpoint);
  return sha256_of_parts({text_bytes(kHead), text_bytes(checkpoint.id), text_bytes(behind.view())});
}

}  // namespace escrowgrid::core
