// Verification and checkpoints.
#include "pg/store/verification.hpp"
#include "core/parameters.hpp"
#include "pg/border/boundary.hpp"
#include "pg/border/report.hpp"
#include "pg/service/authentication.hpp"
#include "pg/service/institution_check.hpp"
#include "pg/store/checkpoints.hpp"
#include "pg/table/session.hpp"
#include "pg/values/argument.hpp"
#include "pg/values/memory.hpp"
#include "pg/values/result.hpp"

namespace escrowgrid::pg {

namespace {

Datum verify(FunctionCallInfo fcinfo) {
  InitMaterializedSRF(fcinfo, 0);
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kRead, "escrow_verify");
  const TextView named = text_argument(fcinfo, 0);
  if (named) {
    static_cast<void>(require_institution(caller, named));
  }
  store::verify(fcinfo, named ? named : caller.institution_id);
  close_session(session);
  return 0;
}

Datum checkpoint(FunctionCallInfo /*fcinfo*/) {
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kAdminister, "escrow_checkpoint");
  const Datum row = store::insert_checkpoint(caller.db_role);
  close_session(session);
  return row;
}

store::StoredCheckpoint require_checkpoint(const TextView& id) {
  const std::optional<store::StoredCheckpoint> found = store::find_checkpoint(id, Sight::kCaller);
  if (!found) {
    raise_not_found("checkpoint", id.value_or("last"));
  }
  return *found;
}

Datum checkpoint_export(FunctionCallInfo fcinfo) {
  const Session session = open_session();
  static_cast<void>(require_caller(session.owner, core::Right::kRead, "escrow_checkpoint_export"));
  const store::StoredCheckpoint found = require_checkpoint(text_argument(fcinfo, 0));
  const core::CheckpointText text = core::checkpoint_text(found.facts);
  const Datum result = keep_for_caller(text_datum(text.view()));
  close_session(session);
  return result;
}

void require_root_hash(const store::StoredCheckpoint& checkpoint, const store::Inclusion& found) {
  if (found.is_complete && found.root == checkpoint.facts.root) {
    return;
  }
  core::Refusal why;
  why.begin(core::Condition::kIntegrityViolation)
      .hint({"Run escrow_verify(). The heads or the checkpoint have been changed outside of the extension."})
      .with("checkpoint_id", checkpoint.facts.id);
  if (found.root != checkpoint.facts.root) {
    why.message({"the stored heads do not give the root of checkpoint \"", checkpoint.facts.id, "\""})
        .with("expected", core::hex_text(checkpoint.facts.root).view())
        .with("found", core::hex_text(found.root).view());
  } else {
    why.message({"checkpoint \"", checkpoint.facts.id, "\" has another number of heads than its position_count"})
        .with_number("position_count", checkpoint.facts.position_count);
  }
  raise(why);
}

Datum path_datum(std::span<const core::Digest> path) {
  const std::span<Datum> elements = make_array<Datum>(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    elements[i] = bytes_datum(path[i]);
  }
  return PointerGetDatum(
      construct_array(elements.data(), static_cast<int>(path.size()), BYTEAOID, -1, false, TYPALIGN_INT));
}

Datum inclusion_proof(FunctionCallInfo fcinfo) {
  TupleDesc desc = require_row_type(fcinfo);
  const Session session = open_session();
  const Caller caller = require_caller(session.owner, core::Right::kRead, "escrow_inclusion_proof");
  const TextView position_id = text_argument(fcinfo, 0);
  const TextView checkpoint_id = text_argument(fcinfo, 1);
  core::Refusal why;
  if (!core::require_text({.parameter = "position_id", .max_bytes = core::kMaxIdBytes}, position_id, why) ||
      !core::require_text({.parameter = "checkpoint_id", .max_bytes = core::kMaxIdBytes}, checkpoint_id, why)) {
    raise(why);
  }
  const store::StoredCheckpoint checkpoint = require_checkpoint(checkpoint_id);
  const std::optional<store::Inclusion> found =
      store::find_inclusion(*position_id, caller.institution_id, checkpoint.facts);
  if (!found) {
    raise_not_found("position", *position_id);
  }
  require_root_hash(checkpoint, *found);
  const std::array<std::optional<Datum>, 7> columns = {Int64GetDatum(static_cast<std::int64_t>(found->index)),
                                                       Int64GetDatum(checkpoint.facts.position_count),
                                                       Int32GetDatum(found->head.version),
                                                       bytes_datum(found->head.head_hash),
                                                       bytes_datum(found->leaf),
                                                       path_datum(found->path),
                                                       bytes_datum(found->root)};
  const Datum result = keep_for_caller(form_row(desc, columns));
  close_session(session);
  return result;
}

}  // namespace

ESCROWGRID_FUNCTION(escrow_verify, verify);
ESCROWGRID_FUNCTION(escrow_checkpoint, checkpoint);
ESCROWGRID_FUNCTION(escrow_checkpoint_export, checkpoint_export);
ESCROWGRID_FUNCTION(escrow_inclusion_proof, inclusion_proof);

}  // namespace escrowgrid::pg
