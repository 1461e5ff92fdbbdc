#include "pg/own_write.hpp"

#include "core/digest.hpp"

namespace escrowgrid::pg {

namespace {

constexpr std::size_t kMaxKeyBytes = 100;
constexpr std::size_t kMaxDepth = 64;  // writes nest only through users' own triggers

struct Note {
  Table table;
  SubTransactionId subtransaction;
  std::size_t key_size;
  std::array<char, kMaxKeyBytes> key;
};

std::array<Note, kMaxDepth> notes;
std::size_t depth = 0;

// Lives in TopTransactionContext, and so must be forgotten when the transaction ends.
HTAB* raw_creations = nullptr;

using HashKey = std::array<char, core::kDigestBytes>;

HashKey hash_key(std::string_view head_hash) {
  HashKey key{};
  std::copy_n(head_hash.begin(), std::min(head_hash.size(), key.size()), key.begin());
  return key;
}

}  // namespace

extern "C" {

static void at_transaction_end(XactEvent event, void* /*arg*/) {
  switch (event) {
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_PARALLEL_COMMIT:
    case XACT_EVENT_ABORT:
    case XACT_EVENT_PARALLEL_ABORT:
    case XACT_EVENT_PREPARE:
      depth = 0;
      raw_creations = nullptr;
      break;
    case XACT_EVENT_PRE_COMMIT:
    case XACT_EVENT_PARALLEL_PRE_COMMIT:
    case XACT_EVENT_PRE_PREPARE:
      break;
  }
}

static void at_subtransaction_end(SubXactEvent event, SubTransactionId subtransaction, SubTransactionId /*parent*/,
                                  void* /*arg*/) {
  if (event != SUBXACT_EVENT_ABORT_SUB) {
    return;
  }
  // Subtransaction ids grow, and inner ones are newer than the one that aborts around them.
  while (depth > 0 && notes[depth - 1].subtransaction >= subtransaction) {
    --depth;
  }
}

}  // extern "C"

void begin_own_write(Table table, std::string_view key) {
  if (depth == kMaxDepth || key.size() > kMaxKeyBytes) {
    ereport(ERROR, (errcode(ERRCODE_STATEMENT_TOO_COMPLEX), errmsg("escrowgrid writes are nested too deeply"),
                    errhint("A trigger on an escrowgrid table calls escrowgrid functions recursively.")));
  }
  Note& note = notes[depth];
  note.table = table;
  note.subtransaction = GetCurrentSubTransactionId();
  note.key_size = key.size();
  std::copy(key.begin(), key.end(), note.key.begin());
  ++depth;
}

void end_own_write() {
  Assert(depth > 0);
  --depth;
}

bool is_own_write(Table table, std::string_view key) {
  if (depth == 0) {
    return false;
  }
  const Note& note = notes[depth - 1];
  return note.table == table && std::string_view(note.key.data(), note.key_size) == key;
}

void note_raw_creation(std::string_view head_hash) {
  if (raw_creations == nullptr) {
    HASHCTL control{};
    control.keysize = core::kDigestBytes;
    control.entrysize = core::kDigestBytes;
    control.hcxt = TopTransactionContext;
    raw_creations = hash_create("escrowgrid raw creations", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
  }
  const HashKey key = hash_key(head_hash);
  hash_search(raw_creations, key.data(), HASH_ENTER, nullptr);
}

bool take_raw_creation(std::string_view head_hash) {
  if (raw_creations == nullptr) {
    return false;
  }
  bool found = false;
  const HashKey key = hash_key(head_hash);
  hash_search(raw_creations, key.data(), HASH_REMOVE, &found);
  return found;
}

void watch_transactions() {
  RegisterXactCallback(at_transaction_end, nullptr);
  RegisterSubXactCallback(at_subtransaction_end, nullptr);
}

}  // namespace escrowgrid::pg
