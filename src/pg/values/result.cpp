#include "pg/values/result.hpp"

namespace escrowgrid::pg {

namespace {

constexpr std::size_t kMostColumns = 32;

struct RowBuffer {
  std::array<Datum, kMostColumns> values{};
  std::array<bool, kMostColumns> nulls{};
};

RowBuffer fill(TupleDesc desc, ResultColumns columns) {
  RowBuffer row;
  if (columns.size() > kMostColumns || static_cast<std::size_t>(desc->natts) != columns.size()) {
    elog(ERROR, "escrowgrid: the function is declared with %d result columns and returns %zu", desc->natts,
         columns.size());
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    row.values[i] = columns[i].value_or(0);
    row.nulls[i] = !columns[i].has_value();
  }
  return row;
}

ReturnSetInfo* result_set(FunctionCallInfo fcinfo) {
  return reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
}

}  // namespace

TupleDesc require_row_type(FunctionCallInfo fcinfo) {
  TupleDesc desc = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &desc) != TYPEFUNC_COMPOSITE) {
    elog(ERROR, "escrowgrid: the function must be declared to return a row");
  }
  return BlessTupleDesc(desc);
}

Datum form_row(TupleDesc desc, ResultColumns columns) {
  RowBuffer row = fill(desc, columns);
  return HeapTupleGetDatum(heap_form_tuple(desc, row.values.data(), row.nulls.data()));
}

Datum keep_for_caller(Datum value) {
  constexpr bool kByValue = false;
  constexpr int kVariableLength = -1;
  return SPI_datumTransfer(value, kByValue, kVariableLength);
}

void put_row(FunctionCallInfo fcinfo, ResultColumns columns) {
  ReturnSetInfo* result = result_set(fcinfo);
  RowBuffer row = fill(result->setDesc, columns);
  tuplestore_putvalues(result->setResult, result->setDesc, row.values.data(), row.nulls.data());
}

void put_composite(FunctionCallInfo fcinfo, Datum composite) {
  ReturnSetInfo* result = result_set(fcinfo);
  HeapTupleHeader header = DatumGetHeapTupleHeader(composite);
  HeapTupleData tuple{};
  tuple.t_len = HeapTupleHeaderGetDatumLength(header);
  tuple.t_data = header;
  tuplestore_puttuple(result->setResult, &tuple);
}

}  // namespace escrowgrid::pg
