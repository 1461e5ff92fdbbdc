#include "core/parameters.hpp"
#include "pg/border/report.hpp"
#include "pg/store/audit_events.hpp"
#include "pg/store/session.hpp"
#include "pg/table/statement.hpp"
#include "pg/values/json_object.hpp"

namespace escrowgrid::pg::store {

namespace {

Statement select_currency = {
    "SELECT c.exponent, c.builtin FROM escrowgrid.currencies AS c WHERE c.code OPERATOR(pg_catalog.=) $1"};

// Built-in codes cannot change, so only others need the lock; locking USD would cost every creation a multixact.
Statement lock_currency = {
    "SELECT c.exponent FROM escrowgrid.currencies AS c WHERE c.code OPERATOR(pg_catalog.=) $1 FOR SHARE OF c"};

Statement select_currency_use = {
    "SELECT 1 FROM escrowgrid.positions AS p WHERE p.currency OPERATOR(pg_catalog.=) $1 LIMIT 1"};

Statement select_institution = {
    "SELECT i.regions, i.verticals FROM escrowgrid.institutions AS i WHERE i.id OPERATOR(pg_catalog.=) $1"};

Statement select_template = {
    "SELECT t.institution_id FROM escrowgrid.asset_templates AS t WHERE t.id OPERATOR(pg_catalog.=) $1"};

Statement select_asset = {"SELECT a.institution_id FROM escrowgrid.assets AS a WHERE a.id OPERATOR(pg_catalog.=) $1"};

Statement select_asset_for_share = {
    "SELECT a.institution_id FROM escrowgrid.assets AS a WHERE a.id OPERATOR(pg_catalog.=) $1"
    " AND ($2 IS NULL OR a.institution_id OPERATOR(pg_catalog.=) $2) FOR KEY SHARE OF a"};

Statement insert_institution_row = {
    "INSERT INTO escrowgrid.institutions AS i (id, name, regions, verticals, created_at, updated_at)"
    " VALUES ($1, $2, $3, $4, $5, $5) RETURNING i"};

Statement insert_template_row = {
    "INSERT INTO escrowgrid.asset_templates AS t (id, institution_id, code, name, vertical, region, config, created_at,"
    " updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING t"};

Statement insert_asset_row = {
    "INSERT INTO escrowgrid.assets AS a (id, institution_id, template_id, label, metadata, created_at, updated_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING a"};

struct Currency {
  std::optional<int> exponent;
  bool is_builtin = false;
};

// Built-in currencies never change, so a backend looks each up once.
struct KnownCurrency {
  core::FixedText<core::kMaxCodeBytes> code;
  int exponent = 0;
};
constexpr std::size_t kMostKnown = 64;
std::array<KnownCurrency, kMostKnown> known_currencies;
std::size_t known_count = 0;

Currency read_currency(std::string_view code) {
  for (const KnownCurrency& known : std::span(known_currencies).first(known_count)) {
    if (known.code.view() == code) {
      return {.exponent = known.exponent, .is_builtin = true};
    }
  }
  Bindings values;
  values.text(code);
  if (execute(select_currency, values, Sight::kFresh) != 1) {
    return {};
  }
  const Currency found = {.exponent = DatumGetInt16(result_value(0, 1).value_or(0)),
                          .is_builtin = DatumGetBool(result_value(0, 2).value_or(0))};
  if (found.is_builtin && known_count < kMostKnown) {
    KnownCurrency& known = known_currencies[known_count];
    known.code.clear();
    if (known.code.append(code)) {
      known.exponent = *found.exponent;
      ++known_count;
    }
  }
  return found;
}

TextView find_owner(Statement& statement, std::string_view id, const TextView& institution_id) {
  Bindings values;
  values.text(id);
  if (execute(statement, values, Sight::kFresh) != 1) {
    return std::nullopt;
  }
  const std::string_view owner = text_view(result_value(0, 1).value_or(0));
  return !institution_id || *institution_id == owner ? TextView(owner) : std::nullopt;
}

Datum insert_returning(Statement& statement, const Bindings& values) {
  if (execute(statement, values, Sight::kFresh) != 1) {
    ereport(ERROR, (errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION), errmsg("a row was suppressed by a trigger or a rule"),
                    errhint("Remove the trigger or rule on the escrowgrid tables that drops it.")));
  }
  return SPI_datumTransfer(result_value(0, 1).value_or(0), false, -1);
}

// Templates and assets leave a ledger row of the audit row's kind and payload beside it.
void record_made(const Origin& origin, const AuditEntry& entry) {
  append_ledger(origin, {.kind = entry.action,
                         .institution_id = entry.institution_id.value_or(std::string_view()),
                         .position_id = std::nullopt,
                         .previous_state = std::nullopt,
                         .new_state = std::nullopt,
                         .payload = entry.payload.value_or(0),
                         .at = entry.at});
  append_audit(origin, entry);
}

}  // namespace

