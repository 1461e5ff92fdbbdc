#include "core/merkle.hpp"

#include <algorithm>
#include <bit>

namespace escrowgrid::core {

Digest merkle_leaf(std::span<const std::uint8_t> bytes) {
  return sha256_of_parts({kMerkleLeafPrefix, bytes});
}

Digest merkle_node(const Digest& left, const Digest& right) {
  std::array<std::uint8_t, 1 + 2 * kDigestBytes> buffer{};
  buffer[0] = kMerkleNodePrefix[0];
  std::copy(left.begin(), left.end(), buffer.begin() + 1);
  std::copy(right.begin(), right.end(), buffer.begin() + 1 + kDigestBytes);
  return sha256(buffer);
}

void MerkleTree::append(const Digest& leaf) {
  Digest root = leaf;
  // Each one bit at the end of the size stands for a full subtree. The new leaf merges these subtrees into a larger
  // one.
  for (int full = std::countr_one(size_); full > 0; --full) {
    root = merkle_node(roots_[--count_], root);
  }
  roots_[count_++] = root;
  ++size_;
}

Digest MerkleTree::root() const {
  if (count_ == 0) {
    return sha256({});
  }
  Digest root = roots_[count_ - 1];
  for (std::size_t i = count_ - 1; i > 0; --i) {
    root = merkle_node(roots_[i - 1], root);
  }
  return root;
}

MerklePath::MerklePath(std::uint64_t index, std::uint64_t size) noexcept : index_(index), size_(size) {
  Range range = {.begin = 0, .end = size};
  while (range.end - range.begin > 1) {
    // RFC 9162 splits at the largest power of two below the size.
    const std::uint64_t middle = range.begin + std::bit_floor(range.end - range.begin - 1);
    const bool is_left = index < middle;
    ranges_[count_++] = is_left ? Range{.begin = middle, .end = range.end} : Range{.begin = range.begin, .end = middle};
    range = is_left ? Range{.begin = range.begin, .end = middle} : Range{.begin = middle, .end = range.end};
  }
  std::reverse(ranges_.begin(), ranges_.begin() + static_cast<std::ptrdiff_t>(count_));
}

void MerklePath::append(const Digest& leaf) {
  const std::uint64_t at = next_++;
  if (at == index_) {
    return;
  }
  for (std::size_t i = 0; i < count_; ++i) {
    if (at >= ranges_[i].begin && at < ranges_[i].end) {
      current_.append(leaf);
      if (next_ == ranges_[i].end) {
        hashes_[i] = current_.root();
        current_ = MerkleTree();
      }
      return;
    }
  }
}

}  // namespace escrowgrid::core
