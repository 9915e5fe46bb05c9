#include "ui/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"

#define KEY_PREFIX "key."

const struct setting_info *settings_info(enum setting s)
{
	static const struct setting_info infos[] = {
#define X(id, key, kind, value, values, flags, help)                                                         \
	[SETTING_##id] = { key, SETTING_IS_##kind, value, values, flags, help },
		SETTINGS(X)
#undef X
	};

	return &infos[s];
}

/* --- one value --- */

/* The place of value among words parted by '|'; -1: it is none of them. */
static int place_of(const char *words, const char *value)
{
	size_t len = strlen(value);

	for (int i = 0; *words; i++) {
		size_t word = strcspn(words, "|");

		if (word == len && strncasecmp(words, value, len) == 0)
			return i;
		words += word + (words[word] == '|');
	}
	return -1;
}

static int parse_number(const struct setting_info *info, const char *value, int *ret, struct err *e)
{
	uint64_t number, low = strtoul(info->values, NULL, 10),
			 high = strtoul(strchr(info->values, '-') + 1, NULL, 10);

	if (num_parse(value, low, high, &number) < 0)
		return err_set(e, STATUS_USAGE, EINVAL, "%s is a number from %s, not '%s'", info->key,
		               info->values, value);
	*ret = (int)number;
	return 0;
}

int settings_set(struct settings *s, enum setting which, const char *value, struct err *e)
{
	const struct setting_info *info = settings_info(which);
	int place;

	switch (info->kind) {
	case SETTING_IS_WORD:
		place = place_of(info->values, value);
		if (place < 0)
			return err_set(e, STATUS_USAGE, EINVAL, "%s is one of %s, not '%s'", info->key,
			               info->values, value);
		s->number[which] = place;
		return 0;
	case SETTING_IS_NUMBER:
		return parse_number(info, value, &s->number[which], e);
	case SETTING_IS_COLUMNS:
		return columns_parse(value, &s->columns, e);
	case SETTING_IS_SORT:
		return columns_sort_parse(value, &s->sort, e);
	}
	return -EINVAL;
}

void settings_value(const struct settings *s, enum setting which, struct buf *ret)
{
	const struct setting_info *info = settings_info(which);
	const char *word = info->values;

	switch (info->kind) {
	case SETTING_IS_WORD:
		for (int i = 0; i < s->number[which]; i++)
			word += strcspn(word, "|") + 1;
		buf_add(ret, word, strcspn(word, "|"));
		break;
	case SETTING_IS_NUMBER:
		buf_addf(ret, "%d", s->number[which]);
		break;
	case SETTING_IS_COLUMNS:
		columns_print(&s->columns, ret);
		break;
	case SETTING_IS_SORT:
		columns_sort_print(&s->sort, ret);
		break;
	}
}

void settings_default(struct settings *ret)
{
	*ret = (struct settings){ 0 };
	for (enum setting i = 0; i < SETTING_COUNT; i++)
		(void)settings_set(ret, i, settings_info(i)->value, NULL);
}

/* --- lines --- */

/* One line, cut into its parts; both point into it. */
struct setting_line {
	char *key, *value; /* key NULL: nothing is said */
};

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	for (len = strlen(text); len > 0 && strchr(" \t\r", text[len - 1]); len--)
		;
	text[len] = '\0';
	return text;
}

static int split(char *text, struct setting_line *ret, struct err *e)
{
	char *equals, *value;
	size_t len;

	text = trim(text);
	if (!*text || *text == '#') {
		*ret = (struct setting_line){ 0 };
		return 0;
	}
	equals = strchr(text, '=');
	if (!equals || equals == text)
		return err_set(e, STATUS_USAGE, EINVAL, "this is no setting (KEY = VALUE is one): %.60s",
		               text);
	*equals = '\0';
	value = trim(equals + 1);
	len = strlen(value);
	if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
		value[len - 1] = '\0';
		value++;
	}
	*ret = (struct setting_line){ trim(text), value };
	return 0;
}

static bool find_setting(const char *key, enum setting *ret)
{
	for (enum setting i = 0; i < SETTING_COUNT; i++)
		if (!strcmp(settings_info(i)->key, key)) {
			*ret = i;
			return true;
		}
	return false;
}

