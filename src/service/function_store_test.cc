#include "service/function_store.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "package/zip.h"

namespace kelvin::service {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FunctionStoreTest : public ::testing::Test {
 protected:
  fs::path folder() const { return folder_.path() / "state"; }
  FunctionStore Open() {
    auto store = FunctionStore::Open(folder());
    if (!store) throw std::runtime_error(store.error().message);
    return std::move(*store);
  }
  std::string Zip(std::string_view content) {
    const fs::path file = folder_.path() / "file";
    std::ofstream(file) << content;
    return package::MakeZip({{.name = "bootstrap", .source = file, .executable = true}}).value();
  }
  FunctionConfig PutFunction(FunctionStore& store, std::string name) {
    FunctionConfig config;
    config.name = std::move(name);
    config.environment = {{"A", "\"quoted\"\n"}};
    config.log_format = LogFormat::kJson;
    config.code_sha256 = store.PutCode(Zip("code"))->sha256;
    EXPECT_TRUE(store.PutFunction(RecordOf(config)));
    return config;
  }
  static FunctionRecord RecordOf(const FunctionConfig& config) {
    FunctionRecord record;
    record.latest = config;
    return record;
  }
  static FunctionConfig ConfigOf(const StoredCode& code) {
    FunctionConfig config;
    config.code_sha256 = code.sha256;
    return config;
  }
  // A layer of one file.
  LayerUse PutLayerCode(FunctionStore& store, std::string_view name, std::string_view content) {
    const fs::path file = folder_.path() / "file";
    std::ofstream(file) << content;
    const auto zip = package::MakeZip({{.name = std::string(name), .source = file},
                                       {.name = "both/" + std::string(name), .source = file},
                                       {.name = "same", .source = file}});
    const auto code = store.PutCode(*zip);
    return {.arn = "arn",
            .code_sha256 = code->sha256,
            .code_size = code->size,
            .unpacked_size = code->unpacked_size};
  }
  void Write(const fs::path& path, std::string_view content) {
    std::ofstream(folder() / path) << content;
  }

