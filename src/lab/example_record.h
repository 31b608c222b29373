#pragma once

#include <fmt/format.h>

#include "lab/record.h"

namespace kelvin::lab {

// For tests: two builds of one function, eight cold, two warm-up and ten warm samples each. The
// first starts in 100 to 107 ms and answers in 10 ms, the second in 10 to 17 and 1.
inline Record ExampleRecord() {
  Record record;
  record.tool = "kelvin 0.1.0";
  record.state = "finished";
  record.started = "2026-01-01T00:00:00.000Z";
  record.command = "kelvin compare --seed 7";
  record.arguments = {"compare", "--seed", "7"};
  record.seed = 7;
  record.settings = {.cold = 8, .warm_up = 2, .warm = 10};
  record.pricing = {.date = "2026-11-23", .region = "us-east-1", .cold_share = 0.01};
  record.machine.cpu_model = "Example CPU";
  record.machine.cores = 2;
  const auto add_function = [&](const char* name, const char* mode, std::uint64_t size) {
    record.functions.push_back(Function{.name = name,
                                        .group = "item",
                                        .mode = mode,
                                        .architecture = "x86_64",
                                        .memory_mb = 512,
                                        .code_size = size});
  };
  add_function("item-jit", "jit", 1'436'549);
  add_function("item-aot", "aot", 400'000);
  for (std::size_t function = 0; function < 2; ++function) {
    const double scale = function == 0 ? 10 : 1;
    const int memory = function == 0 ? 90 : 45;
    const auto add = [&](SampleKind kind, std::optional<double> init, double duration) {
      Sample sample{.function = function,
                    .kind = kind,
                    .step = record.samples.size(),
                    .started = "2026-01-01T00:00:00.000Z",
                    .client_ms = init.value_or(0) + duration + 1,
                    .request_id = fmt::format("request-{}", record.samples.size()),
                    .init_ms = init,
                    .duration_ms = duration,
                    .billed_ms = static_cast<std::int64_t>(init.value_or(0) + duration),
                    .max_memory_mb = memory};
      sample.report = fmt::format(
          "REPORT RequestId: {}\tDuration: {:.2f} ms\tBilled Duration: {} ms\tMemory Size: 512 MB"
          "\tMax Memory Used: {} MB\t{}",
          sample.request_id, duration, sample.billed_ms, memory,
          init ? fmt::format("Init Duration: {:.2f} ms\t", *init) : "");
      record.samples.push_back(std::move(sample));
    };
    for (int i = 0; i < 8; ++i) add(SampleKind::kCold, scale * 10 + i, scale * 2 + i);
    for (int i = 0; i < 2; ++i) add(SampleKind::kWarmUp, std::nullopt, scale * 1.5);
    for (int i = 0; i < 10; ++i) add(SampleKind::kWarm, std::nullopt, scale);
  }
  return record;
}

}  // namespace kelvin::lab
