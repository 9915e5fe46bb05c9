/* journal_child - one question to this host's journal, answered by a child as text: a journal file that is
 * truncated meanwhile kills its reader by SIGBUS (M18). For drivers/journal and drivers/journal_events. */
#pragma once

#include <stddef.h>
#include <stdio.h>
#include <systemd/sd-event.h>
#include <systemd/sd-journal.h>

#include "base/err.h"

#define JOURNAL_CHILD_USEC 2000000 /* within which it must have answered */

/* In the child: look into the journal and write the answer. Returns 0, or -1 when it can not. */
typedef int journal_look_fn(sd_journal *j, FILE *answer, const void *question);

/* r: 0, -EACCES (the caller may not read the journal), -EIO, -ETIMEDOUT; then text is "". text may be
 * changed. */
typedef void journal_answer_fn(int r, char *text, const struct err *e, void *arg);

/* journal_child_ask - answered is called from the loop exactly once; ret is gone then. question is copied by
 * the fork. At most `max` bytes are taken. journal_child_cancel - without a call-back; NULL is fine. */
struct journal_child;
int journal_child_ask(sd_event *loop, journal_look_fn *look, const void *question, size_t max,
                      journal_answer_fn *answered, void *arg, struct journal_child **ret, struct err *e);
void journal_child_cancel(struct journal_child *c);

/* journal_field - for look: the value of the entry's field; it lives until the next call; NULL: it has none.
 */
const char *journal_field(sd_journal *j, const char *name, size_t *ret_len);
/* journal_match - for look: like sd_journal_add_match() of KEY=VALUE. */
void journal_match(sd_journal *j, const char *key, const char *value);
