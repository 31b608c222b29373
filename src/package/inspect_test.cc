#include "package/inspect.h"

#include <algorithm>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "package/dll_builder.h"
#include "package/inspect_report.h"
#include "package/program_builder.h"
#include "package/zip_builder.h"

namespace kelvin::package {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Entry = ZipBuilder::Entry;

constexpr const char* kMain = "int main(void) { return 0; }";

class InspectTest : public ::testing::Test {
 protected:
  const InspectReport& Look(const std::vector<Entry>& entries, const InspectOptions& options = {}) {
    ZipBuilder zip;
    for (const Entry& entry : entries) zip.Add(entry);
    return LookAt(zip.Finish(), options);
  }
  const InspectReport& LookAt(const std::string& bytes, const InspectOptions& options = {}) {
    const auto contents = ReadContents(bytes, "package");
    EXPECT_TRUE(contents) << contents.error().message;
    auto report = Inspect(contents.value_or(Contents()), options);
    EXPECT_TRUE(report) << report.error().message;
    report_ = report.value_or(InspectReport());
    return report_;
  }
  std::vector<std::string> Rules() const {
    std::vector<std::string> ids;
    for (const Finding& finding : report_.findings) ids.emplace_back(finding.rule->id);
    return ids;
  }
  const Finding& Found(std::string_view id) const {
    for (const Finding& finding : report_.findings) {
      if (finding.rule->id == id) return finding;
    }
    ADD_FAILURE() << "no finding of " << id;
    static Finding none;
    none.rule = FindRule("KV1001");
    return none;
  }
  Entry Bootstrap(const std::string& source, const std::string& flags) {
    return {.name = "bootstrap", .content = builder_.Bytes(source, flags), .mode = 0100755};
  }

