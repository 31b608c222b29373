// The calls about what is set beside a function's configuration: concurrency, permissions, URLs,
// asynchronous invokes, code signing.

#include <fmt/format.h>

#include "service/control_fixture.h"

namespace kelvin::service {
namespace {

namespace json = boost::json;

constexpr std::string_view kNothing =
    "404 ResourceNotFoundException The resource you requested does not exist.";

class FunctionSettings : public ControlFixture {
 protected:
  // "f" with the versions 1 and 2 and the alias "live" of version 1.
  FunctionSettings() {
    CreateFunction("f", R"(,"Publish":true)");
    Ask(200, "PUT", Of("2015-03-31", "f/configuration"), R"({"Timeout":9})");
    Ask(201, "POST", Of("2015-03-31", "f/versions"), "{}");
    Ask(201, "POST", Of("2015-03-31", "f/aliases"), R"({"Name":"live","FunctionVersion":"1"})");
  }
  static std::string Of(std::string_view api, std::string_view rest) {
    return fmt::format("/{}/functions/{}", api, rest);
  }
  static std::string NotFound(std::string_view name) {
    return fmt::format("404 ResourceNotFoundException Function not found: {}{}", kArn, name);
  }
  static std::string NoAlias(std::string_view name) {
    return fmt::format("404 ResourceNotFoundException Cannot find alias arn: {}{}", kArn, name);
  }
};

TEST_F(FunctionSettings, ReserveConcurrency) {
  const auto reserve = [](std::string_view name) {
    return Of("2017-10-31", fmt::format("{}/concurrency", name));
  };
  const std::string below_minimum =
      "400 InvalidParameterValueException Specified ReservedConcurrentExecutions for function "
      "decreases account's UnreservedConcurrentExecution below its minimum value of [100].";
  ExpectRefused({
      {"PUT", reserve("g"), R"({"ReservedConcurrentExecutions":1})", NotFound("g:$LATEST")},
      {"PUT", reserve("f:$LATEST"), R"({"ReservedConcurrentExecutions":1})",
       "400 InvalidParameterValueException This operation is permitted on Lambda functions only. "
       "Aliases and versions do not support this operation. Please specify either a function name "
       "or an unqualified function ARN."},
      {"PUT", reserve("f"), R"({"ReservedConcurrentExecutions":901})", below_minimum},
      {"PUT", reserve("f"), R"({"ReservedConcurrentExecutions":5000})", below_minimum},
  });
  Ask(200, "PUT", reserve("f"), R"({"ReservedConcurrentExecutions":900})");
  Ask(204, "DELETE", reserve("f"));
  EXPECT_TRUE(Get(Of("2019-09-30", "f/concurrency")).empty());
}

TEST_F(FunctionSettings, ProvisionConcurrency) {
  const auto of = [](std::string_view name, std::string_view qualifier) {
    return Of("2019-09-30",
              fmt::format("{}/provisioned-concurrency?Qualifier={}", name, qualifier));
  };
  const std::string one = R"({"ProvisionedConcurrentExecutions":1})";
  const std::string invalid = "400 InvalidParameterValueException ";
  ExpectRefused({
      {"GET", of("f", "1"), "",
       "404 ProvisionedConcurrencyConfigNotFoundException No Provisioned Concurrency Config found "
       "for this function"},
      {"GET", of("g", "live"), "", NoAlias("g:live")},
      {"PUT", of("f", "none"), one, NoAlias("f:none")},
      {"PUT", of("f", "7"), one, NotFound("f:7")},
      {"PUT", of("f", "$LATEST"), one,
       invalid + "Provisioned Concurrency Configs cannot be applied to unpublished function "
                 "versions."},
      {"DELETE", of("f", "$LATEST"), "",
       invalid + "The function resource provided must be an alias or a published version."},
      {"PUT", of("f", "1"), R"({"ProvisionedConcurrentExecutions":1001})",
       invalid + "Specified ConcurrentExecutions for function is greater than account's unreserved "
                 "concurrency [1000]."},
      {"PUT", of("f", "1"), R"({"ProvisionedConcurrentExecutions":1000})",
       invalid + "Specified ConcurrentExecutions for function decreases account's "
                 "UnreservedConcurrentExecution below its minimum value of [100]."},
  });
  const json::object answer = Ask(202, "PUT", of("f", "1"), one);
  EXPECT_EQ(answer.at("Status"), "IN_PROGRESS");
  EXPECT_EQ(answer.at("AllocatedProvisionedConcurrentExecutions"), 0);
  const std::string reserve = Of("2017-10-31", "f/concurrency");
  ExpectRefused({
      {"PUT", of("f", "live"), one,
       "409 ResourceConflictException Alias can't be used for Provisioned Concurrency "
       "configuration on an already Provisioned version"},
      {"PUT", reserve, R"({"ReservedConcurrentExecutions":0})",
       invalid + " ReservedConcurrentExecutions  0 should not be lower than function's total "
                 "provisioned concurrency [1]."},
  });
  Ask(200, "PUT", reserve, R"({"ReservedConcurrentExecutions":1})");
  // All of the versions together are not to be more than what is reserved.
  for (const auto& [version, executions] : {std::pair{"2", 1}, std::pair{"1", 2}}) {
    ExpectRefused({{"PUT", of("f", version),
                    fmt::format(R"({{"ProvisionedConcurrentExecutions":{}}})", executions),
                    invalid + "Requested Provisioned Concurrency should not be greater than the "
                              "reservedConcurrentExecution for function"}});
  }
  Ask(204, "DELETE", of("f", "1"));
  Ask(202, "PUT", of("f", "live"), one);
  ExpectRefused({{"PUT", of("f", "1"), one,
                  "409 ResourceConflictException Version is pointed by a Provisioned Concurrency "
                  "alias"}});
}

TEST_F(FunctionSettings, CheckPermissions) {
  const auto statement = [](std::string_view id, std::string_view principal,
                            std::string_view more = "") {
    return fmt::format(
        R"({{"StatementId":"{}","Action":"lambda:InvokeFunction","Principal":"{}"{}}})", id,
        principal, more);
  };
  const auto policy = [](std::string_view name, std::string_view rest = "") {
    return Of("2015-03-31", fmt::format("{}/policy{}", name, rest));
  };
  const std::string s3 = statement("s", "s3.amazonaws.com");
  const std::string invalid = "400 InvalidParameterValueException ";
  const std::string stale =
      "412 PreconditionFailedException The Revision Id provided does not match the latest Revision "
      "Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id";
  ExpectRefused({
      {"POST", policy("f"), statement("a.b", "s3.amazonaws.com"),
       "400 ValidationException 1 validation error detected: Value 'a.b' at 'statementId' failed "
       "to satisfy constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"},
      {"POST", policy("f"), statement("s", "s3.example.com"),
       invalid + "The provided principal was invalid. Please check the principal and try again."},
      {"POST", policy("f:$LATEST"), s3,
       invalid + "We currently do not support adding policies for $LATEST."},
      {"POST", policy("f", "?Qualifier=a%3Fb"), s3,
       "400 ValidationException 1 validation error detected: Value 'a?b' at 'qualifier' failed to "
       "satisfy constraint: Member must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)"},
      {"POST", policy("f", "?Qualifier=7"), s3, NotFound("f:7")},
      {"POST", policy("f:none"), s3, NoAlias("f:none")},
      {"POST", policy("f"), statement("s", "*", R"(,"RevisionId":"stale")"), stale},
      {"GET", policy("g"), "", NotFound("g")},
      {"GET", policy("f"), "", std::string(kNothing)},
      {"DELETE", policy("f", "/s"), "",
       "404 ResourceNotFoundException No policy is associated with the given resource."},
      {"DELETE", policy("g", "/s"), "",
       fmt::format("404 ResourceNotFoundException No policy found for: {}g", kArn)},
  });
  Ask(201, "POST", policy("f"), s3);
  ExpectRefused({
      {"DELETE", policy("f", "/t"), "",
       "404 ResourceNotFoundException Statement t is not found in resource policy."},
      {"DELETE", policy("f", "/s?RevisionId=stale"), "", stale},
  });
  Ask(204, "DELETE", policy("f", "/s?RevisionId=" + RevisionOf("f")));
  ExpectRefused({{"GET", policy("f"), "", std::string(kNothing)}});
}

TEST_F(FunctionSettings, SayWhoIsAllowed) {
  const auto added = [this](std::string_view id, std::string_view principal,
                            std::string_view more = "") {
    const json::object answer = Ask(
        201, "POST", Of("2015-03-31", "f/policy"),
        fmt::format(R"({{"StatementId":"{}","Action":"lambda:InvokeFunction","Principal":"{}"{}}})",
                    id, principal, more));
    return json::parse(answer.at("Statement").as_string()).as_object();
  };
  const std::string root = "arn:aws:iam::123456789012:root";
  EXPECT_EQ(added("any", "*").at("Principal"), "*");
  EXPECT_EQ(added("service", "sns.amazonaws.com").at("Principal"),
            json::value({{"Service", "sns.amazonaws.com"}}));
  EXPECT_EQ(added("account", "123456789012").at("Principal"), json::value({{"AWS", root}}));
  EXPECT_EQ(added("arn", root).at("Principal"), json::value({{"AWS", root}}));
  EXPECT_EQ(added("only", "*", R"(,"SourceAccount":"123456789012","PrincipalOrgID":"o-1")")
                .at("Condition"),
            json::parse(R"({"StringEquals":{"AWS:SourceAccount":"123456789012",)"
                        R"("aws:PrincipalOrgID":"o-1"}})"));
}

TEST_F(FunctionSettings, OfAnAliasHaveItsRevision) {
  const std::string alias = Of("2015-03-31", "f/aliases/live");
  const json::value before = Get(alias).at("RevisionId");
  const std::string of_function = RevisionOf("f");
  Ask(201, "POST", Of("2015-03-31", "f/policy?Qualifier=live"),
      fmt::format(R"({{"StatementId":"s","Action":"lambda:InvokeFunction","Principal":"*",)"
                  R"("RevisionId":{}}})",
                  json::serialize(before)));
  const json::value after = Get(alias).at("RevisionId");
  EXPECT_NE(after, before);
  EXPECT_EQ(Get(Of("2015-03-31", "f/policy?Qualifier=live")).at("RevisionId"), after);
  EXPECT_EQ(RevisionOf("f"), of_function);
}

TEST_F(FunctionSettings, CheckAsynchronousInvokes) {
  const auto of = [](std::string_view rest) { return Of("2019-09-25", rest); };
  const auto to = [](std::string_view arn) {
    return fmt::format(R"({{"DestinationConfig":{{"OnSuccess":{{"Destination":"{}"}}}}}})", arn);
  };
  const auto none = [](std::string_view name) {
    return fmt::format(
        "404 ResourceNotFoundException The function {}{} doesn't have an EventInvokeConfig", kArn,
        name);
  };
  const std::string no_function = "404 ResourceNotFoundException The function doesn't exist.";
  const std::string invalid = "400 InvalidParameterValueException ";
  const std::string bucketless = "arn:aws:iam:us-east-1:123456789012:function:f";
  ExpectRefused({
      {"PUT", of("g/event-invoke-config"), R"({"MaximumRetryAttempts":1})", no_function},
      {"PUT", of("g/event-invoke-config"), "{}",
       invalid + "You must specify at least one of error handling or destination setting."},
      {"GET", of("g/event-invoke-config/list"), "", no_function},
      {"GET", of("g/event-invoke-config"), "", none("g:$LATEST")},
      {"GET", of("f/event-invoke-config?Qualifier=live"), "", none("f:live")},
      {"DELETE", of("f/event-invoke-config"), "", none("f:$LATEST")},
      {"POST", of("f/event-invoke-config"), R"({"MaximumRetryAttempts":1})", none("f:$LATEST")},
      {"PUT", of("f/event-invoke-config"), to(bucketless),
       invalid +
           fmt::format("The provided destination config DestinationConfig(onSuccess=OnSuccess("
                       "destination={}), onFailure=null) is invalid.",
                       bucketless)},
  });
  // Another function has to be there; itself would go round for ever.
  EXPECT_EQ(Send("PUT", of("f/event-invoke-config"), to(std::string(kArn) + "none")).status, 400);
  EXPECT_EQ(Send("PUT", of("f/event-invoke-config"), to(std::string(kArn) + "f")).status, 400);
  CreateFunction("sink");
  const json::object answer =
      Ask(200, "PUT", of("f/event-invoke-config"), to(std::string(kArn) + "sink"));
  EXPECT_EQ(answer.at("DestinationConfig"),
            json::parse(fmt::format(
                R"({{"OnSuccess":{{"Destination":"{}sink"}},"OnFailure":{{}}}})", kArn)));
  EXPECT_FALSE(answer.contains("MaximumRetryAttempts"));
}

TEST_F(FunctionSettings, GiveUrls) {
  const auto url = [](std::string_view rest) { return Of("2021-10-31", rest); };
  const std::string no_function = "404 ResourceNotFoundException Function does not exist";
  ExpectRefused({
      {"POST", url("g/url"), R"({"AuthType":"NONE"})", no_function},
      {"GET", url("g/url"), "", std::string(kNothing)},
      {"GET", url("g/urls"), "", no_function},
      {"GET", url("f/url"), "", std::string(kNothing)},
      {"POST", url("f/url?Qualifier=1"), R"({"AuthType":"NONE"})",
       R"(400 ValidationException 1 validation error detected: Value '1' at 'qualifier' failed to )"
       R"(satisfy constraint: Member must satisfy regular expression pattern: )"
       R"(((?!^\d+$)^[0-9a-zA-Z-_]+$))"},
      {"POST", url("f/url"), R"({"AuthType":"NONE","InvokeMode":"LATER"})",
       "400 ValidationException 1 validation error detected: Value 'LATER' at 'invokeMode' failed "
       "to satisfy constraint: Member must satisfy enum value set: [RESPONSE_STREAM, BUFFERED]"},
  });
  const json::object created = Ask(201, "POST", url("f/url"), R"({"AuthType":"NONE"})");
  EXPECT_FALSE(created.contains("InvokeMode"));
  EXPECT_FALSE(created.contains("LastModifiedTime"));
  EXPECT_EQ(Get(url("f/url")).at("InvokeMode"), "BUFFERED");
  ExpectRefused({{"POST", url("f/url"), R"({"AuthType":"NONE"})",
                  fmt::format("409 ResourceConflictException Failed to create function url config "
                              "for [functionArn = {}f]. Error message:  FunctionUrlConfig exists "
                              "for this Lambda function",
                              kArn)}});
}

TEST_F(FunctionSettings, KnowNoCodeSigning) {
  const auto of = [](std::string_view name) {
    return Of("2020-06-30", fmt::format("{}/code-signing-config", name));
  };
  const std::string arn =
      "arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-0123456789"
      "abcdef0";
  EXPECT_TRUE(Get(of("f")).empty());
  ExpectRefused({
      {"GET", of("g"), "", NotFound("g")},
      {"PUT", of("f"), fmt::format(R"({{"CodeSigningConfigArn":"{}"}})", arn),
       "404 CodeSigningConfigNotFoundException The code signing configuration cannot be found. "
       "Check that the provided configuration is not deleted: " +
           arn + "."},
  });
}

}  // namespace
}  // namespace kelvin::service
