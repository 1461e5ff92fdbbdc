// Merkle trees as in RFC 9162, section 2.1. Leaves are appended in order, and the memory that a tree needs does not
// depend on their number. RFC 6962 (Certificate Transparency 1.0) defines the same trees, hashes and audit paths:
// https://www.rfc-editor.org/rfc/rfc6962#section-2.1 and https://www.rfc-editor.org/rfc/rfc9162#section-2.1
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/digest.hpp"

namespace escrowgrid::core {

inline constexpr std::size_t kMaxMerkleDepth = 64;

// The first byte of the input of each hash. It differs between leaves and nodes, so that nobody can pass a node off as
// a leaf.
inline constexpr std::array<std::uint8_t, 1> kMerkleLeafPrefix = {0x00};
inline constexpr std::array<std::uint8_t, 1> kMerkleNodePrefix = {0x01};

// SHA-256(00 || bytes), for bytes of any length, and SHA-256(01 || left || right).
[[nodiscard]] Digest merkle_leaf(std::span<const std::uint8_t> bytes);
[[nodiscard]] Digest merkle_node(const Digest& left, const Digest& right);

class MerkleTree {
 public:
  void append(const Digest& leaf);
  // The root of a tree without leaves is the hash of no bytes.
  [[nodiscard]] Digest root() const;
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

 private:
  // The roots of the full subtrees, the largest first. There is one for each one bit of the size, so there are at most
  // kMaxMerkleDepth.
  std::array<Digest, kMaxMerkleDepth> roots_{};
  std::size_t count_ = 0;
  std::uint64_t size_ = 0;
};

// The audit path of one leaf. Append every leaf of the tree in order; then the path is complete.
class MerklePath {
 public:
  MerklePath(std::uint64_t index, std::uint64_t size) noexcept;
  void append(const Digest& leaf);
  // Whether the tree has the leaf, and exactly as many leaves were appended as the tree has.
  [[nodiscard]] bool is_complete() const noexcept { return next_ == size_ && index_ < size_; }
  // The hashes of the path, beginning with the leaf's sibling. Empty while the path is not complete.
  [[nodiscard]] std::span<const Digest> hashes() const noexcept { return {hashes_.data(), is_complete() ? count_ : 0}; }

 private:
  struct Range {
    std::uint64_t begin;
    std::uint64_t end;
  };
  // The subtrees whose roots are the hashes of the path. A tree of up to 2^n leaves consists of two trees of up to
  // 2^(n-1) leaves, so there are at most kMaxMerkleDepth subtrees on the path.
  std::array<Range, kMaxMerkleDepth> ranges_{};
  std::array<Digest, kMaxMerkleDepth> hashes_{};
  std::size_t count_ = 0;
  std::uint64_t index_;
  std::uint64_t size_;
  std::uint64_t next_ = 0;
  MerkleTree current_;
};

}  // namespace escrowgrid::core
