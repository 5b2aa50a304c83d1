/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/download.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one file needs to know over all its tries. */
struct progress {
    CURL *curl;
    download_take *take;
    void *context;
    uint64_t received; /* bytes handed on */
    uint64_t skip;     /* of the answer at hand: bytes we had before */
    bool answered;     /* the first body bytes of this answer have come */
    char tag[128];     /* names the version of the file, for If-Range; "" = unknown */
};

enum status download_init(struct download *download, const struct download_options *options, struct stop *stop,
                          struct failure *failure)
{
    download->options = *options;
    return http_init(&download->http, stop, failure);
}

void download_fini(struct download *download)
{
    http_fini(&download->http);
}

/* Where the answer at hand starts in the file: a server may ignore the range and send all of it again. */
static bool place_answer(struct progress *progress)
{
    struct curl_header *header;
    long status = 0;
    curl_easy_getinfo(progress->curl, CURLINFO_RESPONSE_CODE, &status);
    progress->answered = true;
    progress->skip = progress->received;
    if (curl_easy_header(progress->curl, "ETag", 0, CURLH_HEADER, -1, &header) == CURLHE_OK &&
        header->value[0] == '"' && strlen(header->value) < sizeof progress->tag)
        strcpy(progress->tag, header->value);
    if (status != 206)
        return true;
    uint64_t first;
    if (curl_easy_header(progress->curl, "Content-Range", 0, CURLH_HEADER, -1, &header) != CURLHE_OK ||
        sscanf(header->value, "bytes %" SCNu64 "-", &first) != 1 || first != progress->received)
        return false;
    progress->skip = 0;
    return true;
}

static size_t take_body(char *data, size_t one, size_t bytes, void *context)
{
    struct progress *progress = context;
    long status = 0;
    (void)one;
    curl_easy_getinfo(progress->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status >= 300)
        return bytes; /* the text of an error page */
    if (!progress->answered && !place_answer(progress))
        return CURL_WRITEFUNC_ERROR;
    size_t known = progress->skip < bytes ? (size_t)progress->skip : bytes;
    progress->skip -= known;
    if (known < bytes && !progress->take(progress->context, data + known, bytes - known))
        return CURL_WRITEFUNC_ERROR;
    progress->received += bytes - known;
    return bytes;
}

/* One request, for what is still missing. */
static enum http_outcome fetch(struct http_reply *reply, struct download *download, struct progress *progress,
                               uint64_t deadline_ns)
{
    CURL *curl = download->http.curl;
    char range[32], header[160];
    struct curl_slist *headers = NULL;
    bool resume = progress->received > 0 && progress->tag[0] != '\0';
    if (resume) {
        snprintf(range, sizeof range, "%" PRIu64 "-", progress->received);
        snprintf(header, sizeof header, "If-Range: %s", progress->tag);
        headers = curl_slist_append(NULL, header);
    }
    progress->answered = false;
    curl_easy_setopt(curl, CURLOPT_RANGE, headers != NULL ? range : NULL);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    enum http_outcome outcome = http_perform(reply, &download->http, deadline_ns);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    return outcome;
}

static bool set_up(struct download *download, const char *url, struct progress *progress)
{
    CURL *curl = download->http.curl;
    long fresh = !download->options.keep_alive;
    return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, fresh) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, fresh) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, progress) == CURLE_OK;
}

enum status download_file(uint64_t *bytes, struct download *download, const char *name, download_take *take,
                          void *context, struct failure *failure)
{
    const struct download_options *options = &download->options;
    struct progress progress = {.curl = download->http.curl, .take = take, .context = context};
    struct http_reply reply;
    char url[2048];
    *bytes = 0;
    if ((size_t)snprintf(url, sizeof url, "%s/%s", options->base_url, name) >= sizeof url)
        return fail_with(failure, STATUS_USAGE, "--cdn: the address is too long");
    if (!set_up(download, url, &progress))
        return fail_no_memory(failure);
    uint64_t deadline_ns = stop_clock_ns() + options->timeout_ns;
    for (unsigned attempt = 1;; attempt++) {
        enum http_outcome outcome = fetch(&reply, download, &progress, deadline_ns);
        *bytes = progress.received;
        if (outcome == HTTP_DONE)
            return STATUS_OK;
        if (outcome == HTTP_REFUSED || attempt > options->retries ||
            !http_pause(&download->http, attempt, &reply, deadline_ns))
            return fail_with(failure, STATUS_DOWNLOAD, "%s: %s (try %u of %u)", http_shown(url), reply.what, attempt,
                             options->retries + 1);
    }
}
