#include "pg/store/event_content.hpp"

namespace escrowgrid::pg::store {

core::EventContent content_of(const layout::RowView<layout::kPositionEvents>& event) {
  core::EventContent content;
  content.reason = event.find<"reason">();
  if (const std::optional<Datum> metadata = event.find<"metadata">()) {
    content.metadata = jsonb_text(*metadata);
  }
  if (const std::optional<BytesView> salt = event.find<"salt">()) {
    content.salt = require_salt(*salt);
  }
  return content;
}

}  // namespace escrowgrid::pg::store
