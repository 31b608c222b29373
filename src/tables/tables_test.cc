#include "tables/tables.h"

#include <thread>
#include <vector>

#include <zlib.h>

#include "tables/content_coding.h"
#include "tables/tables_fixture.h"

namespace kelvin::tables {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Crc(const std::string& body) {
  return std::to_string(crc32(0, reinterpret_cast<const unsigned char*>(body.data()),
                              static_cast<uInt>(body.size())));
}

void CreateTable(TestTables& tables) {
  tables.Call("CreateTable", R"({"TableName":"tab","BillingMode":"PAY_PER_REQUEST",
      "AttributeDefinitions":[{"AttributeName":"Id","AttributeType":"S"}],
      "KeySchema":[{"AttributeName":"Id","KeyType":"HASH"}]})");
}

TEST(Protocol, AnswersHealthChecks) {
  TestTables tables;
  const auto response = tables.tables().Handle({"GET", "/", {}, ""});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "healthy: dynamodb.us-east-1.amazonaws.com ");
  EXPECT_EQ(tables.tables().Handle({"GET", "/?x=y", {}, ""}).status, 200);
  EXPECT_EQ(tables.tables().Handle({"GET", "/health", {}, ""}).status, 404);
}

TEST(Protocol, SendsAnIdAndTheBodysChecksum) {
  TestTables tables;
  const auto response = tables.Send("ListTables", "{}");
  EXPECT_EQ(response.headers.Get("x-amz-crc32"), Crc(response.body));
  EXPECT_EQ(response.headers.Get("x-amzn-RequestId").size(), 52U);
  EXPECT_EQ(response.headers.Get("Content-Type"), "application/x-amz-json-1.0");
  EXPECT_NE(tables.Send("ListTables", "{}").headers.Get("x-amzn-RequestId"),
            response.headers.Get("x-amzn-RequestId"));
}