  ProgramBuilder builder_;
  InspectReport report_;
};

TEST_F(InspectTest, FindsNothingWrongWithAStaticProgram) {
  Look({Bootstrap(kMain, "-static-pie -fPIE -s")});
  EXPECT_EQ(report_.identity.what, "static native");
  EXPECT_EQ(report_.identity.model, Model::kAot);
  EXPECT_EQ(report_.Count(Severity::kError), 0U);
  EXPECT_EQ(report_.Count(Severity::kWarning), 0U);
  EXPECT_EQ(report_.files[0].name, "bootstrap");
  EXPECT_EQ(report_.sections[0].name, ".text");
}

TEST_F(InspectTest, SaysWhereAMisplacedBootstrapIs) {
  Look({{.name = "publish/bootstrap", .content = "#!/bin/sh\n", .mode = 0100755}});
  EXPECT_THAT(Found("KV1001").evidence, HasSubstr("publish/bootstrap"));
  EXPECT_EQ(Found("KV1001").severity, Severity::kError);
  Look({{.name = "hello", .content = builder_.Bytes(kMain, "-s"), .mode = 0100755}});
  EXPECT_THAT(Found("KV1001").evidence, HasSubstr("the only program is hello"));
}

TEST_F(InspectTest, TakesABootstrapFromALayer) {
  Look({{.name = "function.bc", .content = "BC\xc0\xde", .mode = 0100644}});
  EXPECT_EQ(report_.identity.what, "Kelvin jit");
  EXPECT_THAT(Rules(), Not(Contains("KV1001")));
  Look({{.name = "data.bin", .content = "x"}}, {.bootstrap_from_layer = true});
  EXPECT_THAT(Rules(), Not(Contains("KV1001")));
}

TEST_F(InspectTest, JudgesScripts) {
  Look({{.name = "bootstrap", .content = "#!/bin/sh\nexec ./f\n", .mode = 0100755}});
  EXPECT_EQ(Found("KV1003").evidence, "#!/bin/sh");
  EXPECT_THAT(Rules(), Not(Contains("KV1004")));
  Look({{.name = "bootstrap", .content = "#!/usr/bin/python3\n", .mode = 0100755}});
  EXPECT_THAT(Found("KV1004").evidence, HasSubstr("/usr/bin/python3"));
  Look({{.name = "bootstrap", .content = "#!/bin/sh\r\n", .mode = 0100755}});
  EXPECT_THAT(Found("KV1004").evidence, HasSubstr("carriage return"));
  Look({{.name = "bootstrap", .content = "hello", .mode = 0100644}});
  EXPECT_THAT(Rules(), Contains("KV1002"));
  EXPECT_THAT(Rules(), Contains("KV1004"));
}

TEST_F(InspectTest, ComparesSymbolVersionsWithTheRuntimes) {
  // Asks for the oldest and for one that only newer systems than Lambda's have.
  constexpr const char* kNew =
      "__asm__(\".symver newest, hypot@GLIBC_2.35\"); double newest(double, double);\n"
      "int main(int n, char** v) { return (int)newest(n, n); }";
  Look({Bootstrap(kNew, "-lm -s")});
  EXPECT_THAT(Found("KV1006").evidence, HasSubstr("GLIBC_2.35"));
  EXPECT_THAT(Found("KV1006").evidence, HasSubstr("has GLIBC_2.34"));
  EXPECT_THAT(Found("KV1006").evidence, HasSubstr("hypot"));
  Look({Bootstrap(kMain, "-s")}, {.runtime = "provided.al2"});  // __libc_start_main of 2.34
  EXPECT_THAT(Found("KV1006").evidence, HasSubstr("has GLIBC_2.26"));
  Look({Bootstrap(kMain, "-s")});
  EXPECT_THAT(Rules(), Not(Contains("KV1006")));
}

TEST_F(InspectTest, NamesLibrariesThatAreMissingAndFindsThoseInThePackage) {
  const auto library =
      builder_.Compile("int own(void) { return 1; }", "-shared -fPIC -Wl,-soname,libown.so.1");
  const Entry program =
      Bootstrap("int own(void); int main(void) { return own(); }", library.native() + " -s");
  Look({program});
  EXPECT_EQ(Found("KV1007").evidence, "libown.so.1");
  Look({program,
        {.name = "lib/libown.so.1", .content = ReadFile(library).value(), .mode = 0100644}});
  EXPECT_THAT(Rules(), Not(Contains("KV1007")));
}

TEST_F(InspectTest, KnowsTheLoadersThatAmazonLinuxHas) {
  Look({Bootstrap(kMain, "-s -Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1")});
  EXPECT_EQ(Found("KV1008").evidence, "/lib/ld-musl-x86_64.so.1");
}

TEST_F(InspectTest, ComparesArchitectures) {
  Entry program = Bootstrap(kMain, "-s");
  const std::string here = LookAt(program.content).identity.architecture;
  const std::string other = here == "x86_64" ? "arm64" : "x86_64";
  Look({program}, {.architecture = other});
  EXPECT_THAT(Found("KV1005").evidence, HasSubstr(other));
  Look({program}, {.architecture = here});
  EXPECT_THAT(Rules(), Not(Contains("KV1005")));
  program.content[18] = 0x28;  // 32-bit arm
  program.content[19] = 0;
  Look({program});
  EXPECT_THAT(Rules(), Contains("KV1005"));
}

#if defined(__x86_64__)
TEST_F(InspectTest, FindsInstructionsThatNotEveryMachineHas) {
  constexpr const char* kVector =
      "__attribute__((noipa)) void add(float* a, const float* b) { for (int i = 0; i < 4096; ++i) "
      "a[i] = (a[i] + b[i]) * (a[i] - b[i]) + a[i] / b[i]; }\n"
      "int main(void) { static float a[4096], b[4096]; add(a, b); return (int)a[1]; }";
  Look({Bootstrap(kVector, "-O3 -march=x86-64-v4 -mprefer-vector-width=512 -no-pie")});
  EXPECT_EQ(Found("KV1009").severity, Severity::kWarning);
  EXPECT_THAT(Found("KV1009").evidence, HasSubstr("AVX-512"));
  EXPECT_TRUE(Found("KV1009").has_offset);
  Look({Bootstrap(kVector, "-O3 -march=x86-64-v3")});
  EXPECT_THAT(Rules(), Not(Contains("KV1009")));
}
#endif

TEST_F(InspectTest, FindsWhatMakesItSlowToStart) {
  std::string source = "char* table[9000000] = {\"x\"};\n";
  for (int i = 0; i < 45; ++i) {
    source += "__attribute__((constructor)) static void c" + std::to_string(i) + "(void) {}\n";
  }
  source += "void* p[3000] = {[0 ... 2999] = &p};\n#include <dlfcn.h>\n";
  source += "int main(int n, char** v) { return dlopen(v[1], 1) == p; }";
  Look({Bootstrap(source, "-g -pie -fPIE")});
  for (const char* id : {"KV2002", "KV2003", "KV2005", "KV2006", "KV3001"}) {
    EXPECT_THAT(Rules(), Contains(id));
  }
}

TEST_F(InspectTest, FindsWhatIsNotHardened) {
  Look({Bootstrap(kMain, "-no-pie -Wl,-z,norelro -Wl,-z,execstack -Wl,-rpath,/home/me/lib")});
  for (const char* id : {"KV4001", "KV4002", "KV4004", "KV4006"}) {
    EXPECT_THAT(Rules(), Contains(id));
  }
  Look({Bootstrap("int _start(void) { return 0; }", "-nostdlib -static -no-pie -Wl,-N")});
  EXPECT_THAT(Rules(), Contains("KV4003"));
}

TEST_F(InspectTest, FindsSecretsAndDoesNotRepeatThem) {
  const std::string key = std::string("AKIA") + "QWERTYUIOPASDFGH";
  Look({{.name = "bootstrap", .content = "#!/bin/sh\nexport KEY=" + key + "\n", .mode = 0100755},
        {.name = "docs.txt", .content = "AKIAIOSFODNN7EXAMPLE is the documentation's"}});
  EXPECT_EQ(Found("KV4005").file, "bootstrap");
  EXPECT_EQ(Found("KV4005").offset, 21U);
  EXPECT_THAT(InspectJson({&report_, 1}), Not(HasSubstr(key)));
  EXPECT_EQ(std::ranges::count(Rules(), "KV4005"), 1);
}

TEST_F(InspectTest, JudgesModesAndDebugFiles) {
  Look({Bootstrap(kMain, "-s"),
        {.name = "secret.conf", .content = "x", .mode = 0100600},
        {.name = "tool", .content = "x", .mode = 0104755},
        {.name = "app.pdb", .content = "x"}});
  EXPECT_EQ(Found("KV1012").file, "secret.conf");
  EXPECT_EQ(Found("KV4007").file, "tool");
  EXPECT_EQ(Found("KV2004").file, "app.pdb");
}

TEST_F(InspectTest, KnowsLanguagesByTheirFiles) {
  struct Case {
    const char* file;
    const char* language;
  };
  for (const Case& known : {Case{"index.mjs", "Node.js"}, Case{"app.py", "Python"},
                            Case{"com/x/Handler.class", "Java"}}) {
    Look({{.name = known.file, .content = "x"}});
    EXPECT_EQ(report_.identity.language, known.language);
    EXPECT_THAT(Rules(), Not(Contains("KV1001")));
  }
}

TEST_F(InspectTest, JudgesDotnetPackages) {
  DllBuilder dll("App");
  dll.Reference("Newtonsoft.Json");
  const auto assembly = dll.TypeRef("System.Reflection", "Assembly");
  const auto load = dll.MemberRef(assembly, "LoadFrom", std::string("\0\1\1\x0e", 4));
  const auto serializer = dll.TypeRef("Amazon.Lambda.Core", "LambdaSerializerAttribute");
  const auto constructor = dll.MemberRef(serializer, ".ctor", std::string("\x20\1\1\x0e", 4));
  dll.Type("App", "Function");
  dll.Method("Handle", "\x02" + DllBuilder::With(0x28, load) + "\x2a");
  const std::string name = "X.DefaultLambdaJsonSerializer, X";
  dll.Attribute(
      0x20000001, constructor,
      std::string("\1\0", 2) + static_cast<char>(name.size()) + name + std::string("\0\0", 2));
  Look({{.name = "App.dll", .content = dll.Finish()}});
  EXPECT_EQ(report_.identity.what, ".NET Regular");
  for (const char* id : {"KV1013", "KV2007", "KV3003", "KV3005", "IL2026"}) {
    EXPECT_THAT(Rules(), Contains(id));
  }
  EXPECT_THAT(Found("IL2026").fix, HasSubstr("App.Function.Handle() at IL_0001"));
  dll.ReadyToRun(0xfd1d);
  Look({{.name = "App.dll", .content = dll.Finish()},
        {.name = "App.runtimeconfig.json", .content = "{}"}});
  EXPECT_EQ(report_.identity.what, ".NET ReadyToRun");
  EXPECT_EQ(report_.identity.architecture, "x86_64");
  EXPECT_THAT(Rules(), Not(Contains("KV1013")));
}

TEST_F(InspectTest, NamesWhatIsBrokenInsteadOfFailing) {
  Look({Bootstrap(kMain, "-s"),
        {.name = "lib/broken.so", .content = "\177ELF rest"},
        {.name = "broken.dll", .content = "MZ"}});
  EXPECT_EQ(std::ranges::count(Rules(), "KV1015"), 2);
}

TEST_F(InspectTest, WritesSarifWithEveryRule) {
  Look({{.name = "publish/bootstrap", .content = "x"}});
  const auto sarif = boost::json::parse(InspectSarif({&report_, 1}, "1.2.3"));
  EXPECT_EQ(sarif.at("version"), "2.1.0");
  const auto& run = sarif.at("runs").at(0);
  const auto& rules = run.at("tool").at("driver").at("rules").as_array();
  EXPECT_EQ(rules.size(), package::Rules().size());
  const auto& result = run.at("results").at(0);
  EXPECT_EQ(result.at("ruleId"), "KV1001");
  EXPECT_EQ(result.at("level"), "error");
  EXPECT_EQ(rules.at(result.at("ruleIndex").to_number<std::size_t>()).at("id"), "KV1001");
  EXPECT_EQ(result.at("locations").at(0).at("physicalLocation").at("artifactLocation").at("uri"),
            "package");
}

TEST_F(InspectTest, RefusesRuntimesItDoesNotKnow) {
  const auto contents = ReadContents(builder_.Bytes(kMain, "-s"), "x");
  EXPECT_EQ(Inspect(*contents, {.runtime = "dotnet99"}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Inspect(*contents, {.architecture = "mips"}).error().code, ErrorCode::kInvalidArgument);
}

TEST(Rules, AreDocumented) {
  const std::string document = ReadFile(KELVIN_SOURCE_FOLDER "/docs/inspect.md").value();
  for (const Rule& rule : Rules()) {
    EXPECT_THAT(document,
                HasSubstr("| " + std::string(rule.id) + " | " + std::string(rule.name) + " |"));
    EXPECT_EQ(FindRule(rule.id), &rule) << "doubled id";
  }
}

TEST(ReadContents, RefusesWhatIsNoPackage) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "zip"}, {"hello", "zip"}, {std::string("PK\3\4 and then nothing"), "whole archive"}};
  for (const auto& [bytes, why] : cases) {
    const auto contents = ReadContents(bytes, "x");
    ASSERT_FALSE(contents);
    EXPECT_EQ(contents.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(contents.error().message, HasSubstr(why));
  }
  EXPECT_EQ(ReadContents(std::filesystem::path("/nonexistent")).error().code, ErrorCode::kNotFound);
}

