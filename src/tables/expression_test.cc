#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tables/condition.h"
#include "tables/parser.h"
#include "tables/update.h"
#include "tables/value_json.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

Placeholders Given() {
  static const json::value kNames = json::parse(R"({"#n": "name", "#dot": "a.b"})");
  static const json::value kValues = json::parse(R"({
      ":s": {"S": "abc"}, ":p": {"S": "ab"}, ":n": {"N": "5"}, ":m": {"N": "7"},
      ":t": {"BOOL": true}, ":l": {"L": [{"N": "9"}]}, ":ss": {"SS": ["x", "y"]},
      ":type": {"S": "S"}, ":bad": {"S": "X"}, ":ns": {"NS": ["1"]}})");
  return *Placeholders::Read(&kNames, &kValues);
}

Item Sample() {
  return *ReadItem(json::parse(R"({
      "a": {"S": "abc"}, "n": {"N": "5"}, "name": {"S": "abcdef"}, "a.b": {"N": "1"},
      "ls": {"L": [{"N": "1"}, {"S": "two"}, {"M": {"x": {"N": "3"}}}]},
      "tags": {"SS": ["x", "y", "z"]}, "deep": {"M": {"mid": {"M": {"v": {"N": "1"}}}}},
      "flag": {"BOOL": true}})")
                       .as_object());
}

std::string Fault(std::string_view text) {
  Placeholders placeholders = Given();
  const auto parsed = ParseCondition(text, "FilterExpression", placeholders);
  if (parsed) return "accepted";
  const std::string prefix = "Invalid FilterExpression: ";
  EXPECT_TRUE(parsed.error().message.starts_with(prefix)) << parsed.error().message;
  return parsed.error().message.substr(prefix.size());
}

bool IsTrue(std::string_view text) {
  Placeholders placeholders = Given();
  const auto parsed = ParseCondition(text, "FilterExpression", placeholders);
  EXPECT_TRUE(parsed.has_value()) << text << ": " << (parsed ? "" : parsed.error().message);
  return parsed && Holds(*parsed, Sample());
}

std::string UpdateFault(std::string_view text) {
  Placeholders placeholders = Given();
  const auto parsed = ParseUpdate(text, placeholders);
  if (!parsed) return parsed.error().message;
  const auto applied = Apply(*parsed, Sample());
  return applied ? "accepted" : applied.error().message;
}

std::string Updated(std::string_view text, const Path& shown) {
  Placeholders placeholders = Given();
  const auto parsed = ParseUpdate(text, placeholders);
  if (!parsed) return parsed.error().message;
  const auto applied = Apply(*parsed, Sample());
  if (!applied) return applied.error().message;
  const Value* value = FindAt(*applied, shown);
  if (value == nullptr) return "none";
  std::string out;
  JsonWriter writer(out);
  WriteValue(writer, *value);
  return out;
}

TEST(Condition, ComparesValuesOfOneType) {
  EXPECT_TRUE(IsTrue("a = :s"));
  EXPECT_TRUE(IsTrue("n < :m AND n >= :n"));
  EXPECT_TRUE(IsTrue("a <> :n"));
  EXPECT_FALSE(IsTrue("a < :n"));
  EXPECT_FALSE(IsTrue("absent = :s"));
  EXPECT_TRUE(IsTrue("absent <> :s"));
  EXPECT_TRUE(IsTrue("n BETWEEN :n AND :m"));
  EXPECT_TRUE(IsTrue("n IN (:s, :n)"));
  EXPECT_FALSE(IsTrue("a IN (:n)"));
}

TEST(Condition, BindsNotBeforeAndBeforeOr) {
  EXPECT_TRUE(IsTrue("a = :s OR a = :n AND a = :n"));
  EXPECT_FALSE(IsTrue("(a = :s OR a = :n) AND a = :n"));
  EXPECT_FALSE(IsTrue("NOT a = :s AND a = :s"));
  EXPECT_TRUE(IsTrue("not (a = :n) and (a) = (:s)"));
  EXPECT_TRUE(IsTrue("NOT NOT a = :s"));
  EXPECT_FALSE(IsTrue("NOT not NOT a = :s"));
}

