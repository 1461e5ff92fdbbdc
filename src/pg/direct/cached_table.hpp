// The extension's tables reached without SPI: no plan, no catalog lookup by name per call.
//
// Each backend keeps one entry per table. What an entry says about the table never changes: after an invalidation the
// next open builds a new entry, and publishes it when it is complete. Callers that have the table open go on with the
// old one.
#pragma once

#include "pg/values/datum.hpp"

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

struct WritePlan;  // see direct_plan.hpp

struct Kept {
  MemoryContext memory = nullptr;  // everything below lives there
  Oid relation_id = InvalidOid;
  bool is_current = false;       // nothing about the table has changed since
  bool is_whole = true;          // false while expressions are evaluated, and so after an error in one
  bool is_retired = false;       // replaced; freed once nobody has it open
  bool has_key_indexes = false;  // columns and key indexes are where they are expected
  bool is_readable = false;      // and rows may be read without asking who reads
  bool is_lockable = false;      // and locked
  int users = 0;                 // how many have it open
  TupleDesc desc = nullptr;      // a copy, not counted
  std::span<const Oid> index_ids;
  std::array<Oid, 2> key_ids{};  // by Key
  WritePlan* plan = nullptr;     // how rows are written; made when the first one is
};

// An open table; closed before the call ends, by PostgreSQL itself when the call fails.
struct Open {
  Kept* table = nullptr;
  Relation relation = nullptr;

  explicit operator bool() const { return relation != nullptr; }
};

// Opens the table; nothing when it is not there or not readable this way.
[[nodiscard]] Open open(Name name, LOCKMODE mode);
// The same, readable or not; nothing when it is not there.
[[nodiscard]] Open open_any(Name name, LOCKMODE mode);
void close(const Open& open);

// Registers the callbacks by which PostgreSQL tells that a table or a function changed, or that a transaction ended.
void watch_tables();

static_assert(std::is_trivially_destructible_v<Kept> && alignof(Kept) <= MAXIMUM_ALIGNOF);

}  // namespace escrowgrid::pg::direct
