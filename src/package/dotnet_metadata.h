#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kelvin::package {

// The metadata tables of a .NET assembly (ECMA-335 II.22), by their numbers there.
enum class Table : std::uint8_t {
  kModule = 0x00,
  kTypeRef = 0x01,
  kTypeDef = 0x02,
  kField = 0x04,
  kMethodDef = 0x06,
  kParam = 0x08,
  kMemberRef = 0x0a,
  kCustomAttribute = 0x0c,
  kProperty = 0x17,
  kMethodSemantics = 0x18,
  kModuleRef = 0x1a,
  kTypeSpec = 0x1b,
  kImplMap = 0x1c,
  kAssembly = 0x20,
  kAssemblyRef = 0x23,
  kNestedClass = 0x29,
  kMethodSpec = 0x2b,
};

// A row: of which table, and its number from 1. Row 0 is "none". Where tokens stand in code, the
// table is the highest byte.
struct Token {
  std::uint8_t table = 0;
  std::uint32_t row = 0;

  bool Is(Table wanted) const { return table == static_cast<std::uint8_t>(wanted) && row != 0; }
  static Token FromCode(std::uint32_t number) {
    return {static_cast<std::uint8_t>(number >> 24), number & 0xffffff};
  }
};

// A method or field as its users write it.
struct MemberName {
  std::string type;  // "System.Reflection.Assembly"; nested ones with '/'
  std::string name;
  std::vector<std::string> parameters;  // "System.String", "System.Type[]", "!!0"
  bool is_field = false;

  std::string Text() const;  // "System.Type.GetType(System.String)"
};

// Reads the metadata of an assembly. Every access is checked: a row, a heap index or a blob that
// does not exist gives an empty value. The bytes outlive the object.
class DotnetMetadata {
 public:
  // Fails with kInvalidArgument when the root, the streams or the tables are not what ECMA-335
  // says.
  static std::expected<DotnetMetadata, Error> Parse(std::string_view metadata);

  std::uint32_t Rows(Table table) const { return rows_[static_cast<std::size_t>(table)]; }
  // A column, from 0, as a number: an index, flags, or a heap offset. 0 where there is none.
  std::uint32_t Cell(Table table, std::uint32_t row, std::size_t column) const;
  // The row that a column with a coded index names.
  Token CodedCell(Table table, std::uint32_t row, std::size_t column) const;

  std::string_view String(std::uint32_t offset) const;
  std::string_view Blob(std::uint32_t offset) const;
  // A literal of the code in UTF-8, from the number in a ldstr.
  std::string UserString(std::uint32_t token) const;

  std::string_view version() const { return version_; }  // "v4.0.30319"
  std::string AssemblyName() const;                      // empty for a module without one
  std::vector<std::string> References() const;           // names of referenced assemblies

  // "Namespace.Outer/Inner" of a TypeDef, TypeRef or TypeSpec.
  std::string TypeName(Token type) const;
  // Which type a MethodDef or Field row is of.
  Token OwnerOf(Token method) const;
  // A MethodDef, MemberRef or MethodSpec.
  MemberName Member(Token method) const;

 private:
  DotnetMetadata() = default;
  std::expected<void, Error> ReadStreams(std::string_view root);
  std::expected<void, Error> ReadTables(std::string_view stream);
  std::size_t ColumnWidth(char code) const;
  std::string TypeNameAt(Token type, int depth) const;
  // Decodes one type of a signature and moves on behind it.
  std::string SignatureType(std::string_view& signature, int depth) const;
  std::vector<std::string> Parameters(std::string_view signature) const;

  static constexpr std::size_t kTables = 0x2d;
  struct Layout {
    std::string_view rows;
    std::size_t row_size = 0;
    std::array<std::uint8_t, 9> offsets{};
    std::array<std::uint8_t, 9> widths{};
  };

  std::string_view version_;
  std::string_view strings_;
  std::string_view blobs_;
  std::string_view user_strings_;
  std::uint8_t heap_sizes_ = 0;
  std::array<std::uint32_t, kTables> rows_{};
  std::array<Layout, kTables> layouts_{};
};

}  // namespace kelvin::package
