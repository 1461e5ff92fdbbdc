#include "pg/service/expiry.hpp"

#include "pg/border/subtransaction.hpp"
#include "pg/service/moves.hpp"
#include "pg/store/positions.hpp"

namespace escrowgrid::pg {

namespace {

constexpr std::int32_t kPortion = 1000;
constexpr std::int32_t kRecordsAtOnce = 100;

// A portion of the sweep. It is written in a subtransaction, which may be rolled back; what is noted here stays.
struct Portion {
  const Caller* caller = nullptr;
  core::Micros now = 0;
  std::int32_t max_count = 0;
  store::DueCursor cursor;  // the last position of the portion before, and then of this one
  std::int32_t found = 0;
  std::int32_t expired = 0;
};

void warn(std::string_view id, const char* detail, const char* hint) {
  ereport(WARNING, (errmsg("position \"%.*s\" was not expired", static_cast<int>(id.size()), id.data()),
                    errdetail_internal("%s", detail), hint == nullptr ? 0 : errhint("%s", hint)));
}

void expire_portion(Portion& portion) {
  store::Origin origin = store::origin_of(*portion.caller, "escrow_expire_due");
  origin.tells_refusals = true;
  const std::span<const store::DuePosition> due =
      store::lock_due_positions(portion.now, portion.caller->institution_id, portion.cursor, portion.max_count);
  portion.found = static_cast<std::int32_t>(due.size());
  if (due.empty()) {
    return;
  }
  portion.cursor = store::cursor_of(due.back());
  origin.writes = &begin_writes(origin.path);
  collect_records(*origin.writes, kRecordsAtOnce);
  core::TransitionRequest request;
  request.to = core::State::kExpired;
  for (const store::DuePosition& position : due) {
    request.content = event_content(*portion.caller, "expires_at has passed", std::nullopt);
    core::Refusal why;
    if (!move(origin, position.id, request, why)) {
      warn(position.id, why.detail(), why.hint());
      continue;
    }
    if (++portion.expired % kRecordsAtOnce == 0) {
      write_records(*origin.writes);
    }
  }
  write_records(*origin.writes);
  finish_writes(*origin.writes);
}

// Expires the next positions behind the cursor and moves the cursor. If an error ends the portion, nothing of it is
// written and the error is returned.
ErrorData* try_portion(Portion& portion) {
  portion.found = 0;
  portion.expired = 0;
  return run_in_subtransaction([](void* argument) { expire_portion(*static_cast<Portion*>(argument)); }, &portion);
}

}  // namespace

std::int32_t expire_due_positions(const Caller& caller, std::int32_t max_count) {
  MemoryContext outer = CurrentMemoryContext;
  MemoryContext memory = AllocSetContextCreate(outer, "escrowgrid expiry", ALLOCSET_DEFAULT_SIZES);
  MemoryContextSwitchTo(memory);
  Portion portion = {.caller = &caller, .now = clock_micros(), .max_count = 0, .cursor = {}};
  std::int32_t expired = 0;
  std::int32_t one_by_one = 0;  // how many positions are still to be tried alone, after their portion failed
  while (expired < max_count) {
    CHECK_FOR_INTERRUPTS();
    const store::DueCursor begin = portion.cursor;
    portion.max_count = one_by_one > 0 ? 1 : std::min(kPortion, max_count - expired);
    ErrorData* error = try_portion(portion);
    if (portion.found == 0) {
      if (error != nullptr) {
        ReThrowError(error);  // raised before any position was found
      }
      break;
    }
    if (error != nullptr && portion.max_count > 1) {
      one_by_one = portion.found;
      portion.cursor = begin;
    } else {
      if (error != nullptr) {
        warn(portion.cursor.id.view(), error->message, error->hint);
      } else {
        expired += portion.expired;
      }
      one_by_one = std::max(one_by_one - 1, 0);
    }
    MemoryContextReset(memory);
  }
  MemoryContextSwitchTo(outer);
  MemoryContextDelete(memory);
  return expired;
}

}  // namespace escrowgrid::pg
