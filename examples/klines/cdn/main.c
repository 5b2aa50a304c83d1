/* SPDX-License-Identifier: Apache-2.0
 *
 * venturi-cdn: a stand-in for a content delivery network, as slow and as flawed as asked for.
 */
#include "base/err.h"
#include "cdn/server.h"
#include "common/args.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    long long port, connections_max;
    struct server_options server;
};

/* "1%:5": one answer in a hundred takes five times as long. */
static bool read_slow_tail(const struct arg *arg, const char *text)
{
    struct link_options *link = arg->into;
    char *end;
    double percent = strtod(text, &end);
    if (end == text || strncmp(end, "%:", 2) != 0 || !(percent >= 0 && percent <= 100))
        return false;
    const char *factor = end + 2;
    link->slow_ratio = percent / 100;
    link->slow_factor = strtod(factor, &end);
    return end != factor && *end == '\0' && link->slow_factor >= 1 && link->slow_factor <= 1e6;
}

static enum args_outcome read_options(struct options *options, int argc, char **argv)
{
    struct link_options *link = &options->server.link;
    const struct arg args[] = {
        {"port", "PORT", "on 127.0.0.1; 0 = a free one (0)", arg_number, &options->port, 0, 65535, NULL},
        {"first-byte", "TIME", "from request to first byte: 120ms (0)", arg_duration, &link->first_byte_ns, 0, 0, NULL},
        {"connect", "TIME", "cost of a new connection: 60ms (0)", arg_duration, &link->connect_ns, 0, 0, NULL},
        {"jitter", "TIME", "first byte up to this much later (0)", arg_duration, &link->jitter_ns, 0, 0, NULL},
        {"rate", "RATE", "of each connection: 3.1MB/s (unlimited)", arg_rate, &link->connection_rate, 0, 0, NULL},
        {"link-rate", "RATE", "of all connections together (unlimited)", arg_rate, &link->link_rate, 0, 0, NULL},
        {"slow-tail", "PERCENT:FACTOR", "1%:5 = one answer in 100 is 5 times slower", read_slow_tail, link, 0, 0, NULL},
        {"reset", "PERCENT", "answers that break off on the way (0%)", arg_percent, &link->reset_ratio, 0, 0, NULL},
        {"max-connections", "N", "beyond N: 503 with Retry-After; 0 = any (0)", arg_number, &options->connections_max,
         0, 100000, NULL},
        {"seed", "N", "of jitter, slow tail and resets (1)", arg_seed, &link->seed, 0, 0, NULL},
    };
    const struct program program = {"venturi-cdn", "FOLDER\nServes the files directly inside FOLDER; also /health.",
                                    "Ends on TERM or INT. Exit status: 0 ended, 1 cannot serve, 2 wrong usage.", args,
                                    sizeof args / sizeof *args};
    int operand;
    enum args_outcome outcome = args_read(&operand, &program, argc, argv);
    if (outcome != ARGS_RUN)
        return outcome;
    if (operand + 1 != argc)
        return args_wrong(&program, "expected one folder to serve; see --help");
    options->server.folder = argv[operand];
    options->server.port = (uint16_t)options->port;
    options->server.connections_max = (unsigned)options->connections_max;
    return ARGS_RUN;
}

int main(int argc, char **argv)
{
    struct options options = {.server.link = {.slow_factor = 1, .seed = 1}};
    enum args_outcome outcome = read_options(&options, argc, argv);
    if (outcome != ARGS_RUN)
        return outcome == ARGS_DONE ? 0 : 2;

    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL); /* before the first thread: only sigwait sees them */
    signal(SIGPIPE, SIG_IGN);

    struct server *server;
    struct diag diag = {0};
    char line[900];
    uint16_t port;
    enum err error = server_start(&server, &port, &options.server, &diag);
    if (error != ERR_OK) {
        fprintf(stderr, "venturi-cdn: %s\n", diag_line(&diag, line, sizeof line));
        return error == ERR_CONFIG ? 2 : 1;
    }
    printf("http://127.0.0.1:%u\n", port);
    fflush(stdout);
    int received;
    sigwait(&ends, &received);
    server_stop(&server);
    return 0;
}
