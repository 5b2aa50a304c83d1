/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/probe.h"

#include <curl/curl.h>
#include <stdio.h>

enum { PROBE_TIMEOUT_MS = 250, HTTP_OK = 200 };

static size_t ignore(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

static CURL *new_probe(const char *url)
{
    CURL *curl = curl_easy_init();
    if (!curl)
        return NULL;
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)PROBE_TIMEOUT_MS);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    return curl;
}

bool probe_port(unsigned port)
{
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
    CURL *curl = new_probe(url);
    if (!curl)
        return false;
    (void)curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    bool accepted = curl_easy_perform(curl) == CURLE_OK;
    curl_easy_cleanup(curl);
    return accepted;
}

bool probe_url(const char *url)
{
    long status = 0;
    CURL *curl = new_probe(url);
    if (!curl)
        return false;
    if (curl_easy_perform(curl) == CURLE_OK)
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    return status == HTTP_OK;
}
