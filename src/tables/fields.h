#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "tables/failure.h"
#include "tables/value.h"

namespace kelvin::tables {

// What is wrong with a request's members, in the order in which the protocol reports it: first a
// member of the wrong JSON type, then all broken constraints in one message, then what is wrong
// within an attribute value.
class Faults {
 public:
  void WrongType(std::string message);
  // `value` as shown: empty for null.
  void Constraint(std::optional<std::string_view> value, std::string_view path,
                  std::string_view constraint);
  // The same for one whose words are not the usual ones.
  void ConstraintText(std::string text);
  // The only constraint that is reported, whichever others are broken.
  void Only(std::optional<std::string_view> value, std::string_view path,
            std::string_view constraint);
  // Before all constraints.
  void First(Failure failure);
  void Later(Failure failure);
  // The first of the later ones, which is then no longer noted here.
  std::optional<Failure> TakeLater() { return std::exchange(later_, std::nullopt); }
  // The first two kinds only.
  Outcome<void> CheckShape() const;
  Outcome<void> Check() const;

 private:
  std::optional<Failure> wrong_type_;
  std::optional<Failure> first_;
  bool only_ = false;
  std::vector<std::string> constraints_;
  std::optional<Failure> later_;
};

enum class Presence { kOptional, kRequired };

// Reads members of a request's JSON object. Each call notes what is wrong in the Faults and goes on
// as if the member were not there; null is the same as absent. The object and the faults outlive
// this, and strings point into the object.
class Fields {
 public:
  Fields(const boost::json::object& object, Faults& faults, std::string prefix = {})
      : object_(&object), faults_(&faults), prefix_(std::move(prefix)) {}

  const boost::json::value* Find(std::string_view name) const;
  // What has been wrong so far, here and in the structures within.
  Outcome<void> Check() const { return faults_->Check(); }
  Outcome<void> CheckShape() const { return faults_->CheckShape(); }
  Faults& faults() const { return *faults_; }

  std::optional<std::string_view> String(std::string_view name,
                                         Presence presence = Presence::kOptional) const;
  // One of `names`.
  std::optional<std::string_view> Enum(std::string_view name,
                                       std::span<const std::string_view> names,
                                       Presence presence = Presence::kOptional) const;
  std::optional<bool> Boolean(std::string_view name) const;
  struct Range {
    std::int64_t min = 0;
    std::int64_t max = std::numeric_limits<std::int64_t>::max();
  };
  enum class Width { kInteger, kLong };
  std::optional<std::int64_t> Integer(std::string_view name, Width width, Range range,
                                      Presence presence = Presence::kOptional) const;
  std::optional<Fields> Struct(std::string_view name, std::string_view class_name,
                               Presence presence = Presence::kOptional) const;
  std::vector<Fields> Structs(std::string_view name, std::string_view class_name,
                              Presence presence = Presence::kOptional) const;
  // The structures of a map, by name.
  struct Named;
  std::vector<Named> StructMap(std::string_view name, std::string_view class_name,
                               Presence presence = Presence::kOptional) const;
  struct Lengths {
    std::size_t min = 0;
    std::size_t max = std::numeric_limits<std::size_t>::max();
  };
  std::optional<std::string_view> StringOf(Lengths lengths, std::string_view name,
                                           Presence presence = Presence::kOptional) const;
  std::optional<std::vector<std::string_view>> Strings(
      std::string_view name, Lengths lengths, Presence presence = Presence::kOptional) const;
  std::optional<Item> Attributes(std::string_view name,
                                 Presence presence = Presence::kOptional) const;
  // Values whose own faults are for the caller to report: `fault` gets the first, and the value in
  // question is taken for null.
  std::optional<Value> Attribute(std::string_view name, std::optional<Failure>& fault) const;
  std::optional<std::vector<Value>> AttributeList(std::string_view name,
                                                  std::optional<Failure>& fault) const;
  // As in messages: "keySchema.1.member.attributeName".
  std::string PathOf(std::string_view name) const;
  // Notes a list whose length is out of bounds.
  void CheckLength(std::string_view name, Lengths lengths) const;
  // Notes a name that breaks the rules for names of tables and indexes.
  void CheckName(std::string_view name, std::string_view value) const;

  // What is said of a scalar in the place of a map in a list, or of a list in a map.
  static constexpr std::string_view kNoCollection =
      "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class "
      "java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and "
      "java.lang.Class are in module java.base of loader 'bootstrap')";

  // Whether the keys of a map of tables are names, or ARNs, of tables.
  static bool AreTableNames(const boost::json::object& tables);
  // What is wrong where they are not.
  static constexpr std::string_view kMapKeyRule =
      "Map keys must satisfy constraint: [Member must have length less than or equal to 255, "
      "Member must have length greater than or equal to 3, Member must satisfy regular expression "
      "pattern: [a-zA-Z0-9_.-]+]";

  // The TableName of operations on items; of operations on tables, whose messages differ.
  std::string_view ItemTableName() const;
  std::string_view TableName() const;

 private:
  const boost::json::value* FindOrNote(std::string_view name, Presence presence) const;
  Value ValueOrNull(const boost::json::value& json, std::optional<Failure>& fault) const;

  const boost::json::object* object_;
  Faults* faults_;
  std::string prefix_;
};

struct Fields::Named {
  std::string_view name;
  Fields fields;
};

}  // namespace kelvin::tables
