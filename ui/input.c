#include "ui/input.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define ESCAPE_MSEC   25   /* an ESC that is alone; terminals send the rest of a sequence at once */
#define SEQUENCE_MSEC 500  /* over a slow line the rest of one may take a while */
#define PASTE_MSEC    2000 /* a paste whose end got lost must not swallow keys for ever */

static int take(struct input *in, int key)
{
	in->state = INPUT_GROUND;
	in->len = 0;
	in->sequence[0] = '\0';
	return key;
}

static int begin(struct input *in, enum input_state state)
{
	take(in, INPUT_NONE);
	in->state = state;
	return INPUT_NONE;
}

static void remember(struct input *in, unsigned char byte)
{
	if (in->len + 1 < sizeof(in->sequence))
		in->sequence[in->len++] = (char)byte;
	in->sequence[in->len] = '\0';
}

static int letter_key(unsigned char final)
{
	switch (final) {
	case 'A':
		return INPUT_UP;
	case 'B':
		return INPUT_DOWN;
	case 'C':
		return INPUT_RIGHT;
	case 'D':
		return INPUT_LEFT;
	case 'H':
		return INPUT_HOME;
	case 'F':
		return INPUT_END;
	case 'M':
		return INPUT_ENTER; /* the keypad's, in application mode */
	case 'P':
	case 'Q':
	case 'R':
	case 'S':
		return INPUT_F1 + (final - 'P');
	default:
		return INPUT_NONE;
	}
}

static int numbered_key(int number)
{
	static const struct {
		int number, key;
	} keys[] = {
		{ 1, INPUT_HOME },    { 7, INPUT_HOME },      { 4, INPUT_END },     { 8, INPUT_END },
		{ 5, INPUT_PAGE_UP }, { 6, INPUT_PAGE_DOWN }, { 11, INPUT_F1 },     { 12, INPUT_F1 + 1 },
		{ 13, INPUT_F1 + 2 }, { 14, INPUT_F1 + 3 },   { 15, INPUT_F1 + 4 }, { 17, INPUT_F1 + 5 },
		{ 18, INPUT_F1 + 6 }, { 19, INPUT_F1 + 7 },   { 20, INPUT_F1 + 8 }, { 21, INPUT_F10 },
	};

	for (size_t i = 0; i < COUNT(keys); i++)
		if (keys[i].number == number)
			return keys[i].key;
	return INPUT_NONE;
}

/* ESC [ PARAMETERS FINAL. Only plain keys count: with Shift, Alt or Ctrl ("1;5A") they are others. */
static int control_sequence(struct input *in, unsigned char final)
{
	bool plain = in->len == 0;

	if (final == '~' && !strcmp(in->sequence, "200"))
		return begin(in, INPUT_PASTING);
	if (final == '~' && in->len > 0 && strspn(in->sequence, "0123456789") == in->len)
		return take(in, numbered_key((int)strtol(in->sequence, NULL, 10)));
	if (plain && final == 'M') {
		in->wanted = 3;
		return begin(in, INPUT_MOUSE);
	}
	if (plain && final >= 'A' && final <= 'H')
		return take(in, letter_key(final));
	return take(in, INPUT_NONE);
}

static int after_escape(struct input *in, unsigned char byte)
{
	switch (byte) {
	case '[':
		return begin(in, INPUT_CSI);
	case 'O':
		return begin(in, INPUT_SS3);
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_':
		return begin(in, INPUT_STRING);
	case INPUT_ESC:
		return INPUT_ESC; /* the first was alone, the second may begin something */
	default:
		return take(in, INPUT_NONE); /* Alt and a key */
	}
}

static int in_paste(struct input *in, unsigned char byte)
{
	static const char end[] = "\x1b[201~";

	if (byte == INPUT_ESC)
		in->len = 0;
	remember(in, byte);
	if (in->len + 1 == sizeof(end) && !memcmp(in->sequence, end, in->len))
		return take(in, INPUT_PASTE);
	return INPUT_NONE;
}

static size_t utf8_length(unsigned char first)
{
	return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

static int on_ground(struct input *in, unsigned char byte)
{
	if (byte == INPUT_ESC)
		return begin(in, INPUT_ESCAPE);
	if (byte == '\n')
		return INPUT_ENTER;
	if (byte < 0x80)
		return byte;
	if (byte < 0xc2 || byte > 0xf4)
		return INPUT_NONE;
	begin(in, INPUT_UTF8);
	in->wanted = utf8_length(byte);
	remember(in, byte);
	return INPUT_NONE;
}

static int in_character(struct input *in, unsigned char byte)
{
	uint32_t code = 0;

	if ((byte & 0xc0) != 0x80) { /* broken off: this byte is the next one's */
		take(in, INPUT_NONE);
		return on_ground(in, byte);
	}
	remember(in, byte);
	if (in->len < in->wanted)
		return INPUT_NONE;
	return take(in, text_decode(in->sequence, in->len, &code) > 0 ? (int)code : INPUT_NONE);
}

int input_byte(struct input *in, unsigned char byte)
{
	switch (in->state) {
	case INPUT_GROUND:
		return on_ground(in, byte);
	case INPUT_ESCAPE:
		return after_escape(in, byte);
	case INPUT_CSI:
		if (byte == '[' && in->len == 0)
			return begin(in, INPUT_LINUX_F);
		if (byte == INPUT_ESC)
			return begin(in, INPUT_ESCAPE);
		if (byte >= 0x40 && byte <= 0x7e)
			return control_sequence(in, byte);
		remember(in, byte);
		return INPUT_NONE;
	case INPUT_SS3:
		return take(in, letter_key(byte));
	case INPUT_LINUX_F:
		return take(in, byte >= 'A' && byte <= 'E' ? INPUT_F1 + (byte - 'A') : INPUT_NONE);
	case INPUT_MOUSE:
		if (--in->wanted == 0)
			take(in, INPUT_NONE);
		return INPUT_NONE;
	case INPUT_STRING:
		if (byte == INPUT_ESC)
			return begin(in, INPUT_STRING_ESC);
		return byte == '\a' ? take(in, INPUT_NONE) : INPUT_NONE;
	case INPUT_STRING_ESC:
		return byte == '\\' ? take(in, INPUT_NONE) : begin(in, INPUT_STRING);
	case INPUT_PASTING:
		return in_paste(in, byte);
	case INPUT_UTF8:
		return in_character(in, byte);
	}
	return INPUT_NONE;
}

unsigned input_timeout(const struct input *in)
{
	switch (in->state) {
	case INPUT_GROUND:
		return 0;
	case INPUT_ESCAPE:
		return ESCAPE_MSEC;
	case INPUT_PASTING:
		return PASTE_MSEC;
	case INPUT_CSI:
	case INPUT_SS3:
	case INPUT_LINUX_F:
	case INPUT_MOUSE:
	case INPUT_STRING:
	case INPUT_STRING_ESC:
	case INPUT_UTF8:
		return SEQUENCE_MSEC;
	}
	return 0;
}

int input_expire(struct input *in)
{
	if (in->state == INPUT_ESCAPE)
		return take(in, INPUT_ESC);
	if (in->state == INPUT_PASTING)
		return take(in, INPUT_PASTE);
	return take(in, INPUT_NONE);
}
