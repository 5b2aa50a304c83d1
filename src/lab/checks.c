/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/checks.h"

#include "base/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* PostgreSQL's manual on pg_test_timing: most readings should take less than 100 ns, over 90 % less than 1 us. */
#define CLOCK_FAST_LEAST_RATIO 0.90
#define CLOCK_COST_MOST_NS 100.0
#define LOAD_WARN_A_CORE 0.5
#define LOAD_BAD_A_CORE 2.0
#define OTHERS_WARN_RATIO 0.10
#define OTHERS_BAD_RATIO 0.50
#define STEAL_WARN_RATIO 0.01
#define STEAL_BAD_RATIO 0.10
enum { STEAL_TICKS_LEAST = 2 }; /* one tick of a short look is no share */
#define MEBIBYTE ((uint64_t)1024 * 1024)
#define MEMORY_WARN_BYTES (512 * MEBIBYTE)
#define MEMORY_BAD_BYTES (64 * MEBIBYTE)
#define DISK_WARN_BYTES (1024 * MEBIBYTE)
#define DISK_BAD_BYTES (64 * MEBIBYTE)
enum { FILES_WARN = 1024, FILES_BAD = 64, PROCESSES_WARN = 512, PROCESSES_BAD = 32 };
#define FILE_SIZE_WARN_BYTES (1024 * MEBIBYTE)
#define FILE_SIZE_BAD_BYTES (16 * MEBIBYTE)

void checks_add(struct checks *checks, const char *name, enum check_level level, const char *advice,
                const char *finding_format, ...)
{
    va_list args;
    if (checks->count == CHECKS_MAX)
        return;
    struct check *check = &checks->items[checks->count++];
    *check = (struct check){.name = name, .level = level, .advice = level == CHECK_OK ? "" : advice};
    va_start(args, finding_format);
    (void)vsnprintf(check->finding, sizeof check->finding, finding_format, args);
    va_end(args);
}

static enum check_level level_of(bool warn, bool bad)
{
    return bad ? CHECK_BAD : warn ? CHECK_WARN : CHECK_OK;
}

static void check_clock(struct checks *checks, const struct timing *timing)
{
    bool broken = timing->stuck || timing->backwards > 0;
    bool slow = timing->fast_ratio < CLOCK_FAST_LEAST_RATIO || timing->cost_ns > CLOCK_COST_MOST_NS;
    checks_add(checks, "clock", level_of(slow, broken),
               broken ? "no duration can be trusted: use another clocksource, or another machine"
                      : "spans cost more than they should: see clocksource; a debugger or emulator slows it too",
               "%.3g ns a reading, %.3g %% under 1 us, %s", timing->cost_ns, timing->fast_ratio * 100,
               timing->stuck           ? "stands still"
               : timing->backwards > 0 ? "went backwards"
                                       : "never backwards");
}

static void check_clocksource(struct checks *checks, const char *name)
{
    static const char *const slow[] = {"hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit"};
    bool is_slow = false;
    for (size_t i = 0; i < sizeof slow / sizeof *slow; i++)
        is_slow |= strcmp(name, slow[i]) == 0;
    checks_add(
        checks, "clocksource", level_of(is_slow, false),
        "each reading is a call into the kernel or worse: choose tsc in current_clocksource if the kernel lets you",
        "%s", name[0] ? name : "not visible");
}

static void check_load(struct checks *checks, const struct machine *machine)
{
    double load = isnan(machine->load) ? 0 : machine->load / machine->cores_allowed;
    double others = isnan(machine->others_ratio) ? 0 : machine->others_ratio;
    checks_add(checks, "load",
               level_of(load > LOAD_WARN_A_CORE || others > OTHERS_WARN_RATIO,
                        load > LOAD_BAD_A_CORE && others > OTHERS_BAD_RATIO),
               "runs wait for others, so intervals get wider and verdicts take more runs: stop what else runs, or wait",
               "load was %.2g on %u core%s, others used %.2g %% of the CPU", isnan(machine->load) ? 0 : machine->load,
               machine->cores_allowed, machine->cores_allowed == 1 ? "" : "s", others * 100);
}

