// How rows of a table are written: directly, or by SPI and why. For direct writing, also what is kept from call to
// call.
//
// A prepared expression is kept only if PostgreSQL reports everything that can make it stale. That holds for
// expressions that use built-in functions only. All others are prepared by each call, as the executor prepares them for
// each statement.
#pragma once

#include "pg/direct/cached_table.hpp"

extern "C" {
#include "utils/reltrigger.h"
}

namespace escrowgrid::pg::direct {

// Why a table has to be written by SPI.
enum class Obstacle : std::uint8_t {
  kNone,
  kNotAPlainTable,
  kColumns,
  kKeyIndex,
  kUnreadable,
  kChildren,
  kRule,
  kRowSecurity,
  kPrivileges,
  kBeforeTrigger,
  kStatementTrigger,
  kTransitionTable,
};

struct Verdict {
  Obstacle obstacle = Obstacle::kNone;
  const char* object = nullptr;  // the trigger, where it is one
};

// A CHECK constraint. `kept` is its prepared expression, or null if each call has to prepare it from `text`.
struct Check {
  ExprState* kept = nullptr;
  const char* text = nullptr;
};

struct Checks {
  std::span<const Check> all;      // in the order of the constraints' names, in which PostgreSQL evaluates them
  std::size_t other_count = 0;     // how many are not kept
  ExprContext* context = nullptr;  // for the kept ones
};

struct WritePlan {
  Verdict verdict;
  TriggerDesc* triggers = nullptr;  // the triggers to be queued; null for none
  RangeTblEntry* entry = nullptr;   // the rights that writing needs, and the columns that an update sets
  Checks checks;
  std::span<IndexInfo*> index_infos;    // by CachedTable::index_ids; empty when a call has to make its own
  bool runs_users_code = false;         // a trigger, constraint, default, generated column or index expression
  std::span<const int> filled_columns;  // users' columns whose value comes from a default or a domain
};

// The plan of an open table, made at the first use and kept with its entry.
[[nodiscard]] const WritePlan& plan_of(const OpenTable& table);

// The reason in words, for escrow_write_paths().
[[nodiscard]] const char* describe(const Verdict& verdict);

static_assert(std::is_trivially_destructible_v<WritePlan>);

}  // namespace escrowgrid::pg::direct
