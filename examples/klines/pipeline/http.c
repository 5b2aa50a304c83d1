/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/http.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL

enum { CONNECT_TIMEOUT_MS = 5000, STALLED_S = 10, PAUSE_FIRST_MS = 100, PAUSE_LONGEST_MS = 5000 };

enum status http_start(struct failure *failure)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fail_with(failure, STATUS_INTERNAL, "libcurl does not start");
    return STATUS_OK;
}

static int stop_asked(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    return stop_raised(context);
}

enum status http_init(struct http *http, struct stop *stop, struct failure *failure)
{
    *http = (struct http){.curl = curl_easy_init(), .stop = stop};
    if (http->curl == NULL)
        return fail_no_memory(failure);
    CURL *curl = http->curl;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "klines");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->error);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, stop_asked);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, stop);
    return STATUS_OK;
}

void http_fini(struct http *http)
{
    curl_easy_cleanup(http->curl);
    http->curl = NULL;
}

static enum http_outcome judge_answer(struct http_reply *reply, CURL *curl)
{
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after_s);
    if (retry_after_s > 0 && retry_after_s < 3600)
        reply->retry_after_ns = (uint64_t)retry_after_s * NS_PER_S;
    if (reply->status >= 200 && reply->status < 300)
        return HTTP_DONE;
    snprintf(reply->what, sizeof reply->what, "HTTP status %ld", reply->status);
    return reply->status == 408 || reply->status == 429 || reply->status >= 500 ? HTTP_TRY_AGAIN : HTTP_REFUSED;
}

static enum http_outcome judge_failure(CURLcode code)
{
    switch (code) {
    case CURLE_WRITE_ERROR: /* we did not want the bytes */
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_PEER_FAILED_VERIFICATION:
        return HTTP_REFUSED;
    default:
        return HTTP_TRY_AGAIN;
    }
}

enum http_outcome http_perform(struct http_reply *reply, struct http *http, uint64_t deadline_ns)
{
    *reply = (struct http_reply){0};
    uint64_t now_ns = stop_clock_ns();
    if (now_ns >= deadline_ns) {
        snprintf(reply->what, sizeof reply->what, "the deadline has passed");
        return HTTP_REFUSED;
    }
    http->error[0] = '\0';
    curl_easy_setopt(http->curl, CURLOPT_TIMEOUT_MS, (long)((deadline_ns - now_ns) / NS_PER_MS + 1));
    CURLcode code = curl_easy_perform(http->curl);
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &reply->status);
    if (code == CURLE_OK)
        return judge_answer(reply, http->curl);
    snprintf(reply->what, sizeof reply->what, "%s", http->error[0] ? http->error : curl_easy_strerror(code));
    return judge_failure(code);
}

bool http_pause(struct http *http, unsigned attempt, const struct http_reply *reply, uint64_t deadline_ns)
{
    uint64_t now_ns = stop_clock_ns(),
             pause_ns = (uint64_t)PAUSE_FIRST_MS * NS_PER_MS << (attempt < 8 ? attempt - 1 : 7);
    if (pause_ns > PAUSE_LONGEST_MS * NS_PER_MS)
        pause_ns = PAUSE_LONGEST_MS * NS_PER_MS;
    pause_ns += pause_ns / 2 * (now_ns % 1000) / 1000; /* clients that failed together do not come back together */
    if (reply->retry_after_ns > pause_ns)
        pause_ns = reply->retry_after_ns;
    return now_ns + pause_ns < deadline_ns && stop_sleep_until(http->stop, now_ns + pause_ns);
}

const char *http_shown(const char *address)
{
    const char *scheme_end = strstr(address, "://");
    const char *host = scheme_end != NULL ? scheme_end + 3 : address;
    const char *at = memrchr(host, '@', strcspn(host, "/"));
    return at != NULL ? at + 1 : address;
}