static void check_steal(struct checks *checks, const struct machine *machine)
{
    double steal =
        isnan(machine->steal_ratio) || machine->during.ticks.steal < STEAL_TICKS_LEAST ? 0 : machine->steal_ratio;
    checks_add(checks, "steal", level_of(steal > STEAL_WARN_RATIO, steal > STEAL_BAD_RATIO),
               "the host gives this CPU to other machines, in bursts that no run can see: use a dedicated machine",
               "%.2g %% of the CPU time was stolen by the host", steal * 100);
}

static void check_speed(struct checks *checks, const struct machine *machine)
{
    bool known = machine->governor[0] != '\0';
    checks_add(checks, "frequency", level_of(known && strcmp(machine->governor, "performance") != 0, false),
               "the CPU's speed follows its load, so short runs look slower: set the governor to performance",
               "governor %s", known ? machine->governor : "not visible");
    checks_add(checks, "throttling", level_of(machine->hot_stops > 0, machine->during.hot_stops > 0),
               "a hot CPU slows down in mid-run: better cooling, longer pauses, or a lower fixed frequency",
               "a hot CPU slowed down %llu times since boot, %llu of them just now",
               (unsigned long long)machine->hot_stops, (unsigned long long)machine->during.hot_stops);
}

static void check_cores(struct checks *checks, const struct machine *machine)
{
    bool limited = machine->quota_cores < machine->cores_allowed;
    checks_add(checks, "cores", level_of(machine->cores_allowed < 2, false),
               "the lab and what it measures share one core: small differences drown", "%u of %u cores may be used",
               machine->cores_allowed, machine->cores);
    if (isfinite(machine->quota_cores))
        checks_add(checks, "quota", level_of(limited || machine->during.quota_stops > 0, false),
                   "whoever uses up the control group's CPU quota stands still for the rest of its period: lift it "
                   "(cpu.max), or pin to cores instead",
                   "%.3g cores, used up in %llu periods just now", machine->quota_cores,
                   (unsigned long long)machine->during.quota_stops);
    else
        checks_add(checks, "quota", CHECK_OK, "", "no CPU quota");
}

static double gib(uint64_t bytes)
{
    return (double)bytes / (1024.0 * (double)MEBIBYTE);
}

static void check_space(struct checks *checks, const struct machine *machine)
{
    uint64_t available = machine->available_bytes, disk = machine->folder_free_bytes;
    bool swapping = machine->during.swapped_pages > 0;
    checks_add(checks, "memory", level_of(available < MEMORY_WARN_BYTES, available < MEMORY_BAD_BYTES),
               "runs push each other's pages out, or are killed: free some", "%.3g of %.3g GiB available",
               gib(available), gib(machine->memory_bytes));
    checks_add(checks, "swap", level_of(swapping || machine->swap_used_bytes > machine->memory_bytes / 20, swapping),
               "a run that waits for swapped pages measures the disk: free memory, then swapoff -a",
               "%.3g GiB in use, %s", gib(machine->swap_used_bytes), swapping ? "and pages are moving" : "at rest");
    checks_add(checks, "disk", level_of(disk < DISK_WARN_BYTES, disk < DISK_BAD_BYTES),
               "traces and journal find no room, and a full disk is slow: free some, or choose another --out",
               "%.3g GiB free for the lab's folder", gib(disk));
}

static const char *limit_text(char out[24], uint64_t limit)
{
    (void)snprintf(out, 24, limit == UINT64_MAX ? "no limit" : "%llu", (unsigned long long)limit);
    return out;
}

