"""The engine on small functions, and on everything that can be wrong with a package."""
import os
import pathlib
import resource
import shutil
import struct
import subprocess
import tempfile
import threading
import unittest

import engine_package

ECHO = """
#include <kelvin/kelvin.h>
#include <string>
std::string Echo(std::string_view payload) { return std::string(payload); }
int main() { return kelvin::Run(Echo); }
"""
# What must work the same however it is compiled.
FEATURES = """
#include <kelvin/kelvin.h>
#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
struct Failure : std::runtime_error { using runtime_error::runtime_error; };
struct Shape { virtual ~Shape() = default; virtual int Sides() const { return 0; } };
struct Square final : Shape { int Sides() const override { return 4; } };
struct Register { Register() { value = 41; } int value; };
Register global;
const std::map<std::string, int> table = {{"one", 1}, {"two", 2}};
thread_local int per_thread = 7;
std::once_flag once;
int calls = 0;
[[gnu::noinline]] int Throw(int depth) {
  std::string local(depth, 'x');
  if (depth == 0) throw Failure("deep");
  return Throw(depth - 1) + static_cast<int>(local.size());
}
[[gnu::noinline]] int AddOne(int x) { per_thread += 1; return x + 1; }
[[gnu::noinline]] double Mean(const std::vector<double>& v) {
  double sum = 0;
  for (double x : v) sum += x;
  return sum / v.size();
}
int Counter() { static int count = [] { return 100; }(); return ++count; }
std::string Run(std::string_view payload) {
  if (payload == "\\"throw\\"") Throw(3);
  std::call_once(once, [] { ++calls; });
  std::string out;
  try { Throw(5); } catch (const Failure& e) { out += e.what(); }
  std::unique_ptr<Shape> shape = std::make_unique<Square>();
  if (dynamic_cast<Square*>(shape.get()) == nullptr) out += " no cast";
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { for (int j = 0; j < 5000; ++j) sum += AddOne(j) - j;
                               sum += per_thread - 5007; });
  }
  for (auto& thread : threads) thread.join();
  int (*function)(int) = AddOne;
  return "\\"" + out + " " + std::to_string(global.value + function(0)) + " " +
      std::to_string(table.at("two")) + " " + std::to_string(shape->Sides()) + " " +
      std::to_string(sum) + " " + std::to_string(calls) + " " + std::to_string(Counter()) + " " +
      std::to_string(static_cast<int>(Mean({1, 2, 3}))) + "\\"";
}
int main() { return kelvin::Run(Run); }
"""
# A loop that the first invocations make hot.
LOOP = """
#include <kelvin/kelvin.h>
#include <cstdint>
#include <vector>
[[gnu::noinline]] void Mix(std::vector<std::uint32_t>& v, std::uint32_t round) {
  for (auto& x : v) x = (x ^ x >> 15) * 0x9E3779B1u + round;
}
int Run(int rounds) {
  std::vector<std::uint32_t> v(4096, 1);
  for (int i = 0; i < rounds; ++i) Mix(v, i);
  return static_cast<int>(v[7] & 0xffff);
}
int main() { return kelvin::Run(Run); }
"""
# Describe is called only where something is thrown, Other only when it is asked for.
RARE = """
#include <kelvin/kelvin.h>
#include <stdexcept>
#include <string>
[[gnu::noinline]] std::string Describe(int code) { return "code " + std::to_string(code); }
[[gnu::noinline]] int Twice(int x) { return x * 2; }
std::string Run(std::string_view payload) {
  if (payload == "\\"fail\\"") throw std::runtime_error(Describe(static_cast<int>(payload.size())));
  return std::to_string(Twice(static_cast<int>(payload.size())));
}
int main() { return kelvin::Run(Run); }
"""
CRASH = """
#include <kelvin/kelvin.h>
#include <string>
namespace demo {
[[gnu::noinline]] void WriteToNull(volatile int* p) { *p = 1; }
std::string Crash(std::string_view) { WriteToNull(nullptr); return "{}"; }
}
int main() { return kelvin::Run(demo::Crash); }
"""


CHAR6 = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._"