TEST(Condition, KnowsItsFunctions) {
  EXPECT_TRUE(IsTrue("attribute_exists(deep.mid.v)"));
  EXPECT_TRUE(IsTrue("attribute_not_exists(deep.nope)"));
  EXPECT_TRUE(IsTrue("attribute_exists(ls[2].x) AND attribute_not_exists(ls[3])"));
  EXPECT_TRUE(IsTrue("attribute_type(a, :type)"));
  EXPECT_TRUE(IsTrue("begins_with(#n, :p)"));
  EXPECT_TRUE(IsTrue("contains(#n, :s)"));
  EXPECT_FALSE(IsTrue("contains(tags, :s)"));
  EXPECT_TRUE(IsTrue("size(a) < :n AND size(tags) < :n"));
  EXPECT_FALSE(IsTrue("size(n) > :n"));
  EXPECT_TRUE(IsTrue("attribute_exists(#dot)"));
}

TEST(Condition, SaysWhereTheSyntaxGoesWrong) {
  EXPECT_EQ(Fault(""), "The expression can not be empty;");
  EXPECT_EQ(Fault("a ="), "Syntax error; token: \"<EOF>\", near: \"=\"");
  EXPECT_EQ(Fault("a = = :s"), "Syntax error; token: \"=\", near: \"= = :s\"");
  EXPECT_EQ(Fault("a ! :s"), "Syntax error; token: \"!\", near: \"a ! :s\"");
  EXPECT_EQ(Fault("a AND n = :n"), "Syntax error; token: \"AND\", near: \"a AND n\"");
  EXPECT_EQ(Fault("(a = :s"), "Syntax error; token: \"<EOF>\", near: \":s\"");
  EXPECT_EQ(Fault("a BETWEEN :n OR :m"), "Syntax error; token: \"OR\", near: \":n OR :m\"");
  EXPECT_EQ(Fault("_a = :s"), "Syntax error; token: \"_\", near: \"_a\"");
}

TEST(Condition, ReportsWhatIsNotDefined) {
  EXPECT_EQ(Fault("#x = :s"),
            "An expression attribute name used in the document path is not defined; attribute "
            "name: #x");
  EXPECT_EQ(Fault("a = :x"),
            "An expression attribute value used in expression is not defined; attribute value: "
            ":x");
  EXPECT_EQ(Fault("Name = :s"), "Attribute name is a reserved keyword; reserved keyword: Name");
}

