#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "package/assess.h"
#include "package/image_reader.h"
#include "package/make_image.h"
#include "package/pack_files.h"
#include "package/program_builder.h"
#include "package/sha256.h"
#include "package/zip_builder.h"

namespace kelvin::package {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PackTest : public ::testing::Test {
 protected:
  PackTest() : folder_(TemporaryDirectory::Create().value()) {
    std::filesystem::create_directories(path("in/lib"));
    Write("in/bootstrap", "#!/bin/sh\n", 0755);
    Write("in/lib/data", std::string(10'000, 'd'), 0644);
    std::filesystem::create_symlink("lib/data", path("in/link"));
  }
  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  void Write(const std::string& name, const std::string& content, int mode) {
    ASSERT_TRUE(WriteFileAtomically(path(name), content, mode));
  }
  std::vector<PackEntry> Entries() { return CollectEntries(path("in")).value(); }

  TemporaryDirectory folder_;
};

std::vector<std::string> Names(const std::vector<PackEntry>& entries) {
  std::vector<std::string> names;
  for (const PackEntry& entry : entries) names.push_back(entry.name);
  std::ranges::sort(names);
  return names;
}

TEST_F(PackTest, CollectsFoldersProgramsAndFiles) {
  EXPECT_THAT(Names(Entries()), ElementsAre("bootstrap", "lib/data", "link"));
  EXPECT_THAT(Names(CollectEntries(path("in"), "opt/x").value()),
              ElementsAre("opt/x/bootstrap", "opt/x/lib/data", "opt/x/link"));
  const ProgramBuilder builder;
  const auto program = builder.Compile("int main(void) { return 0; }", "-s");
  EXPECT_THAT(Names(CollectEntries(program).value()), ElementsAre("bootstrap"));
  EXPECT_THAT(Names(CollectEntries(path("in/lib/data")).value()), ElementsAre("data"));
  EXPECT_EQ(CollectEntries(path("none")).error().code, ErrorCode::kNotFound);
  ASSERT_EQ(::mkfifo(path("in/pipe").c_str(), 0600), 0);
  EXPECT_EQ(CollectEntries(path("in")).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(PackTest, KeepsLinksInZips) {
  const auto zip = MakeZip(Entries());
  ASSERT_TRUE(zip) << zip.error().message;
  std::filesystem::create_directory(path("out"));
  ASSERT_TRUE(UnpackZip(*zip, path("out")));
  EXPECT_EQ(std::filesystem::read_symlink(path("out/link")), "lib/data");
  EXPECT_EQ(ReadFile(path("out/link")).value(), std::string(10'000, 'd'));
}

TEST_F(PackTest, RefusesLinksThatLeadOutside) {
  std::filesystem::create_symlink("../../etc/passwd", path("in/lib/out"));
  for (const auto& made : {MakeZip(Entries()), MakeImage(Entries(), {})}) {
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message, HasSubstr("lib/out"));
  }
}

TEST_F(PackTest, MakesImagesThatDependOnTheFilesOnly) {
  const auto first = MakeImage(Entries(), {});
  ASSERT_TRUE(first) << first.error().message;
  // Other time stamps, another order.
  std::filesystem::last_write_time(path("in/lib/data"), std::filesystem::file_time_type::min());
  auto entries = Entries();
  std::ranges::reverse(entries);
  EXPECT_EQ(*first, MakeImage(entries, {}).value());
  EXPECT_NE(*first, MakeImage(entries, {.tag = "other:1"}).value());
}

TEST_F(PackTest, MakesImagesThatCanBeReadAgain) {
  const auto image = MakeImage(Entries(), {.architecture = "arm64"});
  ASSERT_TRUE(image);
  const auto contents = ReadContents(*image, "image.tar");
  ASSERT_TRUE(contents) << contents.error().message;
  EXPECT_EQ(contents->container, Container::kImage);
  EXPECT_EQ(contents->image->architecture, "arm64");
  EXPECT_THAT(contents->image->entrypoint, ElementsAre("/var/task/bootstrap"));
  EXPECT_EQ(contents->Find("var/task/bootstrap")->mode, 0755U);
  EXPECT_EQ(contents->Find("var/task/link")->link_target, "lib/data");
}

TEST_F(PackTest, KeepsTheLayersOfABase) {
  const std::string base = MakeImage(Entries(), {.folder = "base"}).value();
  Write("in/bootstrap", "#!/bin/sh\nexit 1\n", 0755);
  const auto image = MakeImage(Entries(), {.base = base});
  ASSERT_TRUE(image) << image.error().message;
  const ImageParts below = ReadImageParts(base, "base").value();
  const ImageParts parts = ReadImageParts(*image, "image").value();
  ASSERT_EQ(parts.layers.size(), 2U);
  EXPECT_EQ(parts.layers[0], below.layers[0]);
  const auto config = boost::json::parse(parts.config);
  EXPECT_EQ(config.at("rootfs").at("diff_ids").as_array().size(), 2U);
  const auto contents = ReadContents(*image, "image").value();
  EXPECT_NE(contents.Find("base/lib/data"), nullptr);
  EXPECT_NE(contents.Find("var/task/bootstrap"), nullptr);
}

TEST_F(PackTest, RefusesBasesThatDoNotFit) {
  const std::string base = MakeImage(Entries(), {.architecture = "arm64"}).value();
  EXPECT_THAT(MakeImage(Entries(), {.base = base}).error().message,
              HasSubstr("base image for amd64"));
  EXPECT_THAT(MakeImage(Entries(), {.base = "hello"}).error().message, HasSubstr("archive"));
  EXPECT_THAT(MakeImage(Entries(), {.tag = "Upper:1"}).error().message, HasSubstr("Upper:1"));
}

TEST_F(PackTest, NoticesDamageInAnImage) {
  std::string image = MakeImage(Entries(), {}).value();
  const std::size_t at = image.find("\x1f\x8b");  // the layer
  ASSERT_NE(at, std::string::npos);
  image[at + 30] = static_cast<char>(image[at + 30] ^ 1);
  EXPECT_THAT(ReadContents(image, "x").error().message, HasSubstr("damaged"));
  EXPECT_FALSE(ReadContents(image.substr(0, image.size() / 2), "x"));
}

TEST(Assess, PutsTheLeastWorkFirst) {
  const auto report = [](const char* source, Model model, const char* language,
                         std::vector<const char*> rules) {
    InspectReport made;
    made.source = source;
    made.identity = {
        .what = "", .language = language, .model = model, .architecture = "", .program = ""};
    for (const char* id : rules) {
      Finding finding;
      finding.rule = FindRule(id);
      finding.severity = finding.rule->severity;
      made.findings.push_back(finding);
    }
    return made;
  };
  const auto order = Assess({report("done", Model::kAot, "C++", {}),
                             report("python", Model::kInterpreted, "Python", {"KV3006"}),
                             report("hard", Model::kJit, ".NET", {"KV3003"}),
                             report("some", Model::kJit, ".NET", {"IL2026", "IL3050"}),
                             report("ready", Model::kJit, ".NET", {"KV2007"})});
  std::vector<std::string> names;
  for (const Assessment& assessment : order) names.push_back(assessment.report.source);
  EXPECT_THAT(names, ElementsAre("ready", "some", "hard", "python", "done"));
  EXPECT_EQ(order[1].readiness, Readiness::kSome);
  EXPECT_TRUE(order[1].stepping_stone);
  EXPECT_THAT(order[1].advice, HasSubstr("PublishReadyToRun"));
  EXPECT_THAT(order[1].advice, HasSubstr("IL2026, IL3050"));
  EXPECT_EQ(order[2].readiness, Readiness::kMany);
  const auto parsed = boost::json::parse(AssessJson(order));
  EXPECT_EQ(parsed.at("migration").at(0).at("source"), "ready");
}

}  // namespace
}  // namespace kelvin::package
