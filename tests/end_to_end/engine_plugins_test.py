"""functions/plugins in its three modes: its packages and the engine's layer on the local service."""
import io
import json
import pathlib
import tempfile
import unittest
import zipfile

import engine_package
import harness

ENGINE_LOG = {"Variables": {"KELVIN_ENGINE_LOG": "1"}}


def files_of(package):
    """The package as harness.make_zip takes it."""
    with zipfile.ZipFile(io.BytesIO((harness.PACKAGES / f"{package}.zip").read_bytes())) as archive:
        return {entry.filename: (archive.read(entry), 0o755) for entry in archive.infolist()}


class Plugins(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        layer = (harness.PACKAGES / "kelvin-engine.zip").read_bytes()
        cls.layer = cls.lambda_client.publish_layer_version(
            LayerName="kelvin-engine", Content={"ZipFile": layer})["LayerVersionArn"]

    def make(self, mode, code=None):
        name = f"plugins-{mode}"
        code = code or (harness.PACKAGES / f"{name}.zip").read_bytes()
        layers = [] if mode == "aot" else [self.layer]
        self.create(name, code, Layers=layers, Environment=ENGINE_LOG, MemorySize=512, Timeout=60)
        return name

    def apply(self, function, filter_name, text="hello"):
        """What the function answers, and the engine's last line in the log."""
        answer = self.invoke(function, json.dumps({"filter": filter_name, "text": text}).encode(),
                             LogType="Tail")
        self.assertEqual(answer["StatusCode"], 200)
        lines = [line.split(" ", 1)[1] for line in answer["Log"].splitlines()
                 if line.startswith("KELVIN_ENGINE ")]
        body = json.loads(answer["Payload"])
        self.assertEqual("errorType" in body, answer.get("FunctionError") == "Unhandled", answer)
        return body, json.loads(lines[-1]) if lines else None

    def test_jit_and_r2r_load_plugins(self):
        for mode in ("jit", "r2r"):
            with self.subTest(mode=mode):
                function = self.make(mode)
                self.assertEqual(self.apply(function, "shout")[0], {"text": "hello!"})
                answer, before = self.apply(function, "upper")
                self.assertEqual(answer, {"text": "HELLO"})
                self.assertEqual(before["mode"], mode)
                answer, after = self.apply(function, "reverse")
                self.assertEqual(answer, {"text": "olleh"})
                # A plugin is bitcode in either mode: its functions are compiled at their first call.
                self.assertGreater(after["tier0Functions"], before["tier0Functions"])
                # The filter stays loaded: nothing new to report.
                self.assertEqual(self.apply(function, "upper", "again"), ({"text": "AGAIN"}, None))

    def test_aot_loads_none_and_says_what_to_do(self):
        function = self.make("aot")
        self.assertEqual(self.apply(function, "shout")[0], {"text": "hello!"})
        error, _ = self.apply(function, "upper")
        self.assertEqual(error["errorType"], "Runtime.NoEngine")
        for words in ("cannot load upper.bc", "mode aot", "jit or r2r", "link the plugin in"):
            self.assertIn(words, error["errorMessage"])

    def test_a_bad_plugin_is_an_error_of_that_invocation(self):
        for mode in ("jit", "r2r"):
            with self.subTest(mode=mode):
                files = files_of(f"plugins-{mode}")
                upper = files["upper.bc"][0]
                files["short.bc"] = (upper[:len(upper) // 2], 0o644)
                files["text.bc"] = (b"no bitcode", 0o644)
                function = self.make(mode, harness.make_zip(files))
                for name, words in {"short": "build the package again",
                                    "text": "expected LLVM bitcode in text.bc",
                                    "none": "No such file"}.items():
                    error, _ = self.apply(function, name)
                    self.assertEqual(error["errorType"], "Runtime.BadModule")
                    self.assertIn(words, error["errorMessage"])
                # The environment lives on.
                self.assertEqual(self.apply(function, "upper")[0], {"text": "HELLO"})

    def test_a_plugin_that_needs_what_nobody_has_names_it(self):
        with tempfile.TemporaryDirectory() as folder:
            source = "int missing(int); extern \"C\" int MakeFilter() { return missing(1); }"
            compiled = engine_package.compile_object(pathlib.Path(folder), source)
            files = files_of("plugins-jit")
            files["lacking.bc"] = (compiled.read_bytes(), 0o644)
        error, _ = self.apply(self.make("jit", harness.make_zip(files)), "lacking")
        self.assertEqual(error["errorType"], "Runtime.BadModule")
        self.assertIn("missing(int)", error["errorMessage"])


if __name__ == "__main__":
    unittest.main()
