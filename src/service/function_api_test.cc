#include "service/function_api.h"

#include <fmt/format.h>

#include "service/control_fixture.h"

namespace kelvin::service {
namespace {

namespace json = boost::json;

constexpr std::string_view kStale =
    "412 PreconditionFailedException The Revision Id provided does not match the latest Revision "
    "Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id";
constexpr std::string_view kMismatch =
    "400 InvalidParameterValueException The derived qualifier from the function name does not "
    "match the specified qualifier.";

class FunctionApi : public ControlFixture {
 protected:
  static std::string At(std::string_view rest) { return fmt::format("{}{}", kFunctions, rest); }
  static std::string NotFound(std::string_view name) {
    return fmt::format("404 ResourceNotFoundException Function not found: {}{}", kArn, name);
  }
  static std::string NoAlias(std::string_view name) {
    return fmt::format("404 ResourceNotFoundException Cannot find alias arn: {}{}", kArn, name);
  }
  static std::string Invalid(std::string_view value, std::string_view field,
                             std::string_view constraint) {
    return fmt::format(
        "400 ValidationException 1 validation error detected: Value '{}' at '{}' failed to satisfy "
        "constraint: {}",
        value, field, constraint);
  }
};

TEST_F(FunctionApi, NamesWhatIsNotThere) {
  CreateFunction();
  const std::string elsewhere = "arn:aws:lambda:eu-central-1:123456789012:function:f";
  const std::string unreachable =
      "404 ResourceNotFoundException Functions from 'eu-central-1' are not reachable in this "
      "region ('us-east-1')";
  ExpectRefused({
      {"GET", At("/g"), "", NotFound("g")},
      {"GET", At("/g/configuration"), "", NotFound("g")},
      {"GET", At("/f?Qualifier=77"), "", NotFound("f:77")},
      {"GET", At(fmt::format("/{}g:$LATEST?Qualifier=$LATEST", kArn)), "", NotFound("g:$LATEST")},
      {"GET", At(fmt::format("/{}g:1?Qualifier=$LATEST", kArn)), "", std::string(kMismatch)},
      {"GET", At("/" + elsewhere), "", unreachable},
      {"DELETE", At("/" + elsewhere), "", unreachable},
      {"DELETE", At("/g"), "", NotFound("g")},
      {"DELETE", At("/g?Qualifier=77"), "", NotFound("g")},
      {"DELETE", At("/g?Qualifier=$LATEST"), "",
       "400 InvalidParameterValueException $LATEST version cannot be deleted without deleting the "
       "function."},
      {"GET", At("?FunctionVersion=some"), "",
       Invalid("some", "functionVersion", "Member must satisfy enum value set: [ALL]")},
  });
  Ask(204, "DELETE", At("/f?Qualifier=77"));
}

TEST_F(FunctionApi, RefusesWhatNoFunctionCanBe) {
  CreateFunction();
  const auto create = [this](std::string_view name, std::string_view more) {
    return BodyOfCreate(name, more);
  };
  const std::string long_name(65, 'n');
  const std::string long_arn = std::string(kArn) + std::string(141 - kArn.size(), 'n');
  ExpectRefused({
      {"POST", At(""), create("f", ""), "409 ResourceConflictException Function already exist: f"},
      {"POST", At(""), create(long_name, ""),
       "400 InvalidParameterValueException 1 validation error detected: Value '" + long_name +
           "' at 'functionName' failed to satisfy constraint: Member must have length less than or "
           "equal to 64"},
      {"POST", At(""), create(long_arn, ""),
       Invalid(long_arn, "functionName", "Member must have length less than or equal to 140")},
      {"POST", At(""), create("g", R"(,"Architectures":["x86_64","arm64"])"),
       Invalid("[x86_64, arm64]", "architectures",
               "Member must have length less than or equal to 1")},
      {"POST", At(""), create("g", R"(,"Architectures":["riscv"])"),
       Invalid("[riscv]", "architectures",
               "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, "
               "arm64], Member must not be null]")},
      {"POST", At(""), create("g", R"(,"SnapStart":{"ApplyOn":"PublishedVersions"})"),
       "400 InvalidParameterValueException provided.al2023 is not supported for SnapStart enabled "
       "functions."},
      {"POST", At(""), create("g", R"(,"SnapStart":{"ApplyOn":"Always"})"),
       Invalid("Always", "snapStart.applyOn",
               "Member must satisfy enum value set: [PublishedVersions, None]")},
      {"PUT", At("/f/code"), R"({"ImageUri":"i"})",
       "400 InvalidParameterValueException Please don't provide ImageUri when updating a function "
       "with packageType Zip."},
      {"PUT", At("/f/configuration"), R"({"RevisionId":"stale"})", std::string(kStale)},
      {"POST", At("/f/versions"), R"({"RevisionId":"stale"})", std::string(kStale)},
  });
}

// The braces, quotes, colons and commas count.
TEST_F(FunctionApi, MeasuresTheEnvironmentAsJson) {
  const auto environment = [](std::size_t bytes) {
    return fmt::format(R"({{"VAR":"{}"}})", std::string(bytes - 10, 'x'));
  };
  const auto field = [&](std::size_t bytes) {
    return fmt::format(R"(,"Environment":{{"Variables":{}}})", environment(bytes));
  };
  CreateFunction("f", field(4096));
  ExpectRefused({{"POST", At(""), BodyOfCreate("g", field(4097)),
                  "400 InvalidParameterValueException Lambda was unable to configure your "
                  "environment variables because the environment variables you have provided "
                  "exceeded the 4KB limit. String measured: " +
                      environment(4097)}});
}

TEST_F(FunctionApi, TellsOfAnEnvironmentThatWasGiven) {
  EXPECT_FALSE(CreateFunction().contains("Environment"));
  const json::value empty = {{"Variables", json::object()}};
  const json::object answer =
      Ask(200, "PUT", At("/f/configuration"), R"({"Environment":{"Variables":{}}})");
  EXPECT_EQ(answer.at("Environment"), empty);
  EXPECT_EQ(Get(At("/f/configuration")).at("Environment"), empty);
}

TEST_F(FunctionApi, KeepsAKey) {
  const std::string key = "arn:aws:kms:us-east-1:123456789012:key/k";
  CreateFunction("f", fmt::format(R"(,"KMSKeyArn":"{}")", key));
  EXPECT_EQ(Get(At("/f/configuration")).at("KMSKeyArn"), key.c_str());
  ExpectRefused({{"PUT", At("/f/configuration"), R"({"KMSKeyArn":"k"})",
                  Invalid("k", "kMSKeyArn",
                          "Member must satisfy regular expression pattern: "
                          "(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()")}});
  Ask(200, "PUT", At("/f/configuration"), R"({"KMSKeyArn":""})");
  EXPECT_FALSE(Get(At("/f/configuration")).contains("KMSKeyArn"));
}

TEST_F(FunctionApi, SaysWhatItCannotBeHere) {
  for (const std::string_view setting :
       {R"("VpcConfig":{"SubnetIds":["subnet-1"]})", R"("DurableConfig":{"ExecutionTimeout":60})",
        R"("TenancyConfig":{"TenantIsolationMode":"PER_TENANT"})",
        R"("CapacityProviderConfig":{"LambdaManagedInstancesCapacityProviderConfig":{"X":"y"}})"}) {
    const http::Response answer =
        Send("POST", kFunctions, BodyOfCreate("f", fmt::format(",{}", setting)));
    EXPECT_EQ(answer.status, 400) << setting;
    EXPECT_NE(answer.body.find(setting.substr(1, setting.find(':') - 2)), std::string::npos)
        << answer.body;
  }
}

// What callers hold from the answer of a change is stale once the change is through, as on AWS.
TEST_F(FunctionApi, GivesARevisionToEachStep) {
  const json::object created = CreateFunction();
  EXPECT_EQ(created.at("State"), "Pending");
  EXPECT_EQ(Get(At("/f/configuration")).at("State"), "Active");
  std::string last = RevisionOf("f");
  EXPECT_NE(created.at("RevisionId"), last.c_str());

  const auto changes = [&](std::string_view what) {
    const std::string now = RevisionOf("f");
    EXPECT_NE(now, last) << what;
    last = now;
  };
  const json::object updated = Ask(200, "PUT", At("/f/configuration"),
                                   fmt::format(R"({{"RevisionId":"{}","Timeout":4}})", last));
  EXPECT_EQ(updated.at("LastUpdateStatus"), "InProgress");
  changes("an update");
  EXPECT_NE(updated.at("RevisionId"), last.c_str());
  Ask(201, "POST", At("/f/versions"), fmt::format(R"({{"RevisionId":"{}"}})", last));
  changes("a version");
  Ask(204, "POST", fmt::format("/2017-03-31/tags/{}f", kArn), R"({"Tags":{"a":"b"}})");
  changes("a tag");
  Ask(201, "POST", At("/f/policy"),
      fmt::format(R"({{"StatementId":"s","Action":"lambda:InvokeFunction","Principal":"*",)"
                  R"("RevisionId":"{}"}})",
                  last));
  changes("a permission");
  Ask(201, "POST", At("/f/aliases"), R"({"Name":"a","FunctionVersion":"1"})");
  EXPECT_EQ(RevisionOf("f"), last) << "an alias has a revision of its own";
}

TEST_F(FunctionApi, AnswersWithTheVersionItPublished) {
  const std::string arn = std::string(kArn) + "f";
  const json::object created = CreateFunction("f", R"(,"Publish":true)");
  EXPECT_EQ(created.at("Version"), "1");
  EXPECT_EQ(created.at("FunctionArn"), arn.c_str());
  EXPECT_EQ(Get(At("/f?Qualifier=1")).at("Configuration").at("FunctionArn"), (arn + ":1").c_str());

  Ask(200, "PUT", At("/f/configuration"), R"({"Description":"second"})");
  const json::object second =
      Ask(201, "POST", At("/f/versions"), R"({"Description":"as version"})");
  EXPECT_EQ(second.at("Version"), "2");
  EXPECT_EQ(second.at("State"), "Active");
  EXPECT_EQ(second.at("RevisionId"), RevisionOf("f", "2").c_str());
  // Nothing has changed since: the same version, not a new one.
  const json::object again = Ask(201, "POST", At("/f/versions"), R"({"Description":"other"})");
  EXPECT_EQ(again.at("Version"), "2");
  EXPECT_EQ(again.at("Description"), "as version");
}

TEST_F(FunctionApi, ListsWithoutTheState) {
  CreateFunction("f", R"(,"Publish":true)");
  for (const std::string& target : {At(""), At("/f/versions")}) {
    const json::object list = Get(target);
    const json::object& first =
        list.at(list.contains("Functions") ? "Functions" : "Versions").at(0).as_object();
    EXPECT_TRUE(first.contains("CodeSha256"));
    for (const std::string_view absent : {"State", "LastUpdateStatus", "RuntimeVersionConfig"}) {
      EXPECT_FALSE(first.contains(absent)) << target << " " << absent;
    }
  }
}

TEST_F(FunctionApi, RefusesWhatNoAliasCanBe) {
  CreateFunction("f", R"(,"Publish":true)");
  Ask(200, "PUT", At("/f/configuration"), R"({"Timeout":9})");
  Ask(201, "POST", At("/f/versions"), "{}");
  Ask(201, "POST", At("/f/aliases"), R"({"Name":"taken","FunctionVersion":"1"})");
  const auto to_one = [](std::string_view weights) {
    return fmt::format(R"({{"Name":"a","FunctionVersion":"1","RoutingConfig":)"
                       R"({{"AdditionalVersionWeights":{}}}}})",
                       weights);
  };
  const std::string weights = "routingConfig.additionalVersionWeights";
  const std::string range =
      "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, "
      "Member must have value greater than or equal to 0.0, Member must not be null]";
  const std::string invalid = "400 InvalidParameterValueException ";
  ExpectRefused({
      {"POST", At("/f/aliases"), to_one(R"({"1":0.8,"2":0.2})"),
       invalid + "Number of items in AdditionalVersionWeights cannot be greater than 1"},
      {"POST", At("/f/aliases"), to_one(R"({"2":2})"), Invalid("{2=2.0}", weights, range)},
      {"POST", At("/f/aliases"), to_one(R"({"2":-1})"), Invalid("{2=-1.0}", weights, range)},
      {"POST", At("/f/aliases"), to_one(R"({"1":0.5})"),
       invalid + "Invalid function version 1. Function version 1 is already included in routing "
                 "configuration."},
      {"POST", At("/f/aliases"), to_one(R"({"7":0.5})"), NotFound("f:7")},
      {"POST", At("/f/aliases"), to_one(R"({"$LATEST":0.5})"),
       Invalid("{$LATEST=0.5}", weights,
               "Map keys must satisfy constraint: [Member must have length less than or equal to "
               "1024, Member must have length greater than or equal to 1, Member must satisfy "
               "regular expression pattern: [0-9]+, Member must not be null]")},
      {"POST", At("/f/aliases"),
       R"({"Name":"a","FunctionVersion":"$LATEST",)"
       R"("RoutingConfig":{"AdditionalVersionWeights":{"1":0.5}}})",
       invalid + "$LATEST is not supported for an alias pointing to more than 1 version"},
      {"POST", At("/g/aliases"), to_one(R"({"2":0.5})"), NotFound("g:1")},
      {"POST", At("/f/aliases"), R"({"Name":"2024","FunctionVersion":"1"})",
       Invalid("2024", "name",
               "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)")},
      {"POST", At("/f/aliases"), R"({"Name":"taken","FunctionVersion":"1"})",
       fmt::format("409 ResourceConflictException Alias already exists: {}f:taken", kArn)},
      {"GET", At("/f/aliases/none"), "", NoAlias("f:none")},
      {"PUT", At("/f/aliases/taken"), R"({"RevisionId":"stale"})", std::string(kStale)},
  });
}

TEST_F(FunctionApi, RefusesTagsOfAnythingButAFunction) {
  CreateFunction();
  const auto tags = [](std::string_view function) {
    return fmt::format("/2017-03-31/tags/{}{}", kArn, function);
  };
  std::string fifty;
  for (int tag = 0; tag < 50; ++tag) fifty += fmt::format(R"({}"{}":"")", tag > 0 ? "," : "", tag);
  const std::string invalid = "400 InvalidParameterValueException ";
  const std::string unqualified =
      invalid +
      "Tags on function aliases and versions are not supported. Please specify a function ARN.";
  const std::string too_many = invalid + "Number of tags exceeds resource tag limit.";
  ExpectRefused({
      {"POST", tags("g"), R"({"Tags":{"a":"b"}})", NotFound("g")},
      {"POST", tags("f:live"), R"({"Tags":{"a":"b"}})", unqualified},
      {"POST", tags("f:$LATEST"), R"({"Tags":{"a":"b"}})", unqualified},
      {"POST", tags("f"), R"({"Tags":{}})",
       invalid + "An error occurred and the request cannot be processed."},
      {"DELETE", tags("f"), "",
       "400 ValidationException 1 validation error detected: Value null at 'tagKeys' failed to "
       "satisfy constraint: Member must not be null"},
      {"POST", tags("f"), R"({"Tags":{"more":"",)" + fifty + "}}", too_many},
  });
  Ask(204, "POST", tags("f"), R"({"Tags":{)" + fifty + "}}");
  ExpectRefused({{"POST", tags("f"), R"({"Tags":{"more":""}})", too_many}});
}

}  // namespace
}  // namespace kelvin::service
