/* SPDX-License-Identifier: Apache-2.0
 *
 * What `venturi doctor` tells of a pipeline beside the machine. Its programs were looked up when it was loaded.
 */
#pragma once

#include "lab/checks.h"
#include "pipeline/pipeline.h"

/** Adds a check for each port of this machine that the file names by number: free for a service, else answering. */
void doctor_pipeline(struct checks *checks, const struct pipeline *pipeline);
