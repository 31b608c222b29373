#include "service/layer_api.h"

#include <fmt/format.h>

#include "service/control_fixture.h"

namespace kelvin::service {
namespace {

namespace json = boost::json;

using LayerCalls = ControlFixture;

constexpr std::string_view kVersions = "/2018-10-31/layers/l/versions";

TEST_F(LayerCalls, NameWhatIsNotThere) {
  PublishLayer("l");
  const std::string nothing =
      "404 ResourceNotFoundException The resource you requested does not exist.";
  const std::string less_than_one =
      "400 InvalidParameterValueException Layer Version Cannot be less than 1";
  const std::string no_version =
      fmt::format("404 ResourceNotFoundException Layer version {}l:2 does not exist.", kLayerArn);
  const std::string versions(kVersions);
  const std::string statement =
      R"({"StatementId":"s","Action":"lambda:GetLayerVersion","Principal":"*"})";
  ExpectRefused({
      {"GET", "/2018-10-31/layers/none/versions/1", "", nothing},
      {"GET", versions + "/2", "", nothing},
      {"GET", versions + "/0", "", less_than_one},
      {"DELETE", versions + "/-1", "", less_than_one},
      {"GET", fmt::format("/2018-10-31/layers?find=LayerVersion&Arn={}l:2", kLayerArn), "",
       nothing},
      {"GET", "/2018-10-31/layers?CompatibleArchitecture=riscv", "",
       "400 ValidationException 1 validation error detected: Value 'riscv' at "
       "'compatibleArchitecture' failed to satisfy constraint: Member must satisfy enum value set: "
       "[x86_64, arm64]"},
      {"POST", versions + "/2/policy", statement, no_version},
      {"GET", versions + "/2/policy", "", no_version},
      {"DELETE", versions + "/2/policy/s", "", no_version},
  });
  Ask(204, "DELETE", versions + "/2");
  EXPECT_TRUE(Get("/2018-10-31/layers/none/versions").at("LayerVersions").as_array().empty());
}

TEST_F(LayerCalls, KeepThePermissionsOfAVersion) {
  PublishLayer("l");
  const std::string policy = fmt::format("{}/1/policy", kVersions);
  const auto statement = [](std::string_view id, std::string_view action) {
    return fmt::format(R"({{"StatementId":"{}","Action":"{}","Principal":"*"}})", id, action);
  };
  const std::string stale =
      "412 PreconditionFailedException The Revision Id provided does not match the latest Revision "
      "Id. Call the GetLayerPolicy API to retrieve the latest Revision Id";
  ExpectRefused({{"GET", policy, "",
                  "404 ResourceNotFoundException No policy is associated with the given "
                  "resource."}});
  const json::object added = Ask(201, "POST", policy, statement("s", "lambda:GetLayerVersion"));
  EXPECT_EQ(json::parse(added.at("Statement").as_string()),
            json::value({{"Sid", "s"},
                         {"Effect", "Allow"},
                         {"Principal", "*"},
                         {"Action", "lambda:GetLayerVersion"},
                         {"Resource", fmt::format("{}l:1", kLayerArn)}}));
  ExpectRefused({
      {"POST", policy, statement("s", "lambda:GetLayerVersion"),
       "409 ResourceConflictException The statement id (s) provided already exists. Please provide "
       "a new statement id, or remove the existing statement."},
      {"POST", policy, statement("t", "*"),
       "400 ValidationException 1 validation error detected: Value '*' at 'action' failed to "
       "satisfy constraint: Member must satisfy regular expression pattern: "
       "lambda:GetLayerVersion"},
      {"POST", policy + "?RevisionId=stale", statement("t", "lambda:GetLayerVersion"), stale},
      {"DELETE", policy + "/s?RevisionId=stale", "", stale},
      {"DELETE", policy + "/t", "",
       "404 ResourceNotFoundException Statement t is not found in resource policy."},
  });
  Ask(204, "DELETE", policy + "/s");
}

TEST_F(LayerCalls, OfAFunctionAreChecked) {
  CreateFunction();
  PublishLayer("l");
  PublishLayer("l");
  const std::string target = fmt::format("{}/f/configuration", kFunctions);
  const auto layers = [](std::initializer_list<std::string> arns) {
    json::array list(arns.begin(), arns.end());
    return json::serialize(json::object{{"Layers", list}});
  };
  const std::string arn(kLayerArn);
  const std::string invalid = "400 InvalidParameterValueException ";
  ExpectRefused({
      {"PUT", target, layers({arn + "l:1", arn + "l:2"}),
       invalid +
           "Two different versions of the same layer are not allowed to be referenced in the "
           "same function. " +
           arn + "l:1 and " + arn + "l:2 are versions of the same layer."},
      {"PUT", target, layers({arn + "l:9"}),
       invalid + "Layer version " + arn + "l:9 does not exist."},
      {"PUT", target, layers({"arn:aws:lambda:eu-west-1:123456789012:layer:l:1"}),
       invalid + "Layers are not in the same region as the function. Layers are expected to be in "
                 "region us-east-1."},
      {"PUT", target,
       layers({arn + "a:1", arn + "b:1", arn + "c:1", arn + "d:1", arn + "e:1", arn + "f:1"}),
       invalid + "Cannot reference more than 5 layers."},
  });
}

TEST_F(LayerCalls, CountAsCodeOfTheAccount) {
  const auto total = [this] {
    return Get("/2016-08-19/account-settings")
        .at("AccountUsage")
        .at("TotalCodeSize")
        .to_number<std::int64_t>();
  };
  EXPECT_EQ(total(), 0);
  PublishLayer("l");
  const std::int64_t one = total();
  EXPECT_GT(one, 0);
  PublishLayer("l");
  EXPECT_EQ(total(), 2 * one);
}

}  // namespace
}  // namespace kelvin::service
