#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kelvin::package {

// Writes small .NET assemblies for tests, byte by byte: types with static methods, references to
// other assemblies' members, attributes. Heap indexes and table indexes are 2 bytes wide.
class DllBuilder {
 public:
  explicit DllBuilder(std::string name);

  // Tokens as they stand in code.
  std::uint32_t Reference(const std::string& assembly);  // an assembly that is referred to
  std::uint32_t TypeRef(const std::string& space, const std::string& name);
  // A member of a TypeRef with a signature such as "\0\1\1\x0e": convention, count, result, types.
  std::uint32_t MemberRef(std::uint32_t type, const std::string& name,
                          const std::string& signature);
  std::uint32_t Literal(const std::string& ascii);
  // A type of its own, and a static method of the last type with its IL.
  std::uint32_t Type(const std::string& space, const std::string& name);
  std::uint32_t Method(const std::string& name, const std::string& il);
  // An attribute of a method, a type or (token 0x20000001) the assembly.
  void Attribute(std::uint32_t parent, std::uint32_t constructor, const std::string& value);
  void ReadyToRun(std::uint16_t machine) { ready_machine_ = machine; }

  std::string Finish() const;

  // "call token", "ldstr token" and the like, for IL.
  static std::string With(std::uint8_t opcode, std::uint32_t token);

 private:
  std::uint16_t String(const std::string& text);
  std::uint16_t Blob(const std::string& bytes);
  std::string Tables(std::uint32_t code_address) const;

  std::string strings_ = std::string(1, '\0');
  std::string blobs_ = std::string(1, '\0');
  std::string user_strings_ = std::string(1, '\0');
  std::string code_;
  std::vector<std::string> references_, type_refs_, member_refs_, types_, attributes_;
  struct MethodRow {
    std::uint32_t offset;
    std::uint16_t name;
  };
  std::vector<MethodRow> methods_;
  std::uint16_t name_;
  std::uint16_t module_name_;
  std::uint16_t static_void_;
  std::uint16_t ready_machine_ = 0;
};

}  // namespace kelvin::package
