/* SPDX-License-Identifier: Apache-2.0
 *
 * libventuri_alloc.so, preloaded with VENTURI_ALLOC=1: counts what each thread allocates, so that the recorder can say
 * it of a lap or a span. It stands before whatever allocator the process has and hands every call on to it.
 *
 * Counted is what was asked for and given: a realloc counts as an allocation of its new size. What goes around the
 * calls below is not seen: mmap, an allocator built into the program itself, pools such as Python's
 * (PYTHONMALLOC=malloc). free is left alone, so it costs what it did.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* initial-exec: the first use in a thread must not allocate. */
static _Thread_local struct {
    uint64_t count, bytes;
    bool searching;
} thread __attribute__((tls_model("initial-exec")));

/* The allocator behind us. */
static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
} next;
static bool found; /* atomic; the loader itself allocates before a second thread can */

/* POSIX: what dlsym returns may be used as a function. */
static void search_one(void *function, const char *name)
{
    void *address = dlsym(RTLD_NEXT, name);
    memcpy(function, &address, sizeof address);
}

__attribute__((noinline, cold)) static bool search(void)
{
    if (thread.searching)
        return false;
    thread.searching = true;
    search_one(&next.malloc, "malloc");
    search_one(&next.calloc, "calloc");
    search_one(&next.realloc, "realloc");
    search_one(&next.memalign, "memalign");
    search_one(&next.aligned_alloc, "aligned_alloc");
    search_one(&next.posix_memalign, "posix_memalign");
    thread.searching = false;
    __atomic_store_n(&found, true, __ATOMIC_RELEASE);
    return true;
}

/* False while dlsym itself allocates, below search(): it can do without. */
static inline bool ready(void)
{
    return __builtin_expect(__atomic_load_n(&found, __ATOMIC_ACQUIRE), 1) || search();
}

static inline void *counted(void *block, size_t bytes)
{
    thread.count += block != NULL;
    thread.bytes += block ? bytes : 0;
    return block;
}

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

/** What the calling thread has allocated since it began: how often, and how many bytes were asked for. Safe in signal
 * handlers. */
EXPORT void venturi_allocations(uint64_t *count, uint64_t *bytes);
void venturi_allocations(uint64_t *count, uint64_t *bytes)
{
    *count = thread.count;
    *bytes = thread.bytes;
}

EXPORT void *malloc(size_t bytes)
{
    return ready() ? counted(next.malloc(bytes), bytes) : no_memory();
}

EXPORT void *calloc(size_t count, size_t bytes)
{
    return ready() ? counted(next.calloc(count, bytes), count * bytes) : no_memory();
}

EXPORT void *realloc(void *block, size_t bytes)
{
    return ready() ? counted(next.realloc(block, bytes), bytes) : no_memory();
}

/* An allocator may have none; ours is counted once, in realloc. */
EXPORT void *reallocarray(void *block, size_t count, size_t bytes)
{
    size_t all;
    return __builtin_mul_overflow(count, bytes, &all) ? no_memory() : realloc(block, all);
}

EXPORT void *memalign(size_t alignment, size_t bytes);
void *memalign(size_t alignment, size_t bytes)
{
    return ready() ? counted(next.memalign(alignment, bytes), bytes) : no_memory();
}

EXPORT void *aligned_alloc(size_t alignment, size_t bytes)
{
    return ready() ? counted(next.aligned_alloc(alignment, bytes), bytes) : no_memory();
}

EXPORT int posix_memalign(void **out, size_t alignment, size_t bytes)
{
    int error = ready() ? next.posix_memalign(out, alignment, bytes) : ENOMEM;
    if (error == 0)
        (void)counted(*out, bytes);
    return error;
}
