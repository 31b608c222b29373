#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "package/dotnet_metadata.h"

namespace kelvin::package {

// What a member says of itself by an attribute, as bits.
enum Requirement : std::uint8_t {
  kRequiresUnreferencedCode = 1,  // RequiresUnreferencedCodeAttribute: calls warn IL2026
  kRequiresDynamicCode = 2,       // RequiresDynamicCodeAttribute: IL3050
  kRequiresAssemblyFiles = 4,     // RequiresAssemblyFilesAttribute: IL3002
};

// The requirements of one assembly's methods, and the warnings they say they have dealt with.
class DotnetAnnotations {
 public:
  // The metadata must outlive the object.
  explicit DotnetAnnotations(const DotnetMetadata& metadata);

  // Of a MethodDef row: its own, those of the property it belongs to, and those of its type, which
  // concern constructors and static methods.
  std::uint8_t Requirements(std::uint32_t method) const;
  // Whether the author has suppressed a warning ("IL2026") in a method, its type, or in the method
  // that the compiler made this one out of (a lambda, an async method).
  bool Suppresses(std::uint32_t method, std::string_view code) const;
  // Whether a call within a method is its own callers' affair, because it requires the same.
  bool Passes(std::uint32_t method, Requirement requirement) const;

  // Arguments of the assembly's own attributes, such as LambdaSerializer's type, by attribute type.
  const std::multimap<std::string, std::string>& assembly() const { return assembly_; }

 private:
  void ReadSemantics();
  void ReadAttribute(std::uint32_t row);
  std::vector<std::uint32_t> Origins(std::uint32_t method) const;
  std::uint8_t Direct(std::uint32_t method) const;

  const DotnetMetadata& metadata_;
  std::map<std::uint32_t, std::vector<std::uint32_t>> methods_of_property_;
  std::map<std::uint32_t, std::uint8_t> method_requirements_;
  std::map<std::uint32_t, std::uint8_t> type_requirements_;
  std::map<std::uint32_t, std::set<std::string>> method_suppressed_;
  std::map<std::uint32_t, std::set<std::string>> type_suppressed_;
  std::multimap<std::string, std::string> assembly_;
};

// What is known of members by name: those of .NET itself, and those of a package's own assemblies.
class KnownMembers {
 public:
  // With the members of .NET's libraries.
  KnownMembers();
  // Adds an assembly's methods that require something.
  void Add(const DotnetMetadata& metadata, const DotnetAnnotations& annotations);
  std::uint8_t Requirements(const MemberName& member) const;

 private:
  struct Overload {
    std::string parameters;  // joined with ','; "*": every overload
    std::uint8_t requirements;
  };
  std::multimap<std::string, Overload, std::less<>> overloads_;  // by "Type.Name"
};

}  // namespace kelvin::package
