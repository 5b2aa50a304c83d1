/* SPDX-License-Identifier: Apache-2.0 */
#include "span/process.h"

#include "span/slot.h"
#include "venturi.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    NAME_TRIES = 16
}; /* a name is taken only by a process of our pid in another namespace, in the same nanosecond */

int venturi_recording;
struct venturi_process *venturi_process;
struct venturi_settings venturi_settings;
uint32_t venturi_stages;

/* These survive fork: a child has its parent's settings and stage numbers. */
static struct venturi_process *page; /* atomic */
static uint32_t last_generation;     /* atomic */
static bool settings_read;
static char folder[FOLDER_BYTES];
static char boot[TRACE_BOOT_BYTES];
static char names[TRACE_STAGES_MAX][TRACE_STAGE_NAME_BYTES + 1];
static pthread_key_t thread_key;
static bool thread_key_made;

static struct venturi_process *shared_page(void)
{
    struct venturi_process *first = __atomic_load_n(&page, __ATOMIC_ACQUIRE);
    if (first)
        return first;
    struct venturi_process *mine = mmap(NULL, sizeof *mine, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mine == MAP_FAILED)
        return NULL;
    if (madvise(mine, sizeof *mine, MADV_WIPEONFORK) == 0 &&
        __atomic_compare_exchange_n(&page, &first, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return mine;
    (void)munmap(mine, sizeof *mine);
    return first;
}

/* The absolute form of `name`, because the host may change its working directory. */
static bool set_folder(const char *name)
{
    size_t used = 0;
    if (name[0] != '/') {
        if (!getcwd(folder, sizeof folder))
            return false;
        used = strlen(folder);
        folder[used++] = '/';
    }
    size_t bytes = strlen(name);
    if (used + bytes >= sizeof folder)
        return false;
    memcpy(folder + used, name, bytes + 1);
    return true;
}

static bool asked_for(const char *name)
{
    const char *value = secure_getenv(name);
    return value && strcmp(value, "1") == 0;
}

/* Of libventuri_alloc, which has to be preloaded for it. */
static void find_allocations(void)
{
    void *found = asked_for("VENTURI_ALLOC") ? dlsym(RTLD_DEFAULT, "venturi_allocations") : NULL;
    memcpy(&venturi_settings.allocations, &found, sizeof found);
}

static void read_boot(void)
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (read(fd, boot, sizeof boot) != sizeof boot)
        memset(boot, 0, sizeof boot);
    (void)close(fd);
}

static void read_settings(struct venturi_process *process, void (*child_begins)(void))
{
    const char *wanted = secure_getenv("VENTURI_TRACE");
    if (!wanted || wanted[0] == '\0' || !set_folder(wanted))
        return;
    venturi_settings.with_cpu = asked_for("VENTURI_CPU");
    find_allocations();
    read_boot();
    venturi_slot_settings();
    venturi_clock_choose();
    (void)pthread_atfork(NULL, NULL, child_begins);
    venturi_process = process;
    __atomic_store_n(&venturi_recording, 1, __ATOMIC_RELEASE);
}

struct venturi_process *venturi_process_start(void (*child_begins)(void))
{
    struct venturi_process *process = shared_page();
    if (!process)
        return NULL;
    (void)pthread_mutex_lock(&process->lock);
    if (!settings_read)
        read_settings(process, child_begins);
    settings_read = true;
    (void)pthread_mutex_unlock(&process->lock);
    return process;
}

void venturi_process_watch_threads(void (*thread_ends)(void *))
{
    thread_key_made = pthread_key_create(&thread_key, thread_ends) == 0;
}

/* A plug-in that links the static library can be unloaded while its threads live on. */
__attribute__((destructor)) static void forget_threads(void)
{
    if (thread_key_made)
        (void)pthread_key_delete(thread_key);
    thread_key_made = false;
}

void venturi_process_watch(void *thread)
{
    if (thread_key_made)
        (void)pthread_setspecific(thread_key, thread);
}

uint32_t venturi_process_new_generation(struct venturi_process *process)
{
    uint32_t current = 0, fresh = __atomic_add_fetch(&last_generation, 1, __ATOMIC_RELAXED);
    return __atomic_compare_exchange_n(&process->generation, &current, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
               ? fresh
               : current;
}

static void start_path(struct venturi_path *path, const struct venturi_process *process)
{
    path->bytes = 0;
    venturi_path_add(path, folder);
    venturi_path_add(path, "/");
    venturi_path_add_number(path, process->pid);
    venturi_path_add(path, "-");
    venturi_path_add_number(path, process->start_ns);
}

/* `-<number>` after it, for a stream. */
static void add_number(struct venturi_path *path, uint32_t number)
{
    venturi_path_add(path, "-");
    venturi_path_add_number(path, number);
}

void venturi_process_spans_path(struct venturi_path *path, const struct venturi_process *process, uint32_t number)
{
    start_path(path, process);
    add_number(path, number);
    venturi_path_add(path, TRACE_SPANS_SUFFIX);
}

static bool take_slot(struct venturi_process *process, void **map)
{
    enum venturi_made outcome = FILE_EXISTS;
    process->pid = (uint32_t)getpid();
    process->start_ns = venturi_now_ns() - 1;
    for (int i = 0; i < NAME_TRIES && outcome == FILE_EXISTS; i++) {
        struct venturi_path path;
        process->start_ns++;
        start_path(&path, process);
        venturi_path_add(&path, TRACE_RING_SUFFIX);
        outcome = venturi_slot_take(map, &path, TRACE_PROCESS_BYTES);
    }
    return outcome == FILE_MADE;
}

static void fill_slot(struct process_slot *slot, const struct venturi_process *process)
{
    struct venturi_moment now = venturi_moment();
    slot->version = TRACE_VERSION;
    slot->pid = process->pid;
    slot->start = process->start_ns;
    slot->ticks = now.ticks;
    slot->ns = now.ns;
    slot->clock = venturi_clock_is_tsc ? CLOCK_IS_TSC : CLOCK_IS_NS;
    memcpy(slot->boot, boot, sizeof boot);
    slot->stages = venturi_stages;
    memcpy(slot->names, names, venturi_stages * sizeof *names);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    memcpy(slot->magic, TRACE_PROCESS_MAGIC, sizeof slot->magic);
}

void venturi_process_ready(struct venturi_process *process)
{
    void *map;
    (void)pthread_mutex_lock(&process->lock);
    if (!process->slot && !process->refused) {
        process->refused = !take_slot(process, &map);
        if (!process->refused) {
            fill_slot(map, process);
            __atomic_store_n(&process->slot, map, __ATOMIC_RELEASE);
        }
    }
    (void)pthread_mutex_unlock(&process->lock);
}

static void add_name(struct venturi_process *process, const char *name, size_t bytes)
{
    uint32_t place = venturi_stages;
    memcpy(names[place], name, bytes);
    if (process->slot) {
        memcpy(process->slot->names[place], name, bytes);
        __atomic_store_n(&process->slot->stages, place + 1, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&venturi_stages, place + 1, __ATOMIC_RELEASE);
}

uint32_t venturi_process_stage(struct venturi_process *process, const char *name, size_t bytes)
{
    uint32_t place = 0;
    (void)pthread_mutex_lock(&process->lock);
    while (place < venturi_stages && strncmp(names[place], name, sizeof *names) != 0)
        place++;
    if (place == venturi_stages && place < TRACE_STAGES_MAX)
        add_name(process, name, bytes);
    (void)pthread_mutex_unlock(&process->lock);
    return place < TRACE_STAGES_MAX ? place + 1 : 0;
}

static bool take_idle(struct venturi_process *process, struct venturi_stream *stream)
{
    (void)pthread_mutex_lock(&process->lock);
    bool found = process->idle_count > 0;
    if (found)
        *stream = process->idle[--process->idle_count];
    (void)pthread_mutex_unlock(&process->lock);
    return found;
}

static bool make_stream(struct venturi_process *process, struct venturi_stream *stream)
{
    void *map;
    enum venturi_made outcome = FILE_EXISTS;
    uint32_t number = 0;
    for (int i = 0; i < NAME_TRIES && outcome == FILE_EXISTS; i++) {
        struct venturi_path path;
        number = __atomic_fetch_add(&process->streams, 1, __ATOMIC_RELAXED);
        start_path(&path, process);
        add_number(&path, number);
        venturi_path_add(&path, TRACE_RING_SUFFIX);
        outcome = venturi_slot_take(&map, &path, TRACE_SLOT_BYTES);
    }
    if (outcome == FILE_MADE)
        venturi_stream_begin(stream, map, process->pid, process->start_ns, number);
    return outcome == FILE_MADE;
}

bool venturi_process_lend(struct venturi_process *process, struct venturi_stream *stream)
{
    if (!__atomic_load_n(&process->slot, __ATOMIC_ACQUIRE))
        return false;
    return take_idle(process, stream) || make_stream(process, stream);
}

void venturi_process_return(struct venturi_process *process, const struct venturi_stream *stream)
{
    (void)pthread_mutex_lock(&process->lock);
    bool kept = !stream->stopped && process->idle_count < IDLE_STREAMS_MAX;
    if (kept)
        process->idle[process->idle_count++] = *stream;
    (void)pthread_mutex_unlock(&process->lock);
    if (!kept)
        (void)munmap(stream->slot, TRACE_SLOT_BYTES);
}
