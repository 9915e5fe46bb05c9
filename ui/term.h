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
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "ui/cells.h"
#include "ui/theme.h"

struct terminal;

/* term_open - take over the terminal on stdin and stdout; stderr is kept aside until the end.
 *
 * wake_fd  see restore.h; signals that end the program are noted from here on
 * A type that is not set or not known is taken for one that nearly all terminals understand; term_note() says
 * so.
 *
 * errors   -ENOTSUP STATUS_UNSAFE_HOST: TERM is dumb, not a name, or can not place its cursor: only lines can
 *          be shown here; nothing was written then
 * source   terminfo(5), console_codes(4), xterm's bracketed paste */
int term_open(int wake_fd, struct terminal **ret, struct err *e);
/* term_close - give it back as it was; waits half a second at most for it to take that. */
void term_close(struct terminal *t);

/* term_note - one sentence about what had to be guessed, or NULL. */
const char *term_note(const struct terminal *t);
/* term_set_ascii - show only ASCII, whatever the locale; off: what the locale has. */
void term_set_ascii(struct terminal *t, bool ascii);
bool term_is_ascii(const struct terminal *t);
/* term_has_blocks - whether its font has the bars of ui/spark.h. */
bool term_has_blocks(const struct terminal *t);

/* term_set_theme - from the next term_draw() on, with repaint. It starts with THEME_DEFAULT and
 * THEME_COLOR_AUTO.
 */
void term_set_theme(struct terminal *t, enum theme theme, enum theme_color color);

/* All of these are off at first, and false when this terminal can not. Events come as keys of input.h. */

/* term_set_mouse - presses and the wheel. The terminal's own selection then needs Shift: the person's choice.
 */
bool term_set_mouse(struct terminal *t, bool on);
/* term_ask_sync - ask whether it can show a frame at once, before the first frame: some terminals draw a
 * letter of the question, which that wipes away. On INPUT_SYNC_KNOWN call term_use_sync(). Where terminfo
 * tells (Sync) it is used without asking. */
bool term_ask_sync(struct terminal *t);
void term_use_sync(struct terminal *t);

/* term_copy - text to the clipboard of who sits at the terminal; false: it has none, or the text is too long.
 * That it arrived can not be known. */
bool term_copy(struct terminal *t, const char *text, size_t len);
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

/* term_bell - with the next term_flush(). */
void term_bell(struct terminal *t);
/* term_bytes - sent so far. */
uint64_t term_bytes(const struct terminal *t);

/* term_suspend - give it back until term_resume(); a term_draw() with repaint must follow that. term_resume()
 * without term_suspend() sets the modes again: for who was stopped without having been asked. false: we are
 * in the background and must not draw; SIGCONT tells when that is over. */
void term_suspend(struct terminal *t);
bool term_resume(struct terminal *t);

/* A child gets the terminal: term_lend() gives it back as it was, with stderr; start the child in a process
 * group of its own; term_lend_to() puts that group into the foreground and wakes it, should it have read too
 * early. When the child ended or stopped, term_take_back() as term_resume(). Meanwhile nothing may be drawn.
 */
void term_lend(struct terminal *t);
int term_lend_to(struct terminal *t, pid_t group, struct err *e);
bool term_take_back(struct terminal *t);
