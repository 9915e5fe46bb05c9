/* input - bytes from a terminal to keys. Pure: no terminal, no waiting, no clock.
 *
 * Escape sequences are taken as a whole: the ones that mean something become one key, all others (answers of
 * the terminal, broken ones) become nothing, so that no byte inside them is ever taken for a key. Characters
 * of a bracketed paste are marked as such: no action has them as its key, so that only text prompts take
 * them. Sequences as xterm, tmux, screen, linux, rxvt and vt100 send them. */
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
	INPUT_BACKSPACE = 0x7f, /* Ctrl-H too */
	INPUT_UP = 0x110000,
	INPUT_DOWN,
	INPUT_LEFT,
	INPUT_RIGHT,
	INPUT_HOME,
	INPUT_END,
	INPUT_PAGE_UP,
	INPUT_PAGE_DOWN,
	INPUT_DELETE,
	INPUT_BACKTAB,
	INPUT_F1,
	INPUT_F10 = INPUT_F1 + 9,
	INPUT_F12 = INPUT_F1 + 11,
	INPUT_PASTE,      /* a paste ended */
	INPUT_MOUSE,      /* see struct input's mouse */
	INPUT_FOCUS_IN,   /* the terminal has the keyboard again */
	INPUT_FOCUS_OUT,  /* it lost it */
	INPUT_SYNC_KNOWN, /* the terminal answered that it knows synchronized output (DECRQM 2026) */
};

/* Or-ed to the code point of a character that was pasted; ends of lines and tabs are blanks, other controls
 * and sequences are left out. */
#define INPUT_PASTED 0x1000000

#define INPUT_SEQUENCE_MAX 64 /* a longer one is dropped as it comes */

enum input_state {
	INPUT_GROUND,
	INPUT_ESCAPE,    /* after ESC */
	INPUT_CSI,       /* after ESC [ */
	INPUT_SS3,       /* after ESC O */
	INPUT_LINUX_F,   /* after ESC [ [ */
	INPUT_MOUSE_X10, /* three bytes after ESC [ M */
	INPUT_STRING,    /* OSC, DCS, ... until ST or BEL */
	INPUT_STRING_ESC,
	INPUT_PASTING,
	INPUT_PASTING_UTF8,
	INPUT_PASTING_ESC, /* what may be the end of the paste */
	INPUT_UTF8,
};

enum input_button {
	INPUT_BUTTON_LEFT,
	INPUT_BUTTON_MIDDLE,
	INPUT_BUTTON_RIGHT,
	INPUT_WHEEL_UP,
	INPUT_WHEEL_DOWN,
};

struct input_mouse { /* a button was pressed; releases and motion are nothing */
	int x, y;    /* cells from the upper left, which is 0,0 */
	enum input_button button;
};

struct input {
	enum input_state state;
	char sequence[INPUT_SEQUENCE_MAX];
	size_t len;
	size_t wanted;            /* bytes of the character or mouse report that has begun */
	unsigned escape_msec;     /* after which an ESC was alone, see input_escape_msec(); 0: 25 */
	struct input_mouse mouse; /* with INPUT_MOUSE, until the next byte */
};

/* input_byte - the next byte; returns a key, or INPUT_NONE when it takes more or means nothing. */
int input_byte(struct input *in, unsigned char byte);
/* input_timeout - milliseconds without a byte after which input_expire() is due; 0: nothing has begun. */
unsigned input_timeout(const struct input *in);
/* input_expire - no byte came: a lone ESC is the key; what else has begun is dropped. */
int input_expire(struct input *in);

/* input_escape_msec - milliseconds to wait after an ESC: setting when it is not 0, else ESCDELAY's, else 25,
 * or 100 over SSH, where the bytes of a sequence may come apart. Terminals send them at once.
 *
 * escdelay, ssh  values of ESCDELAY and SSH_CONNECTION, NULL when not set
 * source         curs_variables(3X) ESCDELAY */
unsigned input_escape_msec(unsigned setting, const char *escdelay, const char *ssh);

#define INPUT_DOUBLE_USEC 400000

struct input_click { /* the last one */
	struct input_mouse mouse;
	uint64_t at_usec;
};

/* input_is_double - whether this press at now_usec (any clock) is the second on the same row with the same
 * button; the third is a first one again. */
bool input_is_double(struct input_click *last, const struct input_mouse *now, uint64_t now_usec);
