/* SPDX-License-Identifier: Apache-2.0
 *
 * What `venturi init` writes. The live part is the smallest that works; everything else is there to be uncommented.
 */
#include "pipeline/pipeline.h"

static const char TEMPLATE[] =
    "# pipeline.toml tells venturi what to run, which parts it has and what may be changed from outside.\n"
    "# All keys: docs/pipeline-toml.md. Paths are relative to this file; nothing goes through a shell.\n"
    "\n"
    "[pipeline]\n"
    "name = \"my-pipeline\"\n"
    "command = [\"./pipeline\"]              # one run, as program and arguments\n"
    "timeout = \"10m\"                       # a run that takes longer has failed\n"
    "# unit = \"rows\"                       # what the spans count\n"
    "# before = [[\"./pipeline\", \"--reset\"]]  # before every run, not timed: each run must do the same work\n"
    "# check = [\"./pipeline\", \"--checksum\"]  # its output must not depend on the knobs\n"
    "\n"
    "# The goal, in units a second. Without one, venturi only looks for what is worth doing.\n"
    "# [goal]\n"
    "# throughput = 100_000\n"
    "\n"
    "# The stages, named as in the program's calls of venturi.h.\n"
    "[[stage]]\n"
    "name = \"read\"\n"
    "\n"
    "[[stage]]\n"
    "name = \"write\"\n"
    "# kind = \"database\"                   # network, cpu, disk or database: a hint\n"
    "\n"
    "# What can be set from outside. venturi tries the values and measures what each is worth.\n"
    "# [[knob]]\n"
    "# name = \"batch\"\n"
    "# stage = \"write\"\n"
    "# lever = \"batch\"                     # concurrency, overlap, streaming, batch, client, setting, "
    "implementation\n"
    "# arg = \"--batch={}\"                  # or env = \"MY_BATCH\"\n"
    "# values = [100, 1000, 10_000]\n"
    "# current = 1000                      # the value in use today\n"
    "# effort_days = 1                     # to change it for good\n"
    "\n"
    "# A fix that does not exist yet: priced by simulation and bounds, without running it.\n"
    "# [[candidate]]\n"
    "# name = \"read.streaming\"             # <stage>.<lever>\n"
    "# lever = \"streaming\"\n"
    "# effort_days = 3\n"
    "\n"
    "# A server that the pipeline needs: started before the runs, stopped after them, on a port of its own.\n"
    "# Elsewhere in this file its port is {source.port}.\n"
    "# [[service]]\n"
    "# name = \"source\"\n"
    "# command = [\"./server\", \"--port\", \"{port}\"]\n"
    "# ready = \"http://127.0.0.1:{port}/health\"\n"
    "\n"
    "# The database behind the pipeline: its settings are looked at, read-only.\n"
    "# [database]\n"
    "# kind = \"sqlite\"                     # questdb, postgres or sqlite\n"
    "# url = \"sqlite:out.db\"\n"
    "# writes = false                      # true lets experiments write tables named venturi_scratch_*\n";

const char *pipeline_template(void)
{
    return TEMPLATE;
}
