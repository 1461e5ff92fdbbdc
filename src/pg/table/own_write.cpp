#include "pg/table/own_write.hpp"

#include "core/digest.hpp"

namespace escrowgrid::pg {

namespace {

constexpr std::size_t kMaxKeyBytes = 100 + core::kDigestBytes;
constexpr std::size_t kMaxDepth = 64;  // writes nest only through users' own triggers

// An id, followed by the head hash for positions. All hashes have the same length, so no two keys are confused.
struct NoteKey {
  std::array<char, kMaxKeyBytes> bytes{};
  std::size_t size = 0;
  friend bool operator==(const NoteKey& a, const NoteKey& b) {
    return std::string_view(a.bytes.data(), a.size) == std::string_view(b.bytes.data(), b.size);
  }
};

struct Note {
  OwnWrite kind{};
  layout::TableId table{};
  SubTransactionId subtransaction = InvalidSubTransactionId;
  NoteKey key;
  bool is_taken = false;
};

// Returns nothing if the two are longer than any key of the extension's.
std::optional<NoteKey> make_key(std::string_view id, BytesView head_hash) {
  NoteKey key;
  if (id.size() + head_hash.size() > key.bytes.size()) {
    return std::nullopt;
  }
  std::copy(id.begin(), id.end(), key.bytes.begin());
  std::copy(head_hash.begin(), head_hash.end(), key.bytes.begin() + id.size());
  key.size = id.size() + head_hash.size();
  return key;
}

std::array<Note, kMaxDepth> notes;
std::size_t depth = 0;

// Head hashes that are noted for a position's AFTER trigger. The table lives in TopTransactionContext, so the pointer
// is cleared when the transaction ends.
HTAB* noted_heads = nullptr;

enum class HeadOf : char { kRawCreation, kOwnUpdate };

using HashKey = std::array<char, 1 + core::kDigestBytes>;

HashKey hash_key(HeadOf kind, BytesView head_hash) {
  HashKey key{};
  key[0] = static_cast<char>(kind);
  std::copy_n(head_hash.begin(), std::min<std::size_t>(head_hash.size(), core::kDigestBytes), key.begin() + 1);
  return key;
}

void note_head(HeadOf kind, BytesView head_hash) {
  if (noted_heads == nullptr) {
    HASHCTL control{};
    control.keysize = sizeof(HashKey);
    control.entrysize = sizeof(HashKey);
    control.hcxt = TopTransactionContext;
    noted_heads = hash_create("escrowgrid noted heads", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
  }
  const HashKey key = hash_key(kind, head_hash);
  hash_search(noted_heads, key.data(), HASH_ENTER, nullptr);
}

bool take_head(HeadOf kind, BytesView head_hash) {
  bool found = false;
  if (noted_heads != nullptr) {
    const HashKey key = hash_key(kind, head_hash);
    hash_search(noted_heads, key.data(), HASH_REMOVE, &found);
  }
  return found;
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
      noted_heads = nullptr;
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
  // A nested subtransaction has a greater id than the one that aborts around it.
  while (depth > 0 && notes[depth - 1].subtransaction >= subtransaction) {
    --depth;
  }
}

}  // extern "C"

void begin_own_write(OwnWrite kind, const layout::Table& table, std::string_view id, BytesView head_hash) {
  const std::optional<NoteKey> key = make_key(id, head_hash);
  if (depth == kMaxDepth || !key) {
    ereport(ERROR, (errcode(ERRCODE_STATEMENT_TOO_COMPLEX), errmsg("escrowgrid writes are nested too deeply"),
                    errhint("Remove the trigger on an escrowgrid table that calls escrowgrid functions recursively.")));
  }
  notes[depth] = {
      .kind = kind, .table = table.id, .subtransaction = GetCurrentSubTransactionId(), .key = *key, .is_taken = false};
  ++depth;
}

void end_own_write() {
  if (depth == 0) {
    elog(ERROR, "escrowgrid: a write ends that has not begun");
  }
  --depth;
}

bool take_own_write(OwnWrite kind, const layout::Table& table, std::string_view id, BytesView head_hash) {
  const std::optional<NoteKey> key = make_key(id, head_hash);
  if (depth == 0 || !key) {
    return false;
  }
  Note& note = notes[depth - 1];
  const bool is_ours = note.kind == kind && note.table == table.id && !note.is_taken && note.key == *key;
  note.is_taken = note.is_taken || is_ours;
  return is_ours;
}

bool is_purging(std::string_view institution_id) {
  const std::optional<NoteKey> key = make_key(institution_id, {});
  return depth > 0 && key && notes[depth - 1].kind == OwnWrite::kPurge && notes[depth - 1].key == *key;
}

void note_raw_creation(BytesView head_hash) {
  note_head(HeadOf::kRawCreation, head_hash);
}

bool take_raw_creation(BytesView head_hash) {
  return take_head(HeadOf::kRawCreation, head_hash);
}

void note_own_update(BytesView head_hash) {
  note_head(HeadOf::kOwnUpdate, head_hash);
}

bool take_own_update(BytesView head_hash) {
  return take_head(HeadOf::kOwnUpdate, head_hash);
}

void watch_transactions() {
  RegisterXactCallback(at_transaction_end, nullptr);
  RegisterSubXactCallback(at_subtransaction_end, nullptr);
}

}  // namespace escrowgrid::pg
