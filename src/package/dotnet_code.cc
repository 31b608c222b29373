#include "package/dotnet_code.h"

#include <algorithm>
#include <map>

#include "package/little_endian.h"

namespace kelvin::package {
namespace {

constexpr std::uint8_t kLdstr = 0x72;
constexpr std::uint8_t kLdtoken = 0xd0;
constexpr std::uint8_t kSwitch = 0x45;
constexpr std::uint8_t kTwoBytes = 0xfe;

struct Instruction {
  std::uint16_t opcode = 0;  // 0xfe00 and up for the two-byte ones
  std::uint32_t offset = 0;
  std::uint32_t operand = 0;  // of the tokens and literals
};

// Sizes of operands, ECMA-335 III.1.2.1; what is not listed has none.
std::size_t OperandSize(std::uint16_t opcode) {
  const auto within = [opcode](int low, int high) { return opcode >= low && opcode <= high; };
  if (within(0x0e, 0x13) || opcode == 0x1f || within(0x2b, 0x37) || opcode == 0xde ||
      opcode == 0xfe12 || opcode == 0xfe19) {
    return 1;
  }
  if (within(0xfe09, 0xfe0e)) return 2;
  if (opcode == 0x21 || opcode == 0x23) return 8;
  if (opcode == 0x20 || opcode == 0x22 || within(0x27, 0x29) || within(0x38, 0x44) ||
      within(0x6f, 0x75) || opcode == 0x79 || within(0x7b, 0x81) || within(0x8c, 0x8d) ||
      opcode == 0x8f || within(0xa3, 0xa5) || opcode == 0xc2 || opcode == 0xc6 ||
      opcode == kLdtoken || opcode == 0xdd || within(0xfe06, 0xfe07) || within(0xfe15, 0xfe16) ||
      opcode == 0xfe1c) {
    return 4;
  }
  return 0;
}

bool IsCall(std::uint16_t opcode) {
  return opcode == 0x28 || opcode == 0x6f || opcode == 0x73 || opcode == 0x27 || opcode == 0xfe06 ||
         opcode == 0xfe07;
}

// What may stand between a literal and the call it is an argument of.
bool IsConstant(std::uint16_t opcode) {
  return opcode == kLdstr || opcode == 0x14 || (opcode >= 0x15 && opcode <= 0x23) || opcode == 0x25;
}

// The IL of a method, by II.25.4.
std::string_view CodeOf(const PeImage& image, std::uint32_t address) {
  const std::string_view body = image.AtAddress(address);
  if (body.empty()) return {};
  const auto first = static_cast<unsigned char>(body[0]);
  if ((first & 3) == 2) return PartOf(body, 1, first >> 2);
  const auto size = NumberAt<std::uint32_t>(body, 4);
  constexpr std::size_t kFatHeader = 12;
  if ((first & 3) != 3 || !size) return {};
  return PartOf(body, kFatHeader, *size);
}

void ForEachInstruction(std::string_view code,
                        const std::function<void(const Instruction&)>& visit) {
  std::size_t at = 0;
  while (at < code.size()) {
    Instruction instruction{.offset = static_cast<std::uint32_t>(at)};
    instruction.opcode = static_cast<unsigned char>(code[at++]);
    if (instruction.opcode == kTwoBytes) {
      if (at >= code.size()) return;
      instruction.opcode =
          static_cast<std::uint16_t>(0xfe00 | static_cast<unsigned char>(code[at++]));
    }
    if (instruction.opcode == kSwitch) {
      const auto targets = NumberAt<std::uint32_t>(code, at);
      if (!targets || *targets > code.size() / 4) return;
      at += 4 + std::size_t{*targets} * 4;
    } else {
      instruction.operand = NumberAt<std::uint32_t>(code, at).value_or(0);
      at += OperandSize(instruction.opcode);
    }
    visit(instruction);
  }
}

// What the trimmer warns of by what is passed, not by an attribute of the member.
enum class Unless { kNever, kLiteralName, kKnownType };

struct Special {
  std::string_view type;
  std::string_view name;
  std::string_view first_parameter;  // empty: any
  std::string_view code;
  Unless unless;
};

constexpr std::string_view kType = "System.Type";
constexpr std::string_view kThis = "IL2075";  // 'this' does not say which members it must keep

constexpr Special kSpecial[] = {
    {kType, "GetType", "System.String", "IL2057", Unless::kLiteralName},
    {kType, "MakeGenericType", "", "IL2055", Unless::kKnownType},
    {"System.Reflection.MethodInfo", "MakeGenericMethod", "", "IL2060", Unless::kNever},
    {"System.Activator", "CreateInstance", "System.Type", "IL2072", Unless::kKnownType},
    {"System.Activator", "CreateInstance", "System.String", "IL2032", Unless::kLiteralName},
    {"System.Runtime.CompilerServices.RuntimeHelpers", "RunClassConstructor", "", "IL2059",
     Unless::kKnownType},
    {kType, "GetMethod", "", kThis, Unless::kKnownType},
    {kType, "GetMethods", "", kThis, Unless::kKnownType},
    {kType, "GetProperty", "", kThis, Unless::kKnownType},
    {kType, "GetProperties", "", kThis, Unless::kKnownType},
    {kType, "GetField", "", kThis, Unless::kKnownType},
    {kType, "GetFields", "", kThis, Unless::kKnownType},
    {kType, "GetConstructor", "", kThis, Unless::kKnownType},
    {kType, "GetConstructors", "", kThis, Unless::kKnownType},
    {kType, "GetEvent", "", kThis, Unless::kKnownType},
    {kType, "GetEvents", "", kThis, Unless::kKnownType},
    {kType, "GetMember", "", kThis, Unless::kKnownType},
    {kType, "GetMembers", "", kThis, Unless::kKnownType},
    {kType, "GetNestedType", "", kThis, Unless::kKnownType},
    {kType, "GetNestedTypes", "", kThis, Unless::kKnownType},
    {kType, "GetInterface", "", kThis, Unless::kKnownType},
    {kType, "GetInterfaces", "", kThis, Unless::kKnownType},
    {kType, "InvokeMember", "", kThis, Unless::kKnownType},
    {"System.Reflection.Assembly", "get_Location", "", "IL3000", Unless::kNever},
    {"System.Reflection.Assembly", "get_CodeBase", "", "IL3000", Unless::kNever},
    {"System.Reflection.Assembly", "GetFile", "", "IL3001", Unless::kNever},
    {"System.Reflection.Assembly", "GetFiles", "", "IL3001", Unless::kNever},
    {"System.Reflection.Assembly", "Load", "System.String", "KV3004", Unless::kNever},
    {"System.Reflection.Assembly", "Load", "System.Reflection.AssemblyName", "KV3004",
     Unless::kNever},
    {"System.Runtime.Loader.AssemblyLoadContext", "LoadFromAssemblyName", "", "KV3004",
     Unless::kNever},
    {"System.AppDomain", "Load", "", "KV3004", Unless::kNever},
};

struct Warning {
  std::string code;
  Unless unless = Unless::kNever;
  std::uint8_t requirement = 0;
};

// What a call of a member brings, whoever calls.
struct Target {
  std::string text;
  std::vector<Warning> warnings;
};

class Finder {
 public:
  Finder(const PeImage& image, const DotnetMetadata& metadata, const DotnetAnnotations& annotations,
         const KnownMembers& known)
      : image_(image), metadata_(metadata), annotations_(annotations), known_(known) {}

