#include "decide/conflist.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/envfile.h"
#include "decide/shellwords.h"
#include "words/port.h"

enum between { NO_LIST, COMMAS, BLANKS, WORDS /* that may be quoted */ };

static enum between between(const char *key)
{
	static const struct {
		const char *key;
		enum between between;
	} lists[] = {
		{ "HOST_PORT", COMMAS },
		{ "EXTRA_VETHS", BLANKS },
		{ "INTERFACES", BLANKS },
		{ "MACVLANS", BLANKS },
		{ "ADDITIONAL_CAPABILITIES", BLANKS },
		{ "ALLOWED_DEVICES", BLANKS },
		{ "EXTRA_NSPAWN_FLAGS", WORDS },
		{ "TMPFS", BLANKS },
	};

	for (size_t i = 0; i < COUNT(lists); i++)
		if (strcmp(lists[i].key, key) == 0)
			return lists[i].between;
	return NO_LIST;
}

bool conf_list_is(const char *key)
{
	return between(key) != NO_LIST;
}

void conf_list_split(const char *key, const char *value, struct strs *ret)
{
	if (between(key) != WORDS)
		strs_split(ret, value, between(key) == COMMAS ? "," : " ");
	else if (shellwords_split(value, ret) < 0)
		strs_add(ret, value);
}

void conf_list_join(const char *key, const struct strs *items, struct buf *ret)
{
	for (size_t i = 0; i < items->n; i++) {
		const char *word = items->v[i];

		buf_puts(ret, i == 0 ? "" : between(key) == COMMAS ? "," : " ");
		if (between(key) == WORDS && strpbrk(word, " '\"\\"))
			shellwords_quote(word, ret);
		else
			buf_puts(ret, word);
	}
}

static bool same_item(const char *key, const char *a, const char *b)
{
	struct port x, y;

	if (strcmp(key, "HOST_PORT") == 0 && port_parse(a, &x, NULL) == 0 && port_parse(b, &y, NULL) == 0)
		return x.udp == y.udp && x.host == y.host && x.guest == y.guest;
	return strcmp(a, b) == 0;
}

int conf_list_change(const char *file, const struct buf *text, const char *key, const char *item, bool add,
                     struct buf *ret, struct err *e)
{
	CLEANUP(strs_done) struct strs items = { 0 }, after = { 0 };
	CLEANUP(envfile_done) struct envfile conf = { 0 };
	const struct env_entry *now;
	bool found = false;
	int r;

	if (!conf_list_is(key))
		return err_set(e, STATUS_USAGE, EINVAL, "%s is no list: %s=VALUE sets it", key, key);
	r = envfile_parse(file, buf_text(text), text->len, &conf, e);
	if (r < 0)
		return r;
	now = envfile_find(&conf, key);
	if (now)
		conf_list_split(key, now->value, &items);
	for (size_t i = 0; i < items.n; i++) {
		bool same = same_item(key, items.v[i], item);

		found |= same;
		if (add || !same)
			strs_add(&after, items.v[i]);
	}
	if (!add && !found)
		return err_set(e, STATUS_FAILED, ENOENT, "%s: %s is not in %s", file, item, key);
	if (add && !found)
		strs_add(&after, item);
	conf_list_join(key, &after, ret);
	return items.bad || after.bad || ret->bad ? err_no_memory(e) : 0;
}
