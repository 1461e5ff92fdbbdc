// The extension's tables reached without SPI: no plan, no catalog lookup by name per call. What a table is made of
// is resolved once per backend and again whenever PostgreSQL says that it changed.
//
// Only the ordinary way (SPI) serves everything that can be put on a table. Users' triggers, rules, generated columns,
// columns with defaults, foreign keys of their own, indexes other than btrees: a table that has one of these is not
// open to this way, and the store takes the other.
#pragma once

#include "pg/datum.hpp"

extern "C" {
#include "nodes/execnodes.h"
}

namespace escrowgrid::pg::direct {

enum class Name : std::uint8_t {
  kPositions,
  kPositionEvents,
  kLedgerEvents,
  kAuditEvents,
  kAssets,
  kAssetTemplates,
  kPolicies,
  kApiKeys,
};
inline constexpr std::size_t kTables = 8;

// The indexes that rows are found by: each is unique and complete.
enum class Key : std::uint8_t { kId, kSecond };

inline constexpr int kMostColumns = 32;
inline constexpr int kMostIndexes = 12;

struct Table {
  Oid relation_id = InvalidOid;
  bool is_current = false;   // resolved, and nothing changed since
  bool is_readable = false;  // columns and indexes are where they are expected
  bool has_btrees_only = true;
  bool is_writable = false;  // and nothing is on it that only the ordinary way serves
  MemoryContext memory = nullptr;
  TupleDesc desc = nullptr;  // a copy, not counted
  EState* estate = nullptr;
  ResultRelInfo* result = nullptr;
  int index_count = 0;
  std::array<Oid, kMostIndexes> index_ids{};
  std::array<Oid, 2> key_ids{};  // by Key
};

// An open table; closed before the call ends, by PostgreSQL itself when the call fails.
struct Open {
  Table* table = nullptr;
  Relation relation = nullptr;

  explicit operator bool() const { return relation != nullptr; }
};

// Opens the table; nothing when it is not readable this way.
[[nodiscard]] Open open(Name name, LOCKMODE mode);
void close(const Open& open);

// Registers the callback by which PostgreSQL tells that a table changed.
void watch_tables();

static_assert(std::is_trivially_destructible_v<Table>);

}  // namespace escrowgrid::pg::direct
