# SPDX-License-Identifier: Apache-2.0
"""The profile document against its schema: of runs recorded now, of an empty one, and of the traces of every version."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

SAMPLE, PROFILE_JSON, SCHEMA, *KEPT = sys.argv[1:]


def record(folder, **environment):
    folder.mkdir()
    subprocess.run([SAMPLE], check=True, env={**os.environ, "VENTURI_TRACE": str(folder), **environment})
    return folder


def profile(*folders):
    output = subprocess.run([PROFILE_JSON, *map(str, folders)], check=True, stdout=subprocess.PIPE).stdout
    document = json.loads(output)
    schema = json.loads(pathlib.Path(SCHEMA).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema, cls=jsonschema.Draft202012Validator)
    return document


with tempfile.TemporaryDirectory() as name:
    base = pathlib.Path(name)
    runs = [record(base / str(i), VENTURI_CPU="1") for i in range(3)]
    document = profile(*runs)
    assert [stage["name"] for stage in document["stages"]] == ["download", "parse", "ingest"], document
    assert [stage["rows"] for stage in document["stages"]] == [0, 12000, 12000], document
    assert document["stages"][0]["capacity_rows_s"] is None  # no rows there
    assert document["stages"][2]["running_s"] is not None
    plain = profile(record(base / "plain"))
    assert plain["bottleneck"]["verdict"] == "cannot_tell"  # one run
    assert plain["stages"][2]["running_s"] is None and plain["stages"][2]["limited_by"] == "unknown"
    (base / "empty").mkdir()
    empty = profile(base / "empty")
    assert empty["stages"] == [] and empty["rows_s"] is None
    for trace in KEPT:
        assert profile(trace)["lost_spans"] == 0
