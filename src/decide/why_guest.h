/* why_guest - the rules of decide/why.c that go by the unit's status text: what the guest says there while it boots
 * (why_guest_says()), or machdeck when a start that failed is undone (readiness_stop()). */
#pragma once

#include "decide/why.h"

bool why_guest_waits(const struct why_facts *f);
void why_say_guest_waits(const struct why_facts *f, const char *line, char *ret);

bool why_is_undone(const struct why_facts *f);
void why_say_undone(const struct why_facts *f, const char *line, char *ret);