TEST(Condition, ReportsFunctionsUsedWrongly) {
  EXPECT_EQ(Fault("nope(a)"), "Invalid function name; function: nope");
  EXPECT_EQ(Fault("if_not_exists(a, :s) = :s"),
            "The function is not allowed in a condition expression; function: if_not_exists");
  EXPECT_EQ(Fault("size(a)"),
            "The function is not allowed to be used this way in an expression; function: size");
  EXPECT_EQ(Fault("attribute_exists(a) = :t"),
            "The function is not allowed to be used this way in an expression; function: "
            "attribute_exists");
  EXPECT_EQ(Fault("begins_with(a)"),
            "Incorrect number of operands for operator or function; operator or function: "
            "begins_with, number of operands: 1");
  EXPECT_EQ(Fault("begins_with(a, :n)"),
            "Incorrect operand type for operator or function; operator or function: begins_with, "
            "operand type: N");
  EXPECT_EQ(Fault("attribute_exists(:s)"),
            "Operator or function requires a document path; operator or function: "
            "attribute_exists");
  EXPECT_EQ(Fault("attribute_type(a, :bad)"),
            "Invalid attribute type name found; type: X, valid types: "
            "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}");
  EXPECT_EQ(Fault("attribute_type(a, n)"),
            "Incorrect operand type for operator or function; operator or function: "
            "attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
  EXPECT_EQ(Fault("size(:n) > :n"),
            "Incorrect operand type for operator or function; operator or function: size, operand "
            "type: N");
  EXPECT_EQ(Fault("a < :t"),
            "Incorrect operand type for operator or function; operator or function: <, "
            "operand type: BOOL");
}

TEST(Condition, ReportsOperandsThatCannotGoTogether) {
  EXPECT_EQ(Fault("a = a"),
            "The first operand must be distinct from the remaining operands for this operator or "
            "function; operator: =, first operand: [a]");
  EXPECT_EQ(Fault("n IN (:n, n)"),
            "The first operand must be distinct from the remaining operands for this operator or "
            "function; operator: IN, first operand: [n]");
  EXPECT_EQ(Fault("ls[0] BETWEEN n AND ls[0]"),
            "The first operand must be distinct from the remaining operands for this operator or "
            "function; operator: BETWEEN, first operand: [ls, [0]]");
  EXPECT_EQ(Fault("a BETWEEN :m AND :n"),
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
            "lower bound operand: AttributeValue: {N:7}, upper bound operand: AttributeValue: "
            "{N:5}");
  EXPECT_EQ(Fault("a BETWEEN :s AND :n"),
            "The BETWEEN operator requires same data type for lower and upper bounds; lower bound "
            "operand: AttributeValue: {S:abc}, upper bound operand: AttributeValue: {N:5}");
}

TEST(Condition, RefusesRedundantParentheses) {
  const std::string redundant = "The expression has redundant parentheses;";
  EXPECT_EQ(Fault("((a = :s))"), redundant);
  EXPECT_EQ(Fault("((a)) = :s"), redundant);
  EXPECT_EQ(Fault("a = ((:s))"), redundant);
  EXPECT_EQ(Fault("((a = :s) AND (n = :n))"), "accepted");
  EXPECT_EQ(Fault(std::string(2000, '(') + "a = :s" + std::string(2000, ')')), redundant);
  EXPECT_EQ(Fault(std::string(4000, '(')), redundant);
}

TEST(Condition, HasLimits) {
  EXPECT_EQ(Fault("a = :s" + std::string(4096, ' ')),
            "Expression size has exceeded the maximum allowed size; expression size: 4102");
  std::string many = "a=:s";
  for (int i = 0; i < 160; ++i) many += " OR a=:s";
  EXPECT_EQ(Fault(many),
            "The expression contains too many operators; expected at most 300, operator count: "
            "321");
  const auto in = [](int operands) {
    std::string text = "n IN (:n";
    for (int i = 1; i < operands; ++i) text += ",:n";
    return text + ")";
  };
  EXPECT_EQ(Fault(in(100)), "accepted");
  EXPECT_EQ(Fault(in(101)),
            "The IN operator is provided with too many operands; number of operands: 101");
  EXPECT_EQ(Fault("a[99999999999] = :s"),
            "List index is not within the allowable range; index: [99999999999]");
}

TEST(Placeholders, ReportWhatNoExpressionUsed) {
  Placeholders placeholders = Given();
  ASSERT_TRUE(ParseCondition("#n = :s AND #dot = :n", "FilterExpression", placeholders));
  EXPECT_EQ(placeholders.CheckAllUsed().error().message,
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:p, :m, :t, "
            ":l, :ss, :type, :bad, :ns}");
}

TEST(Projection, TakesThePartsThatWereNamed) {
  Placeholders placeholders = Given();
  const auto paths = ParseProjection("a, deep.mid, ls[0], ls[2].x, #n, gone", placeholders);
  ASSERT_TRUE(paths.has_value());
  std::vector<const Path*> pointers;
  for (const Path& path : *paths) pointers.push_back(&path);
  std::string out;
  JsonWriter writer(out);
  WriteItem(writer, Project(Sample(), pointers));
  EXPECT_EQ(out, R"({"a":{"S":"abc"},"deep":{"M":{"mid":{"M":{"v":{"N":"1"}}}}},)"
                 R"("ls":{"L":[{"N":"1"},{"M":{"x":{"N":"3"}}}]},"name":{"S":"abcdef"}})");
}

TEST(Projection, RefusesPathsThatOverlap) {
  Placeholders placeholders = Given();
  EXPECT_EQ(ParseProjection("a, n, a[1].b", placeholders).error().message,
            "Invalid ProjectionExpression: Two document paths overlap with each other; must remove "
            "or rewrite one of these paths; path one: [a], path two: [a, [1], b]");
  EXPECT_EQ(
      ParseProjection("a.b, a[1]", placeholders).error().message,
      "Invalid ProjectionExpression: Two document paths conflict with each other; must remove "
      "or rewrite one of these paths; path one: [a, b], path two: [a, [1]]");
}

TEST(Update, SetsAddsRemovesAndDeletes) {
  EXPECT_EQ(Updated("SET a = :n", {"a"}), R"({"N":"5"})");
  EXPECT_EQ(Updated("set n = n + :m", {"n"}), R"({"N":"12"})");
  EXPECT_EQ(Updated("SET n = :m - n", {"n"}), R"({"N":"2"})");
  EXPECT_EQ(Updated("SET n = (n + :m)", {"n"}), R"({"N":"12"})");
  EXPECT_EQ(Updated("SET n = (n) + :m", {"n"}), R"({"N":"12"})");
  EXPECT_EQ(Updated("SET q = if_not_exists(q, :n)", {"q"}), R"({"N":"5"})");
  EXPECT_EQ(Updated("SET n = if_not_exists(n, :m) + :m", {"n"}), R"({"N":"12"})");
  EXPECT_EQ(Updated("SET q = list_append(:l, :l)", {"q"}), R"({"L":[{"N":"9"},{"N":"9"}]})");
  EXPECT_EQ(Updated("SET deep.mid.w = :s", {"deep", "mid", "w"}), R"({"S":"abc"})");
  EXPECT_EQ(Updated("SET ls[7] = :n", {"ls", 3U}), R"({"N":"5"})");
  EXPECT_EQ(Updated("REMOVE a", {"a"}), "none");
  EXPECT_EQ(Updated("REMOVE ls[0], ls[2]", {"ls"}), R"({"L":[{"S":"two"}]})");
  EXPECT_EQ(Updated("ADD n :m", {"n"}), R"({"N":"12"})");
  EXPECT_EQ(Updated("ADD fresh :ss", {"fresh"}), R"({"SS":["x","y"]})");
  EXPECT_EQ(Updated("DELETE tags :ss", {"tags"}), R"({"SS":["z"]})");
  EXPECT_EQ(Updated("DELETE tags :ss SET n = :m REMOVE a", {"n"}), R"({"N":"7"})");
}

TEST(Update, KeepsItsKeywordsAndTakesNoPathBehindParentheses) {
  const std::string syntax = "Invalid UpdateExpression: Syntax error; token: ";
  EXPECT_EQ(UpdateFault("SET q=set"), syntax + R"("set", near: "=set")");
  EXPECT_EQ(UpdateFault("REMOVE add"), syntax + R"("add", near: "REMOVE add")");
  EXPECT_EQ(UpdateFault("SET q = (deep.mid).v + n"), syntax + R"(".", near: ").v")");
  EXPECT_EQ(UpdateFault("SET q = (ls)[0] + n"), syntax + R"("[", near: ")[0")");
  EXPECT_TRUE(IsTrue("(deep.mid).v < n"));
}

TEST(Update, FollowsThePathOfWhatItTakesAway) {
  const std::string bad =
      "The document path provided in the update expression is invalid for update";
  EXPECT_EQ(UpdateFault("DELETE a.x :ss"), bad);
  EXPECT_EQ(UpdateFault("DELETE gone.x :ss"), bad);
  EXPECT_EQ(UpdateFault("DELETE deep.gone :ss"), "accepted");
  EXPECT_EQ(UpdateFault("REMOVE gone.x"), bad);
  EXPECT_EQ(Updated("SET ls[9] = :n REMOVE ls[3]", {"ls", 3U}), R"({"N":"5"})");
}

TEST(Update, RemovesNothingFromAnItemThatItMakes) {
  Placeholders placeholders = Given();
  const auto update =
      ParseUpdate("REMOVE gone.x, gone2[0] DELETE gone3.x :ss SET a = :n", placeholders);
  ASSERT_TRUE(update.has_value());
  const auto made = Apply(*update, Item{}, UpdateWording::kExpression, UpdateBase::kKey);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->size(), 1U);
}

