#include "core/merkle.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "core/checkpoint.hpp"

namespace escrowgrid::core {
namespace {

// RFC 9162, section 2.1.1, as it is written there.
Digest tree_hash(std::span<const Digest> leaves) {
  if (leaves.empty()) {
    return sha256({});
  }
  if (leaves.size() == 1) {
    return leaves[0];
  }
  const std::size_t k = std::bit_floor(leaves.size() - 1);
  return merkle_node(tree_hash(leaves.first(k)), tree_hash(leaves.subspan(k)));
}

// RFC 9162, section 2.1.3.1.
std::vector<Digest> audit_path(std::size_t m, std::span<const Digest> leaves) {
  if (leaves.size() <= 1) {
    return {};
  }
  const std::size_t k = std::bit_floor(leaves.size() - 1);
  std::vector<Digest> path = m < k ? audit_path(m, leaves.first(k)) : audit_path(m - k, leaves.subspan(k));
  path.push_back(tree_hash(m < k ? leaves.subspan(k) : leaves.first(k)));
  return path;
}

std::vector<Digest> some_leaves(std::size_t count) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) {
    const std::array<std::uint8_t, 2> bytes = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8U)};
    leaves.push_back(merkle_leaf(bytes));
  }
  return leaves;
}

TEST(Merkle, RootsAsInTheRfc) {
  for (std::size_t size = 0; size <= 130; ++size) {
    const std::vector<Digest> leaves = some_leaves(size);
    MerkleTree tree;
    for (const Digest& leaf : leaves) {
      tree.append(leaf);
    }
    EXPECT_EQ(tree.root(), tree_hash(leaves)) << size;
    EXPECT_EQ(tree.size(), size);
  }
}

TEST(Merkle, PathsAsInTheRfc) {
  for (const std::size_t size : {1U, 2U, 3U, 5U, 7U, 8U, 9U, 64U, 65U, 100U}) {
    const std::vector<Digest> leaves = some_leaves(size);
    for (std::size_t index = 0; index < size; ++index) {
      MerklePath path(index, size);
      for (const Digest& leaf : leaves) {
        path.append(leaf);
      }
      const std::vector<Digest> expected = audit_path(index, leaves);
      EXPECT_EQ(std::vector<Digest>(path.hashes().begin(), path.hashes().end()), expected) << index << " of " << size;
    }
  }
}

// Test vectors of Certificate Transparency: the empty tree, and one empty leaf.
TEST(Merkle, KnownAnswers) {
  EXPECT_EQ(hex_text(MerkleTree().root()).view(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_text(merkle_leaf({})).view(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

TEST(Merkle, APathBeyondTheTreeDoesNoHarm) {
  MerklePath path(7, 3);
  for (const Digest& leaf : some_leaves(5)) {
    path.append(leaf);
  }
  EXPECT_LE(path.hashes().size(), kMaxMerkleDepth);
}

TEST(Checkpoint, TextAndHash) {
  Checkpoint checkpoint = {.id = "chk_1", .number = 2, .position_count = 21, .root = {}, .previous = {}, .at = 1};
  checkpoint.root.fill(0xAB);
  EXPECT_EQ(checkpoint_text(checkpoint).view(),
            "escrowgrid checkpoint 1\nid chk_1\nnumber 2\npositions 21\n"
            "root abababababababababababababababababababababababababababababababab\n"
            "previous 0000000000000000000000000000000000000000000000000000000000000000\nat 1\n");
  Checkpoint other = checkpoint;
  other.position_count = 22;
  EXPECT_NE(checkpoint_hash(other), checkpoint_hash(checkpoint));
}

TEST(Checkpoint, LeavesBindIdVersionAndHead) {
  const PositionHeadLeaf leaf = {.position_id = "pos_1", .version = 1, .head_hash = {}};
  PositionHeadLeaf other = leaf;
  other.position_id = "pos_2";
  EXPECT_NE(checkpoint_leaf(other), checkpoint_leaf(leaf));
  other = leaf;
  other.version = 2;
  EXPECT_NE(checkpoint_leaf(other), checkpoint_leaf(leaf));
  other = leaf;
  other.head_hash[31] = 1;
  EXPECT_NE(checkpoint_leaf(other), checkpoint_leaf(leaf));
}

}  // namespace
}  // namespace escrowgrid::core
