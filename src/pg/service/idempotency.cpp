#include "pg/service/idempotency.hpp"

#include "core/parameters.hpp"

namespace escrowgrid::pg {

Claim claim(const store::IdempotencyKey& key, const core::Digest& fingerprint, core::Refusal& why) {
  if (!core::require_text({.parameter = "idempotency_key", .max_bytes = core::kMaxReferenceBytes}, key.key, why)) {
    return Claim::kRefused;
  }
  if (store::insert_claim(key, fingerprint)) {
    return Claim::kMade;
  }
  if (store::read_claim(key) == fingerprint) {
    return Claim::kReplay;
  }
  why.begin(core::Condition::kIdempotencyMismatch)
      .message({"the idempotency key \"", core::echo(key.key).view(), "\" belongs to another request"})
      .hint({"Use a new key for each request, and the same key only to repeat it unchanged."})
      .with("idempotency_key", key.key);
  return Claim::kRefused;
}

}  // namespace escrowgrid::pg
