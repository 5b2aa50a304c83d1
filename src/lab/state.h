/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of a lab, for the files that play it: lab.c opens and closes, book.c keeps who asked for what, round.c
 * plays rounds, past.c takes up an earlier journal.
 */
#pragma once

#include "base/arena.h"
#include "base/random.h"
#include "lab/broker.h"
#include "lab/experiment.h"
#include "lab/journal.h"
#include "lab/lab.h"
#include "lab/machine.h"
#include "lab/runner.h"
#include "lab/schedule.h"
#include "lab/services.h"

#include <limits.h>

enum { LAB_CELLS_MAX = 1024, LAB_EXPERIMENTS_MAX = 4096, LAB_WAITERS_MAX = 4096, LAB_DOING_BYTES = 200 };

/** A variant that was asked for; the first is the baseline. */
struct cell {
    struct variant variant;
    const char *text;
    unsigned runs;
    double cost_s; /* of all runs together */
    bool unequal;  /* does other work than the baseline */
};

/** Who waits for an answer: a client of the broker, or a function of this process. */
struct waiter {
    struct waiter *next;
    struct broker_client *client; /* NULL: done is called */
    json_int_t id;
    lab_done *done;
    void *context;
};

/** An experiment and who wants it. Nobody: it was withdrawn, and rests until someone asks again. */
struct entry {
    struct entry *next; /* in the order of asking */
    struct experiment experiment;
    struct waiter *waiters;
    bool registered; /* in the journal */
    json_t *verdict; /* NULL until it has ended and stands in the journal */
};

struct round {
    unsigned number; /* 0 = the warm-up */
    struct slot slots[ROUND_SLOTS_MAX];
    size_t order[ROUND_SLOTS_MAX]; /* place -> slot */
    struct arm_run runs[ROUND_SLOTS_MAX];
    char ids[ROUND_SLOTS_MAX][16];
    bool made[ROUND_SLOTS_MAX];
    size_t count, place;
    struct entry *entries[SCHEDULE_EXPERIMENTS_MAX];
    size_t entry_count;
    bool playing;
};

/** What the first successful run of the baseline did. */
struct reference {
    bool known, rows_known;
    char check[SHA256_TEXT_BYTES];
    uint64_t rows;
};

struct lab {
    const struct pipeline *pipeline;
    struct loop *loop;
    struct lab_options options;
    char folder[PATH_MAX], doing[LAB_DOING_BYTES];
    int lock_fd;
    struct machine_counters counters; /* when it opened */
    json_t *machine;                  /* as it was then */
    struct journal *journal;
    json_t *past;        /* records of the journal as it was opened */
    json_t *last_record; /* of a run */
    struct services *services;
    struct broker *broker;
    struct arena arena;
    struct rng rng;
    struct cell cells[LAB_CELLS_MAX];
    size_t cell_count;
    struct entry *entries;
    size_t entry_count, waiter_count;
    struct round round;
    struct run_order order;
    char trace_folder[PATH_MAX];
    struct runner *runner;
    uint64_t run_started_ns;
    struct reference reference;
    unsigned last_run, last_round, last_experiment, baseline_failures;
    size_t runs, failed_runs;
    uint64_t spent_ns;
    unsigned repeats;   /* of the command in a run: chosen while warming up, the same for every variant */
    bool repeats_known; /* by a run that counts, of this process or an earlier one */
    bool warm, winding_down;
    bool services_stale;        /* they are to be started anew before the next run */
    uint64_t services_since_ns; /* when that began; 0 = they are ready */
    unsigned services_deaths;   /* since the last run that ended well */
    enum err health;            /* ERR_OK while all is well */
    struct diag health_diag;
    struct watch *tick;
};

/* lab.c */
/** Looks at what to do next, from the loop and soon. */
void lab_wake(struct lab *lab);
/** From now on nothing is measured; the first reason stays. Always succeeds. */
void lab_fail(struct lab *lab, enum err error, const struct diag *diag);
/** Appends to the journal; a failure makes the lab fail. NULL counts as out of memory. Takes the reference. */
bool lab_write(struct lab *lab, json_t *record);

/* book.c */
/** The cell of `variant`, new if need be. ERR_MEMORY when the table is full. */
CHECKED enum err book_cell(size_t *out, struct lab *lab, const struct variant *variant, struct diag *diag);
/** Notes that `waiter` (copied) wants what `request` asks for: an experiment known before, of the past, or new. */
CHECKED enum err book_ask(struct lab *lab, const json_t *request, const struct waiter *waiter, struct diag *diag);
/** Forgets everything that `client` waits for. */
void book_withdraw(struct lab *lab, const struct broker_client *client);
/** Is the experiment still open, and does anyone want it? */
bool book_is_pending(const struct entry *entry);
/** Answers everyone whose experiment has ended. */
void book_answer(struct lab *lab);
/** {"ok": false, ...}; a new reference. */
json_t *book_error(enum err error, const struct diag *diag);
/** Answers everyone with why the lab failed. */
void book_refuse_all(struct lab *lab);
/** Ends everything that is pending with what it has. */
void book_end_all(struct lab *lab);
/** Writes the experiment's registration, once. */
bool book_register(struct lab *lab, struct entry *entry);
void book_fini(struct lab *lab);
/** The answer to the op `status`. */
json_t *book_status(const struct lab *lab);

/* round.c */
/** Begins the next run; false when there is nothing to play. */
bool round_step(struct lab *lab);
/** A client has gone: stops the run if nobody wants it any more. */
void round_drop_unwanted(struct lab *lab);
void round_cancel(struct lab *lab);

/* past.c */
/** Takes the runs of the journal into account: numbers, costs, the reference, the seed. Another pipeline.toml is
 *  ERR_CONFIG. */
CHECKED enum err past_take(struct lab *lab, const char *fingerprint, struct diag *diag);
/** The cell's runs of the past. */
void past_fill_cell(const struct lab *lab, struct cell *cell);
/** The id under which an experiment of this key was registered; NULL when none was. */
const char *past_experiment_id(const struct lab *lab, const char *key);
/** Brings `entry` to where the journal left it. */
CHECKED enum err past_replay(struct lab *lab, struct entry *entry, struct diag *diag);
