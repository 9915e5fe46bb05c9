#include "ui/input.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"

#define ESCAPE_MSEC     25
#define ESCAPE_SSH_MSEC 100
#define ESCAPE_MAX_MSEC 5000

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
	case 'a': /* with Ctrl, in rxvt */
		return INPUT_UP;
	case 'B':
	case 'b':
		return INPUT_DOWN;
	case 'C':
	case 'c':
		return INPUT_RIGHT;
	case 'D':
	case 'd':
		return INPUT_LEFT;
	case 'H':
		return INPUT_HOME;
	case 'F':
		return INPUT_END;
	case 'I':
		return INPUT_FOCUS_IN;
	case 'M':
		return INPUT_ENTER; /* the keypad's, in application mode */
	case 'O':
		return INPUT_FOCUS_OUT;
	case 'P':
	case 'Q':
	case 'R':
	case 'S':
		return INPUT_F1 + (final - 'P');
	case 'Z':
		return INPUT_BACKTAB;
	default:
		return INPUT_NONE;
	}
}

static int numbered_key(long number)
{
	static const struct {
		long number;
		int key;
	} keys[] = {
		{ 1, INPUT_HOME },    { 7, INPUT_HOME },      { 4, INPUT_END },     { 8, INPUT_END },
		{ 5, INPUT_PAGE_UP }, { 6, INPUT_PAGE_DOWN }, { 3, INPUT_DELETE },  { 11, INPUT_F1 },
		{ 12, INPUT_F1 + 1 }, { 13, INPUT_F1 + 2 },   { 14, INPUT_F1 + 3 }, { 15, INPUT_F1 + 4 },
		{ 17, INPUT_F1 + 5 }, { 18, INPUT_F1 + 6 },   { 19, INPUT_F1 + 7 }, { 20, INPUT_F1 + 8 },
		{ 21, INPUT_F10 },    { 23, INPUT_F1 + 10 },  { 24, INPUT_F12 },
	};

	for (size_t i = 0; i < COUNT(keys); i++)
		if (keys[i].number == number)
			return keys[i].key;
	return INPUT_NONE;
}

/* A press as xterm counts it: 0 to 2 the buttons, 64 and 65 the wheel; 4, 8, 16 are keys held with it. */
static int mouse_key(struct input *in, long button, long x, long y)
{
	const long held = 4 | 8 | 16;

	switch (button & ~held) {
	case 0:
	case 1:
	case 2:
		in->mouse.button = (enum input_button)(button & 3);
		break;
	case 64:
	case 65:
		in->mouse.button = button & 1 ? INPUT_WHEEL_DOWN : INPUT_WHEEL_UP;
		break;
	default: /* releases in the old form, motion, buttons of which there are few */
		return take(in, INPUT_NONE);
	}
	if (x < 1 || y < 1 || x > UINT16_MAX || y > UINT16_MAX)
		return take(in, INPUT_NONE);
	in->mouse.x = (int)x - 1;
	in->mouse.y = (int)y - 1;
	return take(in, INPUT_MOUSE);
}

/* Numbers parted by semicolons, as many as there are; 0: it is something else. */
static size_t numbers(const char *text, long ret[static 3])
{
	size_t n = 0;

	for (;;) {
		char *end;

		if (*text < '0' || *text > '9' || n == 3)
			return 0;
		ret[n++] = strtol(text, &end, 10);
		if (!*end)
			return n;
		if (*end != ';')
			return 0;
		text = end + 1;
	}
}

static int in_mouse_x10(struct input *in, unsigned char byte)
{
	remember(in, byte);
	if (--in->wanted > 0)
		return INPUT_NONE;
	return mouse_key(in, (unsigned char)in->sequence[0] - 32, (unsigned char)in->sequence[1] - 32,
	                 (unsigned char)in->sequence[2] - 32);
}

/* ESC [ PARAMETERS FINAL. Only plain keys count, and arrows with Ctrl ("1;5A"): with others held they are
 * others. */
