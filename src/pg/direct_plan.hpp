// How rows of a table are written: directly, or by the ordinary way and why; and what direct writing can keep from
// call to call.
//
// Only what cannot go stale unnoticed is kept: constraints and index expressions made of built-in functions alone.
// Everything else is prepared by each call, as the executor prepares it for each statement.
#pragma once

#include "pg/direct_table.hpp"

extern "C" {
#include "utils/reltrigger.h"
}

namespace escrowgrid::pg::direct {

// What only the ordinary way serves.
enum class Obstacle : std::uint8_t {
  kNone,
  kNotAPlainTable,
  kColumns,
  kKeyIndex,
  kChildren,
  kRule,
  kForcedRowSecurity,
  kPrivileges,
  kBeforeTrigger,
  kStatementTrigger,
  kTransitionTable,
};

struct Verdict {
  Obstacle obstacle = Obstacle::kNone;
  const char* object = nullptr;  // the trigger or rule
};

// The CHECK constraints: those that stay prepared, with the context they are evaluated in, and the text of the others.
struct Checks {
  std::span<ExprState*> kept;
  ExprContext* context = nullptr;
  std::span<const char*> others;
};

struct WritePlan {
  Verdict verdict;
  TriggerDesc* triggers = nullptr;  // the triggers to be queued; null for none
  RangeTblEntry* entry = nullptr;   // the rights that writing needs, and the columns that an update sets
  Checks checks;
  std::span<IndexInfo*> index_infos;    // by Kept::index_ids; empty when a call has to make its own
  std::span<const int> filled_columns;  // users' columns whose value comes from a default or a domain
};

// The plan of an open table, made at the first use and kept with its entry.
[[nodiscard]] const WritePlan& plan_of(Name name, const Open& open);

// The reason in words, for escrow_write_paths().
[[nodiscard]] const char* describe(const Verdict& verdict);

static_assert(std::is_trivially_destructible_v<WritePlan>);

}  // namespace escrowgrid::pg::direct
