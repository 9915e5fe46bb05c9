/* doer_choices - what the fields of a form can be completed with: what the host has, and what is free on it. */
#pragma once

#include "ui/form.h"
#include "words/snapshot.h"

/* doer_choices - fills all of choices but those of paths, of this moment; name's own addresses and ports count as free. What
 * the host does not tell is left out. */
void doer_choices(const struct snapshot *s, const char *name, struct strs choices[static CHOICE_COUNT]);
