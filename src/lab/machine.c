/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { NAME_BYTES = 128 };

/* "model name : ..." of the first processor; other architectures have no such line. */
static void cpu_name(char out[NAME_BYTES])
{
    char line[NAME_BYTES + 64];
    FILE *file = fopen("/proc/cpuinfo", "re");
    (void)strcpy(out, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon)
            continue;
        const char *name = colon + strspn(colon, ": \t");
        (void)snprintf(out, NAME_BYTES, "%.*s", (int)strcspn(name, "\n"), name);
        break;
    }
    if (file)
        (void)fclose(file);
}

json_t *machine_json(void)
{
    char cpu[NAME_BYTES];
    struct utsname names;
    cpu_name(cpu);
    if (uname(&names) < 0)
        (void)strcpy(names.release, "unknown");
    json_int_t memory_bytes = (json_int_t)sysconf(_SC_PHYS_PAGES) * (json_int_t)sysconf(_SC_PAGESIZE);
    return json_pack("{s:s, s:i, s:I, s:s}", "cpu", cpu, "cores", (int)sysconf(_SC_NPROCESSORS_ONLN), "memory_bytes",
                     memory_bytes, "kernel", names.release);
}
