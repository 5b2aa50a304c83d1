/* SPDX-License-Identifier: Apache-2.0 */
#include "span/process.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    NAME_TRIES = 16
}; /* a name is taken only by a process of our pid in another namespace, in the same nanosecond */

struct venturi_process *venturi_recording;
bool venturi_with_cpu;

/* These survive fork: a child has its parent's settings and stage numbers. */
static struct venturi_process *page; /* atomic */
static uint32_t last_generation;     /* atomic */
static bool settings_read;
static char folder[FOLDER_BYTES];
static char names[TRACE_STAGES_MAX][TRACE_STAGE_NAME_BYTES + 1];
static uint32_t name_count; /* atomic: the names below it stand */
static pthread_key_t thread_key;
static bool thread_key_made;

uint64_t venturi_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

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

static void read_settings(struct venturi_process *process, void (*thread_ends)(void *))
{
    const char *wanted = secure_getenv("VENTURI_TRACE");
    if (!wanted || wanted[0] == '\0' || !set_folder(wanted))
        return;
    const char *cpu = secure_getenv("VENTURI_CPU");
    venturi_with_cpu = cpu && strcmp(cpu, "1") == 0;
    thread_key_made = pthread_key_create(&thread_key, thread_ends) == 0;
    __atomic_store_n(&venturi_recording, process, __ATOMIC_RELEASE);
}

struct venturi_process *venturi_process_start(void (*thread_ends)(void *))
{
    struct venturi_process *process = shared_page();
    if (!process)
        return NULL;
    (void)pthread_mutex_lock(&process->lock);
    if (!settings_read)
        read_settings(process, thread_ends);
    settings_read = true;
    (void)pthread_mutex_unlock(&process->lock);
    return process;
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

uint32_t venturi_process_generation(struct venturi_process *process)
{
    uint32_t current = __atomic_load_n(&process->generation, __ATOMIC_ACQUIRE);
    if (current != 0)
        return current;
    uint32_t fresh = __atomic_add_fetch(&last_generation, 1, __ATOMIC_RELAXED);
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

void venturi_process_stream_path(struct venturi_path *path, const struct venturi_process *process, uint64_t number)
{
    start_path(path, process);
    venturi_path_add(path, "-");
    venturi_path_add_number(path, number);
    venturi_path_add(path, TRACE_STREAM_SUFFIX);
}

static bool make_file(struct venturi_process *process, struct venturi_file *made)
{
    enum venturi_made outcome = FILE_EXISTS;
    process->pid = (uint32_t)getpid();
    process->start_ns = venturi_now_ns() - 1;
    for (int i = 0; i < NAME_TRIES && outcome == FILE_EXISTS; i++) {
        struct venturi_path path;
        process->start_ns++;
        start_path(&path, process);
        venturi_path_add(&path, TRACE_PROCESS_SUFFIX);
        outcome = venturi_file_make(made, &path, sizeof(struct process_file));
    }
    return outcome == FILE_MADE;
}

static void fill_file(struct process_file *file, const struct venturi_process *process)
{
    file->version = TRACE_VERSION;
    file->pid = process->pid;
    file->start_ns = process->start_ns;
    file->stages = name_count;
    memcpy(file->names, names, name_count * sizeof *names);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    memcpy(file->magic, TRACE_PROCESS_MAGIC, sizeof file->magic);
}

void venturi_process_ready(struct venturi_process *process)
{
    struct venturi_file made;
    (void)pthread_mutex_lock(&process->lock);
    if (!process->file && !process->refused) {
        process->refused = !make_file(process, &made);
        if (!process->refused) {
            fill_file(made.map, process);
            __atomic_store_n(&process->file, made.map, __ATOMIC_RELEASE);
        }
    }
    (void)pthread_mutex_unlock(&process->lock);
}

static void add_name(struct venturi_process *process, const char *name, size_t bytes)
{
    uint32_t place = name_count;
    memcpy(names[place], name, bytes);
    if (process->file) {
        memcpy(process->file->names[place], name, bytes);
        __atomic_store_n(&process->file->stages, place + 1, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&name_count, place + 1, __ATOMIC_RELEASE);
}

uint32_t venturi_process_stage(struct venturi_process *process, const char *name, size_t bytes)
{
    uint32_t place = 0;
    (void)pthread_mutex_lock(&process->lock);
    while (place < name_count && strncmp(names[place], name, sizeof *names) != 0)
        place++;
    if (place == name_count && place < TRACE_STAGES_MAX)
        add_name(process, name, bytes);
    (void)pthread_mutex_unlock(&process->lock);
    return place < TRACE_STAGES_MAX ? place + 1 : 0;
}

uint32_t venturi_process_stages(void)
{
    return __atomic_load_n(&name_count, __ATOMIC_ACQUIRE);
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
    enum venturi_made outcome = FILE_EXISTS;
    *stream = (struct venturi_stream){0};
    for (int i = 0; i < NAME_TRIES && outcome == FILE_EXISTS; i++) {
        struct venturi_path path;
        stream->number = __atomic_fetch_add(&process->streams, 1, __ATOMIC_RELAXED);
        venturi_process_stream_path(&path, process, stream->number);
        outcome = venturi_file_make(&stream->file, &path, TRACE_STREAM_BYTES);
    }
    if (outcome == FILE_MADE)
        venturi_stream_begin(stream, venturi_now_ns());
    return outcome == FILE_MADE;
}

bool venturi_process_lend(struct venturi_process *process, struct venturi_stream *stream)
{
    if (!__atomic_load_n(&process->file, __ATOMIC_ACQUIRE))
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
        (void)munmap(stream->file.map, TRACE_STREAM_BYTES);
}
