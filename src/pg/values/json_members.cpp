#include "pg/values/json_members.hpp"

#include "pg/values/datum.hpp"
#include "pg/values/memory.hpp"

namespace escrowgrid::pg {

namespace {

std::string_view string_of(const JsonbValue& value) {
  return {value.val.string.val, static_cast<std::size_t>(value.val.string.len)};
}

core::JsonKind kind_of(const JsonbValue& value) {
  switch (value.type) {
    case jbvNull:
      return core::JsonKind::kNull;
    case jbvBool:
      return core::JsonKind::kBoolean;
    case jbvNumeric:
      return core::JsonKind::kNumber;
    case jbvString:
      return core::JsonKind::kString;
    case jbvArray:
      return core::JsonKind::kArray;
    case jbvBinary:
      return JsonContainerIsArray(value.val.binary.data) ? core::JsonKind::kArray : core::JsonKind::kObject;
    default:
      return core::JsonKind::kObject;
  }
}

std::string_view text_of(const JsonbValue& value) {
  switch (value.type) {
    case jbvNumeric:
      return numeric_text(NumericGetDatum(value.val.numeric));
    case jbvString:
      return string_of(value);
    default:
      return {};
  }
}

// Collects the values of a document while walking it.
class Collector {
 public:
  explicit Collector(std::size_t most) : members_(make_array<core::PolicyMember>(most)) {}

  void enter() { ++level_; }
  void leave() { --level_; }

  // The core knows no path of more than three levels. A deeper value keeps the path of the third level, where the core
  // refuses an object or array.
  void key(std::string_view name) {
    if (level_ >= 1 && level_ <= path_.size()) {
      path_[level_ - 1] = name;
    }
  }

  void value(core::JsonKind kind, std::string_view text, bool flag, bool is_element) {
    core::PolicyMember& member = members_[count_++];
    member.path = path_;
    member.depth = std::min(level_ - (is_element ? 1 : 0), path_.size());
    for (std::size_t i = member.depth; i < member.path.size(); ++i) {
      member.path[i] = {};
    }
    member.is_element = is_element;
    member.kind = kind;
    member.text = text;
    member.flag = flag;
  }

  [[nodiscard]] std::span<const core::PolicyMember> members() const { return members_.first(count_); }

 private:
  std::span<core::PolicyMember> members_;
  std::size_t count_ = 0;
  std::size_t level_ = 0;
  std::array<std::string_view, 3> path_{};
};

std::size_t count_values(Jsonb* json) {
  std::size_t count = 1;
  JsonbIterator* iterator = JsonbIteratorInit(&json->root);
  JsonbValue value;
  while (JsonbIteratorNext(&iterator, &value, false) != WJB_DONE) {
    ++count;
  }
  return count;
}

}  // namespace

std::span<const core::ConfigMember> template_members(Datum config) {
  Jsonb* json = DatumGetJsonbP(config);
  const auto count = static_cast<std::size_t>(JB_ROOT_COUNT(json));
  const std::span<core::ConfigMember> members = make_array<core::ConfigMember>(count);
  std::size_t used = 0;
  JsonbIterator* iterator = JsonbIteratorInit(&json->root);
  JsonbValue value;
  JsonbIteratorNext(&iterator, &value, false);  // the object itself
  while (JsonbIteratorNext(&iterator, &value, true) == WJB_KEY) {
    core::ConfigMember& member = members[used++];
    member.key = string_of(value);
    JsonbIteratorNext(&iterator, &value, true);
    member.kind = kind_of(value);
    member.text = text_of(value);
  }
  return members.first(used);
}

std::span<const core::PolicyMember> policy_members(Datum config) {
  Jsonb* json = DatumGetJsonbP(config);
  Collector out(count_values(json));
  JsonbIterator* iterator = JsonbIteratorInit(&json->root);
  JsonbValue value;
  bool is_root = true;
  bool after_key = false;
  for (JsonbIteratorToken token = JsonbIteratorNext(&iterator, &value, false); token != WJB_DONE;
       token = JsonbIteratorNext(&iterator, &value, false)) {
    switch (token) {
      case WJB_BEGIN_OBJECT:
      case WJB_BEGIN_ARRAY:
        if (!is_root) {
          const bool is_array = token == WJB_BEGIN_ARRAY;
          out.value(is_array ? core::JsonKind::kArray : core::JsonKind::kObject, {}, false, !after_key);
        }
        is_root = false;
        after_key = false;
        out.enter();
        break;
      case WJB_END_OBJECT:
      case WJB_END_ARRAY:
        out.leave();
        break;
      case WJB_KEY:
        out.key(string_of(value));
        after_key = true;
        break;
      case WJB_VALUE:
      case WJB_ELEM:
        out.value(kind_of(value), text_of(value), value.type == jbvBool && value.val.boolean, token == WJB_ELEM);
        after_key = false;
        break;
      case WJB_DONE:
        break;
    }
  }
  return out.members();
}

std::span<const std::string_view> metadata_keys(const TextView& metadata) {
  if (!metadata) {
    return {};
  }
  const std::span<const core::ConfigMember> members = template_members(jsonb_datum(*metadata));
  const std::span<std::string_view> keys = make_array<std::string_view>(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    keys[i] = members[i].key;
  }
  return keys;
}

}  // namespace escrowgrid::pg
