# SPDX-License-Identifier: Apache-2.0
# The front door. Everything else is CMake + Ninja: see CMakePresets.json.
test: setup
	cmake --preset dev
	cmake --build --preset dev
	ctest --preset dev
setup:
	scripts/setup
.PHONY: test setup