static int control_sequence(struct input *in, unsigned char final)
{
	const char *parameters = in->sequence;
	long v[3];

	if (final == '~' && !strcmp(parameters, "200"))
		return begin(in, INPUT_PASTING);
	if (final == '~')
		return take(in, numbers(parameters, v) == 1 ? numbered_key(v[0]) : INPUT_NONE);
	if (final == 'y')
		return take(in, !strcmp(parameters, "?2026;1$") || !strcmp(parameters, "?2026;2$")
		                        ? INPUT_SYNC_KNOWN
		                        : INPUT_NONE);
	if (final == 'M' && parameters[0] == '<' && numbers(parameters + 1, v) == 3) /* 1006 */
		return mouse_key(in, v[0], v[1], v[2]);
	if (final == 'M' && numbers(parameters, v) == 3) /* 1015 */
		return mouse_key(in, v[0] - 32, v[1], v[2]);
	if (final == 'M' && in->len == 0) {
		begin(in, INPUT_MOUSE_X10);
		in->wanted = 3;
		return INPUT_NONE;
	}
	if (in->len == 0 && final >= 'A' && final <= 'Z' && final != 'P') /* ESC [ P is Pause on linux */
		return take(in, letter_key(final));
	if (final >= 'A' && final <= 'D' && !strcmp(parameters, "1;5"))
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

static size_t utf8_length(unsigned char first)
{
	return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

static int begin_character(struct input *in, unsigned char first, enum input_state state)
{
	if (first < 0xc2 || first > 0xf4)
		return INPUT_NONE;
	begin(in, state);
	in->wanted = utf8_length(first);
	remember(in, first);
	return INPUT_NONE;
}

static int on_ground(struct input *in, unsigned char byte)
{
	if (byte == INPUT_ESC)
		return begin(in, INPUT_ESCAPE);
	if (byte == '\n')
		return INPUT_ENTER;
	if (byte == '\b')
		return INPUT_BACKSPACE;
	return byte < 0x80 ? byte : begin_character(in, byte, INPUT_UTF8);
}

static int in_paste(struct input *in, unsigned char byte)
{
	if (byte == INPUT_ESC)
		return begin(in, INPUT_PASTING_ESC);
	if (byte == '\n' || byte == '\r' || byte == '\t')
		return ' ' | INPUT_PASTED;
	if (byte < ' ' || byte == 0x7f)
		return INPUT_NONE;
	return byte < 0x80 ? byte | INPUT_PASTED : begin_character(in, byte, INPUT_PASTING_UTF8);
}

/* The end of a paste, as far as it has come; a sequence that is another one is no text. */
static int in_paste_end(struct input *in, unsigned char byte)
{
	static const char end[] = "[201~";

	if (in->len < strlen(end) && byte == (unsigned char)end[in->len]) {
		remember(in, byte);
		return in->len == strlen(end) ? take(in, INPUT_PASTE) : INPUT_NONE;
	}
	begin(in, INPUT_PASTING);
	return in_paste(in, byte);
}

static int in_character(struct input *in, unsigned char byte)
{
	bool in_a_paste = in->state == INPUT_PASTING_UTF8;
	uint32_t code = 0;

	if ((byte & 0xc0) != 0x80) { /* broken off: this byte is the next one's */
		begin(in, in_a_paste ? INPUT_PASTING : INPUT_GROUND);
		return in_a_paste ? in_paste(in, byte) : on_ground(in, byte);
	}
	remember(in, byte);
	if (in->len < in->wanted)
		return INPUT_NONE;
	if (text_decode(in->sequence, in->len, &code) == 0 || (code >= 0x80 && code <= 0x9f))
		code = INPUT_NONE;
	begin(in, in_a_paste ? INPUT_PASTING : INPUT_GROUND);
	return in_a_paste && code != INPUT_NONE ? (int)code | INPUT_PASTED : (int)code;
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
	case INPUT_MOUSE_X10:
		return in_mouse_x10(in, byte);
	case INPUT_STRING:
		if (byte == INPUT_ESC)
			return begin(in, INPUT_STRING_ESC);
		return byte == '\a' ? take(in, INPUT_NONE) : INPUT_NONE;
	case INPUT_STRING_ESC:
		return byte == '\\' ? take(in, INPUT_NONE) : begin(in, INPUT_STRING);
	case INPUT_PASTING:
		return in_paste(in, byte);
	case INPUT_PASTING_ESC:
		return in_paste_end(in, byte);
	case INPUT_PASTING_UTF8:
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
		return in->escape_msec ? in->escape_msec : ESCAPE_MSEC;
	case INPUT_PASTING:
	case INPUT_PASTING_ESC:
	case INPUT_PASTING_UTF8:
		return PASTE_MSEC;
	case INPUT_CSI:
	case INPUT_SS3:
	case INPUT_LINUX_F:
	case INPUT_MOUSE_X10:
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
	if (in->state == INPUT_PASTING || in->state == INPUT_PASTING_ESC || in->state == INPUT_PASTING_UTF8)
		return take(in, INPUT_PASTE);
	return take(in, INPUT_NONE);
}

unsigned input_escape_msec(unsigned setting, const char *escdelay, const char *ssh)
{
	uint64_t value = setting;

	if (value == 0 && escdelay)
		(void)num_parse(escdelay, 1, UINT32_MAX, &value);
	if (value == 0)
		value = ssh && *ssh ? ESCAPE_SSH_MSEC : ESCAPE_MSEC;
	return value < ESCAPE_MAX_MSEC ? (unsigned)value : ESCAPE_MAX_MSEC;
}

bool input_is_double(struct input_click *last, const struct input_mouse *now, uint64_t now_usec)
{
	bool is_double = last->at_usec != 0 && now_usec - last->at_usec < INPUT_DOUBLE_USEC &&
	                 last->mouse.button == now->button && last->mouse.y == now->y &&
	                 now->button == INPUT_BUTTON_LEFT;

	*last = (struct input_click){ *now, is_double ? 0 : now_usec };
	return is_double;
}