static int take_line(struct settings *s, const char *file, unsigned number, char *text, struct err *e)
{
	enum setting which = SETTING_COUNT;
	const struct setting_info *info;
	struct setting_line l = { 0 };
	int before, r = split(text, &l, e);

	if (r < 0 || !l.key)
		return r;
	if (strncmp(l.key, KEY_PREFIX, strlen(KEY_PREFIX)) == 0)
		return keymap_set(&s->keymap, l.key + strlen(KEY_PREFIX), l.value, file, number, e);
	if (!find_setting(l.key, &which) || !(settings_info(which)->flags & SETTING_IN_FILE))
		return err_set(e, STATUS_USAGE, EINVAL,
		               "there is no setting '%s' (`machdeck --default-config` shows all)", l.key);
	info = settings_info(which);
	before = s->number[which];
	r = settings_set(s, which, l.value, e);
	if (r < 0 || !(info->flags & SETTING_RAISES) || s->number[which] >= before)
		return r;
	s->number[which] = before;
	return err_set(e, STATUS_USAGE, EINVAL, "%s was set before and can not be lowered here", info->key);
}

static void warn(struct strs *warnings, const char *file, unsigned line, const char *text)
{
	if (warnings->n < SETTINGS_WARNINGS_MAX)
		strs_addf(warnings, "%s:%u: %s", file, line, text);
}

/* The next line of text as a string of its own, which the caller frees; NULL: there is none, or no memory for
 * it. */
static char *next_line(const char **text, const char *end)
{
	const char *start = *text, *stop;

	if (start >= end)
		return NULL;
	stop = memchr(start, '\n', (size_t)(end - start));
	if (!stop)
		stop = end;
	*text = stop + 1;
	return strndup(start, (size_t)(stop - start));
}

void settings_parse(struct settings *s, const char *file, const char *text, size_t len, struct strs *warnings)
{
	const char *end = text + len;

	for (unsigned number = 1; text < end; number++) {
		const char *from = text;
		CLEANUP(free_p) char *line = next_line(&text, end);
		struct err e = { 0 };

		if (!line) {
			warnings->bad = true;
			return;
		}
		if (from + strlen(line) + 1 < text || !text_is_utf8(line, strlen(line), NULL))
			warn(warnings, file, number, "this line is no text (UTF-8)");
		else if (take_line(s, file, number, line, &e) < 0)
			warn(warnings, file, number, e.text);
	}
}

void settings_settle(struct settings *s, struct strs *warnings)
{
	keymap_settle(&s->keymap, warnings);
}

/* --- the file to begin with --- */

static void print_default_keys(struct buf *ret)
{
	buf_puts(ret, "\n# Keys of an action, parted by blanks; \"\" for none. A key means one thing on a "
	              "screen.\n");
	for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		buf_addf(ret, "\n# %s\n#" KEY_PREFIX "%s = \"%s\"\n", keys_binding(a)->help,
		         keys_binding(a)->name, keys_binding(a)->keys);
}

void settings_print_default(struct buf *ret)
{
	buf_puts(ret, "# machdeck.conf - settings of the dashboard, machdeck(1). First "
	              "/etc/machdeck/machdeck.conf is\n"
	              "# read, then ~/.config/machdeck/machdeck.conf. Take the # away to set something.\n");
	for (enum setting i = 0; i < SETTING_COUNT; i++) {
		const struct setting_info *info = settings_info(i);

		if (!(info->flags & SETTING_IN_FILE))
			continue;
		buf_addf(ret, "\n# %s\n", info->help);
		if (info->values[0])
			buf_addf(ret, "# (%s)\n", info->values);
		buf_addf(ret, "#%s = %s\n", info->key, info->value);
	}
	print_default_keys(ret);
}

/* --- what is remembered --- */

void settings_parse_state(struct settings *s, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		CLEANUP(free_p) char *line = next_line(&text, end);
		enum setting which = SETTING_COUNT;
		struct setting_line l = { 0 };

		if (line && split(line, &l, NULL) == 0 && l.key && find_setting(l.key, &which) &&
		    (settings_info(which)->flags & SETTING_IN_STATE))
			(void)settings_set(s, which, l.value, NULL);
	}
}

void settings_print_state(const struct settings *now, const struct settings *files, struct buf *ret)
{
	for (enum setting i = 0; i < SETTING_COUNT; i++) {
		CLEANUP(buf_done) struct buf mine = { 0 }, theirs = { 0 };

		if (!(settings_info(i)->flags & SETTING_IN_STATE))
			continue;
		settings_value(now, i, &mine);
		settings_value(files, i, &theirs);
		if (strcmp(buf_text(&mine), buf_text(&theirs)) != 0)
			buf_addf(ret, "%s = %s\n", settings_info(i)->key, buf_text(&mine));
	}
}
