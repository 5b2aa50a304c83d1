/* SPDX-License-Identifier: Apache-2.0 */
#include "span/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

/* Undisturbed, two readings of the counter around one of the clock are some 100 ticks apart. */
enum { MOMENT_TRIES = 4, MOMENT_TICKS = 1 << 10 };

bool venturi_clock_is_tsc, venturi_clock_is_forbidden;

/* A preemption between the readings would bend the line on which the clocks lie. */
struct venturi_moment venturi_moment(void)
{
    struct venturi_moment best = {0, 0};
    uint64_t closest = UINT64_MAX;
    if (!venturi_clock_is_tsc) {
        best.ticks = best.ns = venturi_now_ns();
        return best;
    }
    for (int i = 0; i < MOMENT_TRIES && closest > MOMENT_TICKS; i++) {
        uint64_t before = venturi_ticks();
        uint64_t ns = venturi_now_ns();
        uint64_t apart = venturi_ticks() - before;
        if (apart < closest) {
            closest = apart;
            best = (struct venturi_moment){.ticks = before + apart / 2, .ns = ns};
        }
    }
    return best;
}

#if defined(__x86_64__)

/* The CPU's word: it counts at one rate, whatever the frequency or sleep state (CPUID 80000007H, EDX bit 8). */
static bool is_invariant(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) && (edx & 1u << 8);
}

/* The kernel's word: it watches the counter and leaves it when the cores disagree. */
static bool kernel_trusts_it(void)
{
    static const char name[] = "tsc\n";
    char found[sizeof name];
    int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t bytes = read(fd, found, sizeof found);
    (void)close(fd);
    return bytes == sizeof name - 1 && memcmp(found, name, sizeof name - 1) == 0;
}

/* prctl(PR_SET_TSC) can make the instruction a SIGSEGV; 0 = nobody says. */
static int counter_mode(void)
{
    int mode;
    return prctl(PR_GET_TSC, &mode) == 0 ? mode : 0;
}

void venturi_clock_choose(void)
{
    const char *wanted = secure_getenv("VENTURI_CLOCK");
    bool refused = wanted && strcmp(wanted, "monotonic") == 0;
    int mode = counter_mode();
    venturi_clock_is_forbidden = mode == PR_TSC_SIGSEGV;
    venturi_clock_is_tsc = !refused && mode == PR_TSC_ENABLE && is_invariant() && kernel_trusts_it();
}

#else

void venturi_clock_choose(void)
{
}

#endif
