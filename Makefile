# SPDX-License-Identifier: Apache-2.0
# The front door. Everything else is CMake + Ninja: see CMakePresets.json.
PREFIX ?= /usr/local
SOURCES = $(shell git ls-files '*.c' '*.h' '*.cpp')
DEMO = build/demo

# Builds, makes the data and investigates the reference pipeline; ends with where the report is.
demo: release
	examples/klines/setup $(DEMO) build/release/bin
	build/release/bin/venturi investigate $(DEMO)/pipeline.toml --out $(DEMO)/tmp/perf-optimization --budget 270s --force

# Everything that CI runs.
test: setup-tests
	scripts/test

# The recorder under a million kills; about an hour on two cores. Broken off, it goes on where it was.
kill: setup-tests
	cmake --preset dev
	cmake --build --preset dev --target span_kill_test
	tests/span/kill_many build/dev/unit/span_kill_test build/kills

# The lab's journal under a thousand kills and power failures; some seven minutes.
kill-journal: setup-tests
	cmake --preset dev
	cmake --build --preset dev
	VENTURI_KILLS=1000 ctest --preset dev -R '^e2e\.journal' --verbose

release: setup
	cmake --preset release -DBUILD_TESTING=OFF -DCMAKE_INSTALL_PREFIX=$(PREFIX)
	cmake --build --preset release

install: release
	cmake --install build/release

# Is the comparison protocol right as often as it says? Six kinds of noise, in simulation.
calibrate: release
	build/release/bin/venturi-calibrate

# What recording costs, beside two bare clock readings and LTTng. ROUNDS=11, FOLDER: where traces are written.
bench-recorder: setup-benches release
	build/release/bin/bench-recorder $(ROUNDS) $(FOLDER)

# What a span costs in Python, beside two clock readings and OpenTelemetry.
bench-python: setup-tests
	bench/python/run

# What the analysis of a trace costs, beside adding up the bytes of its spans and beside DuckDB.
bench-trace: release
	bench/trace/run build/release/bin

# Do real programs slow down while they are recorded? SQLite, a C and a Python host, by the lab's own protocol.
bench-hosts: setup-tests release
	bench/hosts/run build/release/bin

# Experiments a minute and false alarms of the lab, beside hyperfine. EXPERIMENTS=200; broken off, it goes on where it was.
bench-lab: setup-benches release
	/usr/bin/python3 bench/lab/bench.py build/release/bin $(EXPERIMENTS)

lint: setup-tests
	scripts/lint

format: setup-tests
	clang-format-14 -i $(SOURCES)

setup:
	scripts/setup
setup-tests:
	scripts/setup --tests
setup-benches:
	scripts/setup --benches

.PHONY: demo test kill kill-journal release install calibrate bench-recorder bench-python bench-trace bench-hosts bench-lab \
        lint format setup setup-tests setup-benches
