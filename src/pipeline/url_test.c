/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"
#include "pipeline/fixture.h"

#include <stdio.h>

static void secrets_become_stars(void **state)
{
    (void)state;
    static const struct {
        const char *url, *shown;
    } cases[] = {
        {"", ""},
        {"sqlite:out/klines.db", "sqlite:out/klines.db"},
        {"http://127.0.0.1:9000/exec?query=1", "http://127.0.0.1:9000/exec?query=1"},
        {"postgres://me@host:5432/db", "postgres://me@host:5432/db"},
        {"postgres://me:hunter2@host:5432/db", "postgres://me:***@host:5432/db"},
        {"postgres://:hunter2@host", "postgres://:***@host"},
        {"postgres://me:@host", "postgres://me:***@host"},
        {"postgres://me:hun:t@er/2?#&@host/db", "postgres://me:***@host/db"},
        {"postgres://host/db?user=me&password=hunter2", "postgres://host/db?user=me&password=***"},
        {"postgres://host/db?password=hunter2&x=1", "postgres://host/db?password=***&x=1"},
        {"https://h/?access_token=abc&TOKEN=def#x", "https://h/?access_token=***&TOKEN=***"},
        {"postgres://a:b@h?sslpassword=c", "postgres://a:***@h?sslpassword=***"},
        {"host=h password=hunter2 dbname=d", "host=h password=*** dbname=d"},
        {"host=h password = 'hun ter\\'2' dbname=d", "host=h password = *** dbname=d"},
        {"host=h password=hun\\ ter2&x dbname=d", "host=h password=*** dbname=d"},
        {"password='unclosed secret", "password=***"},
        {"passwordless=1 host=h", "passwordless=1 host=h"},
        {"postgres://me:hunter2", "postgres://me:***"},
        {"http://127.0.0.1:{web.port}/x", "http://127.0.0.1:{web.port}/x"},
        {"http://[::1]:9000/x", "http://[::1]:9000/x"},
        {"file:///c:x", "file:///c:x"},
        {"http://h/?token=a://u:p&q@h/", "http://h/?token=***@h/"},
    };
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 65536);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(pipeline_url_redacted(cases[i].url, &arena), cases[i].shown);
}

static void without_memory_nothing_is_shown(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 10);
    assert_string_equal(pipeline_url_redacted("postgres://me:hunter2@host", &arena), "***");
}

/* Whatever the password is made of, it does not come out, and nothing is written behind the buffer (asan). */
static void no_password_comes_out(void **state)
{
    (void)state;
    static const char letters[] = "@/:?#&= '\\.{}[]%+pw";
    struct rng rng;
    rng_init(&rng, 7);
    for (int round = 0; round < 20000; round++) {
        AUTO(arena_fini) struct arena arena;
        char middle[12] = {0}, url[128];
        arena_init(&arena, 4096);
        for (size_t i = 0, count = (size_t)rng_below(&rng, sizeof middle); i < count; i++)
            middle[i] = letters[rng_below(&rng, sizeof letters - 1)];
        (void)snprintf(url, sizeof url, "%s://user:%sSECRET%s@host/x?y=z", round % 2 ? "http" : "postgres", middle,
                       middle);
        assert_null(strstr(pipeline_url_redacted(url, &arena), "SECRET"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_become_stars),
        cmocka_unit_test(without_memory_nothing_is_shown),
        cmocka_unit_test(no_password_comes_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
