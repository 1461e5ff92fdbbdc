#include "pg/service/expiry.hpp"

#include "pg/border/subtransaction.hpp"
#include "pg/service/moves.hpp"
#include "pg/store/positions.hpp"
#include "pg/table/session.hpp"
#include "pg/table/writes.hpp"
#include "pg/values/memory.hpp"

namespace escrowgrid::pg {

namespace {

constexpr std::int32_t kMostAtOnce = 1000;
constexpr std::int32_t kRecordsAtOnce = 100;
constexpr std::int32_t kMostFailures = 1000;

// A position that was not expired, and why.
struct Unexpired {
  std::string_view id;
  const char* detail = nullptr;
  const char* hint = nullptr;
};

// What one subtransaction of the sweep works on. A rollback does not reset these members.
struct Portion {
  const Caller* caller = nullptr;
  core::Micros now = 0;
  std::int32_t max_count = 0;
  store::DueCursor cursor;  // the last position of the portion before, and then of this one
  std::int32_t found = 0;
  std::int32_t expired = 0;
  std::span<Unexpired> refused;
  std::size_t refused_count = 0;
  MemoryContext memory = nullptr;  // outlives the subtransaction; for `refused`
};

void warn(const Unexpired& position) {
  const auto length = static_cast<int>(position.id.size());
  ereport(WARNING,
          (errmsg("position \"%.*s\" was not expired", length, position.id.data()),
           errdetail_internal("%s", position.detail), position.hint == nullptr ? 0 : errhint("%s", position.hint)));
}

void note_refusal(Portion& portion, std::string_view id, const core::Refusal& why) {
  MemoryContext outer = MemoryContextSwitchTo(portion.memory);
  portion.refused[portion.refused_count++] = {
      .id = copied(id), .detail = pstrdup(why.detail()), .hint = pstrdup(why.hint())};
  MemoryContextSwitchTo(outer);
}

void expire_portion(Portion& portion) {
  open_inner_session();
  store::Origin origin = store::origin_of(*portion.caller, "escrow_expire_due");
  origin.tells_refusals = true;
  const std::span<const store::DuePosition> due =
      store::lock_due_positions(portion.now, portion.caller->institution_id, portion.cursor, portion.max_count);
  portion.found = static_cast<std::int32_t>(due.size());
  if (due.empty()) {
    close_inner_session();
    return;
  }
  portion.cursor = store::cursor_of(due.back());
  MemoryContext inner = MemoryContextSwitchTo(portion.memory);
  portion.refused = make_array<Unexpired>(due.size());
  MemoryContextSwitchTo(inner);
  origin.writes = begin_writes(origin.path);
  collect_records(*origin.writes, kRecordsAtOnce);
  core::TransitionRequest request;
  request.to = core::State::kExpired;
  for (const store::DuePosition& position : due) {
    request.content = event_content(*portion.caller, "expires_at has passed", std::nullopt);
    core::Refusal why;
    if (!move(origin, position.id, request, why)) {
      note_refusal(portion, position.id, why);
    } else if (++portion.expired % kRecordsAtOnce == 0) {
      write_records(*origin.writes);
    }
  }
  write_records(*origin.writes);
  finish_writes(origin.writes);
  close_inner_session();
}

// Expires the next positions behind the cursor and moves the cursor. Returns the error that ended the portion, whose
// writes are then rolled back; null on success.
ErrorData* try_portion(Portion& portion) {
  portion.found = 0;
  portion.expired = 0;
  portion.refused_count = 0;
  return run_in_subtransaction([](void* argument) { expire_portion(*static_cast<Portion*>(argument)); }, &portion);
}

}  // namespace

std::int32_t expire_due_positions(const Caller& caller, std::int32_t max_count) {
  MemoryContext outer = CurrentMemoryContext;
  MemoryContext memory = AllocSetContextCreate(outer, "escrowgrid expiry", ALLOCSET_DEFAULT_SIZES);
  MemoryContextSwitchTo(memory);
  Portion portion;
  portion.caller = &caller;
  portion.now = clock_micros();
  portion.memory = memory;
  std::int32_t expired = 0;
  std::int32_t failed = 0;
  // A portion that fails is halved until the position that fails is alone; after a success the size doubles again. So
  // one bad position costs a few subtransactions, and not one for each position of its portion.
  std::int32_t size = kMostAtOnce;
  while (expired < max_count && failed < kMostFailures) {
    CHECK_FOR_INTERRUPTS();
    const store::DueCursor begin = portion.cursor;
    portion.max_count = std::min(size, max_count - expired);
    ErrorData* error = try_portion(portion);
    if (portion.found == 0) {
      if (error != nullptr) {
        ReThrowError(error);  // raised before any position was found
      }
      break;
    }
    if (error != nullptr && portion.found > 1) {
      portion.cursor = begin;
      size = portion.found / 2;
      MemoryContextReset(memory);
      continue;
    }
    if (error != nullptr) {
      warn({.id = portion.cursor.id.view(), .detail = error->message, .hint = error->hint});
    } else {
      expired += portion.expired;
      size = std::min(2 * size, kMostAtOnce);
    }
    for (const Unexpired& position : portion.refused.first(error == nullptr ? portion.refused_count : 0)) {
      warn(position);
    }
    failed += error == nullptr ? static_cast<std::int32_t>(portion.refused_count) : 1;
    MemoryContextReset(memory);
  }
  MemoryContextSwitchTo(outer);
  MemoryContextDelete(memory);
  return expired;
}

}  // namespace escrowgrid::pg
