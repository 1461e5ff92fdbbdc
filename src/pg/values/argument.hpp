// The arguments of a SQL function by index, from 0; absent for NULL.
#pragma once

#include "core/refusal.hpp"
#include "pg/values/datum.hpp"

namespace escrowgrid::pg {

[[nodiscard]] inline bool has_argument(FunctionCallInfo fcinfo, int index) {
  return index < PG_NARGS() && !PG_ARGISNULL(index);
}
[[nodiscard]] TextView text_argument(FunctionCallInfo fcinfo, int index);
[[nodiscard]] TextView numeric_argument(FunctionCallInfo fcinfo, int index);
// Reads a jsonb argument as text. Refuses it when one of its numbers would be too long as text: 1e131071 has 131072
// digits.
[[nodiscard]] bool read_jsonb_argument(FunctionCallInfo fcinfo, int index, std::string_view name, TextView& out,
                                       core::Refusal& why);
// The same, raising the refusal.
[[nodiscard]] TextView jsonb_argument(FunctionCallInfo fcinfo, int index, std::string_view name);
[[nodiscard]] std::optional<std::int32_t> int_argument(FunctionCallInfo fcinfo, int index);
[[nodiscard]] std::optional<core::Micros> time_argument(FunctionCallInfo fcinfo, int index);
// Elements as array_elements() gives them; none for NULL.
[[nodiscard]] std::span<const TextView> array_argument(FunctionCallInfo fcinfo, int index, Oid element_type);

}  // namespace escrowgrid::pg