TEST(ReadContents, RefusesHostileZips) {
  const auto read = [](const std::vector<Entry>& entries, const ContentsLimits& limits = {}) {
    ZipBuilder zip;
    for (const Entry& entry : entries) zip.Add(entry);
    return ReadContents(zip.Finish(), "x", limits);
  };
  EXPECT_EQ(read({{.name = "../x"}}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(read({{.name = "/etc/x"}}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(read({{.name = "a"}, {.name = "a"}}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(read({{.name = "a", .content = "12345"}}, {.max_bytes = 4}).error().code,
            ErrorCode::kResourceExhausted);
  EXPECT_EQ(read({{.name = "a"}, {.name = "b"}}, {.max_files = 1}).error().code,
            ErrorCode::kResourceExhausted);
  ZipBuilder zip;
  zip.Add({.name = "a", .content = std::string(1000, 'x')});
  const std::string whole = zip.Finish();
  for (std::size_t size = 4; size < whole.size(); size += 37) {
    EXPECT_FALSE(ReadContents(whole.substr(0, size), "x")) << size;
  }
}

TEST(ReadContents, ReadsFoldersAsTheyAre) {
  const auto folder = TemporaryDirectory::Create().value();
  std::filesystem::create_directories(folder.path() / "lib");
  ASSERT_TRUE(WriteFileAtomically(folder.path() / "lib/a", "1", 0755));
  std::filesystem::create_symlink("lib/a", folder.path() / "bootstrap");
  const auto contents = ReadContents(folder.path());
  ASSERT_TRUE(contents);
  ASSERT_EQ(contents->files.size(), 2U);
  EXPECT_EQ(contents->Find("bootstrap")->link_target, "lib/a");
  EXPECT_EQ(contents->Find("lib/a")->mode, 0755U);
  EXPECT_EQ(contents->Find("nothing"), nullptr);
}

}  // namespace
}  // namespace kelvin::package