def replace_char6(data, old, new):
    """Changes a name in bitcode, whose characters are six bits each and begin at any bit."""
    def bits(text):
        return sum(CHAR6.index(c) << 6 * i for i, c in enumerate(text))
    width = 6 * len(old)
    head = int.from_bytes(data[:256], "little")
    for place in range(256 * 8 - width):
        if head >> place & (1 << width) - 1 == bits(old):
            head ^= (bits(old) ^ bits(new)) << place
            return head.to_bytes(256, "little") + data[256:]
    raise AssertionError(f"found no {old} in the bitcode")


class EngineTest(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory(prefix="kelvin-engine-")
        self.addCleanup(self._folder.cleanup)
        self.folder = pathlib.Path(self._folder.name)

    def build(self, source, **options):
        return engine_package.build(self.folder, source, **options)

    def refused(self, *words, **options):
        """The init error of the package, which must have ended by itself."""
        outcome = engine_package.serve(self.folder, [{}], **options)
        self.assertIsNotNone(outcome.init_error, outcome.log)
        self.assertEqual(outcome.status, 1)
        self.assertEqual(outcome.answers, [])
        for word in words:
            self.assertIn(word, outcome.init_error["errorMessage"])
        return outcome.init_error


class RunsTest(EngineTest):
    def test_features_work_in_both_modes(self):
        for image in (False, True):
            with self.subTest(image=image):
                self.build(FEATURES, image=image)
                self.check_features("r2r" if image else "jit")

    def test_features_work_when_everything_is_compiled_at_its_first_call(self):
        self.build(FEATURES)
        self.check_features("jit", {"KELVIN_ENGINE_AHEAD": "off"})

    def check_features(self, mode, environment=None):
        events = ["go"] * 3 + ["throw", "go"]
        outcome = engine_package.serve(self.folder, events, environment=environment)
        expected = [f"deep 42 2 4 20000 1 {count} 2" for count in (101, 102, 103, 104)]
        self.assertEqual(outcome.answers, expected, outcome.log)
        error = outcome.errors[0]
        self.assertEqual(error["errorType"], "Failure")
        self.assertTrue(any("Throw" in frame for frame in error["stackTrace"]), error)
        self.assertEqual(outcome.activity["mode"], mode)

    def test_jit_compiles_ahead_what_is_likely_and_the_rest_when_it_is_called(self):
        self.build(RARE)
        well = engine_package.serve(self.folder, ["go", "go"])
        self.assertEqual(well.answers, [8, 8], well.log)
        self.assertGreater(well.activity["aheadFunctions"], 0)
        self.assertEqual(well.activity["tier0Functions"], well.activity["aheadFunctions"])
        badly = engine_package.serve(self.folder, ["go", "fail"])
        self.assertIn("code 6", badly.errors[0]["errorMessage"])
        self.assertEqual(badly.activity["aheadFunctions"], well.activity["aheadFunctions"])
        self.assertGreater(badly.activity["tier0Functions"], well.activity["tier0Functions"])

    def test_jit_compiles_nothing_ahead_when_it_is_told_so(self):
        self.build(RARE)
        ahead = engine_package.serve(self.folder, ["go"]).activity
        lazy = engine_package.serve(self.folder, ["go"],
                                    environment={"KELVIN_ENGINE_AHEAD": "off"}).activity
        self.assertEqual((lazy["aheadFunctions"], lazy["aheadMs"]), (0, 0))
        self.assertGreater(lazy["tier0Functions"], 0)
        self.assertLessEqual(lazy["tier0Functions"], ahead["tier0Functions"])

    def test_jit_optimises_what_is_hot(self):
        self.build(LOOP)
        outcome = engine_package.serve(self.folder, [200] * 300)
        self.assertEqual(len(set(outcome.answers)), 1)
        self.assertGreater(outcome.activity["tier0Functions"], 0)
        self.assertGreater(outcome.activity["tier1Functions"], 0)
        self.assertEqual(outcome.activity["imageHits"], 0)

    def test_an_image_is_used_and_what_it_lacks_is_compiled(self):
        self.build(LOOP, image=True)
        whole = engine_package.serve(self.folder, [2]).activity
        self.assertEqual((whole["tier0Functions"], whole["imageMisses"]), (0, 0))
        self.assertGreater(whole["imageHits"], 0)
        self.build(LOOP, image=True, leave_out=["Mix"])
        partial = engine_package.serve(self.folder, [2])
        self.assertEqual(partial.activity["tier0Functions"], 1)
        self.assertEqual(partial.activity["imageMisses"], 1)
        self.assertEqual(partial.activity["imageHits"], whole["imageHits"] - 1)

    def test_hot_functions_of_an_image_are_optimised(self):
        self.build(LOOP, image=True)
        outcome = engine_package.serve(self.folder, [200] * 300)
        self.assertEqual(len(set(outcome.answers)), 1)
        self.assertGreater(outcome.activity["tier1Functions"], 0)

    def test_the_log_can_be_json(self):
        self.build(ECHO)
        log = engine_package.serve(self.folder, [{}],
                                   environment={"AWS_LAMBDA_LOG_FORMAT": "JSON"}).log
        self.assertIn('"type":"kelvin.engine"', log)
        self.assertIn('"record":{"mode":"jit"', log)

    def test_a_crash_names_the_functions(self):
        for image in (False, True):
            with self.subTest(image=image):
                self.build(CRASH, image=image)
                outcome = engine_package.serve(self.folder, [{}])
                self.assertIn("at demo::WriteToNull(int volatile*)+0x", outcome.log)
                self.assertIn("Segmentation fault", outcome.log)
                self.assertEqual(outcome.status, -11)

    @unittest.skipUnless(shutil.which("gdb"), "gdb is not installed")
    def test_gdb_knows_compiled_functions(self):
        self.build(CRASH)
        server = engine_package.RuntimeApi([{}])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {**os.environ, "KELVIN_ENGINE_GDB": "1",
                       "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
                       "LAMBDA_TASK_ROOT": str(self.folder)}
        try:
            done = subprocess.run(
                ["gdb", "--batch", "-nx", "-ex", "run", "-ex", "bt", engine_package.ENGINE],
                capture_output=True, text=True, env=environment, timeout=100)
        finally:
            server.closed.set()
            server.shutdown()
        self.assertIn("WriteToNull", done.stdout, done.stderr)

    def test_runs_with_nothing_else_in_its_root(self):
        if os.geteuid() != 0:
            self.skipTest("chroot needs root")
        self.build(FEATURES, image=True)
        root = self.folder / "root"
        (root / "var/task").mkdir(parents=True)
        (root / "opt").mkdir()
        shutil.copy(engine_package.ENGINE, root / "opt/bootstrap")
        for mode, files in {"jit": ["function.bc"], "r2r": ["function.bc", "function.image"]}.items():
            for name in files:
                shutil.copy(self.folder / name, root / "var/task" / name)

            def enter():
                os.chroot(root)
                os.chdir("/")
            outcome = engine_package.serve("/var/task", ["go"], prepare=enter,
                                           program="/opt/bootstrap")
            self.assertEqual(outcome.answers, ["deep 42 2 4 20000 1 101 2"], outcome.log)
            self.assertEqual(outcome.activity["mode"], mode)


class BadBitcodeTest(EngineTest):
    """Each ends in an init error that says what was wrong and what to do."""

    def test_no_bitcode(self):
        error = self.refused("function.bc", "No such file")
        self.assertEqual(error["errorType"], "Runtime.MissingCode")

    def test_something_else(self):
        (self.folder / "function.bc").write_bytes(b"#!/bin/sh\n")
        error = self.refused("expected LLVM bitcode in function.bc", "kelvin_add_function")
        self.assertEqual(error["errorType"], "Runtime.DamagedCode")

    def test_truncated(self):
        self.build(ECHO)
        whole = (self.folder / "function.bc").read_bytes()
        for size in (4, 8, 40, len(whole) // 2, len(whole) - 4):
            with self.subTest(size=size):
                (self.folder / "function.bc").write_bytes(whole[:size])
                self.refused("function.bc", "build the package again")

    def test_of_another_llvm(self):
        self.build(ECHO)
        path = self.folder / "function.bc"
        path.write_bytes(replace_char6(path.read_bytes(), "LLVM19", "LLVM20"))
        self.refused("expected bitcode of LLVM 19", "LLVM20.", "clang 19")

    def test_of_another_architecture(self):
        (self.folder / "source.cc").write_text("int main() { return 0; }")
        engine_package.run([engine_package.CLANG, "--target=aarch64-linux-gnu", "-emit-llvm", "-c",
                            self.folder / "source.cc", "-o", self.folder / "function.bc"])
        self.refused("expected bitcode for x86_64", "aarch64", "architecture")

    def test_without_main(self):
        self.build('extern "C" int other() { return 1; }', entry="other")
        self.refused("expected a function main in function.bc, found none")

    def test_unresolved_symbol(self):
        source = "int missing_one(int); extern int missing_two;" \
                 "int main(int argc, char**) { return missing_one(argc) + missing_two; }"
        compiled = engine_package.compile_object(self.folder, source)
        shutil.copy(compiled, self.folder / "function.bc")
        self.refused("missing_one(int)", "missing_two", "SOURCES")
        with self.assertRaisesRegex(AssertionError, r"missing_one\(int\)"):
            self.build(source)

    def test_static_initialiser_that_throws(self):
        source = ECHO + """
            #include <stdexcept>
            struct Thrower { Thrower() { throw std::runtime_error("no luck"); } } thrower;
        """
        for image in (False, True):
            with self.subTest(image=image):
                self.build(source, image=image)
                error = self.refused("static initialiser", "no luck")
                self.assertEqual(error["errorType"], "std::runtime_error")

    def test_out_of_memory_while_compiling(self):
        lines = "\n".join(f"  x = x * {i}u + y[x % 97]; if (x & {1 << i % 31}u) y[x % 89] ^= x;"
                          for i in range(30000))
        source = ECHO + f"""
            #include <cstdlib>
            unsigned y[97];
            [[gnu::noinline]] unsigned Huge(unsigned x) {{ {lines} return x; }}
            const unsigned value = Huge(std::getenv("HOME") != nullptr);
        """
        self.build(source)
        limit = 300 << 20
        error = self.refused(
            "ran out of memory while it was compiled", "more memory",
            prepare=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        self.assertEqual(error["errorType"], "Runtime.OutOfMemory")


class BadImageTest(EngineTest):
    """An image that does not fit is left aside, said in the log, and the function runs anyway."""

    SEAL = struct.Struct("<8s20s20sQQ")

    def falls_back(self, *words):
        outcome = engine_package.serve(self.folder, [{"a": 1}])
        self.assertEqual(outcome.answers, [{"a": 1}], outcome.log)
        self.assertEqual(outcome.activity["mode"], "jit")
        for word in ("function.image is not used", *words):
            self.assertIn(word, outcome.log)

    def reseal(self, **changes):
        path = self.folder / "function.image"
        data = path.read_bytes()
        names = ("magic", "engine", "cpu", "bitcode", "object")
        seal = dict(zip(names, self.SEAL.unpack(data[-self.SEAL.size:])))
        path.write_bytes(data[:-self.SEAL.size] + self.SEAL.pack(*{**seal, **changes}.values()))

    def setUp(self):
        super().setUp()
        self.build(ECHO, image=True)

    def test_of_another_engine(self):
        self.reseal(engine=b"\1" * 20)
        self.falls_back("made for the engine 0101", "build the package")

    def test_of_other_bitcode(self):
        self.reseal(bitcode=1)
        self.falls_back("another function.bc")

    def test_for_another_cpu(self):
        self.reseal(cpu=b"x86-64-v9")
        self.falls_back("needs the CPU x86-64-v9")

    def test_damaged(self):
        path = self.folder / "function.image"
        data = bytearray(path.read_bytes())
        for place in (0, 100, len(data) // 2, len(data) - self.SEAL.size - 1):
            with self.subTest(place=place):
                changed = bytearray(data)
                changed[place] ^= 0x10
                path.write_bytes(changed)
                self.falls_back("damaged")

    def test_cut_short(self):
        path = self.folder / "function.image"
        data = path.read_bytes()
        for size in (0, 10, len(data) // 2, len(data) - 1):
            with self.subTest(size=size):
                path.write_bytes(data[:size])
                self.falls_back("cut short")


if __name__ == "__main__":
    unittest.main()
