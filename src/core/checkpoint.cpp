#include "core/checkpoint.hpp"

#include <charconv>

#include "core/merkle.hpp"

namespace escrowgrid::core {

namespace {

void append_number(CheckpointText& out, std::int64_t value) noexcept {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
  out.append({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

}  // namespace

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
  append_number(out, checkpoint.number);
  out.append("\npositions ");
  append_number(out, checkpoint.position_count);
  out.append("\nroot ");
  out.append(hex_text(checkpoint.root).view());
  out.append("\nprevious ");
  out.append(hex_text(checkpoint.previous).view());
  out.append("\nat ");
  append_number(out, checkpoint.at);
  out.append("\n");
  return out;
}

Digest checkpoint_hash(const Checkpoint& checkpoint) {
  const CheckpointText text = checkpoint_text(checkpoint);
  return sha256({reinterpret_cast<const std::uint8_t*>(text.view().data()), text.size()});
}

}  // namespace escrowgrid::core
