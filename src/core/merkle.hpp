// Merkle trees as in RFC 9162, section 2.1: leaves come in order, memory stays logarithmic.
// RFC 6962 (Certificate Transparency 1.0) defines the same trees, hashes and audit paths:
// https://www.rfc-editor.org/rfc/rfc6962#section-2.1 and https://www.rfc-editor.org/rfc/rfc9162#section-2.1
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/digest.hpp"

namespace escrowgrid::core {

inline constexpr std::size_t kMaxMerkleDepth = 64;

// The byte in front of what is hashed. Leaves and nodes have different ones, so that nobody can pass a node off as a
// leaf.
inline constexpr std::array<std::uint8_t, 1> kMerkleLeafPrefix = {0x00};
inline constexpr std::array<std::uint8_t, 1> kMerkleNodePrefix = {0x01};

// SHA-256(00 || bytes), of any length, and SHA-256(01 || left || right).
[[nodiscard]] Digest merkle_leaf(std::span<const std::uint8_t> bytes);
[[nodiscard]] Digest merkle_node(const Digest& left, const Digest& right);

class MerkleTree {
 public:
  void append(const Digest& leaf);
  // Of no leaves at all: the hash of nothing.
  [[nodiscard]] Digest root() const;
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

 private:
  // The roots of the full subtrees, largest first: one for each one bit of the size, which has kMaxMerkleDepth bits.
  std::array<Digest, kMaxMerkleDepth> roots_{};
  std::size_t count_ = 0;
  std::uint64_t size_ = 0;
};

// The audit path of one leaf: every leaf of the tree is appended in order, then the path is complete.
class MerklePath {
 public:
  MerklePath(std::uint64_t index, std::uint64_t size) noexcept;
  void append(const Digest& leaf);
  // Whether exactly the leaves of the tree were appended, and the leaf is one of them.
  [[nodiscard]] bool is_complete() const noexcept { return next_ == size_ && index_ < size_; }
  // From the leaf's sibling up; none as long as the path is not complete.
  [[nodiscard]] std::span<const Digest> hashes() const noexcept { return {hashes_.data(), is_complete() ? count_ : 0}; }

 private:
  struct Range {
    std::uint64_t begin;
    std::uint64_t end;
  };
  // What the path is made of: the subtrees beside the way from the leaf to the root. A tree of up to 2^n leaves is
  // split into trees of up to 2^(n-1) leaves each, so there are at most kMaxMerkleDepth of them.
  std::array<Range, kMaxMerkleDepth> ranges_{};
  std::array<Digest, kMaxMerkleDepth> hashes_{};
  std::size_t count_ = 0;
  std::uint64_t index_;
  std::uint64_t size_;
  std::uint64_t next_ = 0;
  MerkleTree current_;
};

}  // namespace escrowgrid::core
