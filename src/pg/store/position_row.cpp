#include "pg/store/position_row.hpp"

namespace escrowgrid::pg {

namespace {

// Where a column of ours is. By name, because users may have added columns of their own.
int column_number(TupleDesc desc, const char* name) {
  const int number = SPI_fnumber(desc, name);
  if (number <= 0) {
    elog(ERROR, "escrowgrid: table positions has no column \"%s\"", name);
  }
  return number;
}

std::optional<Datum> column(HeapTuple tuple, TupleDesc desc, const char* name) {
  bool is_null = false;
  const Datum value = heap_getattr(tuple, column_number(desc, name), desc, &is_null);
  return is_null ? std::nullopt : std::optional(value);
}

TextView text_column(HeapTuple tuple, TupleDesc desc, const char* name) {
  const std::optional<Datum> value = column(tuple, desc, name);
  return value ? TextView(text_view(*value)) : std::nullopt;
}

TextView numeric_column(HeapTuple tuple, TupleDesc desc, const char* name) {
  const std::optional<Datum> value = column(tuple, desc, name);
  return value ? TextView(numeric_text(*value)) : std::nullopt;
}

std::optional<core::Micros> time_column(HeapTuple tuple, TupleDesc desc, const char* name) {
  const std::optional<Datum> value = column(tuple, desc, name);
  return value ? std::optional(to_micros(DatumGetTimestampTz(*value))) : std::nullopt;
}

core::Amount require_stored(const TextView& text) {
  const core::ParsedAmount parsed = core::parse_amount(text.value_or(""));
  if (parsed.defect != core::AmountDefect::kNone) {
    ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("an amount of a position is out of range")));
  }
  return parsed.amount;
}

// Collects column values and replaces them in one go.
class Replacement {
 public:
  explicit Replacement(TupleDesc desc) : desc_(desc) {}

  void set(const char* name, std::optional<Datum> value) {
    columns_[count_] = column_number(desc_, name);
    values_[count_] = value.value_or(0);
    nulls_[count_] = !value.has_value();
    ++count_;
  }

  [[nodiscard]] HeapTuple apply(HeapTuple tuple) {
    return heap_modify_tuple_by_cols(tuple, desc_, static_cast<int>(count_), columns_.data(), values_.data(),
                                     nulls_.data());
  }

 private:
  static constexpr std::size_t kMost = 16;
  TupleDesc desc_;
  std::array<int, kMost> columns_{};
  std::array<Datum, kMost> values_{};
  std::array<bool, kMost> nulls_{};
  std::size_t count_ = 0;
};

std::optional<Datum> time_value(const std::optional<core::Micros>& at) {
  return at ? std::optional(TimestampTzGetDatum(to_timestamp(*at))) : std::nullopt;
}

void set_decided(Replacement& out, const core::PositionTerms& terms, const core::Decision& decision) {
  const int decimals = terms.currency.exponent;
  out.set("state", text_datum(core::state_name(decision.to)));
  out.set("released_amount", numeric_datum(decision.released, decimals));
  out.set("refunded_amount", numeric_datum(decision.refunded, decimals));
  out.set("updated_at", time_value(decision.at));
  out.set("due_at", time_value(decision.due_at));
  out.set("version", Int32GetDatum(decision.version));
  out.set("head_hash", bytes_datum(decision.hash));
}

}  // namespace

PositionRow read_position_row(HeapTuple tuple, TupleDesc desc) {
  PositionRow row;
  row.id = text_column(tuple, desc, "id");
  row.institution_id = text_column(tuple, desc, "institution_id");
  row.asset_id = text_column(tuple, desc, "asset_id");
  row.holder_reference = text_column(tuple, desc, "holder_reference");
  row.currency = text_column(tuple, desc, "currency");
  row.amount = numeric_column(tuple, desc, "amount");
  row.state = text_column(tuple, desc, "state");
  row.external_reference = text_column(tuple, desc, "external_reference");
  row.created_at = time_column(tuple, desc, "created_at");
  row.updated_at = time_column(tuple, desc, "updated_at");
  row.released_amount = numeric_column(tuple, desc, "released_amount");
  row.refunded_amount = numeric_column(tuple, desc, "refunded_amount");
  row.expires_at = time_column(tuple, desc, "expires_at");
  row.due_at = time_column(tuple, desc, "due_at");
  if (const std::optional<Datum> version = column(tuple, desc, "version")) {
    row.version = DatumGetInt32(*version);
  }
  if (const std::optional<Datum> head_hash = column(tuple, desc, "head_hash")) {
    row.head_hash = stored_digest(*head_hash);
  }
  return row;
}

core::PositionSnapshot to_snapshot(const PositionRow& row, int currency_exponent) {
  const std::optional<core::State> state = core::parse_state(row.state.value_or(""));
  if (!state || !row.head_hash) {
    ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("a position lacks a known state or its head_hash")));
  }
  core::PositionSnapshot snapshot;
  snapshot.terms = {.id = row.id.value_or(""),
                    .institution_id = row.institution_id.value_or(""),
                    .asset_id = row.asset_id.value_or(""),
                    .holder_reference = row.holder_reference.value_or(""),
                    .currency = {.code = row.currency.value_or(""), .exponent = currency_exponent},
                    .amount = require_stored(row.amount),
                    .external_reference = row.external_reference,
                    .expires_at = row.expires_at};
  snapshot.state = *state;
  snapshot.released = require_stored(row.released_amount);
  snapshot.refunded = require_stored(row.refunded_amount);
  snapshot.version = row.version.value_or(0);
  snapshot.updated_at = row.updated_at.value_or(0);
  snapshot.head_hash = *row.head_hash;
  return snapshot;
}

HeapTuple with_creation(HeapTuple tuple, TupleDesc desc, const core::PositionTerms& terms,
                        const core::Decision& decision) {
  Replacement out(desc);
  out.set("id", text_datum(terms.id));
  out.set("institution_id", text_datum(terms.institution_id));
  out.set("amount", numeric_datum(terms.amount, terms.currency.exponent));
  out.set("created_at", time_value(decision.at));
  set_decided(out, terms, decision);
  return out.apply(tuple);
}

HeapTuple with_transition(HeapTuple tuple, TupleDesc desc, const core::PositionTerms& terms,
                          const core::Decision& decision) {
  Replacement out(desc);
  set_decided(out, terms, decision);
  return out.apply(tuple);
}

HeapTuple with_times_of(HeapTuple tuple, HeapTuple source, TupleDesc desc) {
  Replacement out(desc);
  out.set("updated_at", column(source, desc, "updated_at"));
  out.set("due_at", column(source, desc, "due_at"));
  return out.apply(tuple);
}

bool matches(const core::PositionSnapshot& row, const core::PositionTerms& terms, const core::Decision& decision) {
  const core::PositionTerms& found = row.terms;
  const bool same_terms = found.id == terms.id && found.institution_id == terms.institution_id &&
                          found.asset_id == terms.asset_id && found.holder_reference == terms.holder_reference &&
                          found.currency.code == terms.currency.code && found.amount == terms.amount &&
                          found.external_reference == terms.external_reference && found.expires_at == terms.expires_at;
  return same_terms && row.state == decision.to && row.released == decision.released &&
         row.refunded == decision.refunded && row.version == decision.version && row.updated_at == decision.at &&
         row.head_hash == decision.hash;
}

}  // namespace escrowgrid::pg
