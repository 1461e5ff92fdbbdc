#include "pg/store/api_keys.hpp"

#include "pg/direct/read_row.hpp"
#include "pg/store/audit_events.hpp"
#include "pg/table/statement.hpp"
#include "pg/values/json_object.hpp"

extern "C" {
#include "utils/portal.h"
}

namespace escrowgrid::pg::store {

namespace {

#define ESCROWGRID_KEY_COLUMNS                                  \
  "k.id, k.institution_id, k.role, k.revoked_at, k.expires_at," \
  " (k.allowed_cidrs IS NULL OR (pg_catalog.inet_client_addr()" \
  "   OPERATOR(pg_catalog.<<=) ANY (k.allowed_cidrs::pg_catalog.inet[])) IS TRUE)"

Statement select_key = {"SELECT " ESCROWGRID_KEY_COLUMNS
                        " FROM escrowgrid.api_keys AS k WHERE k.id OPERATOR(pg_catalog.=) $1"};

Statement select_key_by_hash = {"SELECT " ESCROWGRID_KEY_COLUMNS
                                " FROM escrowgrid.api_keys AS k WHERE k.key_hash OPERATOR(pg_catalog.=) $1"};

Statement select_key_for_update = {"SELECT " ESCROWGRID_KEY_COLUMNS
                                   ", k.label, k.allowed_cidrs FROM escrowgrid.api_keys AS k"
                                   " WHERE k.id OPERATOR(pg_catalog.=) $1"
                                   " AND ($2 IS NULL OR k.institution_id OPERATOR(pg_catalog.=) $2)"
                                   " FOR NO KEY UPDATE OF k"};

Statement select_address = {
    "SELECT (pg_catalog.inet_client_addr() OPERATOR(pg_catalog.<<=) ANY"
    " (pg_catalog.string_to_array($1, ',')::pg_catalog.inet[])) IS TRUE"};

Statement insert_key_row = {
    "INSERT INTO escrowgrid.api_keys (id, institution_id, key_hash, label, role, created_at, expires_at, allowed_cidrs,"
    " token_hint) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"};

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

Key read_key_columns() {
  Key key;
  key.id = text_view(result_value(0, 1).value_or(0));
  key.institution_id = text_view(result_value(0, 2).value_or(0));
  key.role = core::parse_key_role(text_view(result_value(0, 3).value_or(0))).value_or(core::Role::kReadOnly);
  key.is_revoked = result_value(0, 4).has_value();
  if (const std::optional<Datum> expires_at = result_value(0, 5)) {
    key.expires_at = to_micros(DatumGetTimestampTz(*expires_at));
  }
  key.is_address_allowed = DatumGetBool(result_value(0, 6).value_or(0));
  return key;
}

std::string_view copied(std::string_view text) {
  return {pnstrdup(text.data(), text.size()), text.size()};
}

// The same without SPI; not for keys that are bound to networks, whose check SQL does better.
struct DirectAnswer {
  bool is_known = false;  // whether this way could tell
  std::optional<Key> key;
};

DirectAnswer find_directly(direct::Key by, std::string_view value) {
  enum { kId = 1, kInstitutionId = 2, kRole = 5, kRevokedAt = 7, kExpiresAt = 8, kAllowedCidrs = 9 };
  DirectAnswer answer;
  const direct::Open keys = direct::open(direct::Name::kApiKeys, AccessShareLock);
  if (!keys) {
    return answer;
  }
  direct::Row row(keys);
  answer.is_known = true;
  if (direct::find(keys, by, direct::TextKey{.first = value}, direct::latest_snapshot(), row)) {
    answer.is_known = !row.value(kAllowedCidrs);
    answer.key = Key{.id = copied(row.text(kId)),
                     .institution_id = copied(row.text(kInstitutionId)),
                     .role = core::parse_key_role(row.text(kRole)).value_or(core::Role::kReadOnly),
                     .is_revoked = row.value(kRevokedAt).has_value(),
                     .expires_at = row.time(kExpiresAt),
                     .is_address_allowed = true};
    row.clear();
  }
  direct::close(keys);
  return answer;
}

std::optional<Key> find(Statement& statement, direct::Key by, std::string_view value) {
  const DirectAnswer answer = find_directly(by, value);
  if (answer.is_known) {
    return answer.key;
  }
  Bindings values;
  values.text(value);
  if (execute(statement, values, Sight::kLatest) != 1) {
    return std::nullopt;
  }
  return read_key_columns();
}

void write_one(Statement& statement, const Bindings& values) {
  if (execute(statement, values, Sight::kFresh) != 1) {
    ereport(ERROR, (errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION), errmsg("a row was suppressed by a trigger or a rule"),
                    errhint("Remove the trigger or rule on escrowgrid.api_keys that drops it.")));
  }
}

// The one row of the last result as the composite `desc`; the last column is replaced by `token`.
Datum form_key_row(TupleDesc desc, std::string_view token) {
  constexpr int kColumns = 10;
  std::array<Datum, kColumns> columns{};
  std::array<bool, kColumns> nulls{};
  for (int i = 0; i < kColumns; ++i) {
    const std::optional<Datum> value = result_value(0, i + 1);
    columns[static_cast<std::size_t>(i)] = value.value_or(0);
    nulls[static_cast<std::size_t>(i)] = !value.has_value();
  }
  if (!token.empty()) {
    columns.back() = text_datum(token);
    nulls.back() = false;
  }
  const Datum row = HeapTupleGetDatum(heap_form_tuple(desc, columns.data(), nulls.data()));
  return SPI_datumTransfer(row, false, -1);
}

}  // namespace

