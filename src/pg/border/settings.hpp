// Settings (GUCs): what callers claim about their requests, the permission to drop the extension, and settings for
// tests.
#pragma once

#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

// The value of a setting of text; absent where it is empty.
[[nodiscard]] TextView setting_view(const char* value);

struct RequestClaims {
  TextView method;
  TextView path;
  TextView request_id;
  TextView client_ip;
  TextView traceparent;
};

void define_settings();

// What the caller claims about its request. Claims are copied to records and never trusted. Absent where a setting is
// empty.
[[nodiscard]] RequestClaims request_claims();

// Whether a superuser has set escrowgrid.allow_drop.
[[nodiscard]] bool is_drop_allowed();

// How positions and their records are written; anything but kAuto is for tests.
enum class WritePath : std::uint8_t { kAuto, kOrdinary };
[[nodiscard]] WritePath debug_write_path();
// For tests: whether a transition skips the check for a lock on its row, so that it waits for the lock inside the
// update.
[[nodiscard]] bool skips_probe();

}  // namespace escrowgrid::pg
