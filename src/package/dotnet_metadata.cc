#include "package/dotnet_metadata.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "package/little_endian.h"

namespace kelvin::package {
namespace {

constexpr int kMaxDepth = 16;  // of nested types and signatures; compilers stay far below

std::unexpected<Error> Damaged(std::string_view why) {
  return std::unexpected(
      Error{ErrorCode::kInvalidArgument,
            fmt::format("expected .NET metadata as ECMA-335 describes it, {}; build or copy the "
                        "assembly again",
                        why)});
}

// A coded index: a tag of some bits and a row of the table that the tag selects.
struct Coded {
  int bits;
  std::span<const std::uint8_t> tables;
};

constexpr std::uint8_t kNo = 0xff;  // a tag that is not used
constexpr std::uint8_t kTypeDefOrRef[] = {0x02, 0x01, 0x1b};
constexpr std::uint8_t kHasConstant[] = {0x04, 0x08, 0x17};
constexpr std::uint8_t kHasCustomAttribute[] = {0x06, 0x04, 0x01, 0x02, 0x08, 0x09, 0x0a, 0x00,
                                                0x0e, 0x17, 0x14, 0x11, 0x1a, 0x1b, 0x20, 0x23,
                                                0x26, 0x27, 0x28, 0x2a, 0x2c, 0x2b};
constexpr std::uint8_t kHasFieldMarshal[] = {0x04, 0x08};
constexpr std::uint8_t kHasDeclSecurity[] = {0x02, 0x06, 0x20};
constexpr std::uint8_t kMemberRefParent[] = {0x02, 0x01, 0x1a, 0x06, 0x1b};
constexpr std::uint8_t kHasSemantics[] = {0x14, 0x17};
constexpr std::uint8_t kMethodDefOrRef[] = {0x06, 0x0a};
constexpr std::uint8_t kMemberForwarded[] = {0x04, 0x06};
constexpr std::uint8_t kImplementation[] = {0x26, 0x23, 0x27};
constexpr std::uint8_t kCustomAttributeType[] = {kNo, kNo, 0x06, 0x0a, kNo};
constexpr std::uint8_t kResolutionScope[] = {0x00, 0x1a, 0x23, 0x01};
constexpr std::uint8_t kTypeOrMethodDef[] = {0x02, 0x06};

// Columns are one character each: 2 and 4 numbers of that many bytes, s g b heaps (strings, GUIDs,
// blobs), capitals coded indexes, and the lower-case letters below indexes of one table.
const Coded* CodedOf(char column) {
  static constexpr std::pair<char, Coded> kCoded[] = {
      {'A', {2, kTypeDefOrRef}},        {'B', {2, kHasConstant}},
      {'C', {5, kHasCustomAttribute}},  {'D', {1, kHasFieldMarshal}},
      {'E', {2, kHasDeclSecurity}},     {'F', {3, kMemberRefParent}},
      {'G', {1, kHasSemantics}},        {'H', {1, kMethodDefOrRef}},
      {'I', {1, kMemberForwarded}},     {'J', {2, kImplementation}},
      {'K', {3, kCustomAttributeType}}, {'L', {2, kResolutionScope}},
      {'M', {1, kTypeOrMethodDef}},
  };
  const auto* found = std::ranges::find(kCoded, column, &std::pair<char, Coded>::first);
  return found != std::end(kCoded) ? &found->second : nullptr;
}

std::uint8_t SimpleOf(char column) {
  switch (column) {
    case 't':
      return 0x02;
    case 'f':
      return 0x04;
    case 'm':
      return 0x06;
    case 'p':
      return 0x08;
    case 'e':
      return 0x14;
    case 'r':
      return 0x17;
    case 'o':
      return 0x1a;
    case 'a':
      return 0x23;
    case 'i':
      return 0x2a;
    default:
      return kNo;
  }
}

// ECMA-335 II.22, from 0x00 on.
constexpr std::string_view kColumns[] = {
    "2sggg", "Lss",  "4ssAfm", "f",     "2sb",  "m",         "422sbp", "p",   "22s",
    "tA",    "Fsb",  "2Bb",    "CKb",   "Db",   "2Eb",       "24t",    "4f",  "b",
    "te",    "e",    "2sA",    "tr",    "r",    "2sb",       "2mG",    "tHH", "s",
    "b",     "2Iso", "4f",     "44",    "4",    "422224bss", "4",      "444", "22224bssb",
    "4a",    "444a", "4sb",    "44ssJ", "44sJ", "tt",        "22Ms",   "Hb",  "iA"};
static_assert(std::size(kColumns) == 0x2d);

std::uint32_t ReadNumber(std::string_view bytes, std::size_t at, std::size_t width) {
  if (width == 2) return NumberAt<std::uint16_t>(bytes, at).value_or(0);
  return NumberAt<std::uint32_t>(bytes, at).value_or(0);
}

// The compressed numbers of ECMA-335 II.23.2; 0 when the bytes end.
std::uint32_t TakeCompressed(std::string_view& bytes) {
  const auto byte = [&](std::size_t i) {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
  };
  std::uint32_t number = byte(0);
  std::size_t used = 1;
  if ((number & 0x80) == 0) {
    used = 1;
  } else if ((number & 0xc0) == 0x80) {
    number = ((number & 0x3f) << 8) | byte(1);
    used = 2;
  } else {
    number = ((number & 0x1f) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3);
    used = 4;
  }
  bytes.remove_prefix(std::min(used, bytes.size()));
  return number;
}

std::string_view PrimitiveName(std::uint32_t element) {
  switch (element) {
    case 0x01:
      return "System.Void";
    case 0x02:
      return "System.Boolean";
    case 0x03:
      return "System.Char";
    case 0x04:
      return "System.SByte";
    case 0x05:
      return "System.Byte";
    case 0x06:
      return "System.Int16";
    case 0x07:
      return "System.UInt16";
    case 0x08:
      return "System.Int32";
    case 0x09:
      return "System.UInt32";
    case 0x0a:
      return "System.Int64";
    case 0x0b:
      return "System.UInt64";
    case 0x0c:
      return "System.Single";
    case 0x0d:
      return "System.Double";
    case 0x0e:
      return "System.String";
    case 0x16:
      return "System.TypedReference";
    case 0x18:
      return "System.IntPtr";
    case 0x19:
      return "System.UIntPtr";
    case 0x1c:
      return "System.Object";
    default:
      return {};
  }
}

void AppendUtf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xe0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

}  // namespace

std::string MemberName::Text() const {
  if (is_field) return fmt::format("{}.{}", type, name);
  return fmt::format("{}.{}({})", type, name, fmt::join(parameters, ", "));
}

std::expected<DotnetMetadata, Error> DotnetMetadata::Parse(std::string_view metadata) {
  DotnetMetadata parsed;
  if (auto read = parsed.ReadStreams(metadata); !read) return std::unexpected(read.error());
  return parsed;
}

std::expected<void, Error> DotnetMetadata::ReadStreams(std::string_view root) {
  if (!root.starts_with("BSJB")) return Damaged("its root does not begin with BSJB");
  const auto version_size = NumberAt<std::uint32_t>(root, 12);
  if (!version_size || *version_size > 255) return Damaged("its version is too long");
  version_ = PartOf(root, 16, *version_size);
  version_ = version_.substr(0, version_.find('\0'));
  std::uint64_t at = 16 + std::uint64_t{*version_size};
  const auto count = NumberAt<std::uint16_t>(root, at + 2);
  if (!count) return Damaged("it ends before its streams");
  at += 4;
  std::string_view tables;
  for (int i = 0; i < *count; ++i) {
    const auto offset = NumberAt<std::uint32_t>(root, at);
    const auto size = NumberAt<std::uint32_t>(root, at + 4);
    constexpr std::uint64_t kLongestName = 32;
    const std::string_view name_field =
        root.substr(std::min<std::uint64_t>(at + 8, root.size()), kLongestName);
    const std::size_t end = name_field.find('\0');
    if (!offset || !size || end == std::string_view::npos) {
      return Damaged(fmt::format("the header of its stream {} is not whole", i));
    }
    const std::string_view name = name_field.substr(0, end);
    const std::string_view stream = PartOf(root, *offset, *size);
    if (stream.empty() && *size != 0) {
      return Damaged(fmt::format("its stream {} has {} bytes at {}, the metadata has {}", name,
                                 *size, *offset, root.size()));
    }
    if (name == "#~" || name == "#-") tables = stream;
    if (name == "#Strings") strings_ = stream;
    if (name == "#Blob") blobs_ = stream;
    if (name == "#US") user_strings_ = stream;
    at += 8 + (end + 4) / 4 * 4;
  }
  if (tables.empty()) return Damaged("it has no stream of tables");
  return ReadTables(tables);
}

std::size_t DotnetMetadata::ColumnWidth(char code) const {
  switch (code) {
    case '2':
      return 2;
    case '4':
      return 4;
    case 's':
      return (heap_sizes_ & 1) != 0 ? 4 : 2;
    case 'g':
      return (heap_sizes_ & 2) != 0 ? 4 : 2;
    case 'b':
      return (heap_sizes_ & 4) != 0 ? 4 : 2;
    default:
      break;
  }
  if (const Coded* coded = CodedOf(code)) {
    std::uint32_t most = 0;
    for (const std::uint8_t table : coded->tables) {
      if (table != kNo) most = std::max(most, rows_[table]);
    }
    return most < (std::uint32_t{1} << (16 - coded->bits)) ? 2 : 4;
  }
  const std::uint8_t table = SimpleOf(code);
  return table != kNo && rows_[table] > 0xffff ? 4 : 2;
}

std::expected<void, Error> DotnetMetadata::ReadTables(std::string_view stream) {
  const auto heaps = NumberAt<std::uint8_t>(stream, 6);
  const auto present = NumberAt<std::uint64_t>(stream, 8);
  if (!heaps || !present) return Damaged("its stream of tables is cut short");
  if (*present >> kTables != 0) {
    return Damaged("it has tables that assemblies do not have");
  }
  heap_sizes_ = *heaps;
  std::uint64_t at = 24;
  for (std::size_t table = 0; table < kTables; ++table) {
    if ((*present >> table & 1) == 0) continue;
    const auto rows = NumberAt<std::uint32_t>(stream, at);
    if (!rows || *rows > 0xffffff) return Damaged("its stream of tables is cut short");
    rows_[table] = *rows;
    at += 4;
  }
  constexpr std::uint8_t kExtraData = 0x40;
  if ((heap_sizes_ & kExtraData) != 0) at += 4;
  for (std::size_t table = 0; table < kTables; ++table) {
    Layout& layout = layouts_[table];
    for (std::size_t column = 0; column < kColumns[table].size(); ++column) {
      layout.offsets[column] = static_cast<std::uint8_t>(layout.row_size);
      layout.widths[column] = static_cast<std::uint8_t>(ColumnWidth(kColumns[table][column]));
      layout.row_size += layout.widths[column];
    }
    const std::uint64_t size = std::uint64_t{layout.row_size} * rows_[table];
    layout.rows = PartOf(stream, at, size);
    if (layout.rows.size() != size) {
      return Damaged(
          fmt::format("its table {:#04x} says {} rows, which are not there", table, rows_[table]));
    }
    at += size;
  }
  return {};
}

std::uint32_t DotnetMetadata::Cell(Table table, std::uint32_t row, std::size_t column) const {
  const Layout& layout = layouts_[static_cast<std::size_t>(table)];
  if (row == 0 || row > Rows(table) || column >= kColumns[static_cast<std::size_t>(table)].size()) {
    return 0;
  }
  return ReadNumber(layout.rows, (row - 1) * layout.row_size + layout.offsets[column],
                    layout.widths[column]);
}

Token DotnetMetadata::CodedCell(Table table, std::uint32_t row, std::size_t column) const {
  const Coded* coded = CodedOf(kColumns[static_cast<std::size_t>(table)][column]);
  if (coded == nullptr) return {};
  const std::uint32_t value = Cell(table, row, column);
  const std::uint32_t tag = value & ((1U << coded->bits) - 1);
  if (tag >= coded->tables.size() || coded->tables[tag] == kNo) return {};
  return {coded->tables[tag], value >> coded->bits};
}

std::string_view DotnetMetadata::String(std::uint32_t offset) const {
  if (offset >= strings_.size()) return {};
  const std::string_view text = strings_.substr(offset);
  return text.substr(0, text.find('\0'));
}

std::string_view DotnetMetadata::Blob(std::uint32_t offset) const {
  if (offset >= blobs_.size()) return {};
  std::string_view rest = blobs_.substr(offset);
  const std::uint32_t size = TakeCompressed(rest);
  return PartOf(rest, 0, size);
}

std::string DotnetMetadata::UserString(std::uint32_t token) const {
  const std::uint32_t offset = token & 0xffffff;
  if (offset >= user_strings_.size()) return {};
  std::string_view rest = user_strings_.substr(offset);
  const std::uint32_t size = TakeCompressed(rest);
  const std::string_view text = PartOf(rest, 0, size);
  std::string utf8;
  for (std::size_t at = 0; at + 2 <= text.size(); at += 2) {
    AppendUtf8(utf8, *NumberAt<std::uint16_t>(text, at));
  }
  return utf8;
}

std::string DotnetMetadata::AssemblyName() const {
  return std::string(String(Cell(Table::kAssembly, 1, 7)));
}

std::vector<std::string> DotnetMetadata::References() const {
  std::vector<std::string> names;
  for (std::uint32_t row = 1; row <= Rows(Table::kAssemblyRef); ++row) {
    names.emplace_back(String(Cell(Table::kAssemblyRef, row, 6)));
  }
  return names;
}

std::string DotnetMetadata::TypeName(Token type) const {
  return TypeNameAt(type, 0);
}

std::string DotnetMetadata::TypeNameAt(Token type, int depth) const {
  if (depth > kMaxDepth) return {};
  const auto joined = [this](Table table, std::uint32_t row, std::size_t name_column) {
    const std::string_view space = String(Cell(table, row, name_column + 1));
    const std::string_view name = String(Cell(table, row, name_column));
    return space.empty() ? std::string(name) : fmt::format("{}.{}", space, name);
  };
  if (type.Is(Table::kTypeRef)) {
    const Token scope = CodedCell(Table::kTypeRef, type.row, 0);
    const std::string name = joined(Table::kTypeRef, type.row, 1);
    if (!scope.Is(Table::kTypeRef)) return name;
    return fmt::format("{}/{}", TypeNameAt(scope, depth + 1), name);
  }
  if (type.Is(Table::kTypeDef)) {
    const std::string name = joined(Table::kTypeDef, type.row, 1);
    // Sorted by the nested type, says II.22.
    std::uint32_t low = 1;
    std::uint32_t high = Rows(Table::kNestedClass);
    while (low <= high) {
      const std::uint32_t middle = low + (high - low) / 2;
      const std::uint32_t nested = Cell(Table::kNestedClass, middle, 0);
      if (nested == type.row) {
        const Token outer{static_cast<std::uint8_t>(Table::kTypeDef),
                          Cell(Table::kNestedClass, middle, 1)};
        return fmt::format("{}/{}", TypeNameAt(outer, depth + 1), name);
      }
      if (nested < type.row) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return name;
  }
  if (type.Is(Table::kTypeSpec)) {
    std::string_view signature = Blob(Cell(Table::kTypeSpec, type.row, 0));
    std::string name = SignatureType(signature, depth + 1);
    // The generic type without its arguments.
    return name.substr(0, name.find('<'));
  }
  return {};
}

std::string DotnetMetadata::SignatureType(std::string_view& signature, int depth) const {
  if (signature.empty() || depth > kMaxDepth) return {};
  const std::uint32_t element = TakeCompressed(signature);
  if (const std::string_view name = PrimitiveName(element); !name.empty()) return std::string(name);
  switch (element) {
    case 0x0f:  // pointer
      return SignatureType(signature, depth + 1) + '*';
    case 0x10:  // by reference
      return SignatureType(signature, depth + 1) + '&';
    case 0x11:  // value type
    case 0x12: {
      const std::uint32_t coded = TakeCompressed(signature);
      // A TypeSpec here would let a few bytes unfold without end; no compiler writes one.
      if ((coded & 3) >= 2) return {};
      return TypeNameAt({kTypeDefOrRef[coded & 3], coded >> 2}, depth + 1);
    }
    case 0x13:
      return fmt::format("!{}", TakeCompressed(signature));
    case 0x1e:
      return fmt::format("!!{}", TakeCompressed(signature));
    case 0x14: {  // array with bounds
      std::string name = SignatureType(signature, depth + 1) + "[,]";
      TakeCompressed(signature);
      for (int i = 0; i < 2; ++i) {
        const std::uint32_t count = TakeCompressed(signature);
        for (std::uint32_t j = 0; j < count && !signature.empty(); ++j) TakeCompressed(signature);
      }
      return name;
    }
    case 0x15: {  // generic instance
      std::string name = SignatureType(signature, depth + 1) + '<';
      const std::uint32_t count = TakeCompressed(signature);
      for (std::uint32_t i = 0; i < count && !signature.empty(); ++i) {
        name += (i == 0 ? "" : ", ") + SignatureType(signature, depth + 1);
        if (name.size() > 4096) return {};
      }
      return name + '>';
    }
    case 0x1b:  // function pointer
      signature = {};
      return "method*";
    case 0x1d:
      return SignatureType(signature, depth + 1) + "[]";
    case 0x1f:  // required and optional modifiers
    case 0x20:
      TakeCompressed(signature);
      return SignatureType(signature, depth + 1);
    case 0x41:  // sentinel
    case 0x45:  // pinned
      return SignatureType(signature, depth + 1);
    default:
      return {};
  }
}

std::vector<std::string> DotnetMetadata::Parameters(std::string_view signature) const {
  std::vector<std::string> parameters;
  if (signature.empty()) return parameters;
  constexpr std::uint32_t kGeneric = 0x10;
  const std::uint32_t convention = TakeCompressed(signature);
  if ((convention & kGeneric) != 0) TakeCompressed(signature);
  const std::uint32_t count = TakeCompressed(signature);
  SignatureType(signature, 0);  // what it returns
  for (std::uint32_t i = 0; i < count && !signature.empty(); ++i) {
    parameters.push_back(SignatureType(signature, 0));
  }
  return parameters;
}

Token DotnetMetadata::OwnerOf(Token method) const {
  // The last type whose list of methods (or fields) begins at the row or before it.
  const std::size_t column = method.Is(Table::kField) ? 4 : 5;
  std::uint32_t low = 1;
  std::uint32_t high = Rows(Table::kTypeDef);
  std::uint32_t owner = 0;
  while (low <= high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (Cell(Table::kTypeDef, middle, column) <= method.row) {
      owner = middle;
      low = middle + 1;
    } else {
      high = middle - 1;
    }
  }
  return {static_cast<std::uint8_t>(Table::kTypeDef), owner};
}

MemberName DotnetMetadata::Member(Token method) const {
  if (method.Is(Table::kMethodSpec)) {
    const Token inner = CodedCell(Table::kMethodSpec, method.row, 0);
    if (inner.Is(Table::kMethodSpec)) return {};
    return Member(inner);
  }
  MemberName member;
  std::string_view signature;
  if (method.Is(Table::kMemberRef)) {
    const Token parent = CodedCell(Table::kMemberRef, method.row, 0);
    if (parent.Is(Table::kMethodDef)) return Member(parent);
    member.type = TypeName(parent);
    member.name = String(Cell(Table::kMemberRef, method.row, 1));
    signature = Blob(Cell(Table::kMemberRef, method.row, 2));
  } else if (method.Is(Table::kMethodDef)) {
    member.type = TypeName(OwnerOf(method));
    member.name = String(Cell(Table::kMethodDef, method.row, 3));
    signature = Blob(Cell(Table::kMethodDef, method.row, 4));
  } else {
    return member;
  }
  constexpr char kFieldSignature = 0x06;
  member.is_field = !signature.empty() && signature.front() == kFieldSignature;
  if (!member.is_field) member.parameters = Parameters(signature);
  return member;
}

}  // namespace kelvin::package
