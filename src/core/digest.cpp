#include "core/digest.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace escrowgrid::core {

namespace {

// Looking the algorithm up and allocating a context cost more than hashing an event does, so both are
// kept. There is one thread.
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

}  // namespace

Digest sha256(std::span<const std::uint8_t> bytes) {
  const Hasher& kept = hasher();
  Digest digest{};
  unsigned int written = 0;
  if (EVP_DigestInit_ex2(kept.context, kept.algorithm, nullptr) != 1 ||
      EVP_DigestUpdate(kept.context, bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(kept.context, digest.data(), &written) != 1 || written != kDigestBytes) {
    throw std::runtime_error("SHA-256 failed in the cryptographic library");
  }
  return digest;
}

}  // namespace escrowgrid::core
