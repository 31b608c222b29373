#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "package/dll_builder.h"
#include "package/dotnet_code.h"

namespace kelvin::package {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::uint8_t kCall = 0x28;
constexpr std::uint8_t kLdstr = 0x72;
constexpr std::uint8_t kLdtoken = 0xd0;
constexpr std::uint8_t kNewobj = 0x73;
const std::string kLdarg0 = "\x02";
const std::string kRet = "\x2a";
// Of a static method of one string that gives nothing back, and so on.
const std::string kOfString("\0\1\1\x0e", 4);
const std::string kOfNothing("\0\0\1", 3);
const std::string kConstructorOfString("\x20\1\1\x0e", 4);

// The prolog of an attribute's value, and one string.
std::string Value(const std::string& first, const std::string& second = {}) {
  std::string value("\1\0", 2);
  value += static_cast<char>(first.size());
  value += first;
  if (!second.empty()) {
    value += static_cast<char>(second.size());
    value += second;
  }
  return value + std::string("\0\0", 2);
}

class DotnetTest : public ::testing::Test {
 protected:
  DotnetTest() : dll_("App") {
    dll_.Reference("System.Runtime");
    type_ = dll_.TypeRef("System", "Type");
    assembly_ = dll_.TypeRef("System.Reflection", "Assembly");
    load_from_ = dll_.MemberRef(assembly_, "LoadFrom", kOfString);
    get_type_ = dll_.MemberRef(type_, "GetType", kOfString);
    dll_.Type("App", "Function");
  }

  std::vector<std::string> Codes() {
    bytes_ = dll_.Finish();
    const auto image = ReadPe(bytes_);
    EXPECT_TRUE(image) << image.error().message;
    const auto metadata = DotnetMetadata::Parse(image->metadata);
    EXPECT_TRUE(metadata) << metadata.error().message;
    const DotnetAnnotations annotations(*metadata);
    std::vector<std::string> codes;
    uses_ = FindUses(*image, *metadata, annotations, KnownMembers());
    for (const DotnetUse& use : uses_) codes.push_back(use.code);
    return codes;
  }
  static std::string Call(std::uint32_t token) { return DllBuilder::With(kCall, token); }

