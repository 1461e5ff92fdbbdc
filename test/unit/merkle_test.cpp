#include "core/merkle.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/checkpoint.hpp"
#include "core/parameters.hpp"

namespace escrowgrid::core {
namespace {

// The prefixes that RFC 6962 and RFC 9162 give in section 2.1.
static_assert(kMerkleLeafPrefix == std::array<std::uint8_t, 1>{0x00});
static_assert(kMerkleNodePrefix == std::array<std::uint8_t, 1>{0x01});

// The hash of a tree as RFC 9162, section 2.1.1, defines it.
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

// The audit path of leaf m as RFC 9162, section 2.1.3.1, defines it.
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

TEST(Merkle, RootsOfTreesOfUpTo130LeavesAreThoseOfTheDefinitionInRfc9162) {
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

TEST(Merkle, AuditPathsOfEveryLeafAreThoseOfTheDefinitionInRfc9162) {
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

// Test vectors of Certificate Transparency for the empty tree and for an empty leaf.
TEST(Merkle, TheRootOfTheEmptyTreeAndTheHashOfAnEmptyLeafAreThePublishedValues) {
  EXPECT_EQ(hex_text(MerkleTree().root()).view(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_text(merkle_leaf({})).view(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

TEST(MerklePath, APathHasNoHashesUntilExactlyTheLeavesOfItsTreeWereAppended) {
  MerklePath path(2, 5);
  for (const Digest& leaf : some_leaves(5)) {
    EXPECT_FALSE(path.is_complete());
    EXPECT_TRUE(path.hashes().empty());
    path.append(leaf);
  }
  EXPECT_TRUE(path.is_complete());
  EXPECT_EQ(path.hashes().size(), 3U);
  path.append(some_leaves(1)[0]);
  EXPECT_FALSE(path.is_complete());
  EXPECT_TRUE(path.hashes().empty());
}

TEST(MerklePath, APathOfALeafThatTheTreeDoesNotHaveIsNeverComplete) {
  MerklePath path(5, 5);
  for (const Digest& leaf : some_leaves(5)) {
    path.append(leaf);
  }
  EXPECT_FALSE(path.is_complete());
  EXPECT_TRUE(path.hashes().empty());
}

TEST(MerklePath, ThePathsOfTheLargestTreesStayWithinTheirBounds) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t size : {kMost, kMost - 1, (kMost >> 1U) + 2, (kMost >> 1U) + 1, kMost >> 1U}) {
    for (const std::uint64_t index : {std::uint64_t{0}, size / 2, size - 2, size - 1, size, kMost}) {
      MerklePath path(index, size);
      for (const Digest& leaf : some_leaves(3)) {
        path.append(leaf);
      }
      EXPECT_FALSE(path.is_complete());
    }
  }
}

std::vector<std::uint8_t> leaf_of_length(std::size_t length) {
  std::vector<std::uint8_t> bytes(length);
  for (std::size_t i = 0; i < length; ++i) {
    bytes[i] = static_cast<std::uint8_t>((i * 31 + 7) % 251);
  }
  return bytes;
}

TEST(MerkleLeaf, TwoLeavesThatDifferOnlyInTheirLastByteHaveDifferentHashesAtEveryLength) {
  for (const std::size_t length : {1U, 2U, 64U, 511U, 512U, 513U, 514U, 1024U, 4096U, 100'000U}) {
    const std::vector<std::uint8_t> one = leaf_of_length(length);
    std::vector<std::uint8_t> other = one;
    other.back() ^= 1U;
    EXPECT_NE(merkle_leaf(one), merkle_leaf(other)) << length << " bytes";
  }
}

TEST(MerkleLeaf, ALeafAndItsOwnPrefixHaveDifferentHashesAtEveryLength) {
  for (const std::size_t length : {1U, 64U, 512U, 513U, 514U, 100'000U}) {
    const std::vector<std::uint8_t> whole = leaf_of_length(length);
    EXPECT_NE(merkle_leaf(whole), merkle_leaf(std::span(whole).first(length - 1))) << length << " bytes";
  }
}

// Computed with Python's hashlib: hashlib.sha256(b'\0' + bytes((i * 31 + 7) % 251 for i in range(length))).
TEST(MerkleLeaf, TheHashOfALeafIsSha256OfAZeroByteAndTheWholeLeafAsPythonComputesIt) {
  const std::vector<std::pair<std::size_t, std::string_view>> answers = {
      {0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
      {1, "2ecd8a6b7d2845546659ad4cf443533cf921b19dc81fa83934e83821b4dfdcb7"},
      {54, "5bc9d8f83dba28c65f4c361593eb21695fac47a52177be83447d3ac67483dadc"},
      {55, "dc23095bad0a0453313cd1387c832805602962880970898dcbbda79ed42a41c4"},
      {56, "b17e59e23bd455fa339d4f25cd41c0d5f50d17a167b55529cc60cae503bd9e1d"},
      {63, "0e270823077986d0190b773f112e7a724c3ed37a8f98d4d53a5d19fc72b207ab"},
      {64, "fdf5faf727eefa9edad4069318bb58becf98112b3098a06f8ff3a8ca136c80d0"},
      {65, "8aebffd8b4f7ff259aabbe688bb346d9cad0865e447d119053e7f72ab8623ece"},
      {511, "ac494224d5692ec59c80a5c943b036c05fe0c0b45945a21216aa0276443ad45f"},
      {512, "09f8b3bb52db71f0a5c408ba5527f272b32b248ddacff2ef6b0115e4573782eb"},
      {513, "8485a8535bd994e0e2490e46bead07abb5e57ba2b3550836db8445ecf29bdaf5"},
      {514, "013410926e64e7a2aa6566aa8927c9c2be16d654b8b605887fd9a96082957d90"},
      {65536, "1927b3f193f9109e85932dcc745851f45b669763820d1736cf160ac47dd8b560"},
      {100'000, "d53c9f1fccdbb8731f0514c798674474536f3739f7d877fed632761bfb9a0668"},
  };
  for (const auto& [length, answer] : answers) {
    EXPECT_EQ(hex_text(merkle_leaf(leaf_of_length(length))).view(), answer) << length << " bytes";
  }
}

TEST(MerkleLeaf, TheHashOfALeafIsTheHashOfOneBufferWithTheZeroByteInFrontForAllLengthsUpTo1100) {
  for (std::size_t length = 0; length <= 1100; ++length) {
    const std::vector<std::uint8_t> leaf = leaf_of_length(length);
    std::vector<std::uint8_t> joined = {0};
    joined.insert(joined.end(), leaf.begin(), leaf.end());
    EXPECT_EQ(merkle_leaf(leaf), sha256(joined)) << length << " bytes";
  }
}

// The leaves and roots that implementations of Certificate Transparency (RFC 6962) test with.
TEST(Merkle, TheRootsOfTheEightCertificateTransparencyTestLeavesAreThePublishedOnes) {
  const std::vector<std::vector<std::uint8_t>> leaves = {
      {},
      {0x00},
      {0x10},
      {0x20, 0x21},
      {0x30, 0x31},
      {0x40, 0x41, 0x42, 0x43},
      {0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57},
      {0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f},
  };
  const std::vector<std::string_view> roots = {
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  };
  MerkleTree tree;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    tree.append(merkle_leaf(leaves[i]));
    EXPECT_EQ(hex_text(tree.root()).view(), roots[i]) << i + 1 << " leaves";
  }
}

TEST(Merkle, APathOfALeafBeyondTheEndOfTheTreeStaysWithinItsBounds) {
  MerklePath path(7, 3);
  for (const Digest& leaf : some_leaves(5)) {
    path.append(leaf);
  }
  EXPECT_LE(path.hashes().size(), kMaxMerkleDepth);
}

TEST(Checkpoint, TheTextIsTheDocumentedOneAndItsHashDependsOnThePositionCount) {
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

TEST(Checkpoint, TheHashIsSha256OfTheTextForIdsOfUpTo100Bytes) {
  for (const std::size_t length : {0U, 1U, 30U, 99U, 100U}) {
    const std::string id(length, 'i');
    const Checkpoint checkpoint = {.id = id, .number = 2, .position_count = 21, .root = {}, .previous = {}, .at = 1};
    EXPECT_EQ(checkpoint_hash(checkpoint), sha256(text_bytes(checkpoint_text(checkpoint).view()))) << length;
  }
}

TEST(Checkpoint, TheTextHasRoomForTheLongestIdWithTheLongestNumbers) {
  const std::string id(kMaxIdBytes, 'i');
  const std::int64_t least = std::numeric_limits<std::int64_t>::min();
  const Checkpoint checkpoint = {
      .id = id, .number = least, .position_count = least, .root = {}, .previous = {}, .at = least};
  const CheckpointText text = checkpoint_text(checkpoint);
  EXPECT_NE(text.view().find("\nid " + id + "\nnumber -9223372036854775808\n"), std::string_view::npos);
  EXPECT_TRUE(text.view().ends_with("\nat -9223372036854775808\n"));
}

TEST(Checkpoint, TwoIdsOf5000BytesThatDifferInTheLastByteGiveDifferentHashes) {
  const std::string one(5000, 'i');
  std::string other = one;
  other.back() = 'j';
  const Checkpoint checkpoint = {.id = one, .number = 1, .position_count = 1, .root = {}, .previous = {}, .at = 1};
  Checkpoint changed = checkpoint;
  changed.id = other;
  EXPECT_NE(checkpoint_hash(changed), checkpoint_hash(checkpoint));
}

TEST(Checkpoint, TheTextOfACheckpointWhoseIdDoesNotFitIsRefusedAndNotCut) {
  const std::string id(5000, 'i');
  EXPECT_THROW(static_cast<void>(checkpoint_text({.id = id})), std::length_error);
}

TEST(Checkpoint, LeavesOfPositionIdsThatDifferOnlyAfterByte512HaveDifferentHashes) {
  const std::string one(600, 'p');
  std::string other = one;
  other.back() = 'q';
  EXPECT_NE(checkpoint_leaf({.position_id = one}), checkpoint_leaf({.position_id = other}));
}

TEST(Checkpoint, ChangingIdVersionOrHeadOfAPositionChangesItsLeaf) {
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