  std::vector<DotnetUse> Run() {
    for (std::uint32_t row = 1; row <= metadata_.Rows(Table::kMethodDef); ++row) {
      const std::uint32_t address = metadata_.Cell(Table::kMethodDef, row, 0);
      if (address != 0) ReadMethod(row, CodeOf(image_, address));
    }
    return std::move(uses_);
  }

 private:
  void ReadMethod(std::uint32_t method, std::string_view code) {
    bool literal = false;     // a string literal is among the arguments
    bool known_type = false;  // typeof(X) is
    bool token = false;       // ldtoken was the last instruction
    ForEachInstruction(code, [&](const Instruction& instruction) {
      const std::uint16_t opcode = instruction.opcode;
      if (IsCall(opcode)) {
        const Target& target = TargetOf(Token::FromCode(instruction.operand));
        for (const Warning& warning : target.warnings) {
          const bool fine = (warning.unless == Unless::kLiteralName && literal) ||
                            (warning.unless == Unless::kKnownType && known_type);
          if (!fine) Report(method, instruction.offset, target, warning);
        }
        known_type =
            token && target.text == "System.Type.GetTypeFromHandle(System.RuntimeTypeHandle)";
        literal = false;
      } else if (opcode == kLdstr) {
        literal = true;
      } else if (!IsConstant(opcode)) {
        literal = false;
        if (opcode != kLdtoken) known_type = false;
      }
      token = opcode == kLdtoken;
    });
  }

