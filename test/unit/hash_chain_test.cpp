#include "core/hash_chain.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <stdexcept>
#include <string>

namespace escrowgrid::core {
namespace {

std::string hex(const Digest& digest) {
  std::string out;
  for (const std::uint8_t byte : digest) {
    constexpr const char* kDigits = "0123456789abcdef";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

PositionTerms terms() {
  return {.id = "pos_1",
          .institution_id = "inst_1",
          .asset_id = "ast_1",
          .holder_reference = "holder",
          .currency = {.code = "USD", .exponent = 2},
          .amount = parse_amount("100.50").amount,
          .external_reference = std::nullopt,
          .expires_at = 1'800'000'000'000'000};
}

EventContent content() {
  EventContent out;
  out.reason = "funds in";
  out.metadata = R"({"a": 1})";
  out.api_key_id = "ak_1";
  for (std::size_t i = 0; i < out.salt.size(); ++i) {
    out.salt[i] = static_cast<std::uint8_t>(i);
  }
  return out;
}

Digest link_with(const PositionTerms& owner, EventLink link, const EventContent& said) {
  link.api_key_id = said.api_key_id;
  link.content = content_digest(said);
  return link_event(owner, link);
}

TEST(Digest, Sha256OfAbcAndOfNoBytesAreThePublishedValues) {
  const std::array<std::uint8_t, 3> abc = {'a', 'b', 'c'};
  EXPECT_EQ(hex(sha256(abc)), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// Computed by an independent implementation of the documented canonical bytes.
TEST(HashChain, HashesOfThreeEventsAreThoseOfAnIndependentImplementation) {
  EventLink link;
  link.moved = Amount();
  link.at = 1'700'000'000'000'000;
  const Digest first = link_event(terms(), link);
  EXPECT_EQ(hex(first), "4fec1bd1e0efbb8b1461f8470ac5d3985569bc132150804e4308335f298fb60c");

  link = {.previous = first,
          .seq = 2,
          .from = State::kCreated,
          .to = State::kFunded,
          .moved = terms().amount,
          .at = 1'700'000'001'000'000};
  const Digest second = link_with(terms(), link, content());
  EXPECT_EQ(hex(second), "7781e47c86d0191206579fc1c1510af76b2177eb5ea473195ede9d0488522bae");

  link = {.previous = second,
          .seq = 3,
          .from = State::kFunded,
          .to = State::kPartiallyReleased,
          .moved = std::nullopt,
          .at = 1'700'000'002'000'000};
  EXPECT_EQ(hex(link_event(terms(), link)), "2c8fe8df8b72bb7534f8b0b8b203366b21d33242e367974b654a1f4d58dd0b62");
}

TEST(HashChain, ChangingAnyFieldOfAnEventChangesItsHash) {
  EventLink base = {.previous = {},
                    .seq = 2,
                    .from = State::kCreated,
                    .to = State::kFunded,
                    .moved = terms().amount,
                    .at = 1'700'000'001'000'000};
  const Digest original = link_with(terms(), base, content());
  const auto changed = [&](auto change) {
    EventLink link = base;
    EventContent said = content();
    PositionTerms owner = terms();
    change(link, said, owner);
    return link_with(owner, link, said);
  };
  EXPECT_NE(original, changed([](auto& l, auto&, auto&) { l.previous[0] = 1; }));
  EXPECT_NE(original, changed([](auto& l, auto&, auto&) { l.seq = 3; }));
  EXPECT_NE(original, changed([](auto& l, auto&, auto&) { l.from = State::kFunded; }));
  EXPECT_NE(original, changed([](auto& l, auto&, auto&) { l.to = State::kCancelled; }));
  EXPECT_NE(original, changed([](auto& l, auto&, auto&) { l.moved = std::nullopt; }));
  EXPECT_NE(original, changed([](auto& l, auto&, auto&) { l.at += 1; }));
  EXPECT_NE(original, changed([](auto&, auto& c, auto&) { c.reason = "funds out"; }));
  EXPECT_NE(original, changed([](auto&, auto& c, auto&) { c.metadata = std::nullopt; }));
  EXPECT_NE(original, changed([](auto&, auto& c, auto&) { c.api_key_id = std::nullopt; }));
  EXPECT_NE(original, changed([](auto&, auto& c, auto&) { c.salt[15] = 0; }));
  EXPECT_NE(original, changed([](auto&, auto&, auto& t) { t.id = "pos_2"; }));
}

TEST(HashChain, ChangingAnyImmutableColumnOfAPositionChangesTheHashOfItsFirstEvent) {
  const EventLink link;
  const Digest original = link_event(terms(), link);
  const auto changed = [&](auto change) {
    PositionTerms owner = terms();
    change(owner);
    return link_event(owner, link);
  };
  EXPECT_NE(original, changed([](auto& t) { t.institution_id = "inst_2"; }));
  EXPECT_NE(original, changed([](auto& t) { t.asset_id = "ast_2"; }));
  EXPECT_NE(original, changed([](auto& t) { t.holder_reference = "other"; }));
  EXPECT_NE(original, changed([](auto& t) { t.currency.code = "EUR"; }));
  EXPECT_NE(original, changed([](auto& t) { t.amount = parse_amount("100.51").amount; }));
  EXPECT_NE(original, changed([](auto& t) { t.external_reference = ""; }));
  EXPECT_NE(original, changed([](auto& t) { t.expires_at = std::nullopt; }));
}

TEST(HashChain, FieldsOfAnyLengthAreHashedToTheirLastByte) {
  for (const std::size_t length : {1U, 511U, 512U, 513U, 65536U, 1'000'000U}) {
    const std::string one(length, 'x');
    std::string other = one;
    other.back() = 'y';
    PositionTerms owner = terms();
    owner.holder_reference = one;
    const Digest first = link_event(owner, {});
    owner.holder_reference = other;
    EXPECT_NE(link_event(owner, {}), first) << length << " bytes of holder_reference";
    EventContent said = content();
    said.metadata = one;
    const std::optional<Digest> digest = content_digest(said);
    said.metadata = other;
    EXPECT_NE(content_digest(said), digest) << length << " bytes of metadata";
  }
}

// 4 GB of address space without memory. A field of this size must be refused before a byte of it is read.
class Reserved {
 public:
  Reserved() : memory_(mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {}
  Reserved(const Reserved&) = delete;
  Reserved& operator=(const Reserved&) = delete;
  ~Reserved() {
    if (is_there()) {
      munmap(memory_, kBytes);
    }
  }
  [[nodiscard]] bool is_there() const { return memory_ != MAP_FAILED; }
  [[nodiscard]] std::string_view first(std::size_t size) const { return {static_cast<const char*>(memory_), size}; }

 private:
  static constexpr std::size_t kBytes = 0x1'0000'0001;
  void* memory_;
};

TEST(HashChain, AFieldWhoseLengthNeedsMoreThanFourBytesOrLooksLikeNullIsRefused) {
  const Reserved region;
  if (!region.is_there()) {
    GTEST_SKIP() << "4 GB of address space cannot be reserved here";
  }
  for (const std::size_t size : {std::size_t{0xFFFF'FFFF}, std::size_t{0x1'0000'0000}, std::size_t{0x1'0000'0001}}) {
    CanonicalBytes out;
    EXPECT_THROW(out.text(region.first(size)), std::length_error) << size << " bytes";
  }
}

TEST(HashChain, MovingBytesFromOneFieldToTheNextChangesTheHash) {
  PositionTerms left = terms();
  left.institution_id = "inst_1a";
  left.asset_id = "st_1";
  PositionTerms right = terms();
  right.institution_id = "inst_1";
  right.asset_id = "ast_1";
  EXPECT_NE(link_event(left, {}), link_event(right, {}));
}

}  // namespace
}  // namespace escrowgrid::core
