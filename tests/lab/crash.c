/* SPDX-License-Identifier: Apache-2.0
 * Preloaded into a venturi, this ends it at one of the calls by which an investigation's folder and the lab's journal
 * come to be on disk, as `kill -9` or as a power failure: then whatever was not synced may be gone, as POSIX allows.
 *
 * VENTURI_CRASH = "call seed": dies at that call (from 1; 0 = never); the seed draws before, after or in the middle of
 * it, kill or power, and what a power failure leaves. VENTURI_CRASH_STATE is a file that remembers what is not synced
 * from one process to the next, for only a power failure ends that. Both end in this process: its children live on. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_MAX = 64, SECTOR_BYTES = 512, FOLDERS_AT_ONCE = 16 };

/* Zeros at first. */
struct state {
    char names[NAMES_MAX][PATH_MAX]; /* made, but their folder is not synced; "" = free */
    off_t synced_bytes;              /* of the journal */
};

static struct state *state;
static uint64_t random_state;
static unsigned long calls, crash_at;
static pid_t victim;
static int journal_fd = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* splitmix64, Vigna: https://prng.di.unimi.it/splitmix64.c */
static uint64_t draw(uint64_t below)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % below;
}

__attribute__((constructor)) static void arm(void)
{
    const char *plan = getenv("VENTURI_CRASH"), *path = getenv("VENTURI_CRASH_STATE");
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (!plan || sscanf(plan, "%lu %lu", &crash_at, &random_state) != 2 || fd < 0 ||
        REAL(ftruncate)(fd, sizeof *state) < 0)
        abort();
    state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (state == MAP_FAILED)
        abort();
    victim = getpid();
    (void)unsetenv("LD_PRELOAD");
    (void)unsetenv("VENTURI_CRASH");
}

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *at)
{
    (void)status;
    (void)flag;
    (void)at;
    return remove(path);
}

/* Where the size came before its blocks, those that never came are zeros. */
static void lose_sectors(off_t size_bytes)
{
    static const char zeros[SECTOR_BYTES];
    char path[PATH_MAX] = "", link[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", journal_fd);
    (void)!readlink(link, path, sizeof path - 1);
    int fd = REAL(open)(path, O_WRONLY); /* pwrite(2) appends to what was opened for that */
    for (off_t at = state->synced_bytes, next; at < size_bytes; at = next) {
        next = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;
        next = next < size_bytes ? next : size_bytes;
        if (draw(2))
            (void)!pwrite(fd, zeros, (size_t)(next - at), at);
    }
    (void)close(fd);
}

/* What is left of the journal is on disk from then on. */
static void lose_bytes(void)
{
    struct stat status;
    if (journal_fd < 0 || fstat(journal_fd, &status) < 0 || status.st_size <= state->synced_bytes)
        return;
    if (draw(2)) {
        lose_sectors(status.st_size);
        state->synced_bytes = status.st_size;
        return;
    }
    state->synced_bytes += (off_t)draw((uint64_t)(status.st_size - state->synced_bytes));
    (void)!REAL(ftruncate)(journal_fd, state->synced_bytes);
}

static void lose_power(void)
{
    lose_bytes();
    for (size_t i = 0; i < NAMES_MAX; i++) {
        if (state->names[i][0] && draw(4))
            (void)nftw(state->names[i], remove_one, FOLDERS_AT_ONCE, FTW_DEPTH | FTW_PHYS);
        state->names[i][0] = '\0'; /* lost or on disk */
    }
}

static void die(void)
{
    if (draw(4)) /* whoever waits for kills has more of them at random moments */
        lose_power();
    (void)kill(victim, SIGKILL);
}

enum moment { NEVER, BEFORE, WITHIN, AFTER };

/* Counts the call; when this is the one, dies here or says when to: WITHIN is half a write, or after what has no half.
 */
static enum moment next_call(void)
{
    if (getpid() != victim || ++calls != crash_at)
        return NEVER;
    enum moment moment = BEFORE + (enum moment)draw(3);
    if (moment == BEFORE)
        die();
    return moment;
}

static void end_call(enum moment moment)
{
    int error = errno;
    if (moment != NEVER)
        die();
    errno = error;
}

static void note_name(const char *path)
{
    char whole[PATH_MAX];
    for (size_t i = 0; realpath(path, whole) && i < NAMES_MAX; i++)
        if (!state->names[i][0]) {
            memcpy(state->names[i], whole, strlen(whole) + 1);
            return;
        }
    abort();
}

static void forget_names_in(const char *folder)
{
    size_t length = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
    for (size_t i = 0; i < NAMES_MAX; i++)
        if (strncmp(state->names[i], folder, length) == 0 && state->names[i][length] == '/' &&
            !strchr(state->names[i] + length + 1, '/'))
            state->names[i][0] = '\0';
}

static bool is_journal(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strcmp(slash ? slash + 1 : path, "journal.jsonl") == 0;
}

/* Traces are no part of this: a run that ended without one is told as such. */
static bool is_of_trace(const char *path)
{
    return strstr(path, "/traces") != NULL;
}

int mkdir(const char *path, mode_t mode)
{
    if (getpid() != victim || is_of_trace(path) || access(path, F_OK) == 0)
        return REAL(mkdir)(path, mode);
    enum moment moment = next_call();
    int made = REAL(mkdir)(path, mode);
    if (made == 0)
        note_name(path);
    end_call(moment);
    return made;
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    bool counts = getpid() == victim && state && (flags & O_CREAT) && is_journal(path);
    bool is_new = counts && access(path, F_OK) < 0;
    enum moment moment = counts ? next_call() : NEVER;
    int fd = REAL(open)(path, flags, mode);
    if (counts && fd >= 0) {
        journal_fd = fd;
        if (is_new) {
            note_name(path);
            state->synced_bytes = 0;
        }
    }
    end_call(moment);
    return fd;
}

ssize_t write(int fd, const void *data, size_t bytes)
{
    if (fd != journal_fd || getpid() != victim)
        return REAL(write)(fd, data, bytes);
    enum moment moment = next_call();
    ssize_t written = REAL(write)(fd, data, moment == WITHIN ? (size_t)draw(bytes) : bytes);
    end_call(moment);
    return written;
}

int ftruncate(int fd, off_t bytes)
{
    if (fd != journal_fd || getpid() != victim)
        return REAL(ftruncate)(fd, bytes);
    enum moment moment = next_call();
    int done = REAL(ftruncate)(fd, bytes);
    if (done == 0 && bytes < state->synced_bytes)
        state->synced_bytes = bytes;
    end_call(moment);
    return done;
}

int fsync(int fd)
{
    char link[64], path[PATH_MAX] = "";
    struct stat status;
    if (getpid() != victim)
        return REAL(fsync)(fd);
    enum moment moment = next_call();
    int done = REAL(fsync)(fd);
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (done == 0 && readlink(link, path, sizeof path - 1) > 0 && fstat(fd, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            forget_names_in(path);
        else if (fd == journal_fd)
            state->synced_bytes = status.st_size;
    }
    end_call(moment);
    return done;
}

int rename(const char *from, const char *to)
{
    enum moment moment = getpid() == victim ? next_call() : NEVER;
    int done = REAL(rename)(from, to);
    end_call(moment);
    return done;
}
