#include "pg/store/documents.hpp"

#include "pg/store/utc.hpp"
#include "pg/table/statement.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg::store {

namespace {

Statement institution_document = {
    "SELECT jsonb_build_object('id', i.id, 'name', i.name, 'regions', i.regions, 'verticals', i.verticals,"
    " 'createdAt', " ESCROWGRID_UTC("i.created_at") ", 'updatedAt', " ESCROWGRID_UTC("i.updated_at") ")"
    " FROM escrowgrid.institutions AS i WHERE i.id = $1 AND ($2 IS NULL OR i.id = $2)"};

Statement template_document = {
    "SELECT jsonb_build_object('id', t.id, 'institutionId', t.institution_id, 'code', t.code, 'name', t.name,"
    " 'vertical', t.vertical, 'region', t.region, 'config', t.config,"
    " 'createdAt', " ESCROWGRID_UTC("t.created_at") ", 'updatedAt', " ESCROWGRID_UTC("t.updated_at") ")"
    " FROM escrowgrid.asset_templates AS t WHERE t.id = $1 AND ($2 IS NULL OR t.institution_id = $2)"};

Statement asset_document = {
    "SELECT jsonb_build_object('id', a.id, 'institutionId', a.institution_id, 'templateId', a.template_id,"
    " 'label', a.label, 'metadata', a.metadata,"
    " 'createdAt', " ESCROWGRID_UTC("a.created_at") ", 'updatedAt', " ESCROWGRID_UTC("a.updated_at") ")"
    " FROM escrowgrid.assets AS a WHERE a.id = $1 AND ($2 IS NULL OR a.institution_id = $2)"};

Statement position_document = {
    "SELECT jsonb_build_object('id', p.id, 'institutionId', p.institution_id, 'assetId', p.asset_id,"
    " 'holderReference', p.holder_reference, 'currency', p.currency, 'amount', p.amount, 'state', p.state,"
    " 'externalReference', p.external_reference, 'releasedAmount', p.released_amount,"
    " 'refundedAmount', p.refunded_amount, 'heldAmount',"
    " CASE WHEN p.state IN ('FUNDED', 'PARTIALLY_RELEASED')"
    "  THEN p.amount - p.released_amount - p.refunded_amount ELSE 0 END,"
    " 'expiresAt', " ESCROWGRID_UTC("p.expires_at") ", 'version', p.version,"
    " 'createdAt', " ESCROWGRID_UTC("p.created_at") ", 'updatedAt', " ESCROWGRID_UTC("p.updated_at") ","
    " 'events', (SELECT COALESCE(jsonb_agg(jsonb_build_object('id', e.id, 'positionId', e.position_id,"
    "  'seq', e.seq, 'fromState', e.from_state, 'toState', e.to_state, 'amount', e.amount, 'reason', e.reason,"
    "  'at', " ESCROWGRID_UTC("e.at") ", 'metadata', e.metadata) ORDER BY e.seq), '[]')"
    "  FROM escrowgrid.position_events AS e WHERE e.position_id = p.id))"
    " FROM escrowgrid.positions AS p WHERE p.id = $1 AND ($2 IS NULL OR p.institution_id = $2)"};

Statement institutions_page = {
    "SELECT i FROM escrowgrid.institutions AS i WHERE ($1 IS NULL OR i.id > $1) AND ($3 IS NULL OR i.id = $3) ORDER BY "
    "i.id LIMIT $2"};

Statement templates_page = {
    "SELECT t FROM escrowgrid.asset_templates AS t WHERE ($1 IS NULL OR t.id > $1) AND ($3 IS NULL OR t.institution_id "
    "= $3)"
    " AND ($4 IS NULL OR t.institution_id = $4) ORDER BY t.id LIMIT $2"};

Statement assets_page = {
    "SELECT a FROM escrowgrid.assets AS a WHERE ($1 IS NULL OR a.id > $1) AND ($3 IS NULL OR a.institution_id = $3)"
    " AND ($4 IS NULL OR a.institution_id = $4) AND ($5 IS NULL OR a.template_id = $5) ORDER BY a.id LIMIT $2"};

Statement positions_page = {
    "SELECT p FROM escrowgrid.positions AS p WHERE ($1 IS NULL OR p.id > $1) AND ($3 IS NULL OR p.institution_id = $3)"
    " AND ($4 IS NULL OR p.institution_id = $4) AND ($5 IS NULL OR p.asset_id = $5)"
    " AND ($6 IS NULL OR p.holder_reference = $6) AND ($7 IS NULL OR p.state = $7) ORDER BY p.id LIMIT $2"};

Statement ledger_page = {
    "SELECT l FROM escrowgrid.ledger_events AS l WHERE ($1 IS NULL OR l.id > $1) AND ($3 IS NULL OR l.institution_id = "
    "$3)"
    " AND ($4 IS NULL OR l.institution_id = $4) AND ($5 IS NULL OR l.position_id = $5) ORDER BY l.id LIMIT $2"};

Statement audit_page = {
    "SELECT a FROM escrowgrid.audit_events AS a WHERE ($1 IS NULL OR a.id > $1) AND ($3 IS NULL OR a.institution_id = "
    "$3)"
    " AND ($4 IS NULL OR a.institution_id = $4) AND ($5 IS NULL OR a.action = $5) ORDER BY a.id LIMIT $2"};

void return_rows(FunctionCallInfo fcinfo, Statement& statement, const Bindings& values) {
  const std::uint64_t rows = execute(statement, values, Sight::kCaller);
  for (std::uint64_t i = 0; i < rows; ++i) {
    put_composite(fcinfo, result_composite(i));
  }
}

Bindings page_bindings(const Page& page) {
  Bindings values;
  values.text(page.after_id).integer(page.max_count).text(page.tenant);
  return values;
}

Statement& document_statement(Document document) {
  switch (document) {
    case Document::kInstitution:
      return institution_document;
    case Document::kAssetTemplate:
      return template_document;
    case Document::kAsset:
      return asset_document;
    case Document::kPosition:
      return position_document;
  }
  return position_document;
}

}  // namespace

