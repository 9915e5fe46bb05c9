#include "decide/jsonplace.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

size_t place_enter(struct jsonplace *at, const char *step)
{
	size_t len = strlen(at->path);

	/* a key may be as long as the document; the reason behind it must still be seen */
	(void)snprintf(at->path + len, sizeof(at->path) - len, "/%.80s%s", step,
	               strlen(step) > 80 ? "..." : "");
	return len;
}

size_t place_enter_index(struct jsonplace *at, size_t index)
{
	char step[24];

	(void)snprintf(step, sizeof(step), "%zu", index);
	return place_enter(at, step);
}

void place_leave(struct jsonplace *at, size_t len)
{
	at->path[len] = '\0';
}

/* The string that begins with the quote at FROM; where it ends: at its other quote, or at LEN. */
static size_t take_string(const char *text, size_t from, size_t len, char *ret, size_t size)
{
	size_t end = from + 1;

	while (end < len && text[end] != '"')
		end += text[end] == '\\' ? 2 : 1;
	if (end > len)
		end = len;
	(void)snprintf(ret, size, "%.*s", (int)(end - from - 1), text + from + 1);
	return end;
}

bool place_find(struct jsonplace *at, const char *text, size_t len)
{
	struct {
		size_t path_len, items;
		bool is_list;
	} levels[PLACE_DEPTH_MAX], *in = NULL;
	size_t depth = 0;
	char key[128] = "";

	at->path[0] = '\0';
	for (size_t i = 0; i < len; i++) {
		switch (text[i]) {
		case '"':
			i = take_string(text, i, len, key, sizeof(key));
			break;
		case ':':
		case ',':
			if (!in)
				break;
			place_leave(at, in->path_len);
			if (in->is_list)
				(void)place_enter_index(at, ++in->items);
			else if (text[i] == ':')
				(void)place_enter(at, key);
			break;
		case '{':
		case '[':
			if (depth == PLACE_DEPTH_MAX)
				return false;
			in = &levels[depth++];
			in->path_len = strlen(at->path);
			in->is_list = text[i] == '[';
			in->items = 0;
			if (in->is_list)
				(void)place_enter_index(at, 0);
			break;
		case '}':
		case ']':
			if (!in)
				break;
			place_leave(at, in->path_len);
			in = --depth > 0 ? &levels[depth - 1] : NULL;
			break;
		default:
			break;
		}
	}
	return true;
}

int place_refuse(const struct jsonplace *at, const char *format, ...)
{
	char why[VALUE_WHY_SIZE];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(why, sizeof(why), format, ap);
	va_end(ap);
	return err_set(at->e, STATUS_DATA, EINVAL, "%s: %s%s%s", at->file, at->path, *at->path ? ": " : "",
	               why);
}

/* What a value function said. */
int place_judge(const struct jsonplace *at, int r, const struct why *w)
{
	if (r == -ENOMEM)
		return err_no_memory(at->e);
	return r < 0 ? place_refuse(at, "%s", w->text) : 0;
}

const char *place_type(json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "an integer";
	case JSON_REAL:
		return "a fraction";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	case JSON_NULL:
		return "null";
	}
	return "something else";
}

int place_string(const struct jsonplace *at, json_t *v, const char **ret)
{
	if (!json_is_string(v))
		return place_refuse(at, "must be a string, but is %s", place_type(v));
	*ret = json_string_value(v);
	for (const char *p = *ret; *p; p++) {
		bool c1 = (unsigned char)p[0] == 0xc2 && (unsigned char)p[1] < 0xa0;

		if ((unsigned char)*p < ' ' || *p == 0x7f || c1)
			return place_refuse(at, "a control character (0x%02x) in the value",
			                    (unsigned char)(c1 ? p[1] : *p));
	}
	return 0;
}

int place_bool(const struct jsonplace *at, json_t *v, bool *ret)
{
	if (!json_is_boolean(v))
		return place_refuse(at, "must be true or false, but is %s", place_type(v));
	*ret = json_is_true(v);
	return 0;
}

int place_port(const struct jsonplace *at, json_t *v, json_int_t *ret)
{
	if (!json_is_integer(v))
		return place_refuse(at, "must be an integer, but is %s", place_type(v));
	*ret = json_integer_value(v);
	if (*ret < 1 || *ret > UINT16_MAX)
		return place_refuse(at, "%lld is not a port (1 to 65535)", (long long)*ret);
	return 0;
}

int place_each_field(struct jsonplace *at, json_t *v, void *arg,
                     int (*field)(struct jsonplace *at, const char *name, json_t *v, void *arg))
{
	json_t *value;
	const char *name;
	int r;

	if (!json_is_object(v))
		return place_refuse(at, "must be an object, but is %s", place_type(v));
	json_object_foreach(v, name, value) {
		size_t back = place_enter(at, name);

		r = field(at, name, value, arg);
		if (r == -ENOENT)
			return place_refuse(at, "there is no such option");
		if (r < 0)
			return r;
		place_leave(at, back);
	}
	return 0;
}

int place_each_item(struct jsonplace *at, json_t *v, void *arg,
                    int (*item)(struct jsonplace *at, json_t *v, void *arg))
{
	json_t *element;
	size_t i;

	if (!json_is_array(v))
		return place_refuse(at, "must be a list, but is %s", place_type(v));
	json_array_foreach(v, i, element) {
		size_t back = place_enter_index(at, i);
		int r = item(at, element, arg);

		if (r < 0)
			return r;
		place_leave(at, back);
	}
	return 0;
}
