#include "pg/store/institutions.hpp"

#include "pg/store/audit_events.hpp"
#include "pg/table/find.hpp"
#include "pg/table/spi_write.hpp"
#include "pg/values/json_object.hpp"
#include "pg/values/random.hpp"

namespace escrowgrid::pg::store {

namespace {

// The elements of an array in a row that will be closed; none for NULL.
std::span<const TextView> copied_elements(const std::optional<Datum>& array) {
  return array ? array_elements(datumCopy(*array, false, -1), TEXTOID) : std::span<const TextView>();
}

}  // namespace

std::optional<Institution> find_institution(std::string_view id) {
  const View view = begin_view(Sight::kFresh, {&layout::kInstitutions});
  FoundRow row;
  std::optional<Institution> found;
  if (row.find(view, layout::kInstitutions, id, std::nullopt)) {
    const auto institution = row.as<layout::kInstitutions>();
    found = Institution{.regions = copied_elements(institution.find<"regions">()),
                        .verticals = copied_elements(institution.find<"verticals">())};
    row.close();
  }
  end_view(view);
  return found;
}

Datum insert_institution(const Origin& origin, const NewInstitution& institution) {
  const core::Micros at = clock_micros();
  const core::TypeIdText id = make_id("inst", at);
  layout::RowColumns<layout::kInstitutions> made;
  made.set<"id">(id.view())
      .set<"name">(institution.name)
      .set<"regions">(institution.regions)
      .set<"verticals">(institution.verticals)
      .set<"created_at">(at)
      .set<"updated_at">(at);
  const Datum row = insert_outside_moves(layout::kInstitutions, made.values());
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
