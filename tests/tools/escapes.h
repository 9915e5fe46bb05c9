/* escapes - a strict reader of what a program writes to its terminal: what it does not know it counts, and it
 * remembers which modes are on.
 *
 * source  ECMA-48, xterm's ctlseqs, console_codes(4) */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define ESCAPES_MODES(X)                                                                                     \
	X(1, "application cursor keys")                                                                      \
	X(7, "no automatic margins")                                                                         \
	X(12, "blinking cursor")                                                                             \
	X(25, "hidden cursor")                                                                               \
	X(1000, "mouse")                                                                                     \
	X(1002, "mouse drags")                                                                               \
	X(1003, "mouse moves")                                                                               \
	X(1004, "focus")                                                                                     \
	X(1006, "mouse in SGR")                                                                              \
	X(1034, "meta key")                                                                                  \
	X(1049, "second screen")                                                                             \
	X(2004, "bracketed paste")                                                                           \
	X(2026, "held frame")

enum escapes_mode {
#define X(number, what) ESCAPES_MODE_##number,
	ESCAPES_MODES(X)
#undef X
		ESCAPES_MODE_COUNT
};

struct escapes {
	enum { ESCAPES_TEXT, ESCAPES_ESC, ESCAPES_CSI, ESCAPES_STRING, ESCAPES_STRING_ESC } state;
	char seen[64]; /* the sequence so far */
	size_t n_seen;
	bool on[ESCAPES_MODE_COUNT]; /* differs from what a terminal begins with */
	bool was_on[ESCAPES_MODE_COUNT];
	bool coloured, keypad, charset, margins;
	unsigned long unknown, sequences;
	char first_unknown[80];
};

static inline void escapes_unknown(struct escapes *s)
{
	size_t n = 0;

	if (s->unknown++ > 0)
		return;
	for (size_t i = 0; i < s->n_seen && n + 5 < sizeof(s->first_unknown); i++) {
		unsigned char c = (unsigned char)s->seen[i];

		n += (size_t)snprintf(s->first_unknown + n, sizeof(s->first_unknown) - n,
		                      c < 32 || c >= 127 ? "\\x%02x" : "%c", c);
	}
}

static inline void escapes_set_mode(struct escapes *s, const char *numbers, bool high)
{
	static const struct {
		unsigned number;
		bool differs_high; /* it is the high state that must not be left */
	} modes[] = {
#define X(number, what) { number, (number) != 7 && (number) != 25 },
		ESCAPES_MODES(X)
#undef X
	};
	unsigned number = 0;

	for (;; numbers++) {
		if (*numbers >= '0' && *numbers <= '9') {
			number = number * 10 + (unsigned)(*numbers - '0');
			continue;
		}
		size_t i = 0;
		while (i < ESCAPES_MODE_COUNT && modes[i].number != number)
			i++;
		if (i == ESCAPES_MODE_COUNT) {
			escapes_unknown(s);
		} else {
			s->on[i] = high == modes[i].differs_high;
			s->was_on[i] |= s->on[i];
		}
		number = 0;
		if (*numbers != ';')
			return;
	}
}

static inline void escapes_csi(struct escapes *s, char final)
{
	const char *arguments = s->seen + 2; /* after ESC [ */

	s->seen[s->n_seen] = '\0';
	if (*arguments == '?' && (final == 'h' || final == 'l')) {
		escapes_set_mode(s, arguments + 1, final == 'h');
	} else if (*arguments == '?' && final == 'p' && strstr(arguments, "$p")) {
		return; /* is this mode known? */
	} else if (*arguments == '?' && final == 'c') {
		return; /* the linux console's cursor */
	} else if (*arguments >= '<' && *arguments <= '?') {
		escapes_unknown(s);
	} else if (final == 'm') {
		s->coloured = strcmp(arguments, "m") != 0 && strcmp(arguments, "0m") != 0 &&
		              strcmp(arguments, "39;49m") != 0 && strcmp(arguments, "0;10m") != 0;
	} else if (final == 'r') {
		s->margins = true; /* a whole screen is set as a margin, too */
	} else if (!strchr("ABCDEFGHIJKLMPSTXZ@`abdefghlnt", final)) {
		escapes_unknown(s);
	}
}

static inline void escapes_esc(struct escapes *s, char c)
{
	s->state = ESCAPES_TEXT;
	switch (c) {
	case '[':
		s->state = ESCAPES_CSI;
		break;
	case ']':
	case 'P':
	case '_':
	case '^':
	case 'k': /* screen's title */
		s->state = ESCAPES_STRING;
		break;
	case '(':
	case ')':
	case '%':
	case '#':
		s->state = ESCAPES_ESC; /* one more byte */
		break;
	case '=':
	case '>':
		s->keypad = c == '=';
		break;
	case '7':
	case '8':
	case 'M':
	case 'D':
	case 'E':
	case 'H':
	case 'c':
	case '\\':
		break;
	default:
		if (s->n_seen == 3 && strchr("()%#", s->seen[1])) { /* the byte after one of those */
			if (s->seen[1] == '(')
				s->charset = c != 'B';
			break;
		}
		escapes_unknown(s);
	}
}

static inline void escapes_byte(struct escapes *s, char c)
{
	if (s->state != ESCAPES_TEXT && s->n_seen + 1 < sizeof(s->seen))
		s->seen[s->n_seen++] = c;
	switch (s->state) {
	case ESCAPES_TEXT:
		s->seen[0] = c;
		s->n_seen = 1;
		if (c == '\x1b') {
			s->sequences++;
			s->state = ESCAPES_ESC;
		} else if (c == '\x0e' || c == '\x0f') {
			s->charset = c == '\x0e';
		} else if ((c >= 0 && c < 32 && !strchr("\r\n\b\t\a", c)) || c == 127) {
			if (c != '\0') /* padding */
				escapes_unknown(s);
		}
		break;
	case ESCAPES_ESC:
		escapes_esc(s, c);
		break;
	case ESCAPES_CSI:
		if (c >= 0x40 && c <= 0x7e) {
			escapes_csi(s, c);
			s->state = ESCAPES_TEXT;
		} else if (c < 0x20 || c > 0x3f) {
			escapes_unknown(s);
			s->state = ESCAPES_TEXT;
		}
		break;
	case ESCAPES_STRING:
		if (c == '\a')
			s->state = ESCAPES_TEXT;
		else if (c == '\x1b')
			s->state = ESCAPES_STRING_ESC;
		break;
	case ESCAPES_STRING_ESC:
		s->state = c == '\\' ? ESCAPES_TEXT : ESCAPES_STRING;
		break;
	}
}

static inline void escapes_read(struct escapes *s, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		escapes_byte(s, bytes[i]);
}

/* escapes_left - a mode that is on, or NULL. */
static inline const char *escapes_left(const struct escapes *s)
{
	static const char *const what[] = {
#define X(number, what) what,
		ESCAPES_MODES(X)
#undef X
	};

	for (size_t i = 0; i < ESCAPES_MODE_COUNT; i++)
		if (s->on[i])
			return what[i];
	if (s->keypad)
		return "application keypad";
	if (s->charset)
		return "other characters";
	if (s->coloured)
		return "colours";
	return s->state != ESCAPES_TEXT ? "half a sequence" : NULL;
}
