#include "cli/pack.h"

#include <fmt/format.h>

#include "base/file.h"
#include "cli/arguments.h"
#include "cli/exit_code.h"
#include "lab/report.h"
#include "package/elf_file.h"
#include "package/elf_machine.h"
#include "package/make_image.h"
#include "package/pack_files.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kExamples =
    "  kelvin pack --output function.zip build/bootstrap\n"
    "      a program: a package for provided.al2023\n"
    "  kelvin pack --output function.zip publish/ --file conf/a.json=a.json\n"
    "      a folder with all below it, and another file, found at /var/task/conf/a.json\n"
    "  kelvin pack --output layer.zip --prefix lib build/libfoo.so\n"
    "      a layer: what it holds is found below /opt\n"
    "  kelvin pack --output hello.tar --as image --tag hello:1 build/bootstrap\n"
    "      a container image from scratch, for skopeo copy oci-archive:hello.tar docker://...\n"
    "  kelvin pack --output hello.tar --as image --base debian.tar build/bootstrap\n"
    "      on top of another image\n";

struct PackArguments {
  std::vector<std::string> paths;
  std::vector<std::string> files;
  std::string output;
  std::string prefix;
  std::string as;
  std::string base;
  std::string architecture;
  package::ImageOptions image;
};

std::expected<PackArguments, Stop> ParsePack(const std::vector<std::string>& arguments) {
  PackArguments parsed;
  Arguments parser("pack",
                   "Makes a zip or a container image whose bytes depend only on the names, "
                   "contents, links and executable bits of the files.",
                   std::string(kExamples));
  CLI::App& app = parser.app();
  app.add_option("PATH", parsed.paths,
                 "A folder with all below it; a program, which becomes bootstrap; or a file");
  app.add_option("--output", parsed.output, "The zip or image archive to write")
      ->type_name("FILE")
      ->required();
  app.add_option("--file", parsed.files, "Name in the package, and the file; as often as needed")
      ->type_name("NAME=PATH");
  app.add_option("--prefix", parsed.prefix, "Folder in the package for what PATH names")
      ->type_name("FOLDER");
  app.add_option("--as", parsed.as, "zip or image; default: image when the output ends in .tar")
      ->check(CLI::IsMember({"zip", "image"}));
  app.add_option("--base", parsed.base, "Image archive to build upon (OCI or docker save)")
      ->type_name("ARCHIVE");
  app.add_option("--tag", parsed.image.tag, "Name and tag of the image")
      ->type_name("NAME:TAG")
      ->capture_default_str();
  app.add_option("--arch", parsed.architecture,
                 "Processor, x86_64 or arm64; default: that of the program, which must be the same")
      ->check(CLI::IsMember({"x86_64", "arm64"}));
  app.add_option("--entrypoint", parsed.image.entrypoint, "What the image starts")
      ->type_name("PATH")
      ->capture_default_str();
  if (auto done = parser.Parse(arguments); !done) return std::unexpected(done.error());
  if (parsed.paths.empty() && parsed.files.empty()) {
    return std::unexpected(
        UsageStop("expected something to pack, PATH or --file NAME=PATH, got nothing; see 'kelvin "
                  "pack --help'"));
  }
  if (parsed.as.empty()) parsed.as = parsed.output.ends_with(".tar") ? "image" : "zip";
  return parsed;
}

std::expected<std::vector<package::PackEntry>, Error> EntriesOf(const PackArguments& arguments) {
  std::vector<package::PackEntry> entries;
  for (const std::string& path : arguments.paths) {
    auto collected = package::CollectEntries(path, arguments.prefix);
    if (!collected) return std::unexpected(std::move(collected.error()));
    for (package::PackEntry& entry : *collected) entries.push_back(std::move(entry));
  }
  for (const std::string& file : arguments.files) {
    auto entry = package::ParsePackEntry(file);
    if (!entry) return std::unexpected(std::move(entry.error()));
    entries.push_back(std::move(*entry));
  }
  return entries;
}

// Of the program among the entries; empty where there is none.
std::string ProgramArchitecture(const std::vector<package::PackEntry>& entries) {
  for (const package::PackEntry& entry : entries) {
    if (entry.name != "bootstrap") continue;
    const auto bytes = ReadFile(entry.source);
    if (!bytes) return {};
    const auto elf = package::ReadElf(*bytes);
    return elf ? package::ElfMachineName(elf->machine) : std::string();
  }
  return {};
}

// x86_64 where neither the caller nor a program says, as Lambda does.
std::expected<std::string, Error> ChooseArchitecture(
    const PackArguments& arguments, const std::vector<package::PackEntry>& entries) {
  std::string program = ProgramArchitecture(entries);
  const std::string& wanted = arguments.architecture;
  if (wanted.empty()) return program == "arm64" ? program : "x86_64";
  if (!program.empty() && program != wanted) {
    return std::unexpected(Error{
        ErrorCode::kInvalidArgument,
        fmt::format("expected bootstrap to be a program for {} (--arch), got one for {}; build it "
                    "for {}{}, or leave --arch out",
                    wanted, program, wanted,
                    wanted == "arm64" ? " (cmake --toolchain cmake/aarch64.cmake)" : "")});
  }
  return wanted;
}

std::expected<std::string, Error> PackAs(const PackArguments& arguments,
                                         std::vector<package::PackEntry> entries) {
  const bool zip = arguments.as == "zip";
  if (zip && arguments.architecture.empty()) return package::MakeZip(std::move(entries));
  auto architecture = ChooseArchitecture(arguments, entries);
  if (!architecture) return std::unexpected(std::move(architecture.error()));
  if (zip) return package::MakeZip(std::move(entries));
  package::ImageOptions options = arguments.image;
  options.architecture = std::move(*architecture);
  if (!arguments.base.empty()) {
    auto base = ReadFile(arguments.base);
    if (!base) return std::unexpected(std::move(base.error()));
    options.base = std::move(*base);
  }
  return package::MakeImage(std::move(entries), options);
}

}  // namespace

int Pack(const std::vector<std::string>& arguments, const Host& host) {
  const auto parsed = ParsePack(arguments);
  if (!parsed) return Report(host, parsed.error());
  auto entries = EntriesOf(*parsed);
  if (!entries) return Fail(host, entries.error());
  const auto packed = PackAs(*parsed, std::move(*entries));
  if (!packed) return Fail(host, packed.error());
  if (auto written = WriteFileAtomically(parsed->output, *packed); !written) {
    return Fail(host, written.error());
  }
  host.out.write(fmt::format("{} ({})\n", parsed->output, lab::FormatBytes(packed->size())));
  return kExitOk;
}

}  // namespace kelvin::cli
