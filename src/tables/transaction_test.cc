#include <thread>
#include <vector>

#include "tables/tables_fixture.h"

namespace kelvin::tables {
namespace {

using ::testing::HasSubstr;

class Transactions : public ::testing::Test {
 protected:
  Transactions() { tables_.MakeHashTable(); }
  static std::string Put(const std::string& key, const std::string& rest = "",
                         const std::string& value = "1") {
    return R"({"Put":{"TableName":"hash","Item":{"k":{"S":")" + key + R"("},"v":{"N":")" + value +
           "\"}}" + rest + "}}";
  }
  static std::string Body(const std::string& actions, const std::string& rest = "") {
    return R"({"TransactItems":[)" + actions + "]" + rest + "}";
  }
  http::Response Send(const std::string& actions, const std::string& rest = "") {
    return tables_.Send("TransactWriteItems", Body(actions, rest));
  }
  std::int64_t Count() {
    return tables_.Call("Scan", R"({"TableName":"hash"})").at("Count").as_int64();
  }
  TestTables tables_;
};

TEST_F(Transactions, DoAllOrNothing) {
  EXPECT_EQ(Send(Put("a") + "," + Put("b")).status, 200);
  const auto failed =
      Send(Put("c") + "," + Put("a", R"json(,"ConditionExpression":"attribute_not_exists(k)",
                                    "ReturnValuesOnConditionCheckFailure":"ALL_OLD")json"));
  EXPECT_EQ(failed.status, 400);
  EXPECT_EQ(failed.body,
            R"({"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",)"
            R"("Message":"Transaction cancelled, please refer cancellation reasons for specific )"
            R"(reasons [None, ConditionalCheckFailed]","CancellationReasons":[{"Code":"None"},)"
            R"({"Code":"ConditionalCheckFailed","Message":"The conditional request failed",)"
            R"("Item":{"k":{"S":"a"},"v":{"N":"1"}}}]})");
  EXPECT_EQ(Count(), 2);
}

TEST_F(Transactions, PutUpdateDeleteAndCheck) {
  Send(Put("a") + "," + Put("b") + "," + Put("c"));
  const std::string key = R"({"TableName":"hash","Key":{"k":{"S":")";
  EXPECT_EQ(tables_.CallText(
                "TransactWriteItems",
                Body(Put("d") + R"(,{"Update":)" + key + R"(a"}},"UpdateExpression":"ADD v :v",
                     "ExpressionAttributeValues":{":v":{"N":"4"}}}},{"Delete":)" +
                         key + R"(b"}}}},{"ConditionCheck":)" + key +
                         R"json(c"}},"ConditionExpression":"attribute_exists(k)"}})json",
                     R"(,"ReturnConsumedCapacity":"TOTAL")")),
            R"({"ConsumedCapacity":[{"TableName":"hash","CapacityUnits":8,)"
            R"("WriteCapacityUnits":8}]})");
  EXPECT_EQ(tables_.CallText("TransactGetItems",
                             Body(R"({"Get":)" + key + R"(a"}}}},{"Get":)" + key + R"(b"}}}})")),
            R"({"Responses":[{"Item":{"k":{"S":"a"},"v":{"N":"5"}}},{}]})");
}

TEST_F(Transactions, WithATokenAreDoneOnce) {
  const std::string token = R"(,"ClientRequestToken":"token")";
  const std::string add = R"({"Update":{"TableName":"hash","Key":{"k":{"S":"a"}},
      "UpdateExpression":"ADD v :v","ExpressionAttributeValues":{":v":{"N":"1"}}}})";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Send(add, token).status, 200);
  const auto value = [&] {
    return tables_.CallText("GetItem", R"({"TableName":"hash","Key":{"k":{"S":"a"}}})");
  };
  EXPECT_THAT(value(), HasSubstr(R"("v":{"N":"1"})"));
  EXPECT_THAT(tables_.Refusal("TransactWriteItems", Body(Put("b"), token)),
              HasSubstr("IdempotentParameterMismatchException"));
  tables_.clock().Advance(std::chrono::minutes(10));
  EXPECT_EQ(Send(add, token).status, 200);
  EXPECT_THAT(value(), HasSubstr(R"("v":{"N":"2"})"));
}

TEST_F(Transactions, WithATokenThatFailedMayBeTriedAgain) {
  const std::string token = R"(,"ClientRequestToken":"token")";
  const std::string put = Put("a", R"json(,"ConditionExpression":"attribute_exists(k)")json");
  EXPECT_EQ(Send(put, token).status, 400);
  Send(Put("a"));
  EXPECT_EQ(Send(put, token).status, 200);
}

TEST_F(Transactions, TokensSurviveARestart) {
  auto folder = TemporaryDirectory::Create();
  const std::string body = Body(R"({"Update":{"TableName":"hash","Key":{"k":{"S":"a"}},
      "UpdateExpression":"ADD v :v","ExpressionAttributeValues":{":v":{"N":"1"}}}})",
                                R"(,"ClientRequestToken":"token")");
  {
    TestTables tables(folder->path());
    tables.MakeHashTable();
    tables.Call("TransactWriteItems", body);
  }
  TestTables tables(folder->path());
  tables.Call("TransactWriteItems", body);
  EXPECT_THAT(tables.CallText("GetItem", R"({"TableName":"hash","Key":{"k":{"S":"a"}}})"),
              HasSubstr(R"("v":{"N":"1"})"));
}

