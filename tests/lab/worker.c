/* SPDX-License-Identifier: Apache-2.0
 * A pipeline for the lab's tests: waits as long as it is told in one span, writes what it did to `out`, and misbehaves
 * on demand. With --log it tells a file when it begins and ends, by the name of its trace. As a service it answers
 * every request on a port with 200. */
#include "venturi.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *option(int argc, char **argv, const char *name, const char *fallback)
{
    size_t length = strlen(name);
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], name, length) == 0 && argv[i][length] == '=')
            fallback = argv[i] + length + 1;
    return fallback;
}

static void wait_ms(long ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&left, &left) < 0)
        ;
}

/* Lives are counted by the bytes of a file: what it is asked to do in its first one only, it does once. */
static int serve(const char *port, long requests, const char *lives)
{
    static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)atoi(port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 8) < 0)
        return 1;
    FILE *file = lives ? fopen(lives, "a") : NULL;
    if (file && (fseek(file, 0, SEEK_END) < 0 || ftell(file) > 0))
        requests = 0;
    if (file && (fputc('+', file) == EOF || fclose(file) != 0))
        return 1;
    for (long served = 0; requests == 0 || served < requests; served++) {
        char request[1024];
        int client = accept(listener, NULL, NULL);
        (void)!read(client, request, sizeof request);
        (void)!write(client, answer, sizeof answer - 1);
        (void)close(client);
    }
    (void)fprintf(stderr, "served enough\n");
    return 7;
}

static int fetch(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)atoi(port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char answer[64] = "";
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 || write(fd, "GET /\r\n\r\n", 9) != 9 ||
        read(fd, answer, sizeof answer - 1) <= 0)
        return 1;
    (void)close(fd);
    return strstr(answer, "200") ? 0 : 1;
}

/* One write, so that it stands whole or not at all. */
static int tell(const char *path, const char *what)
{
    char line[64];
    const char *trace = getenv("VENTURI_TRACE"), *slash = trace ? strrchr(trace, '/') : NULL;
    int bytes = snprintf(line, sizeof line, "%s %s\n", what, slash ? slash + 1 : "-");
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    return fd >= 0 && write(fd, line, (size_t)bytes) == bytes && close(fd) == 0 ? 0 : 1;
}

/* A grandchild in a session of its own, which nobody waits for. */
static void stray(void)
{
    if (fork() > 0)
        return;
    (void)setsid();
    if (fork() == 0)
        wait_ms(20000);
    _exit(0);
}

/* How often this was called in this folder before. */
static long count_calls(const char *path)
{
    FILE *file = fopen(path, "a");
    long before = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    return file && fputc('+', file) != EOF && fclose(file) == 0 ? before : -1;
}

static int work(int argc, char **argv)
{
    const char *mode = option(argc, argv, "--mode", "ok");
    bool once_fewer = strcmp(mode, "fickle-rows") == 0 && count_calls("calls") == 1;
    long rows = once_fewer || strcmp(mode, "fewer-rows") == 0 ? 50 : 100;
    venturi_span span = venturi_begin(venturi_stage_named("work"), 1);
    wait_ms(atol(option(argc, argv, "--ms", "1")));
    venturi_end(&span, (uint64_t)rows, 0);
    if (strcmp(mode, "hang") == 0)
        wait_ms(3600000);
    if (strcmp(mode, "fail") == 0) {
        (void)fprintf(stderr, "first line\nthe disk is on fire\n");
        return 3;
    }
    bool fickle = strcmp(mode, "fickle") == 0 && count_calls("calls") == 1; /* the second time, and never again */
    bool wrong = fickle || strcmp(mode, "other-output") == 0;
    FILE *out = fopen("out", "w");
    if (!out || fprintf(out, "%s\n", wrong ? "wrong" : "right") < 0 || fclose(out) != 0)
        return 4;
    (void)printf("rows=%ld\n", rows);
    return 0;
}

int main(int argc, char **argv)
{
    const char *port = option(argc, argv, "--serve", NULL), *from = option(argc, argv, "--fetch", NULL);
    const char *log = option(argc, argv, "--log", NULL);
    if (port)
        return serve(port, atol(option(argc, argv, "--requests", "0")), option(argc, argv, "--lives", NULL));
    if (from && fetch(from) != 0)
        return 5;
    if (log && tell(log, "begin") != 0)
        return 6;
    if (strcmp(option(argc, argv, "--stray", "no"), "yes") == 0)
        stray();
    int status = work(argc, argv);
    return log && tell(log, "end") != 0 ? 6 : status;
}