std::optional<Key> find_key(std::string_view id) {
  return find(select_key, direct::Key::kId, id);
}

std::optional<Key> find_key_by_hash(std::string_view key_hash) {
  return find(select_key_by_hash, direct::Key::kSecond, key_hash);
}

bool is_address_allowed(const TextView& cidrs) {
  if (!cidrs) {
    return true;
  }
  Bindings values;
  values.text(cidrs);
  execute(select_address, values, Sight::kCaller);
  return DatumGetBool(result_value(0, 1).value_or(0));
}

bool has_open_cursor() {
  return !ThereAreNoReadyPortals();  // the one that runs is active, not ready
}

Datum insert_key(const Origin& origin, const NewKey& key, std::string_view token, TupleDesc desc) {
  const core::Micros at = clock_micros();
  const core::TypeIdText id = make_id("ak", at);
  Bindings values;
  values.text(id.view())
      .text(key.institution_id)
      .text(key.key_hash)
      .text(key.label)
      .text(key.role)
      .time(at)
      .time(key.expires_at)
      .cidrs(key.allowed_cidrs)
      .text(key.token_hint);
  write_one(insert_key_row, values);
  JsonObject payload;
  payload.text("institutionId", key.institution_id).text("role", key.role).text("label", key.label);
  Key made;
  made.id = id.view();
  made.institution_id = key.institution_id;
  audit_key(origin, made, "API_KEY_CREATED", payload.datum());
  Bindings lookup;
  lookup.text(id.view());
  execute(select_key_row, lookup, Sight::kFresh);
  return form_key_row(desc, token);
}

std::optional<LockedKey> lock_key(std::string_view id, const TextView& institution_id) {
  Bindings values;
  values.text(id).text(institution_id);
  if (execute(select_key_for_update, values, Sight::kFresh) != 1) {
    return std::nullopt;
  }
  LockedKey locked;
  locked.key = read_key_columns();
  locked.role = core::role_name(locked.key.role);
  locked.label = text_view(result_value(0, 7).value_or(0));
  locked.allowed_cidrs = result_value(0, 8);
  return locked;
}

void revoke_key(std::string_view id, core::Micros at) {
  Bindings values;
  values.text(id).time(at);
  write_one(revoke_row, values);
}

void expire_key(std::string_view id, core::Micros at) {
  Bindings values;
  values.text(id).time(at);
  write_one(expire_row, values);
}

void audit_key(const Origin& origin, const Key& key, std::string_view action, Datum payload) {
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
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  for (std::uint64_t i = 0; i < rows; ++i) {
    tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
  }
}

}  // namespace escrowgrid::pg::store
