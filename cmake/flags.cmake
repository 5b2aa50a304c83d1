# SPDX-License-Identifier: Apache-2.0
# One interface target carries the flags of our own code; third-party headers come in as SYSTEM.
# VENTURI_SANITIZE: "", "address", "thread" or "fuzzer"; VENTURI_COVERAGE and VENTURI_ANALYZE are switches.
set(VENTURI_SANITIZE "" CACHE STRING "sanitizer of this build: address, thread, fuzzer or empty")
option(VENTURI_COVERAGE "instrument for gcov" OFF)
option(VENTURI_ANALYZE "run gcc -fanalyzer" OFF)

add_library(venturi_flags INTERFACE)
target_compile_definitions(venturi_flags INTERFACE _GNU_SOURCE)
target_compile_options(venturi_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror -Wvla -Wformat=2 -Wundef -Wpointer-arith
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
  -fno-omit-frame-pointer -fno-common)

# Optimised, gcc takes every out parameter behind a TRY for maybe uninitialised; clang-tidy and -fanalyzer look properly.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(venturi_flags INTERFACE $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_compile_options(venturi_flags INTERFACE
    -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection)
  target_link_options(venturi_flags INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()
if(VENTURI_SANITIZE STREQUAL "address")
  target_compile_options(venturi_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all)
  target_link_options(venturi_flags INTERFACE -fsanitize=address,undefined)
elseif(VENTURI_SANITIZE STREQUAL "thread")
  # gcc warns that tsan does not model fences; ours order bytes for a reader in another process, which it cannot see
  target_compile_options(venturi_flags INTERFACE -fsanitize=thread $<$<C_COMPILER_ID:GNU>:-Wno-tsan>)
  target_link_options(venturi_flags INTERFACE -fsanitize=thread)
elseif(VENTURI_SANITIZE STREQUAL "fuzzer")
  target_compile_options(venturi_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined)
  target_link_options(venturi_flags INTERFACE -fsanitize=address,undefined)
endif()
if(VENTURI_COVERAGE)
  target_compile_options(venturi_flags INTERFACE --coverage)
  target_link_options(venturi_flags INTERFACE --coverage)
endif()
if(VENTURI_ANALYZE AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(venturi_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:-fanalyzer>)
endif()
