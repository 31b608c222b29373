// The formats that other programs read: CSV, HTML, SVG.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/example_record.h"
#include "lab/report.h"

namespace kelvin::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

PriceTable Prices() {
  return ParsePriceTable(BuiltInPrices()).value();
}

TEST(CsvReport, HasARowAFunctionWithPlainNumbers) {
  const std::string text = CsvReport(ExampleRecord(), Prices());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_THAT(text, StartsWith("function,group,mode,"));
  EXPECT_THAT(text, HasSubstr("item-jit,item,jit,x86_64,512,1436549,,90,0,0,"));
}

TEST(CsvSamples, HasARowASampleAndQuotesWhatNeedsIt) {
  Record record = ExampleRecord();
  record.samples[0].outcome = Outcome::kFailed;
  record.samples[0].reason = "a \"b\", c";
  const std::string text = CsvSamples(record);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 41);
  EXPECT_THAT(text, HasSubstr("item-jit,512,cold,failed,\"a \"\"b\"\", c\",0,"));
}

TEST(HtmlReport, AsksTheNetworkForNothing) {
  const std::string text = HtmlReport(ExampleRecord(), Prices());
  EXPECT_THAT(text, HasSubstr("default-src 'none'"));
  EXPECT_THAT(text, HasSubstr("Chart.js v"));
  for (const char* loader :
       {"src=\"http", "href=\"http", "url(http", "@import", "sourceMappingURL"}) {
    EXPECT_THAT(text, Not(HasSubstr(loader)));
  }
}

TEST(HtmlReport, EscapesWhatCameFromOutside) {
  Record record = ExampleRecord();
  record.functions[0].name = "</script><b>&\"";
  record.command = "kelvin compare '<i>'";
  const std::string text = HtmlReport(record, Prices());
  EXPECT_THAT(text, Not(HasSubstr("</script><b>")));
  EXPECT_THAT(text, HasSubstr("&lt;/script&gt;&lt;b&gt;&amp;&quot;"));
  EXPECT_THAT(text, HasSubstr("\\u003c/script>\\u003cb>"));
  EXPECT_THAT(text, Not(HasSubstr("'<i>'")));
}

TEST(HtmlReport, ThinsOutWhatNoEyeCouldTellApart) {
  Record record = ExampleRecord();
  const Sample warm = record.samples.back();
  const std::size_t small = HtmlReport(record, Prices()).size();
  for (int i = 0; i < 100'000; ++i) {
    record.samples.push_back(warm);
    record.samples.back().invoke = i + 1;
    record.samples.back().duration_ms = i == 777 ? 999.5 : 1 + i % 7;
  }
  const std::string text = HtmlReport(record, Prices());
  EXPECT_LT(text.size(), small + 100'000);
  EXPECT_THAT(text, HasSubstr("[778,9.995E2]"));
}

TEST(SvgReport, DrawsEveryFunctionForLightAndDark) {
  const std::string text = SvgReport(ExampleRecord(), Prices());
  EXPECT_THAT(text, StartsWith("<svg xmlns="));
  EXPECT_THAT(text, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(text, HasSubstr("item-jit"));
  EXPECT_THAT(text, HasSubstr("6.7x faster cold start"));
}

}  // namespace
}  // namespace kelvin::lab
