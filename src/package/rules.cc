#include "package/rules.h"

#include <algorithm>

namespace kelvin::package {
namespace {

using enum Area;
using enum Severity;

constexpr Rule kRules[] = {
    {"KV1001", "bootstrap-missing", kStart, kError,
     "An OS-only runtime starts /var/task/bootstrap or /opt/bootstrap, and the package has none.",
     "Name the program bootstrap and put it at the top of the package, not in a folder."},
    {"KV1002", "bootstrap-not-executable", kStart, kError,
     "The bootstrap has no permission to be executed.",
     "chmod 755 bootstrap, and pack with a tool that keeps modes, such as kelvin pack."},
    {"KV1003", "bootstrap-is-a-script", kStart, kWarning,
     "A script needs its interpreter in the runtime, and starts it before the function.",
     "Make the program itself the bootstrap; set what the script sets as environment variables."},
    {"KV1004", "bootstrap-cannot-run", kStart, kError,
     "The bootstrap is no program and no script, or its first line cannot be understood.",
     "Link it as a Linux program, or begin the script with #! and save it with Unix line ends."},
    {"KV1005", "wrong-architecture", kStart, kError,
     "Machine code for another processor than the function's.",
     "Build for the function's architecture, or change the function's Architectures."},
    {"KV1006", "library-version-missing", kStart, kError,
     "A symbol version that the runtime's glibc, libstdc++ or libgcc does not have; the loader "
     "refuses to start the program.",
     "Link statically, or build on a system as old as the runtime."},
    {"KV1007", "shared-library-missing", kStart, kError,
     "A shared library that is neither in the package nor in the runtime.",
     "Put it in lib/ of the package, or link it statically."},
    {"KV1008", "loader-missing", kStart, kError,
     "The program asks for a dynamic loader that Amazon Linux does not have, such as musl's.",
     "Link statically, or build against glibc."},
    {"KV1009", "cpu-instructions", kStart, kWarning,
     "Instructions that not every machine of Lambda has: AVX-512 on x86_64, SVE on arm64. A "
     "program that uses them without asking the processor ends with SIGILL there.",
     "Build with -march=x86-64-v3 or older (arm64: -march=armv8.2-a), not with -march=native."},
    {"KV1010", "too-large", kStart, kError,
     "More than Lambda takes: 262144000 bytes unpacked, or 10 GB for an image.",
     "Leave out what does not run there: debug files, tests, caches, unused dependencies."},
    {"KV1011", "needs-s3", kStart, kNote,
     "A zip beyond 52428800 bytes cannot be uploaded directly, only by way of S3.",
     "Upload it to S3 first; kelvin deploy does so by itself."},
    {"KV1012", "not-readable", kStart, kError,
     "A file that the function's user, who is not its owner, cannot read.",
     "chmod -R a+rX before packing, or pack with kelvin pack."},
    {"KV1013", "dotnet-files-missing", kStart, kError,
     "A managed .NET runtime needs NAME.runtimeconfig.json beside the assembly.",
     "Deploy all that dotnet publish writes; libraries need GenerateRuntimeConfigurationFiles."},
    {"KV1014", "other-system", kStart, kWarning,
     "Machine code for Windows or macOS, which Lambda cannot load.",
     "Publish for linux-x64 or linux-arm64 (dotnet publish -r linux-x64)."},
    {"KV1015", "damaged-program", kStart, kError,
     "A file that begins like a program or an assembly, but is not whole.",
     "Copy or build it again."},
    {"KV1016", "entrypoint-missing", kStart, kError,
     "The image starts a program that it does not have.",
     "Set ENTRYPOINT to a program in the image, or put the program where it points."},
    {"KV2001", "shared-libraries", kStartTime, kWarning,
     "Every shared library is found, mapped and relocated before main.",
     "Link statically: one program, nothing to load."},
    {"KV2002", "relocations", kStartTime, kNote,
     "Addresses that are written before main; each touched page is a page fault.",
     "Drop unused code (-ffunction-sections -Wl,--gc-sections); link with "
     "-Wl,-z,pack-relative-relocs; link statically."},
    {"KV2003", "initialisers", kStartTime, kNote,
     "Constructors of global objects, which run before main.",
     "Make globals constexpr or constinit, or build them at their first use."},
    {"KV2004", "debug-information", kStartTime, kWarning,
     "Debug information or symbols that never run, but are downloaded and unpacked.",
     "strip the program, and keep the symbols beside it (objcopy --only-keep-debug)."},
    {"KV2005", "large-data", kStartTime, kNote,
     "Much data within the program, read from disk as it is touched.",
     "Keep large tables in files that are read when needed, or compress them."},
    {"KV2006", "loads-libraries-at-run-time", kStartTime, kNote,
     "dlopen finds, maps and relocates libraries while an event waits.",
     "Link what is always needed."},
    {"KV2007", "jit-compiled", kStartTime, kWarning,
     "Code that is compiled while the function runs: the first calls pay for it.",
     "Publish ReadyToRun (PublishReadyToRun) as a first step, NativeAOT (PublishAot) when nothing "
     "blocks it; of a Kelvin function, build mode r2r or aot."},
    {"KV2008", "many-files", kStartTime, kNote,
     "Thousands of files, each opened and read by itself.",
     "Bundle them (esbuild for Node.js), and leave out what is not used."},
    {"KV3001", "dlopen", kAot, kWarning,
     "Loads machine code at run time, which a static program cannot do.",
     "Link the library, or call what it does as a program of its own."},
    {"KV3002", "load-module", kAot, kWarning,
     "Loads a Kelvin module at run time; only the engine of modes jit and r2r can.",
     "Keep mode jit or r2r, or compile the modules into the function."},
    {"KV3003", "library-not-ready", kAot, kWarning,
     "A library that is known to need reflection or code made at run time.",
     "See what its newest version says of trimming and AOT; else replace it or isolate it in a "
     "function of its own that stays ReadyToRun."},
    {"KV3004", "assembly-load", kAot, kWarning,
     "Loads an assembly by name. NativeAOT finds only what was compiled in.",
     "Reference the assembly and register its types when the program starts."},
    {"KV3005", "reflection-serializer", kAot, kWarning,
     "The Lambda serializer of the assembly works by reflection.",
     "Use SourceGeneratorLambdaJsonSerializer with a JsonSerializerContext."},
    {"KV3006", "interpreter", kAot, kNote,
     "A language that is interpreted or compiled while it runs; there is no AOT build of it.",
     "Rewrite what is hot in a language that compiles to machine code, such as C++ with Kelvin."},
    {"IL2026", "requires-unreferenced-code", kAot, kWarning,
     "Calls a member with RequiresUnreferencedCodeAttribute, which needs code that trimming may "
     "remove.",
     "Use the overload that takes compile-time information; for JSON a JsonSerializerContext "
     "([JsonSerializable])."},
    {"IL2032", "unrecognized-name-of-type", kAot, kWarning,
     "Activator.CreateInstance with a type name that is not a literal.",
     "Write new T() or register a factory for each type."},
    {"IL2055", "make-generic-type", kAot, kWarning,
     "Type.MakeGenericType with a type that is not known when it is compiled.",
     "Name the closed generic types in the code."},
    {"IL2057", "unrecognized-type-name", kAot, kWarning,
     "Type.GetType with a name that is not a literal; trimming cannot know what to keep.",
     "Use typeof, or a dictionary from names to types."},
    {"IL2059", "run-class-constructor", kAot, kWarning,
     "RuntimeHelpers.RunClassConstructor with a type that is not known when it is compiled.",
     "Call a method of the type that needs its static constructor."},
    {"IL2060", "make-generic-method", kAot, kWarning,
     "MethodInfo.MakeGenericMethod with arguments that are not known when it is compiled.",
     "Call the generic method with its types written down."},
    {"IL2072", "unannotated-type", kAot, kWarning,
     "A type that is not known when it is compiled reaches a member that needs its constructors or "
     "members, such as Activator.CreateInstance.",
     "Write new T(), or put DynamicallyAccessedMembers on where the type comes from."},
    {"IL2075", "reflection-on-unknown-type", kAot, kWarning,
     "Looks for members of a type that is not known when it is compiled.",
     "Name the member in the code, or put DynamicallyAccessedMembers on where the type comes "
     "from."},
    {"IL3000", "assembly-location", kAot, kWarning,
     "Assembly.Location is empty in a single file and in NativeAOT.",
     "Use AppContext.BaseDirectory."},
    {"IL3001", "assembly-files", kAot, kWarning,
     "Assembly.GetFile throws in a single file and in NativeAOT.",
     "Use embedded resources (GetManifestResourceStream)."},
    {"IL3002", "requires-assembly-files", kAot, kWarning,
     "Calls a member with RequiresAssemblyFilesAttribute, which needs the assembly on disk.",
     "Use the replacement that the member's documentation names."},
    {"IL3050", "requires-dynamic-code", kAot, kWarning,
     "Calls a member with RequiresDynamicCodeAttribute, which makes code at run time; NativeAOT "
     "has "
     "no compiler.",
     "Use a source generator or the generic overload (Enum.GetValues<T>, JsonSerializerContext)."},
    {"KV4001", "not-position-independent", kHardening, kWarning,
     "The program lies at a fixed address, where an attacker can find it.",
     "Compile with -fPIE and link with -pie, or -static-pie."},
    {"KV4002", "relro", kHardening, kNote, "Tables of addresses stay writable after start.",
     "Link with -Wl,-z,relro,-z,now."},
    {"KV4003", "writable-and-executable", kHardening, kWarning,
     "A segment that can be written and executed.",
     "Find the linker script or section flags that join code and data."},
    {"KV4004", "executable-stack", kHardening, kWarning, "The stack can be executed.",
     "Add .note.GNU-stack to assembly sources, or link with -Wl,-z,noexecstack."},
    {"KV4005", "secret", kHardening, kError,
     "Text that looks like a key or a token. Who can read the package can use it.",
     "Revoke it, take it out, and read it from the environment, Secrets Manager or SSM."},
    {"KV4006", "search-path", kHardening, kWarning,
     "Shared libraries are looked for in folders that only the build machine has.",
     "Link without -rpath, or with -Wl,-rpath,'$ORIGIN/lib'."},
    {"KV4007", "special-mode", kHardening, kWarning,
     "A file with the setuid or setgid bit, or that everybody may write.",
     "chmod 755 for programs, 644 for the rest."},
};

}  // namespace

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case kNote:
      return "note";
    case kWarning:
      return "warning";
    case kError:
      return "error";
  }
  return "none";
}

std::optional<Severity> ParseSeverity(std::string_view name) {
  for (const Severity severity : {kNote, kWarning, kError}) {
    if (name == SeverityName(severity)) return severity;
  }
  return std::nullopt;
}

std::string_view AreaTitle(Area area) {
  switch (area) {
    case kStart:
      return "will it start";
    case kStartTime:
      return "slow to start";
    case kAot:
      return "blocks AOT";
    case kHardening:
      return "hardening";
  }
  return "";
}

std::span<const Rule> Rules() {
  return kRules;
}

const Rule* FindRule(std::string_view id) {
  const auto* found = std::ranges::find(kRules, id, &Rule::id);
  return found != std::end(kRules) ? found : nullptr;
}

}  // namespace kelvin::package
