# SPDX-License-Identifier: Apache-2.0
"""The extension: the recorder's own sources, which `recorder` links to, and the calls that Python sees."""
from glob import glob

from setuptools import Extension, setup

RECORDER = ["clock", "file", "process", "recorder", "slot", "stream"]
EXTENSION = Extension(
    "venturi._recorder",
    sources=sorted(glob("extension/*.c")) + [f"recorder/span/{name}.c" for name in RECORDER],
    depends=sorted(glob("extension/*.h") + glob("recorder/*/*.h")),
    include_dirs=["extension", "recorder", "recorder/include"],
    define_macros=[("_GNU_SOURCE", "1"), ("_FILE_OFFSET_BITS", "64")],
    extra_compile_args=["-std=c17", "-O2", "-fvisibility=hidden"],
    extra_link_args=["-pthread", "-Wl,--version-script=extension/exports.map"],
    py_limited_api=True,
)

setup(ext_modules=[EXTENSION], options={"bdist_wheel": {"py_limited_api": "cp39"}})
