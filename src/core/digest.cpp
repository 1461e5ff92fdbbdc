#include "core/digest.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>

namespace escrowgrid::core {

namespace {

// Looking up the algorithm and allocating a context cost more than hashing an event, so both are kept. They need no
// lock, because a backend has one thread.
struct Hasher {
  EVP_MD* algorithm;
  EVP_MD_CTX* context;
};

const Hasher& hasher() {
  static const Hasher kept = {.algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr), .context = EVP_MD_CTX_new()};
  if (kept.algorithm == nullptr || kept.context == nullptr) {
    throw std::runtime_error("the cryptographic library has no SHA-256");
  }
  return kept;
}

template <typename Update>
Digest hash_by(Update update) {
  const Hasher& kept = hasher();
  Digest digest{};
  unsigned int written = 0;
  if (EVP_DigestInit_ex2(kept.context, kept.algorithm, nullptr) != 1 || !update(kept.context) ||
      EVP_DigestFinal_ex(kept.context, digest.data(), &written) != 1 || written != kDigestBytes) {
    throw std::runtime_error("SHA-256 failed in the cryptographic library");
  }
  return digest;
}

bool add(EVP_MD_CTX* context, std::span<const std::uint8_t> bytes) {
  return EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1;
}

}  // namespace

Digest sha256(std::span<const std::uint8_t> bytes) {
  return hash_by([&](EVP_MD_CTX* context) { return add(context, bytes); });
}

Digest sha256_of_parts(std::initializer_list<std::span<const std::uint8_t>> parts) {
  return hash_by([&](EVP_MD_CTX* context) {
    return std::all_of(parts.begin(), parts.end(), [&](auto part) { return add(context, part); });
  });
}

}  // namespace escrowgrid::core