TEST(Update, ReadsEveryOperandBeforeItWrites) {
  EXPECT_EQ(Updated("SET a = n, n = a", {"n"}), R"({"S":"abc"})");
}

TEST(Update, ReportsWhatIsWrong) {
  const std::string invalid = "Invalid UpdateExpression: ";
  EXPECT_EQ(UpdateFault("FOO a"), invalid + "Syntax error; token: \"FOO\", near: \"FOO a\"");
  EXPECT_EQ(UpdateFault("SET a = :s SET n = :n"),
            invalid + "The \"SET\" section can only be used once in an update expression;");
  EXPECT_EQ(UpdateFault("SET a = :s, a = :n"),
            invalid +
                "Two document paths overlap with each other; must remove or rewrite one of "
                "these paths; path one: [a], path two: [a]");
  EXPECT_EQ(UpdateFault("SET a = size(a)"),
            invalid + "The function is not allowed in an update expression; function: size");
  EXPECT_EQ(UpdateFault("SET a = nope(a)"), invalid + "Invalid function name; function: nope");
  EXPECT_EQ(UpdateFault("SET q = list_append(list_append(:l, :l), :l)"),
            invalid +
                "The function is not allowed to be used this way in an expression; function: "
                "list_append");
  EXPECT_EQ(UpdateFault("SET q = :n + list_append(:l, :l)"),
            invalid +
                "The function is not allowed to be used this way in an expression; function: "
                "list_append");
  EXPECT_EQ(UpdateFault("SET a = n + :s"),
            invalid +
                "Incorrect operand type for operator or function; operator or function: +, "
                "operand type: S");
  EXPECT_EQ(UpdateFault("ADD a :s"),
            invalid +
                "Incorrect operand type for operator or function; operator: ADD, operand "
                "type: STRING");
  EXPECT_EQ(UpdateFault("DELETE tags :n"),
            invalid +
                "Incorrect operand type for operator or function; operator: DELETE, operand "
                "type: NUMBER");
  EXPECT_EQ(UpdateFault("SET a = if_not_exists(:s, :n)"),
            invalid +
                "Operator or function requires a document path; operator or function: "
                "if_not_exists");
  EXPECT_EQ(UpdateFault("SET a = if_not_exists(ls[0], ls[0])"),
            invalid +
                "The first operand must be distinct from the remaining operands for this "
                "operator or function; operator: if_not_exists, first operand: [ls, [0]]");
  EXPECT_EQ(UpdateFault("SET a = list_append(a, :n)"),
            invalid +
                "Incorrect operand type for operator or function; operator or function: "
                "list_append, operand type: N");
  EXPECT_EQ(UpdateFault("SET date = :n"),
            invalid + "Attribute name is a reserved keyword; reserved keyword: date");
  EXPECT_EQ(UpdateFault("SET x.y = :n"),
            "The document path provided in the update expression is invalid for update");
  EXPECT_EQ(UpdateFault("SET q = absent"),
            "The provided expression refers to an attribute that does not exist in the item");
  EXPECT_EQ(UpdateFault("SET q = a + :n"),
            "An operand in the update expression has an incorrect data type");
  EXPECT_EQ(UpdateFault("ADD a :n"),
            "An operand in the update expression has an incorrect data type");
  EXPECT_EQ(UpdateFault("DELETE tags :ns"),
            "An operand in the update expression has an incorrect data type");
}

}  // namespace
}  // namespace kelvin::tables
