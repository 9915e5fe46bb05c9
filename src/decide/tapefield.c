#include "decide/tapefield.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "words/event.h"
#include "words/machine.h"
#include "words/stats.h"

#define TEXT_SIZE 4096 /* bytes of one text, NUL included; longer ones are cut */
#define WORD_MAX  32

/* ---- to JSON */

json_t *tapefield_text(const char *text)
{
	char shown[TEXT_SIZE];

	if (!text)
		return json_null();
	(void)text_printable(shown, sizeof(shown), text, strlen(text));
	return json_string(shown);
}

static json_t *texts(const struct strs *list)
{
	json_t *array = list->n > 0 ? json_array() : json_null();

	for (size_t i = 0; i < list->n && i < TAPE_TEXTS_MAX; i++)
		(void)json_array_append_new(array, tapefield_text(list->v[i]));
	return array;
}

static json_t *whole(uint64_t n)
{
	return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

static json_t *number(float f)
{
	return isfinite(f) ? json_real((double)f) : json_null();
}

static json_t *history(const float *v)
{
	size_t i = 0;
	json_t *array;

	while (i < STATS_HISTORY && !isfinite(v[i]))
		i++;
	array = i < STATS_HISTORY ? json_array() : json_null();
	for (; i < STATS_HISTORY; i++)
		(void)json_array_append_new(array, number(v[i]));
	return array;
}

/* json_null() stands for "no member", NULL for out of memory. */
static json_t *value(const struct tapefield *f, const void *from)
{
	const void *p = (const char *)from + f->offset;

	switch (f->type) {
	case FIELD_NAME:
	case FIELD_LINK:
		return tapefield_text(p);
	case FIELD_OWNED:
	case FIELD_TEXT:
	case FIELD_CAUSE:
		return tapefield_text(*(const char *const *)p);
	case FIELD_TEXTS:
		return texts(p);
	case FIELD_FLAG:
		return *(const bool *)p ? json_true() : json_null();
	case FIELD_STATE:
		return json_string(machine_state_word(*(const enum machine_state *)p));
	case FIELD_KIND:
		return json_string(machine_kind_word(*(const enum machine_kind *)p));
	case FIELD_EVENT:
		return json_string(event_kind_word(*(const enum event_kind *)p));
	case FIELD_ID:
		return *(const int *)p > 0 ? json_integer(*(const int *)p) : json_null();
	case FIELD_NSID:
		return *(const int *)p >= 0 ? json_integer(*(const int *)p) : json_null();
	case FIELD_COUNT:
		return *(const uint64_t *)p ? whole(*(const uint64_t *)p) : json_null();
	case FIELD_HASH:
		return *(const uint64_t *)p ? whole(*(const uint64_t *)p & INT64_MAX) : json_null();
	case FIELD_AMOUNT:
		return *(const uint64_t *)p != STATS_UNKNOWN ? whole(*(const uint64_t *)p) : json_null();
	case FIELD_NUMBER:
		return number(*(const float *)p);
	case FIELD_HISTORY:
		return history(p);
	}
	return NULL;
}

json_t *tapefield_object(const struct tapefield *table, const void *from)
{
	json_t *object = json_object();

	for (const struct tapefield *f = table; object && f->key; f++) {
		json_t *v = value(f, from);

		if (v && json_is_null(v))
			continue;
		if (json_object_set_new(object, f->key, v) == 0)
			continue;
		json_decref(object);
		object = NULL;
	}
	return object;
}

/* ---- from JSON */

static int take_name(const struct jsonplace *at, json_t *v, char *to, size_t size,
                     bool valid(const char *name))
{
	const char *name;
	int r = place_string(at, v, &name);

	if (r < 0)
		return r;
	if (strlen(name) >= size || (valid && !valid(name)))
		return place_refuse(at, "'%.80s' can not be such a name", name);
	(void)snprintf(to, size, "%s", name);
	return 0;
}

int tapefield_take_text(const struct jsonplace *at, json_t *v, char **to)
{
	char shown[TEXT_SIZE];

	if (json_is_null(v)) {
		*to = NULL;
		return 0;
	}
	if (!json_is_string(v))
		return place_refuse(at, "must be a string, but is %s", place_type(v));
	(void)text_printable(shown, sizeof(shown), json_string_value(v), json_string_length(v));
	*to = strdup(shown);
	return *to ? 0 : err_no_memory(at->e);
}

static int take_owned(const struct jsonplace *at, json_t *v, char **to)
{
	char name[NAME_MACHINE_MAX + 1];
	int r = take_name(at, v, name, sizeof(name), name_is_machine);

	if (r < 0)
		return r;
	*to = strdup(name);
	return *to ? 0 : err_no_memory(at->e);
}

static int take_item(struct jsonplace *at, json_t *v, void *arg)
{
	CLEANUP(free_p) char *text = NULL;
	struct strs *to = arg;
	int r = tapefield_take_text(at, v, &text);

	if (r < 0)
		return r;
	strs_add(to, text ? text : "");
	return to->bad ? err_no_memory(at->e) : 0;
}

static int take_texts(struct jsonplace *at, json_t *v, struct strs *to)
{
	if (json_array_size(v) > TAPE_TEXTS_MAX)
		return place_refuse(at, "more than %d strings", TAPE_TEXTS_MAX);
	return place_each_item(at, v, to, take_item);
}

static int take_whole(const struct jsonplace *at, json_t *v, json_int_t high, json_int_t *ret)
{
	if (!json_is_integer(v))
		return place_refuse(at, "must be an integer, but is %s", place_type(v));
	*ret = json_integer_value(v);
	if (*ret < 0 || *ret > high)
		return place_refuse(at, "%lld is not between 0 and %lld", (long long)*ret, (long long)high);
	return 0;
}

static int take_number(const struct jsonplace *at, json_t *v, float *ret)
{
	double d = json_number_value(v);

	if (!json_is_number(v))
		return place_refuse(at, "must be a number, but is %s", place_type(v));
	if (!(d >= 0) || d > 1e18)
		return place_refuse(at, "%g is out of range", d);
	*ret = (float)d;
	return 0;
}

static int take_history(struct jsonplace *at, json_t *v, float *to)
{
	size_t n = json_array_size(v);
	json_t *item;
	size_t i;

	if (!json_is_array(v) || n > STATS_HISTORY)
		return place_refuse(at, "must be a list of at most %d numbers", STATS_HISTORY);
	for (i = 0; i < STATS_HISTORY; i++)
		to[i] = NAN;
	json_array_foreach(v, i, item) {
		size_t back = place_enter_index(at, i);
		int r = json_is_null(item) ? 0 : take_number(at, item, &to[STATS_HISTORY - n + i]);

		if (r < 0)
			return r;
		place_leave(at, back);
	}
	return 0;
}

static const char *state_word(int i)
{
	return machine_state_word((enum machine_state)i);
}

static const char *kind_word(int i)
{
	return machine_kind_word((enum machine_kind)i);
}

static const char *event_word(int i)
{
	return event_kind_word((enum event_kind)i);
}

/* One of the words that stand for 0 to last; returns its number. */
static int take_word(const struct jsonplace *at, json_t *v, const char *word(int i), int last)
{
	const char *text;
	int r = place_string(at, v, &text);

	for (int i = 0; r >= 0 && i <= last; i++)
		if (strcmp(word(i), text) == 0)
			return i;
	return r < 0 ? r : place_refuse(at, "there is no '%.80s'", text);
}

static int take_cause(const struct jsonplace *at, json_t *v, struct strs *causes, const char **ret)
{
	const char *text;
	int r = place_string(at, v, &text);

	if (r < 0)
		return r;
	if (!*text || strlen(text) > WORD_MAX || text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		return place_refuse(at, "'%.80s' is not one word", text);
	if (!strs_has(causes, text) && causes->n >= TAPE_CAUSES_MAX)
		return place_refuse(at, "more than %d causes", TAPE_CAUSES_MAX);
	if (!strs_has(causes, text))
		strs_add(causes, text);
	for (size_t i = 0; !causes->bad && i < causes->n; i++)
		if (strcmp(causes->v[i], text) == 0)
			*ret = causes->v[i];
	return causes->bad ? err_no_memory(at->e) : 0;
}

static int take_value(struct jsonplace *at, const struct tapefield *f, json_t *v, struct strs *causes,
                      void *p)
{
	json_int_t n = 0;
	int r = 0;

	switch (f->type) {
	case FIELD_NAME:
		return take_name(at, v, p, NAME_MACHINE_MAX + 1, name_is_machine);
	case FIELD_LINK:
		return take_name(at, v, p, NAME_LINK_SIZE, name_is_link);
	case FIELD_OWNED:
		return take_owned(at, v, p);
	case FIELD_TEXT:
		return tapefield_take_text(at, v, p);
	case FIELD_CAUSE:
		return take_cause(at, v, causes, p);
	case FIELD_TEXTS:
		return take_texts(at, v, p);
	case FIELD_FLAG:
		return place_bool(at, v, p);
	case FIELD_STATE:
		r = take_word(at, v, state_word, MACHINE_GHOST);
		*(enum machine_state *)p = r < 0 ? MACHINE_UNKNOWN : (enum machine_state)r;
		break;
	case FIELD_KIND:
		r = take_word(at, v, kind_word, MACHINE_OTHER);
		*(enum machine_kind *)p = r < 0 ? MACHINE_OTHER : (enum machine_kind)r;
		break;
	case FIELD_EVENT:
		r = take_word(at, v, event_word, EVENT_CONF);
		*(enum event_kind *)p = r < 0 ? EVENT_UNIT : (enum event_kind)r;
		break;
	case FIELD_ID:
	case FIELD_NSID:
		r = take_whole(at, v, INT_MAX, &n);
		*(int *)p = (int)n;
		break;
	case FIELD_COUNT:
	case FIELD_HASH:
	case FIELD_AMOUNT:
		r = take_whole(at, v, INT64_MAX, &n);
		*(uint64_t *)p = (uint64_t)n;
		break;
	case FIELD_NUMBER:
		return take_number(at, v, p);
	case FIELD_HISTORY:
		return take_history(at, v, p);
	}
	return r < 0 ? r : 0;
}

/* What it is without a member. */
static int take_nothing(const struct jsonplace *at, const struct tapefield *f, void *p)
{
	switch (f->type) {
	case FIELD_NAME:
	case FIELD_LINK:
	case FIELD_OWNED:
	case FIELD_STATE:
	case FIELD_KIND:
	case FIELD_EVENT:
		return place_refuse(at, "'%s' is missing", f->key);
	case FIELD_TEXT:
	case FIELD_CAUSE:
	case FIELD_TEXTS:
	case FIELD_FLAG:
	case FIELD_ID:
	case FIELD_COUNT:
	case FIELD_HASH:
		break;
	case FIELD_NSID:
		*(int *)p = -1;
		break;
	case FIELD_AMOUNT:
		*(uint64_t *)p = STATS_UNKNOWN;
		break;
	case FIELD_NUMBER:
		*(float *)p = NAN;
		break;
	case FIELD_HISTORY:
		for (size_t i = 0; i < STATS_HISTORY; i++)
			((float *)p)[i] = NAN;
		break;
	}
	return 0;
}

static int refuse_strangers(struct jsonplace *at, const struct tapefield *table, json_t *object)
{
	const char *key;
	json_t *v;

	json_object_foreach(object, key, v) {
		const struct tapefield *f = table;

		while (f->key && strcmp(f->key, key) != 0)
			f++;
		if (!f->key)
			return place_refuse(at, "there is no member '%.80s'", key);
	}
	return 0;
}

int tapefield_take(struct jsonplace *at, const struct tapefield *table, json_t *object, struct strs *causes,
                   void *to)
{
	int r;

	if (!json_is_object(object))
		return place_refuse(at, "must be an object, but is %s", place_type(object));
	r = refuse_strangers(at, table, object);
	for (const struct tapefield *f = table; r >= 0 && f->key; f++) {
		json_t *v = json_object_get(object, f->key);
		void *p = (char *)to + f->offset;
		size_t back;

		if (!v) {
			r = take_nothing(at, f, p);
			continue;
		}
		back = place_enter(at, f->key);
		r = take_value(at, f, v, causes, p);
		if (r >= 0)
			place_leave(at, back);
	}
	return r;
}
