// Settings (GUCs): claims of the caller, copied to records and never trusted, and the one that allows drops.
#pragma once

#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

struct RequestClaims {
  TextView method;
  TextView path;
  TextView request_id;
  TextView client_ip;
  TextView traceparent;
};

void define_settings();

// What the caller claims about its request; absent where a setting is empty.
[[nodiscard]] RequestClaims request_claims();

// Whether a superuser has set escrowgrid.allow_drop.
[[nodiscard]] bool is_drop_allowed();

// How positions and their records are written; anything but kAuto is for tests.
enum class WritePath : std::uint8_t { kAuto, kOrdinary };
[[nodiscard]] WritePath debug_write_path();
// Whether an optimistic update leaves out its look at the row's lock, so that it waits inside the update; for tests.
[[nodiscard]] bool skips_probe();

}  // namespace escrowgrid::pg
