// Any bytes are measured safely as JSON, and the DETAIL of a refusal stays a complete object.
#include "check.hpp"
#include "core/json_limits.hpp"

using namespace escrowgrid::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const JsonMeasure measure = measure_json(text);
  ESCROWGRID_CHECK(measure.bytes == size && measure.depth <= size && measure.digits <= size);
  Refusal why;
  if (!check_json_object("metadata", text, why)) {
    const std::string_view detail(why.detail());
    ESCROWGRID_CHECK(detail.front() == '{' && detail.back() == '}' && measure_json(detail).depth <= 2);
  } else {
    ESCROWGRID_CHECK(measure.is_object && measure.depth <= kMaxJsonDepth);
  }
  return 0;
}
