#include "pg/store/api_keys.hpp"

#include "pg/store/audit_events.hpp"
#include "pg/table/find.hpp"
#include "pg/table/spi_write.hpp"
#include "pg/values/json_object.hpp"
#include "pg/values/memory.hpp"
#include "pg/values/random.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg::store {

namespace {

Statement select_address = {
    "SELECT (pg_catalog.inet_client_addr() OPERATOR(pg_catalog.<<=) ANY"
    " (pg_catalog.string_to_array($1, ',')::pg_catalog.inet[])) IS TRUE"};

Statement select_address_in = {
    "SELECT (pg_catalog.inet_client_addr() OPERATOR(pg_catalog.<<=) ANY ($1::pg_catalog.inet[])) IS TRUE"};

Statement revoke_row = {"UPDATE escrowgrid.api_keys AS k SET revoked_at = $2 WHERE k.id OPERATOR(pg_catalog.=) $1"};

Statement expire_row = {
    "UPDATE escrowgrid.api_keys AS k SET expires_at = LEAST(k.expires_at, $2) WHERE k.id OPERATOR(pg_catalog.=) $1"};

#define ESCROWGRID_KEY_ROW                                                             \
  "k.id, k.institution_id, k.label, k.role, k.created_at, k.revoked_at, k.expires_at," \
  " k.allowed_cidrs, k.token_hint"

Statement select_key_row = {"SELECT " ESCROWGRID_KEY_ROW
                            ", NULL::pg_catalog.text FROM escrowgrid.api_keys AS k"
                            " WHERE k.id OPERATOR(pg_catalog.=) $1"};

Statement select_key_rows = {"SELECT " ESCROWGRID_KEY_ROW
                             " FROM escrowgrid.api_keys AS k"
                             " WHERE $1 IS NULL OR k.institution_id OPERATOR(pg_catalog.=) $1 ORDER BY k.id"};

bool is_from(Datum networks) {
  Bindings values;
  values.networks(networks);
  execute(select_address_in, values, Sight::kCaller);
  return DatumGetBool(result_value(0, 1, BOOLOID).value_or(0));
}

// The key of a row; its texts are copied.
ApiKey to_key(const FoundRow& row) {
  const auto stored = row.as<layout::kApiKeys>();
  const std::optional<Datum> networks = stored.find<"allowed_cidrs">();
  return {.id = copied(stored.get<"id">()),
          .institution_id = copied(stored.get<"institution_id">()),
          .role = core::parse_key_role(stored.get<"role">()).value_or(core::Role::kReadOnly),
          .is_revoked = !stored.is_null<"revoked_at">(),
          .expires_at = stored.find<"expires_at">(),
          .is_address_allowed = !networks || is_from(*networks)};
}

std::optional<ApiKey> find_by(WhichKey which, std::string_view value) {
  const View view = begin_view(Sight::kLatest, {&layout::kApiKeys});
  FoundRow row;
  std::optional<ApiKey> key;
  if (row.find(view, layout::kApiKeys, which, {text_datum(value)}, std::nullopt)) {
    key = to_key(row);
    row.close();
  }
  end_view(view);
  return key;
}

// The single row of the last result as the composite `desc`, with `token` as the last column.
Datum form_key_row(TupleDesc desc, std::string_view token) {
  std::array<std::optional<Datum>, 10> columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i] = result_value(0, static_cast<int>(i) + 1, TupleDescAttr(desc, i)->atttypid);
  }
  if (!token.empty()) {
    columns.back() = text_datum(token);
  }
  return keep_for_caller(form_row(desc, columns));
}

}  // namespace

std::optional<ApiKey> find_key(std::string_view id) {
  return find_by(WhichKey::kPrimary, id);
}

std::optional<ApiKey> find_key_by_hash(std::string_view key_hash) {
  return find_by(WhichKey::kSecondary, key_hash);
}

bool is_address_allowed(const TextView& cidrs) {
  if (!cidrs) {
    return true;
  }
  Bindings values;
  values.text(cidrs);
  execute(select_address, values, Sight::kCaller);
  return DatumGetBool(result_value(0, 1, BOOLOID).value_or(0));
}

Datum insert_key(const Origin& origin, const NewApiKey& key, std::string_view token, TupleDesc desc) {
  const core::Micros at = clock_micros();
  const core::TypeIdText id = make_id("ak", at);
  layout::RowColumns<layout::kApiKeys> row;
  row.set<"id">(id.view())
      .set<"institution_id">(key.institution_id)
      .set<"key_hash">(key.key_hash)
      .set<"label">(key.label)
      .set<"role">(key.role)
      .set<"created_at">(at)
      .set<"expires_at">(key.expires_at)
      .set_datum<"allowed_cidrs">(key.allowed_cidrs)
      .set<"token_hint">(TextView(key.token_hint));
  static_cast<void>(insert_outside_moves(layout::kApiKeys, row.values()));
  JsonObject payload;
  payload.text("institutionId", key.institution_id).text("role", key.role).text("label", key.label);
  ApiKey made;
  made.id = id.view();
  made.institution_id = key.institution_id;
  audit_key(origin, made, "API_KEY_CREATED", payload.datum());
  Bindings lookup;
  lookup.text(id.view());
  execute(select_key_row, lookup, Sight::kFresh);
  return form_key_row(desc, token);
}

std::optional<LockedApiKey> lock_key(std::string_view id, const TextView& institution_id) {
  FoundRow row;
  if (!row.find_and_lock(layout::kApiKeys, id, institution_id, LockStrength::kNoKeyUpdate)) {
    return std::nullopt;
  }
  const auto stored = row.as<layout::kApiKeys>();
  const std::optional<Datum> networks = stored.find<"allowed_cidrs">();
  LockedApiKey locked;
  locked.key = to_key(row);
  locked.role = core::role_name(locked.key.role);
  locked.label = copied(stored.get<"label">());
  locked.allowed_cidrs = networks ? std::optional(datumCopy(*networks, false, -1)) : std::nullopt;
  row.close();
  return locked;
}

void revoke_key(std::string_view id, core::Micros at) {
  Bindings values;
  values.text(id).time(at);
  require_one_row(execute(revoke_row, values, Sight::kFresh), layout::kApiKeys);
}

void expire_key(std::string_view id, core::Micros at) {
  Bindings values;
  values.text(id).time(at);
  require_one_row(execute(expire_row, values, Sight::kFresh), layout::kApiKeys);
}

void audit_key(const Origin& origin, const ApiKey& key, std::string_view action, Datum payload) {
  append_audit(origin, {.action = action,
                        .institution_id = key.institution_id,
                        .resource_type = "api_key",
                        .resource_id = key.id,
                        .payload = payload,
                        .status_code = action == "API_KEY_CREATED" ? 201 : 200,
                        .at = clock_micros()});
}

Datum read_key(std::string_view id, TupleDesc desc) {
  Bindings values;
  values.text(id);
  execute(select_key_row, values, Sight::kFresh);
  return form_key_row(desc, {});
}

void list_keys(FunctionCallInfo fcinfo, const TextView& institution_id) {
  Bindings values;
  values.text(institution_id);
  const std::uint64_t rows = execute(select_key_rows, values, Sight::kCaller);
  TupleDesc desc = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo)->setDesc;
  std::array<std::optional<Datum>, 9> columns;
  for (std::uint64_t row = 0; row < rows; ++row) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      columns[i] = result_value(row, static_cast<int>(i) + 1, TupleDescAttr(desc, i)->atttypid);
    }
    put_row(fcinfo, columns);
  }
}

}  // namespace escrowgrid::pg::store
