/* SPDX-License-Identifier: Apache-2.0
 * The examples of FIPS 180-4 (NIST's SHA-256 example values), and the lengths around a block's end against themselves
 * added byte by byte. */
#include "base/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *expected, const char *text, size_t repeat)
{
    struct sha256 hash;
    char out[SHA256_TEXT_BYTES];
    sha256_init(&hash);
    for (size_t i = 0; i < repeat; i++)
        sha256_add(&hash, text, strlen(text));
    assert_string_equal(sha256_text(out, &hash), expected);
}

static void examples_of_the_standard(void **state)
{
    (void)state;
    expect("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "", 1);
    expect("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "abc", 1);
    expect("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
           "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1);
    expect("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", "aaaaaaaaaa", 100000);
}

static void pieces_do_not_matter(void **state)
{
    (void)state;
    char text[200];
    memset(text, 'x', sizeof text);
    for (size_t length = 0; length <= sizeof text; length++) {
        struct sha256 whole, pieces;
        char a[SHA256_TEXT_BYTES], b[SHA256_TEXT_BYTES];
        sha256_init(&whole);
        sha256_init(&pieces);
        sha256_add(&whole, text, length);
        for (size_t i = 0; i < length; i++)
            sha256_add(&pieces, text + i, 1);
        assert_string_equal(sha256_text(a, &whole), sha256_text(b, &pieces));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_standard),
        cmocka_unit_test(pieces_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
