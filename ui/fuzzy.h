/* fuzzy - how well letters that were typed fit a text: "swb" fits "Start web". Pure.
 *
 * All letters must be there in their order; blanks in the pattern and the case of ASCII letters do not count.
 * Beginnings of words, of the text, and letters that follow each other count more. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FUZZY_PATTERN 48  /* letters of a pattern, more are not looked at */
#define FUZZY_TEXT    160 /* bytes of a text, letters behind are not found */

/* fuzzy_score - the higher the better; -1: it does not fit. An empty pattern fits everything with 0.
 *
 * ret_at  may be NULL; else room for FUZZY_PATTERN: the bytes of text that were matched, ascending, ret_n
 * (may be NULL) of them */
int fuzzy_score(const char *pattern, const char *text, uint8_t *ret_at, size_t *ret_n);
