/* SPDX-License-Identifier: Apache-2.0
 *
 * Passwords in addresses. When in doubt more is hidden than needed: a password may itself hold '@', '/' or '?'.
 */
#include "pipeline/pipeline.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char HIDDEN[] = "***";

struct writer {
    char *out;
    size_t length;
};

static void write_bytes(struct writer *writer, const char *bytes, size_t count)
{
    memcpy(writer->out + writer->length, bytes, count);
    writer->length += count;
}

/* The length of a word at `at` after which a secret follows, its '=' included: "password=", "token = "; else 0. */
static size_t secret_key(const char *at)
{
    static const char *const words[] = {"password", "passwd",     "pwd",     "token",
                                        "secret",   "passphrase", "api_key", "apikey"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        if (strncasecmp(at, words[i], length) != 0)
            continue;
        length += strspn(at + length, " ");
        if (at[length] == '=')
            return length + 1 + strspn(at + length + 1, " ");
    }
    return 0;
}

/* The length of the value at `at`: libpq's forms ('quoted', or up to a space, with backslashes), or up to '&' in a URL.
 */
static size_t secret_value(const char *at, bool is_url)
{
    bool quoted = !is_url && at[0] == '\'';
    size_t length = quoted;
    for (; at[length]; length++) {
        if (quoted && at[length] == '\'')
            return length + 1;
        if (is_url ? at[length] == '&' : !quoted && isspace((unsigned char)at[length]))
            break;
        if (!is_url && at[length] == '\\' && at[length + 1])
            length++;
    }
    return length;
}

/* The password of "://user:password@": from behind the colon to the last '@'. Of an address that was cut before its '@'
 * everything behind the colon, unless it looks like a port. */
static const char *find_password(const char **end, const char *url)
{
    const char *authority = strstr(url, "://");
    if (!authority)
        return NULL;
    authority += 3;
    *end = strrchr(authority, '@');
    const char *colon =
        *end ? memchr(authority, ':', (size_t)(*end - authority)) : authority + strcspn(authority, ":/?#[ ");
    if (!colon || *colon != ':')
        return NULL;
    if (*end)
        return colon + 1;
    *end = colon + strlen(colon);
    return isdigit((unsigned char)colon[1]) || colon[1] == '{' ? NULL : colon + 1;
}

const char *pipeline_url_redacted(const char *url, struct arena *arena)
{
    /* Each secret replaced has at least one byte of its own ("=" or ":") before it. */
    struct writer writer = {.out = arena_alloc(arena, strlen(url) + 1, sizeof HIDDEN, 1)};
    if (!writer.out)
        return HIDDEN;
    const char *password_end = NULL, *password = find_password(&password_end, url);
    bool is_url = strstr(url, "://");
    for (const char *at = url; *at;) {
        size_t key = secret_key(at);
        if (at == password) {
            write_bytes(&writer, HIDDEN, sizeof HIDDEN - 1);
            at = password_end;
            password = NULL;
        } else if (key) {
            write_bytes(&writer, at, key);
            write_bytes(&writer, HIDDEN, sizeof HIDDEN - 1);
            at += key + secret_value(at + key, is_url);
            if (password && at > password && at < password_end)
                at = password_end;
        } else {
            write_bytes(&writer, at++, 1);
        }
    }
    writer.out[writer.length] = '\0';
    return writer.out;
}
