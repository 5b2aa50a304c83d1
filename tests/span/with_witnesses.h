/* SPDX-License-Identifier: Apache-2.0
 *
 * The set-up of tests in which every span has a witness.
 */
#pragma once

#include "witness.h"

static struct witness *witnesses;

static int setup(void **state)
{
    witnesses = witnesses_new();
    return fixture_setup(state);
}

static int teardown(void **state)
{
    witnesses_free(witnesses);
    return fixture_teardown(state);
}

#define WITNESSED_TEST(body) cmocka_unit_test_setup_teardown(body, setup, teardown)
