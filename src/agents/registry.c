/* SPDX-License-Identifier: Apache-2.0 */
#include "agents/agent.h"

#include <stddef.h>
#include <string.h>

const struct agent *const agents[] = {&agent_profiling, &agent_database, &agent_client, &agent_batch, NULL};

const struct agent *agent_named(const char *name)
{
    for (size_t i = 0; agents[i]; i++) {
        if (strcmp(agents[i]->name, name) == 0)
            return agents[i];
    }
    return NULL;
}