  TemporaryDirectory folder_ = TemporaryDirectory::Create().value();
};

TEST_F(FunctionStoreTest, KeepsFunctionsOverARestart) {
  FunctionConfig config;
  {
    auto store = Open();
    config = PutFunction(store, "f");
  }
  const auto store = Open();
  ASSERT_EQ(store.functions.size(), 1u);
  EXPECT_EQ(store.functions[0].latest, config);
}

TEST_F(FunctionStoreTest, ForgetsRemovedFunctions) {
  {
    auto store = Open();
    PutFunction(store, "f");
    ASSERT_TRUE(store.RemoveFunction("f"));
  }
  EXPECT_TRUE(Open().functions.empty());
}

TEST_F(FunctionStoreTest, KeepsEventsUntilTheyAreRemoved) {
  const StoredEvent event{.request_id = "id",
                          .function = "f",
                          .qualifier = "live",
                          .payload = "{\"a\":\"\\u0000\"}",
                          .client_context = "{}",
                          .trace_id = "Root=1",
                          .accepted_ms = 5,
                          .attempts = 1};
  ASSERT_TRUE(Open().PutEvent(event));
  {
    auto store = Open();
    ASSERT_EQ(store.events.size(), 1u);
    EXPECT_EQ(store.events[0].payload, event.payload);
    EXPECT_EQ(store.events[0].client_context, event.client_context);
    EXPECT_EQ(store.events[0].attempts, 1);
    EXPECT_EQ(store.events[0].qualifier, "live");
    ASSERT_TRUE(store.RemoveEvent("id"));
  }
  EXPECT_TRUE(Open().events.empty());
}

TEST_F(FunctionStoreTest, RefusesASecondService) {
  const auto first = Open();
  const auto second = FunctionStore::Open(folder());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(second.error().message, HasSubstr("process " + std::to_string(::getpid())));
}

TEST_F(FunctionStoreTest, UnpacksCodeAgainWhenTheCacheIsGone) {
  auto store = Open();
  const auto code = store.PutCode(Zip("hello"));
  ASSERT_TRUE(code);
  fs::remove_all(store.code_folder(code->sha256));
  ASSERT_TRUE(store.EnsureUnpacked(ConfigOf(*code)));
  EXPECT_EQ(ReadFile(store.code_folder(code->sha256) / "bootstrap").value(), "hello");
}

TEST_F(FunctionStoreTest, MergesLayersInTheirOrder) {
  auto store = Open();
  FunctionConfig config = ConfigOf(*store.PutCode(Zip("hello")));
  config.layers = {PutLayerCode(store, "a", "first"), PutLayerCode(store, "b", "second")};
  EXPECT_EQ(config.layers[1].unpacked_size, 3 * std::string_view("second").size());
  ASSERT_TRUE(store.EnsureUnpacked(config));
  const fs::path merged = store.layers_folder(config.layers);
  EXPECT_EQ(ReadFile(merged / "both/a").value(), "first");
  EXPECT_EQ(ReadFile(merged / "both/b").value(), "second");
  EXPECT_EQ(ReadFile(merged / "same").value(), "second");
  EXPECT_EQ(ReadFile(store.code_folder(config.layers[0].code_sha256) / "same").value(), "first");
  config.layers.pop_back();
  EXPECT_EQ(store.layers_folder(config.layers), store.code_folder(config.layers[0].code_sha256));
}

TEST_F(FunctionStoreTest, KeepsTheCodeOfLayersThatOnlyAFunctionStillHas) {
  LayerUse layer;
  {
    auto store = Open();
    FunctionConfig config = PutFunction(store, "f");
    layer = PutLayerCode(store, "a", "x");
    PutLayerCode(store, "b", "nobody's");
    config.layers = {layer};
    ASSERT_TRUE(store.PutFunction(RecordOf(config)));
  }
  auto store = Open();
  EXPECT_TRUE(fs::exists(store.code_folder(layer.code_sha256)));
  const auto packages = fs::directory_iterator(folder() / "code");
  EXPECT_EQ(std::distance(fs::begin(packages), fs::end(packages)), 2);
}

TEST_F(FunctionStoreTest, KeepsLayersOverARestart) {
  Layer layer{.name = "l", .last_number = 3, .versions = {}};
  {
    auto store = Open();
    const LayerUse code = PutLayerCode(store, "a", "x");
    layer.versions[2] = {.number = 2,
                         .description = "d",
                         .license_info = "MIT",
                         .created = "now",
                         .code_sha256 = code.code_sha256,
                         .code_size = 1,
                         .unpacked_size = 2,
                         .runtimes = {"provided.al2023"},
                         .architectures = {}};
    ASSERT_TRUE(store.PutLayer(layer));
  }
  const auto store = Open();
  ASSERT_EQ(store.layers.size(), 1u);
  EXPECT_EQ(store.layers[0], layer);
}

TEST_F(FunctionStoreTest, ReportsAPackageThatChangedOnDisk) {
  auto store = Open();
  const auto code = store.PutCode(Zip("hello"));
  fs::remove_all(store.code_folder(code->sha256));
  for (const auto& entry : fs::directory_iterator(folder() / "code")) {
    std::ofstream(entry.path()) << "garbage";
  }
  const auto unpacked = store.EnsureUnpacked(ConfigOf(*code));
  ASSERT_FALSE(unpacked);
  EXPECT_EQ(unpacked.error().code, ErrorCode::kCorrupt);
}

TEST_F(FunctionStoreTest, KeepsNothingOfABrokenZip) {
  auto store = Open();
  const auto code = store.PutCode("not a zip");
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(fs::is_empty(folder() / "code"));
}

TEST_F(FunctionStoreTest, SweepsUpWhatACrashLeftHalfDone) {
  {
    auto store = Open();
    PutFunction(store, "f");
  }
  Write("functions/g.json.123.new", "{");
  Write("code/abc.zip.123.new", "x");
  fs::create_directory(folder() / "unpacked" / "abc.new");
  const auto store = Open();
  EXPECT_EQ(store.functions.size(), 1u);
  EXPECT_FALSE(fs::exists(folder() / "functions/g.json.123.new"));
  EXPECT_FALSE(fs::exists(folder() / "code/abc.zip.123.new"));
  EXPECT_FALSE(fs::exists(folder() / "unpacked/abc.new"));
}

TEST_F(FunctionStoreTest, RemovesCodeThatNoFunctionUses) {
  {
    auto store = Open();
    PutFunction(store, "f");
    ASSERT_TRUE(store.RemoveFunction("f"));
  }
  Open();
  EXPECT_TRUE(fs::is_empty(folder() / "code"));
}

TEST_F(FunctionStoreTest, ReportsDamageInsteadOfForgetting) {
  for (const char* content : {"", "{", "[]", "{\"version\":1}", "{\"version\":2}"}) {
    {
      Open();
    }
    Write("functions/f.json", content);
    const auto store = FunctionStore::Open(folder());
    ASSERT_FALSE(store) << content;
    EXPECT_EQ(store.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(store.error().message, HasSubstr("functions/f.json is damaged"));
    fs::remove(folder() / "functions/f.json");
  }
}

TEST_F(FunctionStoreTest, ReportsAMissingPackage) {
  {
    auto store = Open();
    PutFunction(store, "f");
  }
  fs::remove_all(folder() / "code");
  const auto store = FunctionStore::Open(folder());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kCorrupt);
}

TEST_F(FunctionStoreTest, ReportsAFolderThatCannotBeMade) {
  std::ofstream(folder_.path() / "state") << "a file";
  const auto store = FunctionStore::Open(folder());
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message, HasSubstr("cannot create"));
}

TEST_F(FunctionStoreTest, SaysWhatTheOperatingSystemRefuses) {
  auto store = Open();
  FunctionConfig config;
  config.name = "f";
  fs::remove_all(folder() / "functions");
  const auto stored = store.PutFunction(RecordOf(config));
  ASSERT_FALSE(stored);
  EXPECT_THAT(stored.error().message, HasSubstr("cannot create"));
}

TEST_F(FunctionStoreTest, DropsTheCacheOfAnEarlierBoot) {
  std::string sha256;
  {
    auto store = Open();
    sha256 = PutFunction(store, "f").code_sha256;
  }
  Write("unpacked/boot_id", "another boot\n");
  const auto store = Open();
  EXPECT_FALSE(fs::exists(store.code_folder(sha256)));
}

}  // namespace
}  // namespace kelvin::service