TEST_F(Transactions, ReportFaultsOfActionsAsReasons) {
  const auto refused = [&](const std::string& actions) {
    return tables_.Refusal("TransactWriteItems", Body(actions));
  };
  const auto reason = [&](const std::string& actions) {
    const auto response = Send(actions);
    EXPECT_EQ(response.status, 400);
    const auto body = boost::json::parse(response.body).as_object();
    if (!body.contains("CancellationReasons")) return "no reasons: " + response.body;
    return std::string(body.at("CancellationReasons").as_array()[0].at("Message").as_string());
  };
  EXPECT_EQ(reason(R"({"Put":{"TableName":"hash","Item":{"k":{"N":"5"}}}})"),
            "One or more parameter values were invalid: Type mismatch for key k expected: S "
            "actual: N");
  EXPECT_EQ(reason(R"({"Delete":{"TableName":"hash","Key":{"k":{"N":"5"}}}})"),
            "The provided key element does not match the schema");
  EXPECT_EQ(reason(R"({"Update":{"TableName":"hash","Key":{"k":{"S":"a"}},
                      "UpdateExpression":"SET v = nope"}})"),
            "The provided expression refers to an attribute that does not exist in the item");
  EXPECT_EQ(refused(R"({"Put":{"TableName":"hash","Item":{"k":{"S":""}}}})"),
            "ValidationException: One or more parameter values are not valid. The AttributeValue "
            "for a key attribute cannot contain an empty string value. Key: k");
  const std::string wrong = R"({"Put":{"TableName":"hash","Item":{"k":{"N":"5"}}}})";
  EXPECT_THAT(refused(Put("a") + "," + wrong + "," + wrong),
              HasSubstr("[None, ValidationError, None]"));
  EXPECT_EQ(refused(Put("a") + "," + Put("a")),
            "ValidationException: Transaction request cannot include multiple operations on one "
            "item");
  EXPECT_EQ(
      refused(""),
      "ValidationException: 1 validation error detected: Value '[]' at 'transactItems' failed "
      "to satisfy constraint: Member must have length greater than or equal to 1");
  EXPECT_EQ(refused(R"({"Put":{"TableName":"nope","Item":{"k":{"S":"1"}}}})"),
            "ResourceNotFoundException: Requested resource not found");
  EXPECT_EQ(refused("{}"),
            "ValidationException: TransactItems can only contain one of Check, Put, Update or "
            "Delete");
  EXPECT_THAT(refused(R"({"Update":{"TableName":"hash","Key":{"k":{"S":"a"}}}})"),
              HasSubstr("updateExpression' failed to satisfy constraint: Member must not be null"));
  EXPECT_THAT(tables_.Refusal("TransactGetItems", Body(R"({"Get":{"TableName":"hash","Key":{}}})")),
              HasSubstr("[ValidationError]"));
}

TEST_F(Transactions, HaveLimits) {
  std::string many = Put("x");
  for (int i = 0; i < 99; ++i) many += "," + Put(std::to_string(i));
  EXPECT_EQ(Send(many).status, 200);
  EXPECT_THAT(tables_.Refusal("TransactWriteItems", Body(many + "," + Put("y"))),
              HasSubstr("at 'transactItems' failed to satisfy constraint: Member must have length "
                        "less than or equal to 100"));
  EXPECT_THAT(
      tables_.Refusal("TransactWriteItems",
                      Body(Put("a"), R"(,"ClientRequestToken":")" + std::string(37, 'x') + "\"")),
      HasSubstr("at 'clientRequestToken' failed to satisfy constraint: Member must have "
                "length less than or equal to 36"));
  std::string large;
  const std::string text(350'000, 'x');
  for (int i = 0; i < 12; ++i) {
    large += (i > 0 ? "," : "") + (R"({"Put":{"TableName":"hash","Item":{"k":{"S":")" +
                                   std::to_string(i) + R"("},"v":{"S":")" + text + "\"}}}}");
  }
  EXPECT_THAT(tables_.Refusal("TransactWriteItems", Body(large)),
              HasSubstr("Transaction payload size cannot exceed 4194304 bytes"));
}

// Money moves between accounts by transactions of several clients; none is made or lost.
TEST_F(Transactions, OfSeveralClientsAreSerialisable) {
  constexpr int kAccounts = 4;
  for (int i = 0; i < kAccounts; ++i) {
    tables_.Call("PutItem", R"({"TableName":"hash","Item":{"k":{"S":"account)" + std::to_string(i) +
                                R"("},"v":{"N":"100"}}})");
  }
  const auto action = [](int account, const std::string& expression, const std::string& rest) {
    return R"({"Update":{"TableName":"hash","Key":{"k":{"S":"account)" + std::to_string(account) +
           R"("}},"UpdateExpression":")" + expression +
           R"(","ExpressionAttributeValues":{":one":{"N":"1"}})" + rest + "}}";
  };
  std::vector<std::thread> clients;
  for (int client = 0; client < 3; ++client) {
    clients.emplace_back([&, client] {
      for (int i = 0; i < 60; ++i) {
        const int from = (client + i) % kAccounts;
        const int to = (client + i * 2 + 1) % kAccounts;
        if (from == to) continue;
        Send(action(from, "SET v = v - :one", R"(,"ConditionExpression":"v >= :one")") + "," +
             action(to, "SET v = v + :one", ""));
      }
    });
  }
  std::string gets;
  for (int i = 0; i < kAccounts; ++i) {
    gets += (i > 0 ? "," : "") + (R"({"Get":{"TableName":"hash","Key":{"k":{"S":"account)" +
                                  std::to_string(i) + "\"}}}}");
  }
  for (int reads = 0; reads < 50; ++reads) {
    int sum = 0;
    const auto answer = tables_.Call("TransactGetItems", Body(gets));
    for (const auto& response : answer.at("Responses").as_array()) {
      sum += std::stoi(std::string(response.at("Item").at("v").at("N").as_string()));
    }
    EXPECT_EQ(sum, 100 * kAccounts);
  }
  for (auto& client : clients) client.join();
}

}  // namespace
}  // namespace kelvin::tables
