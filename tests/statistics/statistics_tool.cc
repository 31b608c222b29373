// Prints the lab's statistics of two lines of numbers on standard input, one "name value" a line.
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "lab/comparison.h"
#include "lab/statistics.h"

namespace {

std::vector<double> ReadLine() {
  std::string line;
  std::getline(std::cin, line);
  std::istringstream words(line);
  std::vector<double> numbers;
  for (double number = 0; words >> number;) numbers.push_back(number);
  return numbers;
}

void Print(const char* name, double value) {
  std::printf("%s %.17g\n", name, value);
}

void Print(const std::string& name, const std::optional<kelvin::lab::Interval>& interval) {
  if (!interval) return;
  Print((name + ".low").c_str(), interval->low);
  Print((name + ".high").c_str(), interval->high);
}

}  // namespace

int main() {
  using namespace kelvin::lab;
  const std::vector<double> a = ReadLine();
  const std::vector<double> b = ReadLine();
  const auto summary = Summarize(a);
  const auto test = MannWhitney(a, b);
  if (!summary || !test) return 1;
  Print("mean", summary->mean);
  Print("sd", summary->standard_deviation);
  Print("p50", summary->p50);
  Print("p90", summary->p90);
  Print("p95", summary->p95);
  Print("p99", summary->p99);
  Print("mean_ci", summary->mean_confidence);
  Print("median_ci", summary->median_confidence);
  Print("outliers", static_cast<double>(summary->outliers));
  Print("u", test->u);
  Print("p", test->p);
  Print("median_ratio", RatioOfMedians(a, b)->interval);
  Print("mean_ratio", RatioOfMeans(a, b)->interval);
  return 0;
}