std::optional<Datum> read_document(Document document, std::string_view id, const TextView& institution_id) {
  Bindings values;
  values.text(id).text(institution_id);
  if (execute(document_statement(document), values, Sight::kCaller) != 1) {
    return std::nullopt;
  }
  return keep_for_caller(result_value(0, 1, JSONBOID).value_or(0));
}

void list_institutions(FunctionCallInfo fcinfo, const Page& page) {
  return_rows(fcinfo, institutions_page, page_bindings(page));
}

void list_asset_templates(FunctionCallInfo fcinfo, const TextView& institution_id, const Page& page) {
  Bindings values = page_bindings(page);
  return_rows(fcinfo, templates_page, values.text(institution_id));
}

void list_assets(FunctionCallInfo fcinfo, const AssetFilter& filter, const Page& page) {
  Bindings values = page_bindings(page);
  return_rows(fcinfo, assets_page, values.text(filter.institution_id).text(filter.template_id));
}

void list_positions(FunctionCallInfo fcinfo, const PositionFilter& filter, const Page& page) {
  Bindings values = page_bindings(page);
  values.text(filter.institution_id).text(filter.asset_id).text(filter.holder_reference).text(filter.state);
  return_rows(fcinfo, positions_page, values);
}

void list_ledger_events(FunctionCallInfo fcinfo, const LedgerFilter& filter, const Page& page) {
  Bindings values = page_bindings(page);
  return_rows(fcinfo, ledger_page, values.text(filter.institution_id).text(filter.position_id));
}

void list_audit_events(FunctionCallInfo fcinfo, const AuditFilter& filter, const Page& page) {
  Bindings values = page_bindings(page);
  return_rows(fcinfo, audit_page, values.text(filter.institution_id).text(filter.action));
}

}  // namespace escrowgrid::pg::store