  DllBuilder dll_;
  std::uint32_t type_ = 0;
  std::uint32_t assembly_ = 0;
  std::uint32_t load_from_ = 0;
  std::uint32_t get_type_ = 0;
  std::string bytes_;
  std::vector<DotnetUse> uses_;
};

TEST_F(DotnetTest, NamesMemberCallerAndPlace) {
  dll_.Method("Handle", kLdarg0 + Call(load_from_) + kRet);
  EXPECT_THAT(Codes(), ElementsAre("IL2026"));
  EXPECT_EQ(uses_[0].member, "System.Reflection.Assembly.LoadFrom(System.String)");
  EXPECT_EQ(uses_[0].caller, "App.Function.Handle()");
  EXPECT_EQ(uses_[0].il_offset, 1U);
}

TEST_F(DotnetTest, TellsLiteralNamesFromOthers) {
  dll_.Method("Unknown", kLdarg0 + Call(get_type_) + kRet);
  dll_.Method("Known",
              DllBuilder::With(kLdstr, dll_.Literal("System.String")) + Call(get_type_) + kRet);
  EXPECT_THAT(Codes(), ElementsAre("IL2057"));
  EXPECT_THAT(uses_[0].caller, HasSubstr("Unknown"));
}

TEST_F(DotnetTest, TellsTypesThatAreWrittenDownFromOthers) {
  const auto activator = dll_.TypeRef("System", "Activator");
  const std::string of_type{'\0', '\1', '\x1c', '\x12', static_cast<char>((type_ & 0xff) << 2 | 1)};
  const auto create = dll_.MemberRef(activator, "CreateInstance", of_type);
  const auto handle = dll_.TypeRef("System", "RuntimeTypeHandle");
  const std::string from{'\0',   '\1',
                         '\x12', static_cast<char>((type_ & 0xff) << 2 | 1),
                         '\x11', static_cast<char>((handle & 0xff) << 2 | 1)};
  const auto from_handle = dll_.MemberRef(type_, "GetTypeFromHandle", from);
  dll_.Method("Known", DllBuilder::With(kLdtoken, type_) + Call(from_handle) + Call(create) + kRet);
  dll_.Method("Unknown", kLdarg0 + Call(create) + kRet);
  EXPECT_THAT(Codes(), ElementsAre("IL2072"));
  EXPECT_THAT(uses_[0].caller, HasSubstr("Unknown"));
}

TEST_F(DotnetTest, WarnsOfCodeMadeAtRunTime) {
  const auto dynamic = dll_.TypeRef("System.Reflection.Emit", "DynamicMethod");
  const auto make = dll_.MemberRef(dynamic, ".ctor", kConstructorOfString);
  const auto load = dll_.MemberRef(assembly_, "Load", kOfString);
  dll_.Method("Handle", kLdarg0 + DllBuilder::With(kNewobj, make) + kLdarg0 + Call(load) + kRet);
  EXPECT_THAT(Codes(), ElementsAre("IL3050", "KV3004"));
}

TEST_F(DotnetTest, TellsSerialisersByReflectionFromGeneratedOnes) {
  const auto serializer = dll_.TypeRef("System.Text.Json", "JsonSerializer");
  const auto options = dll_.TypeRef("System.Text.Json", "JsonSerializerOptions");
  const auto context = dll_.TypeRef("System.Text.Json.Serialization", "JsonSerializerContext");
  const auto overload = [&](std::uint32_t type) {
    return std::string{'\0', '\2', '\x0e', '\x1c'} +
           std::string{'\x12', static_cast<char>((type & 0xff) << 2 | 1)};
  };
  // Serialize(object, Type, options) reflects, Serialize(object, Type, context) does not.
  const auto of = [&](std::uint32_t type) {
    return std::string{'\0',   '\3',   '\x0e',
                       '\x1c', '\x12', static_cast<char>((type_ & 0xff) << 2 | 1)} +
           overload(type).substr(4);
  };
  const auto reflects = dll_.MemberRef(serializer, "Serialize", of(options));
  const auto generated = dll_.MemberRef(serializer, "Serialize", of(context));
  dll_.Method("Reflects", Call(reflects) + kRet);
  dll_.Method("Generated", Call(generated) + kRet);
  EXPECT_THAT(Codes(), UnorderedElementsAre("IL2026", "IL3050"));
  EXPECT_THAT(uses_[0].caller, HasSubstr("Reflects"));
}

TEST_F(DotnetTest, LeavesWhatTheAuthorPassesOnOrSuppresses) {
  const auto requires_code =
      dll_.TypeRef("System.Diagnostics.CodeAnalysis", "RequiresUnreferencedCodeAttribute");
  const auto suppress =
      dll_.TypeRef("System.Diagnostics.CodeAnalysis", "UnconditionalSuppressMessageAttribute");
  const auto requires_constructor = dll_.MemberRef(requires_code, ".ctor", kConstructorOfString);
  const auto suppress_constructor =
      dll_.MemberRef(suppress, ".ctor", std::string("\x20\2\1\x0e\x0e", 5));
  const auto passes = dll_.Method("Passes", kLdarg0 + Call(load_from_) + kRet);
  const auto quiet = dll_.Method("Quiet", kLdarg0 + Call(load_from_) + kRet);
  dll_.Method("Caller", Call(passes) + kRet);
  dll_.Attribute(passes, requires_constructor, Value("plugins"));
  dll_.Attribute(quiet, suppress_constructor, Value("Trimming", "IL2026:Requires"));
  EXPECT_THAT(Codes(), ElementsAre("IL2026"));
  EXPECT_EQ(uses_[0].member, "App.Function.Passes()");
  EXPECT_THAT(uses_[0].caller, HasSubstr("Caller"));
}

TEST_F(DotnetTest, ReadsNamesReferencesAndReadyToRun) {
  dll_.Reference("Newtonsoft.Json");
  dll_.ReadyToRun(0xfd1d);  // x86-64, masked as images for Linux are
  bytes_ = dll_.Finish();
  const auto image = ReadPe(bytes_);
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_TRUE(image->ready_to_run);
  EXPECT_EQ(PeMachineName(*image), "x86_64");
  const auto metadata = DotnetMetadata::Parse(image->metadata);
  ASSERT_TRUE(metadata);
  EXPECT_EQ(metadata->AssemblyName(), "App");
  EXPECT_THAT(metadata->References(), Contains("Newtonsoft.Json"));
  EXPECT_EQ(metadata->UserString(dll_.Literal("später")), "");  // added after it was written
}

TEST_F(DotnetTest, SaysWhichHeaderIsBroken) {
  dll_.Method("Handle", kRet);
  const std::string whole = dll_.Finish();
  struct Case {
    std::size_t at;
    std::string bytes;
    const char* why;
  };
  const Case cases[] = {{0x80, "XX", "PE header"},
                        {0x3c, "\xff\xff\xff\x7f", "PE header"},
                        {0x98, "\x99\x99", "optional header"},
                        {0x86, "\xff\xff", "section headers"},
                        {0x188, "\xff\xff\xff\x0f", "section"}};
  for (const Case& broken : cases) {
    std::string bytes = whole;
    bytes.replace(broken.at, broken.bytes.size(), broken.bytes);
    const auto image = ReadPe(bytes);
    ASSERT_FALSE(image) << broken.why;
    EXPECT_EQ(image.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(image.error().message, HasSubstr(broken.why));
  }
}

TEST_F(DotnetTest, RefusesMetadataThatIsCutShort) {
  dll_.Method("Handle", kLdarg0 + Call(load_from_) + kRet);
  bytes_ = dll_.Finish();
  const auto image = ReadPe(bytes_);
  ASSERT_TRUE(image);
  ASSERT_TRUE(DotnetMetadata::Parse(image->metadata));
  for (std::size_t size = 0; size + 8 < image->metadata.size(); ++size) {
    const auto cut = DotnetMetadata::Parse(image->metadata.substr(0, size));
    ASSERT_FALSE(cut) << size;
    EXPECT_EQ(cut.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace kelvin::package
