/* input - bytes from a terminal to keys. Pure: no terminal, no waiting, no clock.
 *
 * Escape sequences are taken as a whole: the ones that are keys become keys, all others (answers of the
 * terminal, mouse, focus, broken ones) become nothing, so that no byte inside them is ever taken for a key. A
 * bracketed paste becomes one INPUT_PASTE. Sequences as xterm, tmux, screen, linux, rxvt and vt100 send them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A key is its code point (control characters as they are: Ctrl-L is 12), or one of these. */
enum {
	INPUT_NONE = 0,
	INPUT_TAB = '\t',
	INPUT_ENTER = '\r',
	INPUT_ESC = 0x1b,
	INPUT_UP = 0x110000,
	INPUT_DOWN,
	INPUT_LEFT,
	INPUT_RIGHT,
	INPUT_HOME,
	INPUT_END,
	INPUT_PAGE_UP,
	INPUT_PAGE_DOWN,
	INPUT_F1,
	INPUT_F10 = INPUT_F1 + 9,
	INPUT_PASTE, /* a paste ended; what was in it is gone */
};

#define INPUT_SEQUENCE_MAX 64 /* a longer one is dropped as it comes */

enum input_state {
	INPUT_GROUND,
	INPUT_ESCAPE,  /* after ESC */
	INPUT_CSI,     /* after ESC [ */
	INPUT_SS3,     /* after ESC O */
	INPUT_LINUX_F, /* after ESC [ [ */
	INPUT_MOUSE,   /* three bytes after ESC [ M */
	INPUT_STRING,  /* OSC, DCS, ... until ST or BEL */
	INPUT_STRING_ESC,
	INPUT_PASTING,
	INPUT_UTF8,
};

struct input {
	enum input_state state;
	char sequence[INPUT_SEQUENCE_MAX];
	size_t len;
	size_t wanted; /* bytes of the character or mouse report that has begun */
};

/* input_byte - the next byte; returns a key, or INPUT_NONE when it takes more or means nothing. */
int input_byte(struct input *in, unsigned char byte);
/* input_timeout - milliseconds without a byte after which input_expire() is due; 0: nothing has begun. */
unsigned input_timeout(const struct input *in);
/* input_expire - no byte came: a lone ESC is the key; what else has begun is dropped. */
int input_expire(struct input *in);
