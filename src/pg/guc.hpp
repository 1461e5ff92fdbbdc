// Settings (GUCs). All of these are claims of the caller: copied to records, never trusted.
#pragma once

#include "pg/datum.hpp"

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

}  // namespace escrowgrid::pg
