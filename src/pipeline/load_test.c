/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/fixture_arena.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "pipeline/section.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVICE "[[service]]\nname='web'\ncommand=['sh','{port}']\n"
#define DATABASE "[database]\nkind='postgres'\n"

/* Every mistake is one line that names the place, what is wrong and what was expected. */
static const struct mistake_case {
    const char *text, *where, *fragments[3];
} MISTAKES[] = {
    /* the document */
    {"", "pipeline.toml:1", {"the file has no [pipeline]"}},
    {"[pipeline\n", "pipeline.toml:1:10", {"']'"}},
    {SMALL "x = \n", "pipeline.toml:6:5", {"value"}},
    {SMALL "x = 1\nx = 2\n", "pipeline.toml:7:5", {"cannot redefine"}},
    {SMALL "x = '\xff'\n", "pipeline.toml:6:", {"utf-8"}},
    {SMALL "x = \"a\\u0000b\"\n", "pipeline.toml:6:5", {"\\u0000"}},
    {SMALL "[pipeline]\n", "pipeline.toml:6:", {"redefine"}},
    {SMALL "x = [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]\n", "pipeline.toml:6", {"nested too deep"}},
    {SMALL "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1\n", "pipeline.toml:6", {"nested too deep"}},
    {SMALL "[stages]\n", "pipeline.toml:6", {"the file has the unknown table 'stages'", "did you mean 'stage'?"}},
    {SMALL "[zzz]\n", "pipeline.toml:6", {"unknown table 'zzz'", "expected one of: pipeline, goal, stage, knob"}},
    {"[[pipeline]]\nname='p'\n", "pipeline.toml:1", {"[pipeline] is a list", "expected a table"}},
    {"[pipeline]\nname='p'\ncommand=['sh']\n", "pipeline.toml:1", {"no [[stage]]"}},
    {"stage=[]\n[pipeline]\nname='p'\ncommand=['sh']\n", "pipeline.toml:1", {"no [[stage]]"}},
    {"stage=[3]\n[pipeline]\nname='p'\ncommand=['sh']\n", "pipeline.toml:1", {"[[stage]] is a whole number"}},
    {"[stage]\nname='s'\n[pipeline]\nname='p'\ncommand=['sh']\n", "pipeline.toml:1", {"is a table", "double brackets"}},

    /* [pipeline] and the types of keys */
    {"[pipeline]\ncommand=['sh']\n",
     "pipeline.toml:1",
     {"[pipeline] has no name", "expected a name, such as \"klines\""}},
    {"[pipeline]\nname='p'\n", "pipeline.toml:1", {"[pipeline] has no command", "expected a list of texts, such as ["}},
    {"[pipeline]\nname='p'\ncommand=[]\n", "pipeline.toml:3", {"[pipeline] has an empty command"}},
    {"[pipeline]\nname='p'\ncommand=['']\n", "pipeline.toml:3", {"empty program name"}},
    {"[pipeline]\nname='p'\ncommand='sh -c true'\n", "pipeline.toml:3", {"wrong type for command: a string", "a list"}},
    {"[pipeline]\nname='p'\ncommand=['sh',\n 1]\n", "pipeline.toml:4", {"wrong type for command: a whole number"}},
    {"[pipeline]\nname=7\n", "pipeline.toml:2", {"wrong type for name: a whole number"}},
    {"[pipeline]\nname=1979-05-27\n", "pipeline.toml:2", {"a date or time"}},
    {"[pipeline]\nname=''\n", "pipeline.toml:2", {"empty text for name"}},
    {"[pipeline]\nname='a/b'\n", "pipeline.toml:2", {"bad name 'a/b'", "1 to 63 of A-Z"}},
    {"[pipeline]\nname='..'\n", "pipeline.toml:2", {"bad name '..'"}},
    {"[pipeline]\nname=\"a\\nb\\u001b[2J\"\n", "pipeline.toml:2", {"bad name 'a?b?[2J'"}},
    {"[pipeline]\nname='abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd'\n",
     "pipeline.toml:2",
     {"bad name"}},
    {"[pipeline]\nnam='p'\n", "pipeline.toml:2", {"unknown key 'nam'", "did you mean 'name'?"}},
    {"[pipeline]\ncomamnd=['sh']\n", "pipeline.toml:2", {"did you mean 'command'?"}},
    {"[pipeline]\nseed=1\n", "pipeline.toml:2", {"unknown key 'seed'", "expected one of: name, command, unit"}},
    {"[pipeline]\nname='p'\ncommand=['sh']\ntimeout=60\n", "pipeline.toml:4", {"wrong type for timeout", "\"60s\""}},
    {"[pipeline]\nname='p'\ncommand=['sh']\ntimeout='60'\n", "pipeline.toml:4", {"bad timeout '60'", "\"80ms\""}},
    {"[pipeline]\nname='p'\ncommand=['sh']\ntimeout='60 s'\n", "pipeline.toml:4", {"bad timeout"}},
    {"[pipeline]\nname='p'\ncommand=['sh']\ntimeout='60d'\n", "pipeline.toml:4", {"bad timeout"}},
    {"[pipeline]\nname='p'\ncommand=['sh']\ntimeout='0s'\n", "pipeline.toml:4", {"bad timeout"}},
    {"[pipeline]\nname='p'\ncommand=['sh']\ntimeout='-1s'\n", "pipeline.toml:4", {"bad timeout"}},
    {"[pipeline]\nname='p'\ncommand=['sh']\ntimeout='s'\n", "pipeline.toml:4", {"bad timeout"}},
    {"[pipeline]\nname='p'\ncommand=['sh']\ntimeout='0x10s'\n", "pipeline.toml:4", {"bad timeout"}},
    {"[pipeline]\nname='p'\ncommand=['sh']\ntimeout='1e3s'\n", "pipeline.toml:4", {"bad timeout"}},
    {"[pipeline]\nname='p'\ncommand=['sh']\ntimeout='99999999999999999999999h'\n", "pipeline.toml:4", {"bad timeout"}},
    {"[pipeline]\nname='p'\ncommand=['sh']\ntimeout='721h'\n", "pipeline.toml:4", {"at most 30 days"}},
    {"[pipeline]\nname='p'\ncommand=['sh']\nbefore=['sh']\n", "pipeline.toml:4", {"wrong type for before: a string"}},
    {"[pipeline]\nname='p'\ncommand=['sh']\nbefore=[['sh'],[]]\n", "pipeline.toml:4", {"empty command for before"}},
    {"[pipeline]\nname='p'\ncommand=['sh']\ncheck=[]\n", "pipeline.toml:4", {"empty command for check"}},

    /* programs and placeholders */
    {"[pipeline]\nname='p'\ncommand=['no-such-program']\n[[stage]]\nname='s'\n",
     "pipeline.toml:3",
     {"[pipeline] names the program 'no-such-program'", "not there or not executable", "PATH"}},
    {"[pipeline]\nname='p'\ncommand=['bin/absent']\n[[stage]]\nname='s'\n",
     "pipeline.toml:3",
     {"'bin/absent'", "the folder of this file"}},
    {"[pipeline]\nname='p'\ncommand=['/etc/passwd']\n[[stage]]\nname='s'\n", "pipeline.toml:3", {"not executable"}},
    {"[pipeline]\nname='p'\ncommand=['/usr/bin']\n[[stage]]\nname='s'\n", "pipeline.toml:3", {"not executable"}},
    {"[pipeline]\nname='p'\ncommand=['sh']\nbefore=[['sh'],\n['absent-program']]\n[[stage]]\nname='s'\n",
     "pipeline.toml:5",
     {"'absent-program'"}},
    {"[pipeline]\nname='p'\ncommand=['sh']\ncheck=['absent-program']\n[[stage]]\nname='s'\n",
     "pipeline.toml:4",
     {"'absent-program'"}},
    {"[pipeline]\nname='p'\ncommand=['sh','{web.port}']\n[[stage]]\nname='s'\n",
     "pipeline.toml:3",
     {"the unknown service 'web'", "there is none"}},
    {"[pipeline]\nname='p'\ncommand=['sh',\n'a{wbe.port}']\n[[stage]]\nname='s'\n" SERVICE,
     "pipeline.toml:4",
     {"the unknown service 'wbe'", "did you mean 'web'?"}},
    {"[pipeline]\nname='p'\ncommand=['sh','{port}']\n[[stage]]\nname='s'\n", "pipeline.toml:3", {"{port} outside"}},
    {"[pipeline]\nname='p'\ncommand=['sh']\ncheck=['sh','{x.port}']\n[[stage]]\nname='s'\n",
     "pipeline.toml:4",
     {"'x'"}},

    /* [goal], [[stage]] */
    {SMALL "[goal]\n", "pipeline.toml:6", {"[goal] has no throughput", "a number above 0, such as 100_000"}},
    {SMALL "[goal]\nthroughput='fast'\n", "pipeline.toml:7", {"wrong type for throughput: a string"}},
    {SMALL "[goal]\nthroughput=0\n", "pipeline.toml:7", {"not above 0"}},
    {SMALL "[goal]\nthroughput=-1.5\n", "pipeline.toml:7", {"not above 0"}},
    {SMALL "[goal]\nthroughput=nan\n", "pipeline.toml:7", {"no finite number"}},
    {SMALL "[goal]\nthroughput=inf\n", "pipeline.toml:7", {"no finite number"}},
    {SMALL "[goal]\nthrouhgput=1\n", "pipeline.toml:7", {"did you mean 'throughput'?"}},
    {SMALL "[[stage]]\nname='s'\n", "pipeline.toml:7", {"stage 's' has the same name as the one on line 5"}},
    {SMALL "[[stage]]\nkind='cpu'\n", "pipeline.toml:6", {"[[stage]] has no name"}},
    {SMALL "[[stage]]\nname='t'\nkind='netwrok'\n", "pipeline.toml:8", {"unknown kind 'netwrok'", "mean 'network'?"}},
    {SMALL "[[stage]]\nname='t'\nkind='queue'\n", "pipeline.toml:8", {"one of: network, cpu, disk, database"}},
    {SMALL "[[stage]]\nname='t'\nkind=''\n", "pipeline.toml:8", {"unknown kind ''"}},

    /* [[knob]] */
    {SMALL "[[knob]]\nstage='s'\n", "pipeline.toml:6", {"[[knob]] has no name"}},
    {SMALL "[[knob]]\nname='k'\n", "pipeline.toml:6", {"knob 'k' has no stage"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\n", "pipeline.toml:6", {"knob 'k' has no lever"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batsh'\n", "pipeline.toml:9", {"lever 'batsh'", "mean 'batch'?"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='{}'\n", "pipeline.toml:6", {"knob 'k' has no values"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='{}'\nvalues=[]\n",
     "pipeline.toml:11",
     {"has no values"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='{}'\nvalues=4\n",
     "pipeline.toml:11",
     {"a whole number"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='{}'\nvalues=[[1]]\n", "pipeline.toml:11", {"a list"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='{}'\nvalues=[1,\n2.5]\n",
     "pipeline.toml:12",
     {"mixes a whole number and a number with a fraction", "one type"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='{}'\nvalues=[1,2,1]\n",
     "pipeline.toml:11",
     {"'1' twice"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='{}'\nvalues=[nan]\n", "pipeline.toml:11", {"finite"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='{}'\nvalues=[\"a\\n\"]\n",
     "pipeline.toml:11",
     {"control"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='{}'\nvalues=[1,2]\n", "pipeline.toml:6", {"no current"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='{}'\nvalues=[1,2]\ncurrent=3\n",
     "pipeline.toml:12",
     {"knob 'k' has the current value '3', which is not among its values"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='{}'\nvalues=[1,2]\ncurrent='1'\n",
     "pipeline.toml:12",
     {"not among its values"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='{}'\nvalues=['a://b:hunter2@c','d']\ncurrent='e'\n",
     "pipeline.toml:12",
     {"expected one of: a://b:***@c, d"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='{}'\nvalues=['a','d']\ncurrent='token=hunter2'\n",
     "pipeline.toml:12",
     {"'token=***"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='{}'\nvalues=['a://x:hunter2@y','a://x:hunter2@y']\n",
     "pipeline.toml:11",
     {"twice in values"}},
    {SMALL "\"postgres://user:hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2@h\" = 1\n",
     "pipeline.toml:6",
     {"unknown key 'postgres://user:***"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='{}'\nvalues=[1]\ncurrent=1\n",
     "pipeline.toml:11",
     {"a single value"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\nvalues=[1,2]\ncurrent=1\n",
     "pipeline.toml:6",
     {"neither arg"}},
    {SMALL KNOB "env='K'\n", "pipeline.toml:13", {"both arg and env"}},
    {SMALL KNOB "effort_days=-1\n", "pipeline.toml:13", {"a negative number for effort_days"}},
    {SMALL KNOB "effort_days='2'\n", "pipeline.toml:13", {"wrong type for effort_days"}},
    {SMALL KNOB "vales=1\n", "pipeline.toml:13", {"knob 'k' has the unknown key 'vales'", "did you mean 'values'?"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='--k'\nvalues=[1,2]\ncurrent=1\n",
     "pipeline.toml:10",
     {"arg without {}"}},
    {SMALL "[[knob]]\nname='k'\nstage='x'\nlever='batch'\narg='{}'\nvalues=[1,2]\ncurrent=1\n",
     "pipeline.toml:8",
     {"knob 'k' names the unknown stage 'x'", "expected one of: s"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\nenv='1K'\n", "pipeline.toml:10", {"variable's name for env"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\nenv='K='\n", "pipeline.toml:10", {"variable's name"}},
    {SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\nenv='VENTURI_TRACE'\n", "pipeline.toml:10", {"itself sets"}},
    {SMALL KNOB KNOB, "pipeline.toml:14", {"knob 'k' has the same name as the one on line 7"}},
    {SMALL KNOB "[[knob]]\nname='l'\nstage='s'\nlever='batch'\narg='--k={}'\nvalues=[1,2]\ncurrent=1\n",
     "pipeline.toml:17",
     {"knob 'l' has the same arg as the one on line 10"}},

    /* [[service]] */
    {SMALL "[[service]]\nname='web'\n", "pipeline.toml:6", {"service 'web' has no command"}},
    {SMALL "[[service]]\nname='db'\nkind='questdb'\n",
     "pipeline.toml:8",
     {"service 'db' has a kind, which is not supported yet"}},
    {SMALL SERVICE SERVICE, "pipeline.toml:10", {"service 'web' has the same name as the one on line 7"}},
    {SMALL SERVICE "ready='{port}'\n", "pipeline.toml:9", {"not an http:// address"}},
    {SMALL SERVICE "ready='http://x:{db.port}/'\n", "pipeline.toml:9", {"unknown service 'db'", "one of: web"}},
    {SMALL SERVICE "restart='rounds'\n", "pipeline.toml:9", {"unknown restart 'rounds'", "'round'"}},
    {SMALL SERVICE "ready_timeout='1 minute'\n", "pipeline.toml:9", {"bad ready_timeout"}},
    {SMALL "[[service]]\nname='web'\ncommand=['sh','{db.port}']\n[[service]]\nname='db'\ncommand=['sh','{port}']\n",
     "pipeline.toml:8",
     {"port of 'db', which is not started yet"}},
    {SMALL "[[service]]\nname='web'\ncommand=['sh']\n",
     "pipeline.toml:6",
     {"service 'web' does not say how", "{port}"}},
    {SMALL "[[service]]\nname='web'\ncommand=['absent-program','{port}']\n", "pipeline.toml:8", {"'absent-program'"}},

    /* [database] */
    {SMALL "[database]\nurl='x'\n", "pipeline.toml:6", {"[database] has no kind"}},
    {SMALL "[database]\nkind='mysql'\n", "pipeline.toml:7", {"'mysql'", "one of: questdb, postgres, sqlite"}},
    {SMALL DATABASE, "pipeline.toml:6", {"[database] has no url"}},
    {SMALL DATABASE "url='http://u:hunter2@h'\n", "pipeline.toml:8", {"a url that is none of postgres", "postgres://"}},
    {SMALL DATABASE "url='postgres://u:hunter2@h:{db.port}'\n", "pipeline.toml:8", {"unknown service 'db'"}},
    {SMALL DATABASE "url='hunter2'\n", "pipeline.toml:8", {"none of postgres"}},
    {SMALL DATABASE "url=\"postgres://u:hunter2@h\nx\"\n", "pipeline.toml:8:", {""}},
    {SMALL DATABASE "url=hunter2\n", "pipeline.toml:8:", {""}},
    {SMALL DATABASE "url='postgres://h'\nwrites='no'\n", "pipeline.toml:9", {"wrong type for writes", "true or false"}},
    {SMALL "[database]\nkind='sqlite'\nurl='http://h'\n", "pipeline.toml:8", {"none of sqlite"}},
    {SMALL "[database]\nkind='questdb'\nurl='h:9000'\n", "pipeline.toml:8", {"none of questdb"}},

    /* [[candidate]], [agents.NAME] */
    {SMALL "[[candidate]]\nlever='batch'\n", "pipeline.toml:6", {"[[candidate]] has no name"}},
    {SMALL "[[candidate]]\nname='s'\n", "pipeline.toml:7", {"else than <stage>.<lever>"}},
    {SMALL "[[candidate]]\nname='s.batch'\n", "pipeline.toml:6", {"candidate 's.batch' has no lever"}},
    {SMALL "[[candidate]]\nname='t.batch'\nlever='batch'\n", "pipeline.toml:7", {"unknown stage 't'"}},
    {SMALL "[[candidate]]\nname='s.batch'\nlever='overlap'\n", "pipeline.toml:7", {"'s.overlap'", "lever 'overlap'"}},
    {SMALL "[[candidate]]\nname='s.batch'\nlever='batch'\n" KNOB, "pipeline.toml:6", {"what the knob 'k' stands for"}},
    {SMALL "[[candidate]]\nname='s.batch'\nlever='batch'\n[[candidate]]\nname='s.batch'\nlever='batch'\n",
     "pipeline.toml:10",
     {"same name as the one on line 7"}},
    {SMALL "[[candidate]]\nname='s.batch'\nlever='batch'\neffort_days=-0.5\n", "pipeline.toml:9", {"negative"}},
    {SMALL "agents=3\n", "pipeline.toml:6", {"unknown key 'agents'"}},
    {"agents=3\n" SMALL, "pipeline.toml:1", {"[agents] is a whole number"}},
    {SMALL "[agents.profilling]\n", "pipeline.toml:6", {"unknown agent 'profilling'", "did you mean 'profiling'?"}},
    {SMALL "[agents.client]\n", "pipeline.toml:6", {"has no command"}},
    {SMALL "[agents.client]\ncommand=['absent-program']\n", "pipeline.toml:7", {"'absent-program'"}},
};

static void one_mistake_is_one_line(const struct mistake_case *at)
{
    struct diag diag = {0};
    struct pipeline pipeline;
    char line[1024];
    arena_fini(&arena);
    enum err error = parse_bytes(&pipeline, at->text, strlen(at->text), &arena, &diag);
    (void)diag_line(&diag, line, sizeof line);
    if (error != ERR_CONFIG)
        fail_msg("error %d (%s) of:\n%s", (int)error, line, at->text);
    if (strncmp(diag.where, at->where, strlen(at->where)) != 0 || strchr(line, '\n') || strstr(line, "hunter2"))
        fail_msg("expected %s: %s", at->where, line);
    if (strlen(diag.where) != strlen(at->where) && at->where[strlen(at->where) - 1] != ':')
        fail_msg("expected %s: %s", at->where, line);
    for (size_t i = 0; i < 3 && at->fragments[i]; i++)
        if (!strstr(line, at->fragments[i]))
            fail_msg("expected '%s' in: %s", at->fragments[i], line);
}

static void every_mistake_is_one_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof MISTAKES / sizeof *MISTAKES; i++)
        one_mistake_is_one_line(&MISTAKES[i]);
}

static const char WHOLE[] = "[pipeline]\n"
                            "name = 'klines'\n"
                            "command = ['sh', '--cdn', 'http://127.0.0.1:{cdn.port}', '{} {\"a\": 1}']\n"
                            "unit = 'candles'\n"
                            "timeout = '80ms'\n"
                            "before = [['sh', '-c', 'true'], ['env']]\n"
                            "check = ['env', '{cdn.port}']\n"
                            "[goal]\n"
                            "throughput = 100_000\n"
                            "[[service]]\n"
                            "name = 'cdn'\n"
                            "command = ['sh', '{port}']\n"
                            "ready = 'http://127.0.0.1:{port}/health'\n"
                            "[[service]]\n"
                            "name = 'proxy'\n"
                            "command = ['sh', '{port}', '{cdn.port}']\n"
                            "ready_timeout = '2m'\n"
                            "restart = 'round'\n"
                            "[[stage]]\n"
                            "name = 'download'\n"
                            "kind = 'network'\n"
                            "[[stage]]\n"
                            "name = 'ingest'\n"
                            "[[knob]]\n"
                            "name = 'concurrency'\n"
                            "stage = 'download'\n"
                            "lever = 'concurrency'\n"
                            "arg = '--concurrency={}'\n"
                            "values = [0x1, 1_000, -4]\n"
                            "current = 1000\n"
                            "effort_days = 0.5\n"
                            "[[knob]]\n"
                            "name = 'ratio'\n"
                            "stage = 'ingest'\n"
                            "lever = 'setting'\n"
                            "env = 'RATIO'\n"
                            "values = [0.1, 1.0, 1e300]\n"
                            "current = 1.0\n"
                            "[[knob]]\n"
                            "name = 'wal'\n"
                            "stage = 'ingest'\n"
                            "lever = 'client'\n"
                            "env = 'WAL'\n"
                            "values = [true, false]\n"
                            "current = false\n"
                            "[[candidate]]\n"
                            "name = 'download.streaming'\n"
                            "lever = 'streaming'\n"
                            "effort_days = 3\n"
                            "[database]\n"
                            "kind = 'questdb'\n"
                            "url = 'http://127.0.0.1:{cdn.port}'\n"
                            "writes = true\n"
                            "[agents.client]\n"
                            "command = ['sh', '{port}']\n";

static void a_whole_file_is_read(void **state)
{
    (void)state;
    struct pipeline p;
    parse_valid(&p, WHOLE, &arena);
    assert_string_equal(p.name, "klines");
    assert_string_equal(p.unit, "candles");
    assert_int_equal(p.command.count, 4);
    assert_int_equal(p.command.items[0][0], '/');
    assert_string_equal(p.command.items[3], "{} {\"a\": 1}");
    assert_null(p.command.items[4]);
    assert_int_equal(p.timeout_ns, 80 * NS_PER_MS);
    assert_int_equal(p.before_count, 2);
    assert_int_equal(p.before[1].items[0][0], '/');
    assert_int_equal(p.check.count, 2);
    assert_true(p.goal_rows_s == 100000);
    assert_int_equal(p.service_count, 2);
    assert_string_equal(p.services[0].ready, "http://127.0.0.1:{port}/health");
    assert_int_equal(p.services[0].ready_timeout_ns, 30 * NS_PER_S);
    assert_null(p.services[1].ready);
    assert_null(p.services[1].kind);
    assert_int_equal(p.services[1].ready_timeout_ns, 120 * NS_PER_S);
    assert_int_equal(p.services[0].restart, RESTART_NEVER);
    assert_int_equal(p.services[1].restart, RESTART_ROUND);
    assert_int_equal(p.stage_count, 2);
    assert_int_equal(p.stages[0].kind, STAGE_NETWORK);
    assert_int_equal(p.stages[1].kind, STAGE_UNSPECIFIED);
    assert_string_equal(p.candidates[0].stage, "download");
    assert_string_equal(p.candidates[0].id, "download.streaming");
    assert_true(p.candidates[0].effort_days == 3);
    assert_string_equal(p.database_kind, "questdb");
    assert_true(p.database_writes);
    assert_string_equal(p.agents[0].agent, "client");
    assert_int_equal(p.agents[0].command.count, 2);
}

static void knobs_keep_values_as_text(void **state)
{
    (void)state;
    struct pipeline p;
    parse_valid(&p, WHOLE, &arena);
    const struct knob *concurrency = pipeline_knob(&p, "concurrency"), *ratio = pipeline_knob(&p, "ratio");
    assert_int_equal(p.knob_count, 3);
    assert_int_equal(concurrency->value_count, 3);
    assert_string_equal(concurrency->values[0], "1");
    assert_string_equal(concurrency->values[1], "1000");
    assert_string_equal(concurrency->values[2], "-4");
    assert_int_equal(concurrency->current, 1);
    assert_true(concurrency->effort_days == 0.5);
    assert_string_equal(ratio->values[0], "0.1");
    assert_string_equal(ratio->values[1], "1.0");
    assert_string_equal(ratio->values[2], "1e+300");
    assert_int_equal(ratio->current, 1);
    assert_true(ratio->effort_days == 1);
    assert_string_equal(pipeline_knob(&p, "wal")->values[0], "true");
    assert_null(pipeline_knob(&p, "absent"));
}

static void a_small_file_has_defaults(void **state)
{
    (void)state;
    struct pipeline p;
    parse_valid(&p, SMALL, &arena);
    assert_string_equal(p.unit, "rows");
    assert_int_equal(p.timeout_ns, 600 * NS_PER_S);
    assert_true(p.goal_rows_s == 0);
    assert_null(p.database_kind);
    assert_null(p.database_url);
    assert_int_equal(p.check.count + p.before_count + p.knob_count + p.agent_count + p.candidate_count, 0);
}

/* More of one thing than makes sense ends in a line, not in hours of comparing. */
static void lists_have_a_limit(void **state)
{
    (void)state;
    AUTO(text_fini) struct text text;
    struct diag diag = {0};
    struct pipeline p;
    text_init(&text, TOML_LIMIT_BYTES);
    text_add(&text, SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='{}'\nvalues=[");
    for (int i = 0; i <= SECTION_LIST_LIMIT; i++)
        text_addf(&text, "%d,", i);
    text_add(&text, "]\ncurrent=1\n");
    assert_int_equal(parse_bytes(&p, text.data, text.length_bytes, &arena, &diag), ERR_CONFIG);
    assert_non_null(strstr(diag.what, "257 values"));
    text_clear(&text);
    text_add(&text, SMALL);
    for (int i = 0; i <= SECTION_LIST_LIMIT; i++)
        text_addf(&text, "[[stage]]\nname='s%d'\n", i);
    assert_int_equal(parse_bytes(&p, text.data, text.length_bytes, &arena, &diag), ERR_CONFIG);
    assert_non_null(strstr(diag.what, "258 times"));
}

/* Every allocation that fails is ERR_MEMORY: the arena's limit is moved byte by byte over what the file needs. */
static void any_failed_allocation_is_an_error(void **state)
{
    (void)state;
    struct pipeline p;
    parse_valid(&p, WHOLE, &arena);
    size_t needed = arena.used_bytes;
    for (size_t limit = 0; limit < needed; limit += 7) {
        AUTO(arena_fini) struct arena small;
        struct diag diag = {0};
        arena_init(&small, limit);
        assert_int_equal(parse_bytes(&p, WHOLE, strlen(WHOLE), &small, &diag), ERR_MEMORY);
        assert_non_null(strstr(diag.what, "out of memory"));
    }
}

/* Ten thousand files that are nearly right: never a crash, always one printable line, never the password. */
static void mutate(struct rng *rng, char *text, size_t *bytes, size_t capacity)
{
    static const char *const words[] = {"[[", "]]", "{",      "}",       "\"",  "'''",  "\n",
                                        "=",  ".",  "{port}", "\\u0000", "nan", "\xff", "#"};
    size_t at = (size_t)rng_below(rng, *bytes), span = (size_t)rng_below(rng, 24) + 1;
    if (span > *bytes - at)
        span = *bytes - at;
    const char *word = words[rng_below(rng, sizeof words / sizeof *words)];
    size_t from = (size_t)rng_below(rng, *bytes - span + 1);
    switch (rng_below(rng, 4)) {
    case 0:
        text[at] = (char)rng_below(rng, 256);
        break;
    case 1:
        memmove(text + at, text + at + span, *bytes - at - span);
        *bytes -= *bytes > span ? span : 0;
        break;
    case 2:
        memmove(text + at, text + from, span);
        break;
    default:
        if (*bytes + strlen(word) > capacity)
            break;
        memmove(text + at + strlen(word), text + at, *bytes - at);
        memcpy(text + at, word, strlen(word));
        *bytes += strlen(word);
    }
}

static void mutated_files_never_crash(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 20260131);
    size_t accepted = 0;
    for (int round = 0; round < 10000; round++) {
        char text[8192], line[1024];
        size_t bytes = strlen(WHOLE);
        struct pipeline p;
        struct diag diag = {0};
        memcpy(text, WHOLE, bytes);
        for (uint64_t edits = rng_below(&rng, 4) + 1; edits > 0; edits--)
            mutate(&rng, text, &bytes, sizeof text);
        arena_fini(&arena);
        enum err error = parse_bytes(&p, text, bytes, &arena, &diag);
        accepted += error == ERR_OK;
        if (error == ERR_OK)
            continue;
        assert_int_equal(error, ERR_CONFIG);
        for (const char *at = diag_line(&diag, line, sizeof line); *at; at++)
            assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
    }
    assert_in_range(accepted, 100, 9000);
}

/* The real thing: a file in a folder of its own. */
static void write_program(const char *path)
{
    struct diag diag;
    assert_int_equal(file_write_script(path, "#!/bin/sh\n", &diag), ERR_OK);
}

static int in_folder(void **state)
{
    static char folder[64];
    (void)snprintf(folder, sizeof folder, "/tmp/pipeline-test-XXXXXX");
    *state = mkdtemp(folder);
    return *state && chdir(folder) == 0 && set_up(state) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
    struct diag diag;
    (void)tear_down(state);
    return chdir("/") == 0 && dir_remove(*state, &diag) == ERR_OK ? 0 : -1;
}

static void programs_are_found_beside_the_file(void **state)
{
    (void)state;
    struct diag diag = {0};
    struct pipeline *p;
    char expected[128];
    const char *text = "[pipeline]\nname='p'\ncommand=['bin/run']\n[[stage]]\nname='s'\n";
    assert_int_equal(dir_make("deep/bin", &diag), ERR_OK);
    write_program("deep/bin/run");
    assert_int_equal(file_write_atomic("deep/my.toml", text, strlen(text), &diag), ERR_OK);
    assert_int_equal(pipeline_load(&p, "deep/my.toml", &arena, &diag), ERR_OK);
    (void)snprintf(expected, sizeof expected, "%s/deep", (const char *)*state);
    assert_string_equal(p->folder, expected);
    (void)snprintf(expected, sizeof expected, "%s/deep/bin/run", (const char *)*state);
    assert_string_equal(p->command.items[0], expected);
    assert_int_equal(chmod("deep/bin/run", 0644), 0);
    assert_int_equal(pipeline_load(&p, "deep/my.toml", &arena, &diag), ERR_CONFIG);
    assert_string_equal(diag.where, "deep/my.toml:3");
}

static void unreadable_files_are_mistakes(void **state)
{
    (void)state;
    struct diag diag = {0};
    struct pipeline *p;
    assert_int_equal(pipeline_load(&p, "absent.toml", &arena, &diag), ERR_CONFIG);
    assert_string_equal(diag.where, "absent.toml");
    assert_int_equal(pipeline_load(&p, ".", &arena, &diag), ERR_CONFIG);
    assert_int_equal(pipeline_load(&p, "", &arena, &diag), ERR_CONFIG);
    static char large[TOML_LIMIT_BYTES + 1];
    memset(large, '#', sizeof large);
    assert_int_equal(file_write_atomic("large.toml", large, sizeof large, &diag), ERR_OK);
    assert_int_equal(pipeline_load(&p, "large.toml", &arena, &diag), ERR_CONFIG);
}

static void the_template_needs_only_a_program(void **state)
{
    (void)state;
    struct diag diag = {0};
    struct pipeline *p;
    const char *text = pipeline_template();
    assert_int_equal(file_write_atomic("pipeline.toml", text, strlen(text), &diag), ERR_OK);
    assert_int_equal(pipeline_load(&p, "pipeline.toml", &arena, &diag), ERR_CONFIG);
    assert_non_null(strstr(diag.what, "'./pipeline'"));
    write_program("pipeline");
    assert_int_equal(pipeline_load(&p, "pipeline.toml", &arena, &diag), ERR_OK);
}

/* Whoever removes the '#' before the examples of the template gets a file that loads, too. */
static void the_examples_of_the_template_are_right(void **state)
{
    (void)state;
    struct pipeline *p;
    struct diag diag = {0};
    char line[1024];
    AUTO(text_fini) struct text text;
    text_init(&text, TOML_LIMIT_BYTES);
    for (const char *at = pipeline_template(), *end; (end = strchr(at, '\n')); at = end + 1) {
        const char *words = at + 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz_");
        bool example = strncmp(at, "# [", 3) == 0 || (strncmp(at, "# ", 2) == 0 && strncmp(words, " = ", 3) == 0);
        text_addf(&text, "%.*s\n", (int)(end - at) - 2 * example, at + 2 * example);
    }
    write_program("pipeline");
    write_program("server");
    assert_int_equal(file_write_atomic("pipeline.toml", text.data, text.length_bytes, &diag), ERR_OK);
    if (pipeline_load(&p, "pipeline.toml", &arena, &diag) != ERR_OK)
        fail_msg("%s", diag_line(&diag, line, sizeof line));
    assert_int_equal(p->knob_count, 1);
    assert_int_equal(p->service_count, 1);
    assert_int_equal(p->candidate_count, 1);
    assert_int_equal(p->before_count, 1);
    assert_true(p->goal_rows_s > 0 && p->check.count > 0 && p->database_kind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_mistake_is_one_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_whole_file_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knobs_keep_values_as_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_small_file_has_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_have_a_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_failed_allocation_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mutated_files_never_crash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(programs_are_found_beside_the_file, in_folder, remove_folder),
        cmocka_unit_test_setup_teardown(unreadable_files_are_mistakes, in_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_template_needs_only_a_program, in_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_examples_of_the_template_are_right, in_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
