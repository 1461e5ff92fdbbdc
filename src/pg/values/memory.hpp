// Objects in PostgreSQL's memory: they belong to the current memory context and are never destroyed one by one.
#pragma once

#include <new>

#include "pg/border/postgres.hpp"

namespace escrowgrid::pg {

// Memory for `count` values. palloc() aligns to MAXIMUM_ALIGNOF, which is less than 128-bit integers need, so a type
// that needs more gets a block that is large enough to be aligned by hand.
template <typename Value>
[[nodiscard]] void* allocate(std::size_t count = 1) {
  static_assert(std::is_trivially_destructible_v<Value>, "a memory context calls no destructor");
  static_assert(alignof(Value) <= 64, "the alignment would waste most of the block");
  const std::size_t bytes = sizeof(Value) * std::max<std::size_t>(count, 1);  // NOLINT: Value may be a pointer
  if constexpr (alignof(Value) <= MAXIMUM_ALIGNOF) {
    return palloc(bytes);
  } else {
    return reinterpret_cast<void*>(TYPEALIGN(alignof(Value), palloc(bytes + alignof(Value))));
  }
}

template <typename Value>
[[nodiscard]] Value* make() {
  return new (allocate<Value>()) Value();
}

// `count` values, each as Value() makes it.
template <typename Value>
[[nodiscard]] std::span<Value> make_array(std::size_t count) {
  auto* values = static_cast<Value*>(allocate<Value>(count));
  for (std::size_t i = 0; i < count; ++i) {
    new (&values[i]) Value();
  }
  return {values, count};
}

[[nodiscard]] inline std::string_view copied(std::string_view text) {
  return {pnstrdup(text.data(), text.size()), text.size()};
}

}  // namespace escrowgrid::pg
