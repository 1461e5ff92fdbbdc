#include "pg/store/institutions.hpp"

#include "pg/store/audit_events.hpp"
#include "pg/values/json_object.hpp"
#include "pg/values/random.hpp"

namespace escrowgrid::pg::store {

std::optional<Institution> find_institution(std::string_view id) {
  const View view = begin_view(Sight::kFresh);
  FoundRow row;
  std::optional<Institution> found;
  if (row.find(view, layout::kInstitutions, id, std::nullopt)) {
    const auto institution = row.as<layout::kInstitutions>();
    // Copy the arrays, because the row is closed.
    found = Institution{.regions = array_elements(datumCopy(institution.get<"regions">(), false, -1), TEXTOID),
                        .verticals = array_elements(datumCopy(institution.get<"verticals">(), false, -1), TEXTOID)};
    row.close();
  }
  end_view(view);
  return found;
}

Datum insert_institution(const Origin& origin, const NewInstitution& institution) {
  const core::Micros at = clock_micros();
  const core::TypeIdText id = make_id("inst", at);
  layout::NewRow<layout::kInstitutions> made;
  made.set<"id">(id.view())
      .set<"name">(institution.name)
      .set<"regions">(institution.regions)
      .set<"verticals">(institution.verticals)
      .set<"created_at">(at)
      .set<"updated_at">(at);
  const Datum row = insert_row(layout::kInstitutions, made.values());
  JsonObject payload;
  payload.text("name", institution.name)
      .texts("regions", institution.regions)
      .texts("verticals", institution.verticals);
  append_audit(origin, {.action = "INSTITUTION_CREATED",
                        .institution_id = id.view(),
                        .resource_type = "institution",
                        .resource_id = id.view(),
                        .payload = payload.datum(),
                        .status_code = 201,
                        .at = at});
  return row;
}

}  // namespace escrowgrid::pg::store
