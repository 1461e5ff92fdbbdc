#include "core/checkpoint.hpp"

#include "core/merkle.hpp"

namespace escrowgrid::core {

Digest checkpoint_leaf(const PositionHeadLeaf& head) {
  CanonicalBytes out;
  out.text(head.position_id);
  out.integer(head.version);
  out.digest(head.head_hash);
  return merkle_leaf(out.bytes());
}

DigestText hex_text(const Digest& digest) noexcept {
  constexpr std::string_view kHex = "0123456789abcdef";
  DigestText out;
  for (const std::uint8_t byte : digest) {
    out.append(kHex[byte >> 4]);
    out.append(kHex[byte & 15]);
  }
  return out;
}

CheckpointText checkpoint_text(const Checkpoint& checkpoint) noexcept {
  CheckpointText out;
  out.append("escrowgrid checkpoint 1\nid ");
  out.append(checkpoint.id);
  out.append("\nnumber ");
  out.append(number_text(checkpoint.number).view());
  out.append("\npositions ");
  out.append(number_text(checkpoint.position_count).view());
  out.append("\nroot ");
  out.append(hex_text(checkpoint.root).view());
  out.append("\nprevious ");
  out.append(hex_text(checkpoint.previous).view());
  out.append("\nat ");
  out.append(number_text(checkpoint.at).view());
  out.append("\n");
  return out;
}

Digest checkpoint_hash(const Checkpoint& checkpoint) {
  const CheckpointText text = checkpoint_text(checkpoint);
  return sha256({reinterpret_cast<const std::uint8_t*>(text.view().data()), text.size()});
}

}  // namespace escrowgrid::core
