#include "service/layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::service {
namespace {

using ::testing::HasSubstr;

const Place kPlace{"us-east-1", "123456789012"};

std::string Arn(std::string_view name, int version) {
  return LayerVersionArn(kPlace, name, version);
}

LayerVersion Version(int number, std::string code_sha256) {
  LayerVersion version;
  version.number = number;
  version.code_sha256 = std::move(code_sha256);
  version.unpacked_size = 100;
  return version;
}

LayerRegistry SomeLayers() {
  LayerRegistry layers;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    Layer layer{.name = name, .last_number = 2, .versions = {}};
    layer.versions[1] = Version(1, name + std::string("1"));
    layer.versions[2] = Version(2, name + std::string("2"));
    layers.Put(layer);
  }
  return layers;
}

TEST(ParseLayerName, TakesNamesAndArns) {
  EXPECT_EQ(ParseLayerName("my-layer_1", kPlace)->name, "my-layer_1");
  EXPECT_EQ(ParseLayerName(LayerArn(kPlace, "l"), kPlace)->version, "");
  const auto version = ParseLayerName(Arn("l", 7), kPlace);
  ASSERT_TRUE(version);
  EXPECT_EQ(version->name, "l");
  EXPECT_EQ(version->version, "7");
}

TEST(ParseLayerName, RefusesTheRest) {
  for (const std::string_view text :
       {"", "a b", "../x", "arn:", "arn:aws:lambda:us-east-1:123456789012:layer",
        "arn:aws:lambda:us-east-1:123456789012:layer:l:x", "l:1"}) {
    const auto parsed = ParseLayerName(text, kPlace);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ApiErrorKind::kValidation) << text;
  }
  const auto elsewhere = ParseLayerName("arn:aws:lambda:eu-west-1:123456789012:layer:l:1", kPlace);
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().kind, ApiErrorKind::kResourceNotFound);
}

TEST(ResolveLayers, KeepsTheOrder) {
  const auto uses = ResolveLayers(SomeLayers(), {Arn("b", 1), Arn("a", 2)}, kPlace);
  ASSERT_TRUE(uses);
  ASSERT_EQ(uses->size(), 2u);
  EXPECT_EQ((*uses)[0].code_sha256, "b1");
  EXPECT_EQ((*uses)[1].code_sha256, "a2");
}

struct Refusal {
  std::vector<std::string> arns;
  ApiErrorKind kind;
  std::string_view message;
};

TEST(ResolveLayers, RefusesAsAwsDoes) {
  const Refusal refusals[] = {
      {{Arn("a", 1), Arn("b", 1), Arn("c", 1), Arn("d", 1), Arn("e", 1), Arn("f", 1)},
       ApiErrorKind::kInvalidParameterValue,
       "Cannot reference more than 5 layers."},
      {{Arn("a", 1), Arn("a", 2)},
       ApiErrorKind::kInvalidParameterValue,
       "Two different versions of the same layer are not allowed"},
      {{Arn("a", 3)}, ApiErrorKind::kInvalidParameterValue, "a:3 does not exist."},
      {{Arn("z", 1)}, ApiErrorKind::kInvalidParameterValue, "z:1 does not exist."},
      {{LayerArn(kPlace, "a")}, ApiErrorKind::kValidation, "at 'layers' failed to satisfy"},
      {{"a"}, ApiErrorKind::kValidation, "at 'layers' failed to satisfy"},
  };
  for (const Refusal& refusal : refusals) {
    const auto uses = ResolveLayers(SomeLayers(), refusal.arns, kPlace);
    ASSERT_FALSE(uses) << refusal.message;
    EXPECT_EQ(uses.error().kind, refusal.kind) << refusal.message;
    EXPECT_THAT(uses.error().message, HasSubstr(std::string(refusal.message)));
  }
}

TEST(CheckUnpackedSize, CountsFunctionAndLayersTogether) {
  FunctionConfig config;
  config.unpacked_size = 262'143'900;
  config.layers = *ResolveLayers(SomeLayers(), {Arn("a", 1)}, kPlace);
  EXPECT_TRUE(CheckUnpackedSize(config));
  ++config.unpacked_size;
  const auto checked = CheckUnpackedSize(config);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, HasSubstr("actual size is 262144001 bytes"));
}

TEST(Layer, ComesBackAsItWas) {
  Layer layer{.name = "a", .last_number = 2, .versions = {}};
  layer.versions[2] = Version(2, "sha");
  layer.versions[2].runtimes = {"provided.al2023"};
  layer.versions[2].statements["s"] = R"({"Sid":"s"})";
  const auto read = ReadStoredLayer(StoredJson(layer));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, layer);
}

TEST(Layer, ReadsFilesOfEarlierVersions) {
  Layer layer{.name = "a", .last_number = 1, .versions = {}};
  layer.versions[1] = Version(1, "sha");
  std::string text = StoredJson(layer);
  const std::string_view statements = R"(,"statements":{})";
  ASSERT_NE(text.find(statements), text.npos);
  text.erase(text.find(statements), statements.size());
  const auto read = ReadStoredLayer(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, layer);
}

}  // namespace
}  // namespace kelvin::service
