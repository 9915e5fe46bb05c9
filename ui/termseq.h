/* termseq - bytes for a terminal that terminfo has no names for. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Private modes of xterm that others took over; ctlseqs "DECSET". */
#define TERMSEQ_PASTE_ON  "\x1b[?2004h"
#define TERMSEQ_PASTE_OFF "\x1b[?2004l"
#define TERMSEQ_MOUSE_ON  "\x1b[?1000h\x1b[?1006h"
#define TERMSEQ_MOUSE_OFF "\x1b[?1006l\x1b[?1000l"
#define TERMSEQ_SYNC_ON   "\x1b[?2026h"
#define TERMSEQ_SYNC_OFF  "\x1b[?2026l"
#define TERMSEQ_SYNC_ASK  "\x1b[?2026$p" /* answered by what input.h has as INPUT_SYNC_KNOWN */

#define TERMSEQ_COPY_MAX 74000 /* bytes of text; xterm takes 100,000 of base64 */

/* termseq_copy - OSC 52: text to the clipboard of who sits at the terminal, through tmux and screen.
 *
 * term     the terminal's type; in_tmux: TMUX is set, whatever the type says
 * returns  false, and nothing is added: this type has no clipboard (linux, vt100), or the text is empty or
 *          too long
 * source   xterm ctlseqs "Manipulate Selection Data"; tmux(1) allow-passthrough, set-clipboard;
 *          screen(1) DCS */
bool termseq_copy(struct buf *to, const char *term, bool in_tmux, const char *text, size_t len);

/* termseq_is_name - whether it can be a terminal's type. */
bool termseq_is_name(const char *term);
/* termseq_is_modern - whether the type is of those whose terminals ignore private modes that they do not
 * know. */
bool termseq_is_modern(const char *term);
