/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/doctor.h"

#include "lab/probe.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FIXED_MAX = 64, PORT_MAX = 65535 };

/* Ports of this machine that the file names by number. */
struct fixed {
    unsigned ports[FIXED_MAX];
    size_t count;
};

static bool is_known(const struct fixed *fixed, unsigned port)
{
    for (size_t i = 0; i < fixed->count; i++)
        if (fixed->ports[i] == port)
            return true;
    return false;
}

/* Adds the port of every "127.0.0.1:9000" and "localhost:9000" in the text. */
static void take_ports(struct fixed *fixed, const char *text)
{
    static const char *const hosts[] = {"127.0.0.1:", "localhost:"};
    for (size_t i = 0; text && i < sizeof hosts / sizeof *hosts; i++) {
        for (const char *at = text; (at = strstr(at, hosts[i]));) {
            at += strlen(hosts[i]);
            unsigned long port = isdigit((unsigned char)*at) ? strtoul(at, NULL, 10) : 0;
            if (port > 0 && port <= PORT_MAX && !is_known(fixed, (unsigned)port) && fixed->count < FIXED_MAX)
                fixed->ports[fixed->count++] = (unsigned)port;
        }
    }
}

static void take_argv(struct fixed *fixed, const struct argv *argv)
{
    for (size_t i = 0; i < argv->count; i++)
        take_ports(fixed, argv->items[i]);
}

/* A stranger at a service's fixed port would answer its `ready` in its stead, and be measured. */
static void check_service_ports(struct checks *checks, struct fixed *of_services, const struct pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->service_count; i++) {
        const struct service *service = &pipeline->services[i];
        struct fixed own = {0};
        take_ports(&own, service->ready);
        take_ports(of_services, service->ready);
        for (size_t j = 0; j < own.count; j++) {
            bool taken = probe_port(own.ports[j]);
            checks_add(checks, "port", taken ? CHECK_BAD : CHECK_OK,
                       "the lab would take whoever listens there for the service: stop it, or let the service have a "
                       "port of its own with {port}",
                       "%u for the service %s is %s", own.ports[j], service->name, taken ? "taken" : "free");
        }
    }
}

/* What the pipeline needs and the lab does not start must be there already. */
static void check_other_ports(struct checks *checks, const struct fixed *of_services, const struct pipeline *pipeline)
{
    struct fixed needed = {0};
    take_argv(&needed, &pipeline->command);
    take_argv(&needed, &pipeline->check);
    for (size_t i = 0; i < pipeline->before_count; i++)
        take_argv(&needed, &pipeline->before[i]);
    take_ports(&needed, pipeline->database_url);
    for (size_t i = 0; i < needed.count; i++) {
        if (is_known(of_services, needed.ports[i]))
            continue;
        bool answers = probe_port(needed.ports[i]);
        checks_add(checks, "port", answers ? CHECK_OK : CHECK_WARN,
                   "the pipeline names it and no service of the file listens there: start what belongs there", "%u %s",
                   needed.ports[i], answers ? "answers" : "has nobody who answers");
    }
}

void doctor_pipeline(struct checks *checks, const struct pipeline *pipeline)
{
    struct fixed of_services = {0};
    checks_add(checks, "file", CHECK_OK, "", "%s: every program it names is there", pipeline->name);
    check_service_ports(checks, &of_services, pipeline);
    check_other_ports(checks, &of_services, pipeline);
}
