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
  store::DueCursor cursor;        // after the last position that was found
  std::span<const TextView> ids;  // the positions of the portion; the cursor finds them if there are none
  std::int32_t expired = 0;
  std::span<Unexpired> refused;
  std::size_t refused_count = 0;
  MemoryContext memory = nullptr;     // outlives the subtransaction; for `refused`
  MemoryContext id_memory = nullptr;  // outlives the portion; for `ids`
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

// Locks the positions of the portion and notes their ids.
std::span<const store::DuePosition> lock_portion(Portion& portion) {
  if (!portion.ids.empty()) {
    return store::lock_due_positions(portion.now, portion.ids);
  }
  const std::span<const store::DuePosition> due =
      store::lock_due_positions(portion.now, portion.caller->institution_id, portion.cursor, portion.max_count);
  MemoryContext outer = MemoryContextSwitchTo(portion.id_memory);
  const std::span<TextView> ids = make_array<TextView>(due.size());
  for (std::size_t i = 0; i < due.size(); ++i) {
    ids[i] = copied(due[i].id);
  }
  portion.ids = ids;
  MemoryContextSwitchTo(outer);
  if (!due.empty()) {
    portion.cursor = store::cursor_of(due.back());
  }
  return due;
}

void expire_positions(Portion& portion, std::span<const store::DuePosition> due) {
  MemoryContext inner = MemoryContextSwitchTo(portion.memory);
  portion.refused = make_array<Unexpired>(due.size());
  MemoryContextSwitchTo(inner);
  store::Origin origin = store::origin_of(*portion.caller, "escrow_expire_due");
  origin.tells_refusals = true;
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
}

void expire_portion(Portion& portion) {
  open_inner_session();
  const std::span<const store::DuePosition> due = lock_portion(portion);
  if (!due.empty()) {
    expire_positions(portion, due);
  }
  close_inner_session();
}

// Expires a portion. Returns the error that ended it, whose writes are then rolled back; null on success.
ErrorData* try_portion(Portion& portion) {
  portion.expired = 0;
  portion.refused_count = 0;
  return run_in_subtransaction([](void* argument) { expire_portion(*static_cast<Portion*>(argument)); }, &portion);
}

}  // namespace

std::int32_t expire_due_positions(const Caller& caller, std::int32_t max_count) {
  MemoryContext outer = CurrentMemoryContext;
  Portion portion;
  portion.caller = &caller;
  portion.now = clock_micros();
  portion.memory = AllocSetContextCreate(outer, "escrowgrid expiry", ALLOCSET_DEFAULT_SIZES);
  portion.id_memory = AllocSetContextCreate(outer, "escrowgrid expiry ids", ALLOCSET_DEFAULT_SIZES);
  MemoryContextSwitchTo(portion.memory);
  std::int32_t expired = 0;
  std::int32_t failed = 0;
  // A portion that fails is halved until the position that fails is alone; after a success the size doubles again. So
  // one bad position costs a few subtransactions, and not one for each position of its portion.
  std::span<const TextView> left;  // of the portion that the cursor has found
  std::size_t size = kMostAtOnce;
  while (expired < max_count && failed < kMostFailures) {
    CHECK_FOR_INTERRUPTS();
    MemoryContextReset(portion.memory);
    portion.max_count = std::min(kMostAtOnce, max_count - expired);
    portion.ids = left.first(std::min(size, left.size()));
    if (left.empty()) {
      MemoryContextReset(portion.id_memory);
      size = kMostAtOnce;
    }
    ErrorData* error = try_portion(portion);
    if (portion.ids.empty()) {
      if (error != nullptr) {
        ReThrowError(error);  // raised before any position was found
      }
      break;
    }
    if (left.empty()) {
      left = portion.ids;
    }
    if (error != nullptr && portion.ids.size() > 1) {
      size = portion.ids.size() / 2;
      continue;
    }
    if (error != nullptr) {
      warn({.id = *portion.ids.front(), .detail = error->message, .hint = error->hint});
      ++failed;
    } else {
      expired += portion.expired;
      failed += static_cast<std::int32_t>(portion.refused_count);
      size = std::min<std::size_t>(2 * size, kMostAtOnce);
      for (const Unexpired& position : portion.refused.first(portion.refused_count)) {
        warn(position);
      }
    }
    left = left.subspan(portion.ids.size());
  }
  MemoryContextSwitchTo(outer);
  MemoryContextDelete(portion.memory);
  MemoryContextDelete(portion.id_memory);
  return expired;
}

}  // namespace escrowgrid::pg
