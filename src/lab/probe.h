/* SPDX-License-Identifier: Apache-2.0
 *
 * Is a service there? One try each, a quarter of a second at most.
 */
#pragma once

#include <stdbool.h>

/** Does 127.0.0.1:port accept a connection? */
bool probe_port(unsigned port);
/** Does the http or https URL answer 200, without a proxy or redirects? */
bool probe_url(const char *url);