TEST(Protocol, SendsWhatIsLongInTheCodingThatIsPreferred) {
  TestTables tables;
  CreateTable(tables);
  const std::string note(5000, 'x');
  tables.Send("PutItem",
              R"({"TableName":"tab","Item":{"Id":{"S":"a"},"Note":{"S":")" + note + R"("}}})");
  auto request = TestTables::Request("GetItem", R"({"TableName":"tab","Key":{"Id":{"S":"a"}}})");
  const auto plain = tables.tables().Handle(request);
  EXPECT_FALSE(plain.headers.Has("Content-Encoding"));
  request.headers.Add("Accept-Encoding", "deflate;q=0.1, gzip");
  const auto packed = tables.tables().Handle(request);
  EXPECT_EQ(packed.headers.Get("Content-Encoding"), "gzip");
  EXPECT_EQ(packed.headers.Get("x-amz-crc32"), Crc(packed.body));
  EXPECT_EQ(Gunzip(packed.body, 10'000), plain.body);
  auto brief = TestTables::Request("ListTables", "{}");
  brief.headers.Add("Accept-Encoding", "gzip");
  EXPECT_FALSE(tables.tables().Handle(brief).headers.Has("Content-Encoding"));
}

TEST(Protocol, TakesRequestsInGzip) {
  TestTables tables;
  CreateTable(tables);
  const auto send = [&](std::string_view coding, std::string body) {
    auto request = TestTables::Request("GetItem", std::move(body));
    request.headers.Add("Content-Encoding", coding);
    return tables.tables().Handle(request);
  };
  const std::string body = R"({"TableName":"tab","Key":{"Id":{"S":"a"}}})";
  EXPECT_EQ(send("gzip", Encode(body, ContentCoding::kGzip)).status, 200);
  EXPECT_EQ(send("gzip", body).status, 500);
  EXPECT_EQ(send("gzip", "").status, 500);
  EXPECT_EQ(send("br", body).status, 500);
  const std::string bomb(std::size_t{17} << 20, ' ');
  EXPECT_EQ(send("gzip", Encode(bomb, ContentCoding::kGzip)).status, 413);
}

TEST(Protocol, NamesErrorsWithTheirPrefixes) {
  TestTables tables;
  EXPECT_EQ(tables.Send("Nope", "{}").body,
            R"({"__type":"com.amazon.coral.service#UnknownOperationException"})");
  EXPECT_EQ(tables.Send("GetItem", "{not json").body,
            R"({"__type":"com.amazon.coral.service#SerializationException"})");
  EXPECT_EQ(tables.Send("GetItem", "").body,
            R"({"__type":"com.amazon.coral.service#SerializationException"})");
  EXPECT_EQ(tables.Send("GetItem", "[1]").body,
            R"({"__type":"com.amazon.coral.service#SerializationException"})");
  EXPECT_EQ(tables.Send("DescribeTable", R"({"TableName":"gone"})").body,
            R"({"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",)"
            R"("message":"Requested resource not found: Table: gone not found"})");
  auto unsigned_request = TestTables::Request("ListTables", "{}");
  http::Headers headers;
  for (const auto& [name, value] : unsigned_request.headers) {
    if (name != "Authorization") headers.Add(name, value);
  }
  unsigned_request.headers = headers;
  EXPECT_EQ(tables.tables().Handle(unsigned_request).body,
            R"({"__type":"com.amazon.coral.service#MissingAuthenticationTokenException",)"
            R"("message":"Request is missing Authentication Token"})");
  auto form = TestTables::Request("ListTables", "{}");
  form.headers.Set("Content-Type", "text/plain");
  EXPECT_EQ(tables.tables().Handle(form).status, 404);
}

TEST(Protocol, RefusesBodiesThatAreTooLargeTooDeepOrNotUtf8) {
  TestTables tables;
  EXPECT_EQ(tables.Send("PutItem", std::string(Tables::kMaxRequestBytes + 1, ' ')).status, 413);
  EXPECT_EQ(tables.Refusal("PutItem", std::string(100'000, '[')), "SerializationException");
  EXPECT_EQ(tables.Refusal("PutItem", "{\"TableName\": \"\xff\xfe\"}"), "SerializationException");
  tables.MakeHashTable();
  std::string deep = R"({"S":"x"})";
  for (int i = 0; i < 33; ++i) deep = R"({"L":[)" + deep + "]}";
  EXPECT_EQ(
      tables.Refusal("PutItem", R"({"TableName":"hash","Item":{"k":{"S":"1"},"d":)" + deep + "}}"),
      "ValidationException: Nesting Levels have exceeded supported limits: Attributes in "
      "the item have nested levels beyond supported limit");
}

TEST(Protocol, AnswersInTheContentTypeOfTheRequest) {
  TestTables tables;
  const auto answer = [&](std::string_view content_type) {
    auto request = TestTables::Request("ListTables", "{}");
    request.headers.Set("Content-Type", content_type);
    return tables.tables().Handle(request);
  };
  EXPECT_EQ(answer("application/json").headers.Get("Content-Type"), "application/json");
  EXPECT_EQ(answer(" application/json ; charset=x").status, 200);
  EXPECT_EQ(answer("application/x-amz-json-1.0;x").headers.Get("Content-Type"),
            "application/x-amz-json-1.0");
  EXPECT_EQ(answer("application/x-amz-json-1.1").status, 404);
  EXPECT_EQ(answer("application/jsonp").status, 404);
}

TEST(Protocol, LetsPagesOfThisMachineIn) {
  TestTables tables;
  const auto answer = [&](std::string_view method, std::string_view origin) {
    auto request = TestTables::Request("ListTables", method == "POST" ? "{}" : "");
    request.method = method;
    request.headers.Add("Origin", origin);
    request.headers.Add("Access-Control-Request-Headers", "a, b");
    request.headers.Add("Access-Control-Request-Method", "POST");
    return tables.tables().Handle(request);
  };
  const auto preflight = answer("OPTIONS", "http://localhost:3000");
  EXPECT_EQ(preflight.status, 200);
  EXPECT_EQ(preflight.body, "");
  EXPECT_EQ(preflight.headers.Get("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(preflight.headers.Get("Access-Control-Allow-Headers"), "a, b");
  EXPECT_EQ(preflight.headers.Get("Access-Control-Allow-Methods"), "POST");
  EXPECT_EQ(preflight.headers.Get("Access-Control-Max-Age"), "172800");
  const auto list = answer("POST", "http://127.0.0.1");
  EXPECT_EQ(list.headers.Get("Access-Control-Allow-Origin"), "*");
  EXPECT_FALSE(list.headers.Has("Access-Control-Max-Age"));
  for (const char* foreign : {"https://evil.example", "null"}) {
    EXPECT_FALSE(answer("OPTIONS", foreign).headers.Has("Access-Control-Allow-Origin"));
  }
}

TEST(Protocol, AnswersToNoForeignNameWithoutSignatures) {
  TestTables tables;
  auto request = TestTables::Request("ListTables", "{}");
  request.headers.Set("Host", "evil.example:9001");
  EXPECT_THAT(tables.tables().Handle(request).body, HasSubstr("AccessDeniedException"));
  request.headers.Set("Host", "localhost:9001");
  EXPECT_EQ(tables.tables().Handle(request).status, 200);
}

TEST(Protocol, WantsASignatureOfTheRightForm) {
  TestTables tables;
  const auto body = [&](std::string target, std::string_view authorization) {
    auto request = TestTables::Request("ListTables", "{}");
    request.target = std::move(target);
    http::Headers headers;
    for (const auto& [name, value] : request.headers) {
      if (name != "Authorization") headers.Add(name, value);
    }
    if (!authorization.empty()) headers.Add("Authorization", authorization);
    request.headers = headers;
    return tables.tables().Handle(request).body;
  };
  EXPECT_THAT(body("/", "AWS4- Signature=b Credential=a"),
              HasSubstr("\"Authorization header requires 'SignedHeaders' parameter. "
                        "Authorization=AWS4- Signature=b Credential=a\""));
  EXPECT_THAT(body("/?X-Amz-Algorithm", "X"),
              HasSubstr("InvalidSignatureException\",\"message\":\"Found both 'X-Amz-Algorithm' as "
                        "a query-string param and 'Authorization' as HTTP header."));
  EXPECT_THAT(body("/?X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Signature=c&X-Amz-Date=d", ""),
              HasSubstr("AWS query-string parameters must include 'X-Amz-SignedHeaders'. "
                        "Re-examine the query-string parameters."));
  EXPECT_THAT(body("/?X-Amz-Credential=a", ""), HasSubstr("MissingAuthenticationToken"));
  EXPECT_THAT(body("/?X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Signature=c&X-Amz-Date=d"
                   "&X-Amz-SignedHeaders=e",
                   ""),
              HasSubstr("TableNames"));
}

TEST(Protocol, HandlesSeveralRequestsTogetherAsOneByOne) {
  auto folder = TemporaryDirectory::Create();
  TestTables tables(folder->path());
  tables.MakeHashTable();
  const auto put = [](const std::string& key, const std::string& rest) {
    return TestTables::Request(
        "PutItem", "{\"TableName\":\"hash\"," + rest + "\"Item\":{\"k\":{\"S\":\"" + key + "\"}}}");
  };
  const std::string once = "\"ConditionExpression\":\"attribute_not_exists(k)\",";
  const std::vector<http::Request> requests = {
      put("a", ""), put("a", once), put("b", ""), put("", ""),
      TestTables::Request("GetItem", R"({"TableName":"hash","Key":{"k":{"S":"a"}}})")};
  std::vector<int> statuses;
  for (const auto& response : tables.tables().HandleTogether(requests)) {
    statuses.push_back(response.status);
  }
  EXPECT_EQ(statuses, (std::vector<int>{200, 400, 200, 400, 200}));
  EXPECT_EQ(tables.Call("Scan", R"({"TableName":"hash"})").at("Count"), 2);
}

TEST(Protocol, TakesThePathOfTheApiOnly) {
  EXPECT_TRUE(Tables::Accepts({"POST", "/", {}, ""}));
  EXPECT_TRUE(Tables::Accepts({"GET", "/?x=1", {}, ""}));
  EXPECT_FALSE(Tables::Accepts({"GET", "/2015-03-31/functions", {}, ""}));
}

TEST(Protocol, ReportsMembersOfTheWrongType) {
  TestTables tables;
  const auto refusal = [&](std::string body) { return tables.Refusal("GetItem", std::move(body)); };
  const std::string prefix = "SerializationException: ";
  EXPECT_EQ(refusal(R"({"TableName": 1})"), prefix + "NUMBER_VALUE cannot be converted to String");
  EXPECT_EQ(refusal(R"({"TableName": 1.5})"),
            prefix + "DECIMAL_VALUE cannot be converted to String");
  EXPECT_EQ(refusal(R"({"TableName": true})"), prefix + "TRUE_VALUE cannot be converted to String");
  EXPECT_EQ(refusal(R"({"TableName": []})"),
            prefix + "Unrecognized collection type class java.lang.String");
  EXPECT_EQ(refusal(R"({"TableName": {}})"),
            prefix + "Start of structure or map found where not expected");
  EXPECT_EQ(refusal(R"({"ConsistentRead": "x"})"),
            prefix + "Unexpected token received from parser");
  EXPECT_EQ(refusal(R"({"Key": 5})"), prefix + "Unexpected field type");
  EXPECT_EQ(refusal(R"({"Key": {"a": 5}})"), prefix + "Unexpected value type in payload");
  EXPECT_EQ(refusal(R"({"Key": {"a": {"B": "abc"}}})"),
            prefix + "Base64 encoded length is expected a multiple of 4 bytes but found: 3");
  EXPECT_EQ(refusal(R"({"Key": {"a": {"B": "=+/="}}})"),
            prefix + "Invalid last non-pad Base64 character dectected");
  EXPECT_EQ(refusal(R"({"Key": {"a": {"B": "ab!="}}})"), prefix + "Invalid Base64 character: '!'");
}

TEST(Protocol, ListsEveryBrokenConstraint) {
  TestTables tables;
  EXPECT_EQ(
      tables.Refusal("GetItem", "{}"),
      "ValidationException: 2 validation errors detected: Value null at 'tableName' failed to "
      "satisfy constraint: Member must not be null; Value null at 'key' failed to satisfy "
      "constraint: Member must not be null");
  EXPECT_EQ(
      tables.Refusal("Scan", R"({"TableName":"a!","Limit":0,"Select":"X"})"),
      "ValidationException: 4 validation errors detected: Value 'a!' at 'tableName' failed to "
      "satisfy constraint: Member must satisfy regular expression pattern: "
      "[a-zA-Z0-9_.-]+; Value 'a!' at 'tableName' failed to satisfy constraint: Member must "
      "have length greater than or equal to 3; Value '0' at 'limit' failed to satisfy "
      "constraint: Member must have value greater than or equal to 1; Value 'X' at 'select' "
      "failed to satisfy constraint: Member must satisfy enum value set: "
      "[SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]");
  EXPECT_EQ(tables.Refusal("DescribeTable", "{}"),
            "ValidationException: The parameter 'TableName' is required but was not present in the "
            "request");
  EXPECT_EQ(tables.Refusal("DescribeTable", R"({"TableName":"ab"})"),
            "ValidationException: 1 validation error detected: Value 'ab' at 'tableName' failed to "
            "satisfy constraint: Member must have length greater than or equal to 3");
}

TEST(AttributeValues, AreCheckedAsTheProtocolDoes) {
  TestTables tables;
  tables.MakeHashTable();
  const auto refusal = [&](const std::string& value) {
    return tables.Refusal("PutItem",
                          R"({"TableName":"hash","Item":{"k":{"S":"1"},"a":)" + value + "}}");
  };
  const std::string invalid = "ValidationException: One or more parameter values were invalid: ";
  EXPECT_EQ(
      refusal("{}"),
      "ValidationException: Supplied AttributeValue is empty, must contain exactly one of the "
      "supported datatypes");
  EXPECT_EQ(refusal(R"({"S":"a","N":"1"})"),
            "ValidationException: Supplied AttributeValue has more than one datatypes set, must "
            "contain exactly one of the supported datatypes");
  EXPECT_EQ(refusal(R"({"S":"a","N":"b"})"),
            "ValidationException: The parameter cannot be converted to a numeric value: b");
  EXPECT_EQ(refusal(R"({"SS":[]})"), invalid + "An string set  may not be empty");
  EXPECT_EQ(refusal(R"({"NS":[]})"), invalid + "An number set  may not be empty");
  EXPECT_EQ(refusal(R"({"BS":[]})"), invalid + "Binary sets should not be empty");
  EXPECT_EQ(refusal(R"({"SS": ["", ""]})"), invalid + "Input collection [, ] contains duplicates.");
  EXPECT_EQ(refusal(R"({"NULL": false})"),
            invalid + "Null attribute value types must have the value of true");
  EXPECT_EQ(refusal(R"({"M": {"": {"S": "x"}}})"), "ValidationException: Empty attribute name");
  // What has the wrong type is said before what breaks a rule.
  EXPECT_EQ(refusal(R"({"L": [{}, {"S": 1}]})"),
            "SerializationException: NUMBER_VALUE cannot be converted to String");
  EXPECT_EQ(refusal(R"({"SS":["a","b","a"]})"),
            invalid + "Input collection [a, b, a] contains duplicates.");
  EXPECT_EQ(refusal(R"({"BS":["Yg==","Yg=="]})"),
            invalid + "Input collection [Yg==, Yg==]of type BS contains duplicates.");
  EXPECT_EQ(refusal(R"({"NS":["1","1.0"]})"),
            "ValidationException: Input collection contains duplicates");
  EXPECT_EQ(refusal(R"({"N":""})"),
            "ValidationException: The parameter cannot be converted to a numeric value");
  EXPECT_EQ(refusal(R"({"N":"b"})"),
            "ValidationException: The parameter cannot be converted to a numeric value: b");
  EXPECT_EQ(refusal(R"({"N":"1e126"})"),
            "ValidationException: Number overflow. Attempting to store a number with magnitude "
            "larger than supported range");
  EXPECT_EQ(refusal(R"({"N":"-1e-131"})"),
            "ValidationException: Number underflow. Attempting to store a number with magnitude "
            "smaller than supported range");
  EXPECT_EQ(refusal(R"({"N":"123456789012345678901234567890123456789"})"),
            "ValidationException: Attempting to store more than 38 significant digits in a Number");
}

TEST(TableOperations, CreateDescribeListAndDelete) {
  TestTables tables;
  const auto created = tables.CallText("CreateTable", R"({"TableName":"music",
      "AttributeDefinitions":[{"AttributeName":"artist","AttributeType":"S"},
                              {"AttributeName":"year","AttributeType":"N"}],
      "KeySchema":[{"AttributeName":"artist","KeyType":"HASH"},
                   {"AttributeName":"year","KeyType":"RANGE"}],
      "ProvisionedThroughput":{"ReadCapacityUnits":3,"WriteCapacityUnits":4}})");
  EXPECT_THAT(created, HasSubstr(R"("TableStatus":"CREATING")"));
  EXPECT_THAT(created,
              HasSubstr(R"("TableArn":"arn:aws:dynamodb:us-east-1:123456789012:table/music")"));
  const auto described = tables.CallText("DescribeTable", R"({"TableName":"music"})");
  EXPECT_THAT(described, HasSubstr(R"("TableStatus":"ACTIVE")"));
  EXPECT_THAT(described, HasSubstr(R"("ReadCapacityUnits":3,"WriteCapacityUnits":4)"));
  EXPECT_THAT(described, HasSubstr(R"({"AttributeName":"year","KeyType":"RANGE"})"));
  tables.MakeHashTable();
  EXPECT_EQ(tables.CallText("ListTables", R"({"Limit":1})"),
            R"({"TableNames":["hash"],"LastEvaluatedTableName":"hash"})");
  EXPECT_EQ(tables.CallText("ListTables", R"({"ExclusiveStartTableName":"hash"})"),
            R"({"TableNames":["music"]})");
  const auto deleted = tables.CallText("DeleteTable", R"({"TableName":"music"})");
  EXPECT_THAT(deleted, HasSubstr(R"("TableStatus":"DELETING")"));
  for (const char* member : {"KeySchema", "AttributeDefinitions", "CreationDateTime"}) {
    EXPECT_THAT(deleted, Not(HasSubstr(member)));
  }
  EXPECT_EQ(tables.Refusal("DescribeTable", R"({"TableName":"music"})"),
            "ResourceNotFoundException: Requested resource not found: Table: music not found");
}

TEST(TableOperations, ANewTableOfAnOldNameIsEmpty) {
  TestTables tables;
  tables.MakeHashTable();
  tables.Call("PutItem", R"({"TableName":"hash","Item":{"k":{"S":"1"}}})");
  EXPECT_THAT(tables.CallText("DescribeTable", R"({"TableName":"hash"})"),
              HasSubstr(R"("ItemCount":1)"));
  tables.Call("DeleteTable", R"({"TableName":"hash"})");
  tables.MakeHashTable();
  EXPECT_EQ(tables.CallText("Scan", R"({"TableName":"hash"})"),
            R"({"Items":[],"Count":0,"ScannedCount":0})");
}

std::string CreateBody(const std::string& definitions, const std::string& schema,
                       const std::string& rest = R"("BillingMode":"PAY_PER_REQUEST")") {
  return R"({"TableName":"table","AttributeDefinitions":[)" + definitions + R"(],"KeySchema":[)" +
         schema + "]," + rest + "}";
}

TEST(TableOperations, CreateTableChecksItsKeysAndUnits) {
  TestTables tables;
  const std::string a = R"({"AttributeName":"a","AttributeType":"S"})";
  const std::string b = R"({"AttributeName":"b","AttributeType":"S"})";
  const std::string hash = R"({"AttributeName":"a","KeyType":"HASH"})";
  const std::string range = R"({"AttributeName":"b","KeyType":"RANGE"})";
  const auto refusal = [&](const std::string& body) { return tables.Refusal("CreateTable", body); };
  const std::string validation = "ValidationException: ";
  const std::string invalid = validation + "One or more parameter values were invalid: ";
  EXPECT_EQ(refusal(CreateBody("", hash)),
            validation + "Invalid KeySchema: Some index key attribute have no definition");
  EXPECT_EQ(refusal(CreateBody(b, hash)),
            invalid +
                "Some index key attributes are not defined in AttributeDefinitions. Keys: "
                "[a], AttributeDefinitions: [b]");
  EXPECT_EQ(refusal(CreateBody(a + "," + b, hash + "," + hash)),
            validation +
                "Both the Hash Key and the Range Key element in the KeySchema have the "
                "same name");
  EXPECT_EQ(refusal(CreateBody(a + "," + b, range + "," + hash)),
            validation + "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
  EXPECT_EQ(refusal(CreateBody(a + "," + b, hash)),
            invalid +
                "Number of attributes in KeySchema does not exactly match number of "
                "attributes defined in AttributeDefinitions");
  EXPECT_EQ(refusal(CreateBody(a, hash, R"("BillingMode":"PROVISIONED")")),
            invalid +
                "ReadCapacityUnits and WriteCapacityUnits must both be specified when "
                "BillingMode is PROVISIONED");
  const std::string units =
      R"("ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1})";
  EXPECT_EQ(refusal(CreateBody(a, hash, R"("BillingMode":"PAY_PER_REQUEST",)" + units)),
            invalid +
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
                "BillingMode is PAY_PER_REQUEST");
  EXPECT_EQ(refusal(CreateBody(a, "")),
            validation +
                "1 validation error detected: Value '[]' at 'keySchema' failed to satisfy "
                "constraint: Member must have length greater than or equal to 1");
  EXPECT_EQ(refusal(CreateBody(R"({"AttributeName":"a","AttributeType":"X"})", hash)),
            validation +
                "1 validation error detected: Value 'X' at "
                "'attributeDefinitions.1.member.attributeType' failed to satisfy "
                "constraint: Member must satisfy enum value set: [B, N, S]");
  EXPECT_EQ(refusal(CreateBody(a + R"(,{"AttributeName":"a","AttributeType":"N"})", hash)),
            validation + "Attribute Name is duplicated: a");
  EXPECT_EQ(refusal(CreateBody(a, hash, units + R"(,"StreamSpecification":{})")),
            validation +
                "1 validation error detected: Value null at 'streamSpecification.streamEnabled' "
                "failed to satisfy constraint: Member must not be null");
  const std::string long_name = R"({"AttributeName":")" + std::string(256, 'n') + "\"";
  EXPECT_THAT(refusal(CreateBody(a, long_name + R"(,"KeyType":"HASH"})")),
              HasSubstr("at 'keySchema.1.member.attributeName' failed to satisfy constraint: "
                        "Member must have length less than or equal to 255"));
  EXPECT_THAT(refusal(CreateBody(long_name + R"(,"AttributeType":"S"})", hash)),
              HasSubstr("at 'attributeDefinitions.1.member.attributeName' failed to satisfy "
                        "constraint: Member must have length less than or equal to 255"));
  const auto index = [&](const std::string& projected) {
    return refusal(CreateBody(a, hash,
                              R"("BillingMode":"PAY_PER_REQUEST",
        "GlobalSecondaryIndexes":[{"IndexName":"by-a","KeySchema":[)" +
                                  hash + R"(],
        "Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":[)" +
                                  projected + "]}}]"));
  };
  EXPECT_EQ(index(R"("x","y","x")"), invalid + "Duplicate element in NonKeyAttributes: x");
  EXPECT_THAT(index("\"" + std::string(256, 'n') + "\""),
              HasSubstr("projection.nonKeyAttributes' failed to satisfy constraint: Member must "
                        "satisfy constraint: [Member must have length less than or equal to 255"));
  EXPECT_EQ(refusal(CreateBody(a, hash, units + R"(,"GlobalSecondaryIndexes":[])")),
            invalid + "List of GlobalSecondaryIndexes is empty");
  tables.Call("CreateTable", CreateBody(a, hash));
  EXPECT_EQ(refusal(CreateBody(a, hash)), "ResourceInUseException: Table already exists: table");
}

TEST(TableOperations, ProtectedTablesAreNotDeleted) {
  TestTables tables;
  tables.Call("CreateTable",
              CreateBody(R"({"AttributeName":"a","AttributeType":"S"})",
                         R"({"AttributeName":"a","KeyType":"HASH"})",
                         R"("BillingMode":"PAY_PER_REQUEST","DeletionProtectionEnabled":true)"));
  EXPECT_THAT(tables.Refusal("DeleteTable", R"({"TableName":"table"})"),
              HasSubstr("currently protected against deletion"));
}

TEST(TableOperations, TimeToLiveIsKept) {
  TestTables tables;
  tables.MakeHashTable();
  const std::string name = R"({"TableName":"hash"})";
  EXPECT_EQ(tables.CallText("DescribeTimeToLive", name),
            R"({"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}})");
  const std::string enable =
      R"({"TableName":"hash","TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":true}})";
  EXPECT_EQ(tables.CallText("UpdateTimeToLive", enable),
            R"({"TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":true}})");
  EXPECT_EQ(tables.CallText("DescribeTimeToLive", name),
            R"({"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"ttl"}})");
  EXPECT_EQ(tables.Refusal("UpdateTimeToLive", enable),
            "ValidationException: TimeToLive is already enabled");
  EXPECT_EQ(tables.Refusal("UpdateTimeToLive", R"({"TableName":"hash","TimeToLiveSpecification":
                           {"AttributeName":"other","Enabled":false}})"),
            "ValidationException: TimeToLive is active on a different AttributeName: current "
            "AttributeName is ttl");
}

// The counter ends exact only where no conditional write saw what another was about to change.
TEST(Concurrency, ConditionalWritesKeepACounterExact) {
  TestTables tables;
  tables.MakeHashTable();
  constexpr int kThreads = 4;
  constexpr int kIncrements = 50;
  const std::string update =
      R"json({"TableName":"hash","Key":{"k":{"S":"c"}},"UpdateExpression":"SET n = :new",
          "ConditionExpression":"attribute_not_exists(n) OR n = :old",
          "ExpressionAttributeValues":{":old":{"N":"OLD"},":new":{"N":"NEW"}}})json";
  const auto increment = [&] {
    for (int done = 0; done < kIncrements;) {
      const auto read = tables.Call("GetItem", R"({"TableName":"hash","Key":{"k":{"S":"c"}}})");
      int old = 0;
      if (const auto* item = read.if_contains("Item")) {
        old = std::stoi(std::string(item->at("n").at("N").as_string()));
      }
      std::string body = update;
      body.replace(body.find("OLD"), 3, std::to_string(old));
      body.replace(body.find("NEW"), 3, std::to_string(old + 1));
      if (tables.Send("UpdateItem", body).status == 200) ++done;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(increment);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(tables.CallText("GetItem", R"({"TableName":"hash","Key":{"k":{"S":"c"}}})"),
            R"({"Item":{"k":{"S":"c"},"n":{"N":"200"}}})");
}

TEST(Concurrency, ReadersAndWritersOfAFileGoOnTogether) {
  auto folder = TemporaryDirectory::Create();
  TestTables tables(folder->path());
  tables.MakeHashTable();
  constexpr int kWrites = 30;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      for (int i = 0; i < kWrites; ++i) {
        tables.Call("PutItem", R"({"TableName":"hash","Item":{"k":{"S":")" +
                                   std::to_string(writer * kWrites + i) + R"("}}})");
      }
    });
  }
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&] {
      std::int64_t seen = 0;
      while (seen < 2 * kWrites) {
        const auto count = tables.Call("Scan", R"({"TableName":"hash"})").at("Count").as_int64();
        EXPECT_GE(count, seen);
        seen = count;
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace kelvin::tables