  void Report(std::uint32_t method, std::uint32_t offset, const Target& target,
              const Warning& warning) {
    if (annotations_.Suppresses(method, warning.code)) return;
    if (warning.requirement != 0 &&
        annotations_.Passes(method, static_cast<Requirement>(warning.requirement))) {
      return;
    }
    // What only inspects types is passed on by RequiresUnreferencedCode as well.
    if (warning.requirement == 0 && warning.code.starts_with("IL20") &&
        annotations_.Passes(method, kRequiresUnreferencedCode)) {
      return;
    }
    uses_.push_back(
        {.code = warning.code,
         .member = target.text,
         .caller = metadata_.Member({static_cast<std::uint8_t>(Table::kMethodDef), method}).Text(),
         .il_offset = offset});
  }

  const Target& TargetOf(Token token) {
    if (token.Is(Table::kMethodSpec)) token = metadata_.CodedCell(Table::kMethodSpec, token.row, 0);
    const std::uint32_t key = (std::uint32_t{token.table} << 24) | token.row;
    const auto found = targets_.find(key);
    if (found != targets_.end()) return found->second;
    return targets_.emplace(key, Resolve(token)).first->second;
  }

  Target Resolve(Token token) const {
    const MemberName member = metadata_.Member(token);
    Target target{.text = member.Text(), .warnings = {}};
    if (member.is_field || member.name.empty()) return target;
    std::uint8_t requirements = known_.Requirements(member);
    if (token.Is(Table::kMethodDef)) requirements |= annotations_.Requirements(token.row);
    for (const Special& special : kSpecial) {
      if (special.type != member.type || special.name != member.name) continue;
      if (!special.first_parameter.empty() &&
          (member.parameters.empty() || member.parameters.front() != special.first_parameter)) {
        continue;
      }
      target.warnings.push_back({std::string(special.code), special.unless, 0});
      // The trimmer knows these by heart and does not warn by their attributes as well.
      if (special.code.starts_with("IL20")) requirements &= ~kRequiresUnreferencedCode;
      if (special.code.starts_with("IL300")) requirements &= ~kRequiresAssemblyFiles;
    }
    constexpr std::pair<Requirement, std::string_view> kCodes[] = {
        {kRequiresUnreferencedCode, "IL2026"},
        {kRequiresDynamicCode, "IL3050"},
        {kRequiresAssemblyFiles, "IL3002"}};
    for (const auto& [requirement, code] : kCodes) {
      if ((requirements & requirement) == 0) continue;
      target.warnings.push_back({std::string(code), Unless::kNever, requirement});
    }
    return target;
  }

  const PeImage& image_;
  const DotnetMetadata& metadata_;
  const DotnetAnnotations& annotations_;
  const KnownMembers& known_;
  std::map<std::uint32_t, Target> targets_;
  std::vector<DotnetUse> uses_;
};

}  // namespace

std::vector<DotnetUse> FindUses(const PeImage& image, const DotnetMetadata& metadata,
                                const DotnetAnnotations& annotations, const KnownMembers& known) {
  return Finder(image, metadata, annotations, known).Run();
}

}  // namespace kelvin::package
