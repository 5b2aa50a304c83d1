/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/machine.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mark.h"
#include "lab/cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_BYTES = 8192, LEFTOVERS_WAIT_MS = 1000, LEFTOVERS_POLL_MS = 20 };

/* The start of a file of the kernel's; "" when it is not there. */
PRINTF_LIKE(2, 3) static bool read_text(char out[TEXT_BYTES], const char *path_format, ...)
{
    char path[PATH_MAX];
    va_list args;
    va_start(args, path_format);
    (void)vsnprintf(path, sizeof path, path_format, args);
    va_end(args);
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? 0 : read(fd, out, TEXT_BYTES - 1);
    out[count > 0 ? count : 0] = '\0';
    return count > 0;
}

PRINTF_LIKE(3, 4) static void read_word(char *out, size_t out_bytes, const char *path_format, ...)
{
    char path[PATH_MAX], text[TEXT_BYTES];
    va_list args;
    va_start(args, path_format);
    (void)vsnprintf(path, sizeof path, path_format, args);
    va_end(args);
    (void)read_text(text, "%s", path);
    (void)snprintf(out, out_bytes, "%.*s", (int)strcspn(text, " \n"), text);
}

static void read_cgroups(struct cgroup_cpu *out)
{
    char own[TEXT_BYTES];
    (void)read_text(own, "/proc/self/cgroup");
    cgroup_cpu_read(out, "/sys/fs/cgroup", own);
}

/* Processors are numbered without gaps up to what sysconf configures; those that are off show nothing. */
static uint64_t count_hot_stops(void)
{
    char text[TEXT_BYTES];
    uint64_t sum = 0;
    long processors = sysconf(_SC_NPROCESSORS_CONF);
    for (int i = 0; i < processors; i++)
        if (read_text(text, "/sys/devices/system/cpu/cpu%d/thermal_throttle/core_throttle_count", i))
            sum += strtoull(text, NULL, 10);
    return sum;
}

void machine_count(struct machine_counters *out)
{
    char text[TEXT_BYTES];
    struct cgroup_cpu cpu;
    uint64_t in = 0, to = 0;
    *out = (struct machine_counters){0};
    if (read_text(text, "/proc/stat"))
        (void)proc_ticks(&out->ticks, text);
    if (read_text(text, "/proc/vmstat")) {
        (void)proc_number(&in, text, "pswpin");
        (void)proc_number(&to, text, "pswpout");
    }
    read_cgroups(&cpu);
    out->swapped_pages = in + to;
    out->quota_stops = cpu.stops;
    out->hot_stops = count_hot_stops();
}

static uint64_t growth(uint64_t before, uint64_t now)
{
    return now > before ? now - before : 0; /* a processor that goes offline takes its counts along */
}

void machine_count_since(struct machine_counters *out, const struct machine_counters *before)
{
    struct machine_counters now;
    machine_count(&now);
    *out = (struct machine_counters){
        .ticks = {.total = growth(before->ticks.total, now.ticks.total),
                  .idle = growth(before->ticks.idle, now.ticks.idle),
                  .steal = growth(before->ticks.steal, now.ticks.steal)},
        .swapped_pages = growth(before->swapped_pages, now.swapped_pages),
        .quota_stops = growth(before->quota_stops, now.quota_stops),
        .hot_stops = growth(before->hot_stops, now.hot_stops),
    };
}

