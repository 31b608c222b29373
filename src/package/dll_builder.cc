#include "package/dll_builder.h"

namespace kelvin::package {
namespace {

template <int kBytes>
void Append(std::string& text, std::uint64_t number) {
  for (int i = 0; i < kBytes; ++i) text.push_back(static_cast<char>(number >> (8 * i)));
}

void Pad(std::string& text, std::size_t multiple) {
  while (text.size() % multiple != 0) text.push_back('\0');
}

constexpr std::uint32_t kTextAddress = 0x2000;
constexpr std::uint32_t kTextOffset = 0x200;

}  // namespace

DllBuilder::DllBuilder(std::string name)
    : name_(String(name)), module_name_(String(name + ".dll")), static_void_(Blob({"\0\0\1", 3})) {
  Type("", "<Module>");
}

std::uint16_t DllBuilder::String(const std::string& text) {
  if (text.empty()) return 0;
  const auto at = static_cast<std::uint16_t>(strings_.size());
  strings_ += text + '\0';
  return at;
}

std::uint16_t DllBuilder::Blob(const std::string& bytes) {
  const auto at = static_cast<std::uint16_t>(blobs_.size());
  blobs_ += static_cast<char>(bytes.size());
  blobs_ += bytes;
  return at;
}

std::uint32_t DllBuilder::Reference(const std::string& assembly) {
  std::string row;
  for (const int part : {10, 0, 0, 0}) Append<2>(row, static_cast<std::uint64_t>(part));
  Append<4>(row, 0);
  Append<2>(row, 0);
  Append<2>(row, String(assembly));
  Append<2>(row, 0);
  Append<2>(row, 0);
  references_.push_back(row);
  return 0x23000000U + static_cast<std::uint32_t>(references_.size());
}

std::uint32_t DllBuilder::TypeRef(const std::string& space, const std::string& name) {
  std::string row;
  Append<2>(row, (1U << 2) | 2);  // ResolutionScope: the first AssemblyRef
  Append<2>(row, String(name));
  Append<2>(row, String(space));
  type_refs_.push_back(row);
  return 0x01000000U + static_cast<std::uint32_t>(type_refs_.size());
}

std::uint32_t DllBuilder::MemberRef(std::uint32_t type, const std::string& name,
                                    const std::string& signature) {
  std::string row;
  Append<2>(row, ((type & 0xffffff) << 3) | 1);  // MemberRefParent: TypeRef
  Append<2>(row, String(name));
  Append<2>(row, Blob(signature));
  member_refs_.push_back(row);
  return 0x0a000000U + static_cast<std::uint32_t>(member_refs_.size());
}

std::uint32_t DllBuilder::Literal(const std::string& ascii) {
  const auto at = static_cast<std::uint32_t>(user_strings_.size());
  user_strings_ += static_cast<char>(ascii.size() * 2 + 1);
  for (const char c : ascii) {
    user_strings_ += c;
    user_strings_ += '\0';
  }
  user_strings_ += '\0';
  return 0x70000000U + at;
}

std::uint32_t DllBuilder::Type(const std::string& space, const std::string& name) {
  std::string row;
  Append<4>(row, 1);
  Append<2>(row, String(name));
  Append<2>(row, String(space));
  Append<2>(row, 0);  // extends nothing
  Append<2>(row, 1);
  Append<2>(row, methods_.size() + 1);
  types_.push_back(row);
  return 0x02000000U + static_cast<std::uint32_t>(types_.size());
}

std::uint32_t DllBuilder::Method(const std::string& name, const std::string& il) {
  Pad(code_, 4);
  methods_.push_back({static_cast<std::uint32_t>(code_.size()), String(name)});
  Append<2>(code_, 0x3003);  // fat header, three words
  Append<2>(code_, 8);
  Append<4>(code_, il.size());
  Append<4>(code_, 0);
  code_ += il;
  return 0x06000000U + static_cast<std::uint32_t>(methods_.size());
}

void DllBuilder::Attribute(std::uint32_t parent, std::uint32_t constructor,
                           const std::string& value) {
  const std::uint32_t table = parent >> 24;
  const std::uint32_t tag = table == 0x06 ? 0 : table == 0x02 ? 3 : 14;
  std::string row;
  Append<2>(row, ((parent & 0xffffff) << 5) | tag);
  Append<2>(row, ((constructor & 0xffffff) << 3) | 3);  // CustomAttributeType: MemberRef
  Append<2>(row, Blob(value));
  attributes_.push_back(row);
}

std::string DllBuilder::With(std::uint8_t opcode, std::uint32_t token) {
  std::string il(1, static_cast<char>(opcode));
  Append<4>(il, token);
  return il;
}

std::string DllBuilder::Tables(std::uint32_t code_address) const {
  std::string module;
  Append<2>(module, 0);
  Append<2>(module, module_name_);
  for (int i = 0; i < 3; ++i) Append<2>(module, 0);
  std::vector<std::string> methods;
  for (const MethodRow& method : methods_) {
    std::string row;
    Append<4>(row, code_address + method.offset);
    Append<2>(row, 0);
    Append<2>(row, 0x0016);  // public static
    Append<2>(row, method.name);
    Append<2>(row, static_void_);
    Append<2>(row, 1);
    methods.push_back(row);
  }
  std::string assembly;
  Append<4>(assembly, 0x8004);
  for (int i = 0; i < 4; ++i) Append<2>(assembly, 1);
  Append<4>(assembly, 0);
  Append<2>(assembly, 0);
  Append<2>(assembly, name_);
  Append<2>(assembly, 0);

  const std::map<int, std::vector<std::string>> tables = {
      {0x00, {module}},     {0x01, type_refs_},  {0x02, types_},     {0x06, methods},
      {0x0a, member_refs_}, {0x0c, attributes_}, {0x20, {assembly}}, {0x23, references_}};
  std::string stream;
  Append<4>(stream, 0);
  stream += '\2';
  Append<2>(stream, 0);
  stream += '\1';
  std::uint64_t present = 0;
  for (const auto& [table, rows] : tables) {
    if (!rows.empty()) present |= std::uint64_t{1} << table;
  }
  Append<8>(stream, present);
  Append<8>(stream, 0);
  for (const auto& [table, rows] : tables) {
    if (!rows.empty()) Append<4>(stream, rows.size());
  }
  for (const auto& [table, rows] : tables) {
    for (const std::string& row : rows) stream += row;
  }
  Pad(stream, 4);
  return stream;
}

std::string DllBuilder::Finish() const {
  constexpr std::uint32_t kCliSize = 72;
  constexpr std::uint32_t kReadySize = 16;
  const std::uint32_t code_address = kTextAddress + kCliSize + kReadySize;
  std::string code = code_;
  Pad(code, 4);
  const auto metadata_address = static_cast<std::uint32_t>(code_address + code.size());

  std::vector<std::pair<std::string, std::string>> streams = {{"#~", Tables(code_address)},
                                                              {"#Strings", strings_},
                                                              {"#US", user_strings_},
                                                              {"#Blob", blobs_}};
  std::string metadata = "BSJB";
  Append<2>(metadata, 1);
  Append<2>(metadata, 1);
  Append<4>(metadata, 0);
  Append<4>(metadata, 12);
  metadata += std::string("v4.0.30319\0\0", 12);
  Append<2>(metadata, 0);
  Append<2>(metadata, streams.size());
  std::size_t offset = metadata.size();
  for (auto& [name, bytes] : streams) {
    Pad(bytes, 4);
    offset += 8 + (name.size() + 4) / 4 * 4;
  }
  for (const auto& [name, bytes] : streams) {
    Append<4>(metadata, offset);
    Append<4>(metadata, bytes.size());
    metadata += name + '\0';
    Pad(metadata, 4);
    offset += bytes.size();
  }
  for (const auto& [name, bytes] : streams) metadata += bytes;

  std::string text;
  Append<4>(text, kCliSize);
  Append<4>(text, 0x00050002);
  Append<4>(text, metadata_address);
  Append<4>(text, metadata.size());
  Append<4>(text, ready_machine_ == 0 ? 1 : 4);
  text.resize(64, '\0');
  Append<4>(text, ready_machine_ == 0 ? 0 : kTextAddress + kCliSize);
  Append<4>(text, ready_machine_ == 0 ? 0 : kReadySize);
  text += std::string("RTR\0\0\0\0\0\0\0\0\0\0\0\0\0", kReadySize);
  text += code + metadata;

  std::string image = "MZ";
  image.resize(0x3c, '\0');
  Append<4>(image, 0x80);
  image.resize(0x80, '\0');
  image += std::string("PE\0\0", 4);
  Append<2>(image, ready_machine_ == 0 ? 0x14c : ready_machine_);
  Append<2>(image, 1);
  Append<4>(image, 0);
  Append<8>(image, 0);
  Append<2>(image, 224);
  Append<2>(image, 0x2022);
  const std::size_t optional = image.size();
  Append<2>(image, 0x10b);
  image.resize(optional + 92, '\0');
  Append<4>(image, 16);
  image.resize(optional + 96 + 14 * 8, '\0');
  Append<4>(image, kTextAddress);
  Append<4>(image, kCliSize);
  image.resize(optional + 224, '\0');
  image += std::string(".text\0\0\0", 8);
  Append<4>(image, text.size());
  Append<4>(image, kTextAddress);
  Append<4>(image, text.size());
  Append<4>(image, kTextOffset);
  image.resize(kTextOffset, '\0');
  return image + text;
}

}  // namespace kelvin::package