static void check_limits(struct checks *checks, const struct machine *machine)
{
    char text[24];
    uint64_t files = machine->files_max, processes = machine->processes_max, bytes = machine->file_bytes_max;
    checks_add(checks, "files", level_of(files < FILES_WARN, files < FILES_BAD),
               "agents and wide pipelines run out of descriptors: ulimit -n 4096", "open files: %s",
               limit_text(text, files));
    checks_add(checks, "processes", level_of(processes < PROCESSES_WARN, processes < PROCESSES_BAD),
               "wide pipelines cannot start their processes: ulimit -u 4096", "processes of this user: %s",
               limit_text(text, processes));
    checks_add(checks, "file_size", level_of(bytes < FILE_SIZE_WARN_BYTES, bytes < FILE_SIZE_BAD_BYTES),
               "traces, journal and the pipeline's own files are cut off: ulimit -f unlimited", "bytes of one file: %s",
               limit_text(text, bytes));
}

static void check_processes(struct checks *checks, const struct machine *machine)
{
    char pids[MACHINE_LEFTOVERS_MAX * 12] = "";
    size_t bytes = 0;
    checks_add(checks, "namespaces", level_of(!machine->pid_namespaces, false),
               "should venturi be killed, and its supervisors with it, processes of a run may live on; the next start "
               "finds and reports them: run as root, or allow CAP_SYS_ADMIN",
               "pid namespaces are %sallowed", machine->pid_namespaces ? "" : "not ");
    for (size_t i = 0; i < machine->leftover_count && i < MACHINE_LEFTOVERS_MAX; i++)
        bytes += (size_t)snprintf(pids + bytes, sizeof pids - bytes, " %d", (int)machine->leftovers[i]);
    checks_add(checks, "leftovers", level_of(machine->leftover_count > 0, false),
               "processes of a venturi that was killed still run and disturb: kill -9 them",
               "processes of an earlier venturi:%s%s", machine->leftover_count ? pids : " none",
               machine->leftover_count > MACHINE_LEFTOVERS_MAX ? " and more" : "");
}

void checks_machine(struct checks *checks, const struct machine *machine)
{
    check_clock(checks, &machine->timing);
    check_clocksource(checks, machine->clocksource);
    check_load(checks, machine);
    check_steal(checks, machine);
    check_speed(checks, machine);
    check_cores(checks, machine);
    check_space(checks, machine);
    check_limits(checks, machine);
    check_processes(checks, machine);
}

enum check_level checks_worst(const struct checks *checks)
{
    enum check_level worst = CHECK_OK;
    for (size_t i = 0; i < checks->count; i++)
        worst = checks->items[i].level > worst ? checks->items[i].level : worst;
    return worst;
}

const char *check_level_name(enum check_level level)
{
    static const char *const names[] = {[CHECK_OK] = "ok", [CHECK_WARN] = "warn", [CHECK_BAD] = "bad"};
    return names[level];
}

static json_t *list_from(const struct checks *checks, enum check_level least)
{
    json_t *list = json_array();
    for (size_t i = 0; i < checks->count; i++) {
        const struct check *check = &checks->items[i];
        if (check->level < least)
            continue;
        if (json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "name", check->name, "level",
                                                  check_level_name(check->level), "finding", check->finding, "advice",
                                                  check->advice)) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *checks_json(const struct checks *checks)
{
    return list_from(checks, CHECK_OK);
}

json_t *machine_json(const struct machine *machine, const struct checks *checks)
{
    return json_pack("{s:s, s:i, s:I, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "cpu", machine->cpu, "cores",
                     (int)machine->cores, "memory_bytes", (json_int_t)machine->memory_bytes, "kernel", machine->kernel,
                     "clocksource", machine->clocksource, "governor", machine->governor, "load",
                     json_real_tidy(machine->load), "steal_ratio", json_real_tidy(machine->steal_ratio), "quota_cores",
                     json_real_tidy(machine->quota_cores), "warnings", list_from(checks, CHECK_WARN));
}

json_t *disturbances_json(const struct machine_counters *during)
{
    const struct cpu_ticks *ticks = &during->ticks;
    double steal_ratio = ticks->total ? (double)ticks->steal / (double)ticks->total : NAN;
    return json_pack("{s:o, s:I, s:I, s:I}", "steal_ratio", json_real_tidy(steal_ratio), "swapped_pages",
                     (json_int_t)during->swapped_pages, "quota_stops", (json_int_t)during->quota_stops, "hot_stops",
                     (json_int_t)during->hot_stops);
}