static void look_at_processors(struct machine *out)
{
    char text[TEXT_BYTES];
    cpu_set_t allowed;
    struct cgroup_cpu cpu;
    out->cores = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    out->cores_allowed =
        sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? (unsigned)CPU_COUNT(&allowed) : out->cores;
    read_cgroups(&cpu);
    out->quota_cores = cpu.quota_cores;
    out->hot_stops = count_hot_stops();
    if (!read_text(text, "/proc/cpuinfo") || !proc_word(out->cpu, sizeof out->cpu, text, "model name"))
        (void)strcpy(out->cpu, "unknown"); /* other architectures have no such line */
    read_word(out->clocksource, sizeof out->clocksource,
              "/sys/devices/system/clocksource/clocksource0/current_clocksource");
    read_word(out->governor, sizeof out->governor, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
}

static uint64_t kilobytes(const char *text, const char *name)
{
    uint64_t count = 0;
    (void)proc_number(&count, text, name);
    return count < UINT64_MAX / 1024 ? count * 1024 : 0;
}

static void look_at_memory(struct machine *out, const char *folder)
{
    char text[TEXT_BYTES];
    struct statvfs space;
    (void)read_text(text, "/proc/meminfo");
    out->memory_bytes = kilobytes(text, "MemTotal");
    out->available_bytes = kilobytes(text, "MemAvailable");
    uint64_t swap_bytes = kilobytes(text, "SwapTotal"), free_bytes = kilobytes(text, "SwapFree");
    out->swap_used_bytes = growth(free_bytes, swap_bytes);
    if (statvfs(folder, &space) == 0)
        out->folder_free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
}

static uint64_t soft_limit(__rlimit_resource_t resource)
{
    struct rlimit limit;
    return getrlimit(resource, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

/* As supervisor.c asks for one. */
static bool may_have_pid_namespace(void)
{
    long pid = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0)
        _exit(0);
    return pid > 0 && waitpid((pid_t)pid, NULL, 0) == (pid_t)pid;
}

/* The supervisors of a venturi that was killed a moment ago may still be tidying up. */
static void look_for_leftovers(struct machine *out)
{
    for (int waited_ms = 0; waited_ms < LEFTOVERS_WAIT_MS; waited_ms += LEFTOVERS_POLL_MS) {
        out->leftover_count = mark_leftovers(out->leftovers, MACHINE_LEFTOVERS_MAX);
        if (out->leftover_count == 0)
            return;
        (void)poll(NULL, 0, LEFTOVERS_POLL_MS);
    }
}

static double own_ticks(void)
{
    struct timespec used;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return ((double)used.tv_sec + (double)used.tv_nsec / 1e9) * (double)sysconf(_SC_CLK_TCK);
}

/* Half of the look goes to the clock, which keeps us busy, half to watching the others. */
static void look_for_a_while(struct machine *out, uint64_t look_ns)
{
    struct machine_counters before;
    machine_count(&before);
    double own_before = own_ticks();
    timing_measure(&out->timing, clock_monotonic_ns, look_ns / 2);
    (void)poll(NULL, 0, (int)(look_ns / 2 / NS_PER_MS));
    double own = own_ticks() - own_before;
    machine_count_since(&out->during, &before);
    const struct cpu_ticks *ticks = &out->during.ticks;
    if (ticks->total == 0)
        return;
    double busy = (double)growth(ticks->idle, ticks->total) - own;
    out->others_ratio = fmax(0, busy / (double)ticks->total);
    out->steal_ratio = (double)ticks->steal / (double)ticks->total;
}

void machine_look(struct machine *out, const char *folder, uint64_t look_ns)
{
    char text[TEXT_BYTES];
    struct utsname names;
    *out = (struct machine){.load = NAN, .others_ratio = NAN, .steal_ratio = NAN};
    if (read_text(text, "/proc/loadavg"))
        (void)proc_load(&out->load, text);
    (void)snprintf(out->kernel, sizeof out->kernel, "%s", uname(&names) == 0 ? names.release : "unknown");
    look_at_processors(out);
    look_for_a_while(out, look_ns);
    look_at_memory(out, folder);
    out->files_max = soft_limit(RLIMIT_NOFILE);
    out->processes_max = soft_limit(RLIMIT_NPROC);
    out->file_bytes_max = soft_limit(RLIMIT_FSIZE);
    out->pid_namespaces = may_have_pid_namespace();
    look_for_leftovers(out);
}
