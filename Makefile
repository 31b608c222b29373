# The thin front door: each target is one or two commands that also work alone.
SHELL := /bin/bash
.DELETE_ON_ERROR:

JOBS ?= $(shell nproc)
CTEST_ARGS ?=
COMPARE_ARGS ?=
BUILD_TARGETS ?= kelvin_cli kelvin_packages
export CMAKE_BUILD_PARALLEL_LEVEL := $(JOBS)

.PHONY: help compare build packages-arm64 test bench asan tsan clang gcc fuzz format format-check tidy \
	install install-arm64 clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

compare: build ## build, run the example functions on a local Lambda, print the comparison
	build/release/bin/kelvin compare $(COMPARE_ARGS)

build: ## the kelvin command and the example packages, optimised
	@tools/setup build
	@test -f build/release/build.ninja || \
	  cmake --preset release -DKELVIN_TESTS=OFF -DKELVIN_BENCH=OFF --log-level=WARNING
	@cmake --build --preset release --target $(BUILD_TARGETS)

packages-arm64: build ## the example packages for 64-bit ARM, in build/arm64/packages
	@tools/setup arm64
	@test -f build/arm64/build.ninja || cmake --preset arm64 --log-level=WARNING
	@cmake --build --preset arm64

test: ## build everything and run every test (GCC, optimised)
	@tools/setup
	@cmake --preset release -DKELVIN_TESTS=ON -DKELVIN_BENCH=ON --log-level=WARNING
	@cmake --build --preset release
	ctest --preset release -j $(JOBS) $(CTEST_ARGS)

bench: ## the benchmarks: ratios against floors measured in the same run
	@tools/setup
	@cmake --preset release -DKELVIN_TESTS=ON -DKELVIN_BENCH=ON --log-level=WARNING
	@cmake --build --preset release --target kelvin_cli kelvin_packages kelvin_benchmarks
	@tools/bench build/release

asan tsan clang gcc: ## the tests under that preset
	@tools/setup
	@cmake --preset $@ --log-level=WARNING
	@cmake --build --preset $@
	ctest --preset $@ -j $(JOBS) $(CTEST_ARGS)

fuzz: ## each fuzz target for FUZZ_SECONDS seconds
	@tools/setup
	@cmake --preset asan --log-level=WARNING
	@cmake --build --preset asan --target kelvin_fuzzers
	@tools/fuzz build/asan $(or $(FUZZ_SECONDS),10)

format: ## format every source
	@git ls-files '*.h' '*.cc' '*.c' | xargs clang-format-19 -i

format-check: ## fail on a source that is not formatted
	@git ls-files '*.h' '*.cc' '*.c' | xargs clang-format-19 --dry-run -Werror

tidy: ## clang-tidy over everything (slow)
	@cmake --preset clang --log-level=WARNING
	@git ls-files 'src/*.cc' 'functions/*.cc' | xargs -P $(JOBS) -n 4 clang-tidy-19 --quiet -p build/clang

install: build ## install the command and the library under PREFIX (default /usr/local)
	cmake --install build/release --prefix $(or $(PREFIX),/usr/local)

install-arm64: packages-arm64 ## add the library for 64-bit ARM under PREFIX
	cmake --install build/arm64 --prefix $(or $(PREFIX),/usr/local)

clean: ## remove what was built
	rm -rf build out
