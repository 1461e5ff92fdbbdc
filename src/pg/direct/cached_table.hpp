// The extension's tables, opened without SPI: no plan and no catalog lookup by name for each call.
//
// Each backend keeps one entry per table. An entry never changes. After an invalidation the next open() builds a new
// entry and publishes it when it is complete. Callers that have the table open keep the old one.
#pragma once

#include "pg/border/postgres.hpp"
#include "pg/layout/layout.hpp"

extern "C" {
#include "nodes/execnodes.h"
}

namespace escrowgrid::pg::direct {

struct WritePlan;  // see write_plan.hpp

// What is known of one table.
struct CachedTable {
  const layout::Table* layout = nullptr;
  MemoryContext memory = nullptr;  // everything below lives there
  Oid relation_id = InvalidOid;
  std::uint64_t number = 0;      // tells entries apart
  bool is_current = false;       // nothing about the table has changed since
  bool is_whole = true;          // false while expressions are evaluated, and so after an error in one
  bool is_retired = false;       // replaced; freed once nobody has it open
  bool has_key_indexes = false;  // columns and key indexes are where they are expected
  bool is_readable = false;      // and rows may be read without asking who reads
  bool is_lockable = false;      // and locked
  int users = 0;                 // how many callers have it open
  TupleDesc desc = nullptr;      // a copy, not counted
  std::span<const Oid> index_ids;
  std::array<Oid, 2> key_ids{};  // the index of each key, by layout::WhichKey; invalid for none
  WritePlan* plan = nullptr;     // how rows are written; made when the first one is
};

// An open table. Close it before the call ends; when the call fails, PostgreSQL closes it.
struct OpenTable {
  CachedTable* cached = nullptr;
  Relation relation = nullptr;

  explicit operator bool() const { return relation != nullptr; }
};

// Opens the table for reading; nothing when it is missing or its rows cannot be read this way.
[[nodiscard]] OpenTable open_readable(const layout::Table& table, LOCKMODE mode);
// Opens the table, whether or not its rows can be read this way; nothing when it is missing.
[[nodiscard]] OpenTable open(const layout::Table& table, LOCKMODE mode);
void close(const OpenTable& table);

// The number of the table's published entry; 0 if there is none or the table has changed since. If a table's rows never
// change, values read from it stay valid as long as this number is the same.
[[nodiscard]] std::uint64_t current_entry(const layout::Table& table);

// Registers the callbacks by which PostgreSQL tells that a table or a function changed, or that a transaction ended.
void watch_tables();

static_assert(std::is_trivially_destructible_v<CachedTable>);

}  // namespace escrowgrid::pg::direct
