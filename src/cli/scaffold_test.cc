#include "cli/scaffold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(NewProject, HoldsTheSourcesInANamespaceOfItsOwn) {
  const auto files = NewProject("send-mail", "hello");
  ASSERT_TRUE(files.has_value());
  EXPECT_THAT(files->at("main.cc"), HasSubstr("kelvin::Run(send_mail_function::Greet)"));
  EXPECT_THAT(files->at("handler.cc"),
              AllOf(HasSubstr("namespace send_mail_function {"),
                    HasSubstr("}  // namespace send_mail_function"), HasSubstr("\"Hello, \"")));
  EXPECT_THAT(files->at("CMakeLists.txt"), AllOf(HasSubstr("kelvin_add_function(send-mail"),
                                                 HasSubstr("SOURCES handler.cc main.cc\n"),
                                                 HasSubstr("send-mail_test handler.cc "
                                                           "handler_test.cc)"),
                                                 Not(HasSubstr("kelvin::aws"))));
  EXPECT_THAT(files->at("kelvin.toml"),
              AllOf(HasSubstr("name = \"send-mail\""), Not(HasSubstr("[[table]]"))));
}

TEST(NewProject, HasATableWhenItUsesOne) {
  const auto files = NewProject("orders", "create-item");
  ASSERT_TRUE(files.has_value());
  EXPECT_THAT(files->at("CMakeLists.txt"), HasSubstr("LIBS kelvin::runtime kelvin::aws"));
  EXPECT_THAT(files->at("kelvin.toml"),
              AllOf(HasSubstr("[[table]]"), HasSubstr("TABLE_NAME = \"items\"")));
}

TEST(NewProject, RenamesEveryTemplate) {
  for (const Template& from : Templates()) {
    const auto files = NewProject("orders", from.name);
    ASSERT_TRUE(files.has_value()) << from.name;
    std::string all;
    for (const auto& [name, text] : *files) {
      if (name.ends_with(".cc") || name.ends_with(".h")) all += text;
    }
    std::string old(from.name);
    std::ranges::replace(old, '-', '_');
    EXPECT_THAT(all, AllOf(HasSubstr("namespace orders_function"),
                           Not(HasSubstr("namespace " + old)), Not(HasSubstr(" " + old + "::"))));
  }
}

TEST(NewProject, RefusesWhatLambdaWouldNotTakeAsAName) {
  for (const std::string& name : {std::string(), std::string("a b"), std::string("-x"),
                                  std::string("a/b"), std::string(65, 'a')}) {
    const auto files = NewProject(name, "hello");
    ASSERT_FALSE(files.has_value()) << name;
    EXPECT_THAT(files.error().message, HasSubstr("expected the name of a function"));
  }
  EXPECT_TRUE(NewProject(std::string(64, 'a'), "hello").has_value());
  EXPECT_TRUE(NewProject("2fast", "hello").has_value());
}

TEST(NewProject, SuggestsTheTemplateThatWasMeant) {
  EXPECT_EQ(NewProject("orders", "creat-item").error().message,
            "expected one of hello, create-item, stream, transform to start from, got "
            "'creat-item'; did you mean create-item?");
}

}  // namespace
}  // namespace kelvin::cli
