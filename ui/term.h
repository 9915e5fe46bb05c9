/* term - the terminal: the only file that knows curses, and the only one that writes to the screen.
 *
 *   grid ─▶ curses ─▶ bytes in memory ─▶ terminal, as fast as it takes them
 *
 * curses finds the least bytes that change the screen but never touches the terminal: it writes into memory,
 * and what it wrote is sent without waiting. A terminal that is slow or stopped reading thus never stops the
 * program. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "ui/cells.h"

struct terminal;

/* term_open - take over the terminal on stdin and stdout; stderr is kept aside until the end.
 *
 * wake_fd  see restore.h; signals that end the program are noted from here on
 * errors   STATUS_UNSAFE_HOST: TERM is unset, dumb or not a name; nothing was written then
 * source   terminfo(5), console_codes(4), xterm's bracketed paste */
int term_open(int wake_fd, struct terminal **ret, struct err *e);
/* term_close - give it back as it was; waits half a second at most for it to take that. */
void term_close(struct terminal *t);

/* term_note - one sentence about what had to be guessed, or NULL. */
const char *term_note(const struct terminal *t);
/* term_is_ascii - whether the locale has no UTF-8. */
bool term_is_ascii(const struct terminal *t);
int term_input_fd(const struct terminal *t);
int term_output_fd(const struct terminal *t);

/* term_size - as it is now, at least 1x1. */
void term_size(const struct terminal *t, int *ret_w, int *ret_h);
/* term_read - what was typed; 0: the terminal is gone. */
size_t term_read(struct terminal *t, unsigned char *ret, size_t size);
/* term_has_input - whether term_read() would not wait. */
bool term_has_input(const struct terminal *t);

/* term_draw - show the grid; only what changed since the last one is sent, unless repaint. Not before
 * term_flush() returned 1: frames are left out, never queued. */
int term_draw(struct terminal *t, const struct grid *g, bool repaint, struct err *e);
/* term_flush - send what is waiting: 1 all is sent, 0 call again when the output is writable, -errno it is
 * gone. */
int term_flush(struct terminal *t);

/* term_suspend - give it back until term_resume(); a term_draw() with repaint must follow that. term_resume()
 * without term_suspend() sets the modes again: for who was stopped without having been asked. false: we are
 * in the background and must not draw; SIGCONT tells when that is over. */
void term_suspend(struct terminal *t);
bool term_resume(struct terminal *t);
