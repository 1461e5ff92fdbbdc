#include "core/digest.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace escrowgrid::core {

Digest sha256(std::span<const std::uint8_t> bytes) {
  Digest digest{};
  unsigned int written = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &written, EVP_sha256(), nullptr) != 1 ||
      written != kDigestBytes) {
    throw std::runtime_error("SHA-256 failed in the cryptographic library");
  }
  return digest;
}

}  // namespace escrowgrid::core
