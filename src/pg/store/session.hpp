// Every row read or written. The rest of the shell speaks in the core's terms and never in SQL,
// so that how rows are reached can change behind this page.
//
// All functions run between open() and close(); what they return points into memory that close()
// frees, except where a Datum is said to belong to the caller.
#pragma once

#include "core/decide.hpp"
#include "core/type_id.hpp"
#include "pg/border/settings.hpp"
#include "pg/service/authentication.hpp"

namespace escrowgrid::pg::store {

struct Session {
  OwnerScope owner;
};

[[nodiscard]] Session open();
void close(Session session);

struct Writes;  // see store_direct.hpp

// What every record of one call shares.
struct Origin {
  Caller caller;
  RequestClaims claims;
  std::string_view path;        // the function or statement, unless the caller claims another
  bool tells_refusals = false;  // a refusal comes back as a row, so what was written before it would stay
  Writes* writes = nullptr;     // from begin_writes() to finish_writes()
};

[[nodiscard]] Origin origin_of(const Caller& caller, std::string_view path);

// Around everything that a function creates or moves: finds out which way the rows are written, and holds back users'
// AFTER triggers until all of them are.
void begin_writes(Origin& origin);
void finish_writes(Origin& origin);

// --- positions ---------------------------------------------------------------------------------

// Locks the position as SELECT ... FOR NO KEY UPDATE does and reads the version that this lock shows,
// together with the event its version names. False when there is none, or none of that institution.
[[nodiscard]] bool lock_position(std::string_view id, const TextView& institution_id, core::PositionSnapshot& out);

// Completes a snapshot that came from a trigger's row.
void read_last_event(core::PositionSnapshot& position);

// Writes the position's new state and returns the row as stored; it belongs to the session.
[[nodiscard]] Datum update_position(const Origin& origin, const core::PositionTerms& terms,
                                    const core::Decision& decision);
[[nodiscard]] Datum insert_position(const Origin& origin, const core::PositionTerms& terms,
                                    const core::Decision& decision);

// The event, its ledger row and its audit row; the event's id comes back.
std::string_view record(const Origin& origin, const core::PositionTerms& terms, const core::Decision& decision,
                        const core::EventContent& content);

// The same for many, all at once, table by table: from begin_records() on record() keeps up to `most` of them, and the
// memory they are in has to last until write_records().
void begin_records(Origin& origin, std::size_t most);
void write_records(Origin& origin);

// The failure row of a refusal that the caller's transaction survives.
void audit_refusal(const Origin& origin, const core::Refusal& why, const TextView& resource_id);

// Reads without locking, for a preview.
[[nodiscard]] bool read_position(std::string_view id, const TextView& institution_id, core::PositionSnapshot& out);

struct PositionHead {
  TextView institution_id;
  std::int32_t version = 0;
  core::Digest head_hash{};
};
[[nodiscard]] std::optional<PositionHead> find_head(std::string_view position_id);
[[nodiscard]] bool has_positions();

// --- what positions stand on -------------------------------------------------------------------

// The currency's exponent. A code that an administrator added is locked against change until commit.
[[nodiscard]] std::optional<int> find_currency(std::string_view code);
[[nodiscard]] std::optional<int> find_currency_unlocked(std::string_view code);
// The exponent of a position's currency; ZE502 when that is gone.
[[nodiscard]] int require_exponent(const core::PositionTerms& terms);
[[nodiscard]] bool is_currency_used(std::string_view code);

struct Institution {
  std::span<const TextView> regions;
  std::span<const TextView> verticals;
};
[[nodiscard]] std::optional<Institution> find_institution(std::string_view id);

// The institution that a template, an asset belongs to; absent when there is none, or when it is not
// `institution_id` where that is given.
[[nodiscard]] TextView find_template_institution(std::string_view id, const TextView& institution_id);
[[nodiscard]] TextView find_asset_institution(std::string_view id, const TextView& institution_id);

// The same for an asset that a new position will name, with its row locked as the foreign key's check would lock it.
[[nodiscard]] TextView lock_asset_institution(std::string_view id, const TextView& institution_id);
// The same for a creation. If assets cannot be read directly, the rest of the call uses SPI.
[[nodiscard]] TextView share_asset(Origin& origin, std::string_view id);

struct NewInstitution {
  std::string_view name;
  std::span<const TextView> regions;
  std::span<const TextView> verticals;
};
[[nodiscard]] Datum insert_institution(const Origin& origin, const NewInstitution& institution);

struct NewTemplate {
  std::string_view institution_id;
  std::string_view code;
  std::string_view name;
  std::string_view vertical;
  std::string_view region;
  std::string_view config;
};
[[nodiscard]] Datum insert_template(const Origin& origin, const NewTemplate& asset_template);

struct NewAsset {
  std::string_view institution_id;
  std::string_view template_id;
  std::string_view label;
  TextView metadata;
};
[[nodiscard]] Datum insert_asset(const Origin& origin, const NewAsset& asset);

}  // namespace escrowgrid::pg::store
