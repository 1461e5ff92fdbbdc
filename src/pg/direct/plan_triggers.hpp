// Decides which triggers of a table have to run for the rows that the extension writes, and which of them need SPI.
#pragma once

#include "pg/direct/write_plan.hpp"

namespace escrowgrid::pg::direct {

// The events that the extension's own writing causes on the table.
[[nodiscard]] std::int16_t written_events(const layout::Table& table);

struct TriggerJudgement {
  Verdict verdict;
  TriggerDesc* queued = nullptr;  // null when no trigger has to be queued
};
// Judges a copy of the table's triggers, because any catalog lookup may free the relcache's own. The result points into
// that copy.
[[nodiscard]] TriggerJudgement judge_triggers(const layout::Table& table, Oid relation_id, TriggerDesc* copy,
                                              bool runs_users_expressions);

}  // namespace escrowgrid::pg::direct