std::optional<int> find_currency(std::string_view code) {
  const Currency currency = read_currency(code);
  if (!currency.exponent || currency.is_builtin) {
    return currency.exponent;
  }
  Bindings values;
  values.text(code);
  if (execute(lock_currency, values, Sight::kFresh) != 1) {
    return std::nullopt;
  }
  return DatumGetInt16(result_value(0, 1).value_or(0));
}

std::optional<int> find_currency_unlocked(std::string_view code) {
  return read_currency(code).exponent;
}

int require_exponent(const core::PositionTerms& terms) {
  const std::optional<int> exponent = find_currency_unlocked(terms.currency.code);
  if (!exponent) {
    core::Refusal why;
    why.begin(core::Condition::kIntegrityViolation)
        .message({"the currency of position \"", terms.id, "\" is unknown"})
        .hint({"Add the code to escrowgrid.currencies again, with the exponent it had."})
        .with("position_id", terms.id)
        .with("currency", terms.currency.code);
    raise(why);
  }
  return *exponent;
}

bool is_currency_used(std::string_view code) {
  Bindings values;
  values.text(code);
  return execute(select_currency_use, values, Sight::kLatest, 1) > 0;
}

std::optional<Institution> find_institution(std::string_view id) {
  Bindings values;
  values.text(id);
  if (execute(select_institution, values, Sight::kFresh) != 1) {
    return std::nullopt;
  }
  return Institution{.regions = array_elements(result_value(0, 1).value_or(0), TEXTOID),
                     .verticals = array_elements(result_value(0, 2).value_or(0), TEXTOID)};
}

TextView find_template_institution(std::string_view id, const TextView& institution_id) {
  return find_owner(select_template, id, institution_id);
}

TextView find_asset_institution(std::string_view id, const TextView& institution_id) {
  return find_owner(select_asset, id, institution_id);
}

TextView lock_asset_institution(std::string_view id, const TextView& institution_id) {
  Bindings values;
  values.text(id).text(institution_id);
  if (execute(select_asset_for_share, values, Sight::kFresh) != 1) {
    return std::nullopt;
  }
  return text_view(result_value(0, 1).value_or(0));
}

Datum insert_institution(const Origin& origin, const NewInstitution& institution) {
  const core::Micros at = clock_micros();
  const core::TypeIdText id = make_id("inst", at);
  Bindings values;
  values.text(id.view())
      .text(institution.name)
      .text_array(institution.regions)
      .text_array(institution.verticals)
      .time(at);
  const Datum row = insert_returning(insert_institution_row, values);
  JsonObject payload;
  payload.text("name", institution.name)
      .texts("regions", institution.regions)
      .texts("verticals", institution.verticals);
  append_audit(origin, {.action = "INSTITUTION_CREATED",
                        .institution_id = id.view(),
                        .resource_type = "institution",
                        .resource_id = id.view(),
                        .payload = payload.datum(),
                        .status_code = 201,
                        .at = at});
  return row;
}

Datum insert_template(const Origin& origin, const NewTemplate& asset_template) {
  const core::Micros at = clock_micros();
  const core::TypeIdText id = make_id("tmpl", at);
  Bindings values;
  values.text(id.view())
      .text(asset_template.institution_id)
      .text(asset_template.code)
      .text(asset_template.name)
      .text(asset_template.vertical)
      .text(asset_template.region)
      .json(asset_template.config)
      .time(at);
  const Datum row = insert_returning(insert_template_row, values);
  JsonObject payload;
  payload.text("templateId", id.view())
      .text("code", asset_template.code)
      .text("name", asset_template.name)
      .text("vertical", asset_template.vertical)
      .text("region", asset_template.region)
      .json("config", asset_template.config);
  record_made(origin, {.action = "TEMPLATE_CREATED",
                       .institution_id = asset_template.institution_id,
                       .resource_type = "asset_template",
                       .resource_id = id.view(),
                       .payload = payload.datum(),
                       .status_code = 201,
                       .at = at});
  return row;
}

Datum insert_asset(const Origin& origin, const NewAsset& asset) {
  const core::Micros at = clock_micros();
  const core::TypeIdText id = make_id("ast", at);
  Bindings values;
  values.text(id.view())
      .text(asset.institution_id)
      .text(asset.template_id)
      .text(asset.label)
      .json(asset.metadata)
      .time(at);
  const Datum row = insert_returning(insert_asset_row, values);
  JsonObject payload;
  payload.text("assetId", id.view())
      .text("templateId", asset.template_id)
      .text("label", asset.label)
      .json("metadata", asset.metadata);
  record_made(origin, {.action = "ASSET_CREATED",
                       .institution_id = asset.institution_id,
                       .resource_type = "asset",
                       .resource_id = id.view(),
                       .payload = payload.datum(),
                       .status_code = 201,
                       .at = at});
  return row;
}

}  // namespace escrowgrid::pg::store
