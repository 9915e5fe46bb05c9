/* show - how verbs print machines: text for people, JSON for programs. All of it is printable, whatever it
 * came from. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "words/machine.h"

/* show_text - foreign text, made printable; "-" for NULL and "". */
void show_text(struct buf *to, const char *text);
/* show_reason - why it is not well, and the cause's word in brackets. */
void show_reason(struct buf *to, const struct machine *m);
/* show_age - "59s", "59m", "47h", "3d"; "-" when since is 0. */
void show_age(uint64_t since_usec, uint64_t now_usec, char ret[static 24]);
/* show_time - "2026-11-22T13:56:01Z"; show_local_time - the same as people read it, in their zone. */
void show_time(uint64_t usec, char ret[static 32]);
void show_local_time(uint64_t usec, char ret[static 32]);
/* show_state - the state's word, or "frozen"; in its colour when on_terminal. */
void show_state(struct buf *to, const struct machine *m, bool on_terminal);
/* show_colours - whether stdout is a terminal that is to have colours (NO_COLOR). */
bool show_colours(void);

/* show_json_text - a string, or null for NULL; show_json_lines - of a file, whose lines and tabs stay; show_json_texts -
 * an array. NULL without memory, which jansson carries on. */
json_t *show_json_text(const char *text);
json_t *show_json_lines(const struct buf *text);
json_t *show_json_texts(const struct strs *texts);
/* show_machine - one row of `list --json`; NULL when out of memory. */
json_t *show_machine(const struct machine *m);
/* show_json - print the document, NULL meaning out of memory, and drop it; returns the exit status. */
int show_json(json_t *document);
