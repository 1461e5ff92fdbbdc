// A text that is parsed as a TypeID is printed as the same text, and a printed id is parsed to the same id.
#include <cstring>

#include "check.hpp"
#include "core/type_id.hpp"

using namespace escrowgrid::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const std::optional<TypeId> id = parse_type_id(text)) {
    ESCROWGRID_CHECK(format_type_id(id->prefix, id->uuid).view() == text);
  }
  if (size >= sizeof(Uuid)) {
    Uuid uuid{};
    std::memcpy(uuid.data(), data, uuid.size());
    const std::string_view prefix = text.substr(uuid.size());
    const TypeIdText printed = format_type_id(prefix, uuid);
    ESCROWGRID_CHECK(printed.empty() != is_valid_type_id_prefix(prefix));
    if (!printed.empty()) {
      const std::optional<TypeId> back = parse_type_id(printed.view());
      ESCROWGRID_CHECK(back && back->prefix == prefix && back->uuid == uuid);
    }
  }
  return 0;
}
