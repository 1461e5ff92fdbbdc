// Records as JSON documents, and lists of records page by page. The functions that come here are declared with a fixed
// search_path, so that SQL text may use plain operators.
#pragma once

#include "pg/border/postgres.hpp"

namespace escrowgrid::pg::store {

enum class Document : std::uint8_t { kInstitution, kAssetTemplate, kAsset, kPosition };

// These read as the tables' owner, so row-level security does not apply and they filter by tenant themselves.
// `institution_id` is the caller's institution, absent for root. They run inside an open session.

// The record as the JSON document that callers know (camelCase), or absent.
[[nodiscard]] std::optional<Datum> read_document(Document document, std::string_view id,
                                                 const TextView& institution_id);

inline constexpr std::int32_t kMaxPage = 1000;

// A page of rows in id order, after `after_id`. A filter that is absent lets all rows through.
struct Page {
  TextView tenant;  // the caller's institution; absent for root
  TextView after_id;
  std::int32_t max_count = 0;
};

struct PositionFilter {
  TextView institution_id;
  TextView asset_id;
  TextView holder_reference;
  TextView state;
};

void list_institutions(FunctionCallInfo fcinfo, const Page& page);
void list_asset_templates(FunctionCallInfo fcinfo, const TextView& institution_id, const Page& page);
struct AssetFilter {
  TextView institution_id;
  TextView template_id;
};
void list_assets(FunctionCallInfo fcinfo, const AssetFilter& filter, const Page& page);
void list_positions(FunctionCallInfo fcinfo, const PositionFilter& filter, const Page& page);
struct LedgerFilter {
  TextView institution_id;
  TextView position_id;
};
void list_ledger_events(FunctionCallInfo fcinfo, const LedgerFilter& filter, const Page& page);
struct AuditFilter {
  TextView institution_id;
  TextView action;
};
void list_audit_events(FunctionCallInfo fcinfo, const AuditFilter& filter, const Page& page);

}  // namespace escrowgrid::pg::store
