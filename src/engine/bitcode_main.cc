// kelvin_bitcode: makes function.bc and the object of function.image at build time.
#include <cstdio>
#include <cstring>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/Support/raw_ostream.h>

#include "base/file.h"
#include "engine/bitcode.h"
#include "engine/exports.h"
#include "engine/image_code.h"
#include "engine/image_format.h"
#include "engine/llvm_start.h"
#include "engine/prepare.h"

namespace {

using kelvin::Error;
using kelvin::engine::ImageSeal;

struct Options {
  std::string engine;
  std::string output;
  std::vector<std::string> objects;
  std::vector<std::string> entry_points;
  std::string manifest;
  std::string image_object;
  std::string image;
  std::string cpu = kelvin::engine::kBaselineCpu;
  std::vector<std::string> left_out;
};

// What tools read to know what a package needs: its mode, and the build of the engine it was made
// with.
std::expected<void, Error> WriteManifest(const Options& options, std::string_view mode,
                                         const kelvin::engine::BuildId& engine) {
  if (options.manifest.empty()) return {};
  return kelvin::WriteFileAtomically(options.manifest,
                                     fmt::format("{{\"mode\":\"{}\",\"engine\":\"{}\"}}\n", mode,
                                                 kelvin::engine::BuildIdText(engine)));
}

std::expected<void, Error> WriteImageObject(const Options& options, const std::string& bitcode) {
  // Read again, so that functions and variables are in the order in which the engine sees them.
  llvm::LLVMContext context;
  auto module = llvm::parseBitcodeFile(
      llvm::MemoryBufferRef(llvm::StringRef(bitcode), "function.bc"), context);
  if (!module) {
    return std::unexpected(
        kelvin::engine::FromLlvm(kelvin::ErrorCode::kInternal, "read it back", module.takeError()));
  }
  const auto object =
      kelvin::engine::MakeImageObject(**module, {options.cpu, ""}, options.left_out);
  if (!object) return std::unexpected(object.error());
  return kelvin::WriteFileAtomically(options.image_object, {object->data(), object->size()});
}

kelvin::engine::PrepareOptions PrepareOptionsFrom(const Options& options) {
  kelvin::engine::PrepareOptions prepare;
  prepare.name = std::filesystem::path(options.output).filename().native();
  if (!options.entry_points.empty()) prepare.entry_points = options.entry_points;
  return prepare;
}

std::expected<void, Error> Compile(const Options& options) {
  const auto program = kelvin::engine::MappedFile::Open(options.engine);
  if (!program) return std::unexpected(program.error());
  const auto exports = kelvin::engine::Exports::FromProgram(program->bytes());
  if (!exports) return std::unexpected(exports.error());
  llvm::LLVMContext context;
  const auto module = kelvin::engine::PrepareBitcode(options.objects, *exports, context,
                                                     PrepareOptionsFrom(options));
  if (!module) return std::unexpected(module.error());
  std::string bitcode;
  llvm::raw_string_ostream stream(bitcode);
  llvm::WriteBitcodeToFile(**module, stream);
  if (auto written = kelvin::WriteFileAtomically(options.output, bitcode); !written) return written;
  if (auto done = WriteManifest(options, "jit", exports->build_id()); !done) return done;
  if (options.image_object.empty()) return {};
  return WriteImageObject(options, bitcode);
}

// Appends the seal to the image that the linker made.
std::expected<void, Error> Seal(const Options& options) {
  const auto program = kelvin::engine::MappedFile::Open(options.engine);
  if (!program) return std::unexpected(program.error());
  const auto exports = kelvin::engine::Exports::FromProgram(program->bytes());
  if (!exports) return std::unexpected(exports.error());
  auto object = kelvin::ReadFile(options.image);
  if (!object) return std::unexpected(object.error());
  const auto bitcode = kelvin::ReadFile(options.output);
  if (!bitcode) return std::unexpected(bitcode.error());
  ImageSeal seal;
  seal.engine = exports->build_id();
  options.cpu.copy(seal.cpu, sizeof seal.cpu - 1);
  seal.bitcode = kelvin::engine::Digest(*bitcode);
  seal.object = kelvin::engine::Digest(*object);
  object->append(reinterpret_cast<const char*>(&seal), sizeof seal);
  if (auto written = kelvin::WriteFileAtomically(options.image, *object); !written) return written;
  return WriteManifest(options, "r2r", exports->build_id());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Makes the bitcode of a Lambda function that Kelvin's engine runs.");
  Options options;
  app.add_option("--engine", options.engine, "The engine's program")->required();
  app.add_option("--output", options.output, "The bitcode, function.bc")->required();
  app.add_option("--entry", options.entry_points,
                 "A function that is called from outside; main by default")
      ->allow_extra_args(false);
  app.add_option("--image-object", options.image_object, "Also writes the object of the image");
  app.add_option("--manifest", options.manifest, "Also writes what the package needs, kelvin.json");
  app.add_option("--cpu", options.cpu, "The least CPU that the image runs on");
  app.add_option("--leave-out", options.left_out, "A function that the image has no code for")
      ->allow_extra_args(false);
  app.add_option("--seal", options.image, "Seals this linked image, made from --output");
  app.add_option("object", options.objects, "Bitcode of the sources");
  CLI11_PARSE(app, argc, argv);
  kelvin::engine::StartLlvm();
  const auto done = options.image.empty() ? Compile(options) : Seal(options);
  if (!done) {
    fmt::print(stderr, "kelvin_bitcode: {}\n", done.error().message);
    return 1;
  }
  return 0;
}
