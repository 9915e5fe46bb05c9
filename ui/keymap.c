#include "ui/keymap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/input.h"

static enum action find_action(const char *name)
{
	for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		if (!strcasecmp(keys_binding(a)->name, name))
			return a;
	return ACTION_NONE;
}

/* Without a key for it there would be no way on from some screen. */
static bool needs_key(enum action a)
{
	switch ((int)a) {
	case ACTION_QUIT:
	case ACTION_NO:
	case ACTION_CHOOSE:
	case ACTION_CLOSE:
	case ACTION_BACK:
	case ACTION_ACCEPT:
	case ACTION_CANCEL:
		return true;
	default:
		return false;
	}
}

static int check_key(enum action a, const char *name, struct err *e)
{
	const struct binding *b = keys_binding(a);
	int key = keys_parse(name, strlen(name));

	if (key == INPUT_NONE)
		return err_set(
			e, STATUS_USAGE, EINVAL,
			"there is no key '%s' (a character, Space, Enter, Del, F1 to F12, C-a to C-z, ...)",
			name);
	if ((b->screens & SCREEN_PROMPT) && key >= ' ' && key < INPUT_UP && key != INPUT_BACKSPACE)
		return err_set(e, STATUS_USAGE, EINVAL,
		               "'%s' can not be the key of %s: it is typed in a prompt", name, b->name);
	if (a == ACTION_YES && (key == INPUT_ENTER || key == ' '))
		return err_set(e, STATUS_USAGE, EINVAL,
		               "'%s' can not be the key of %s: it is pressed without reading", name, b->name);
	return 0;
}

int keymap_set(struct keymap *k, const char *action, const char *keys, const char *file, unsigned line,
               struct err *e)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	CLEANUP(free_p) char *joined = NULL;
	enum action a = find_action(action);

	if (a == ACTION_NONE)
		return err_set(e, STATUS_USAGE, EINVAL, "there is no action '%s' to give a key", action);
	strs_split(&names, keys, " \t");
	for (size_t i = 0; i < names.n; i++) {
		int r = check_key(a, names.v[i], e);

		if (r < 0)
			return r;
	}
	if (names.n == 0 && needs_key(a))
		return err_set(e, STATUS_USAGE, EINVAL, "%s must have a key", keys_binding(a)->name);
	joined = strs_join(&names, " ");
	if (!joined)
		return err_no_memory(e);
	if (strlen(joined) >= KEYMAP_KEYS)
		return err_set(e, STATUS_USAGE, EINVAL, "these are too many keys for %s",
		               keys_binding(a)->name);
	k->v[a] = (struct keymap_entry){ .set = true, .file = file, .line = line };
	memcpy(k->v[a].keys, joined, strlen(joined) + 1);
	return 0;
}

const char *keymap_keys(const struct keymap *k, enum action a)
{
	return k->v[a].set ? k->v[a].keys : keys_binding(a)->keys;
}

/* The length of the first name in a that is a key of b too; 0: there is none. */
static size_t common_key(const char *a, const char *b, const char **ret)
{
	for (; *a; a += strcspn(a, " "), a += strspn(a, " ")) {
		size_t len = strcspn(a, " ");

		for (const char *other = b; *other; other += strcspn(other, " "), other += strspn(other, " "))
			if (keys_parse(other, strcspn(other, " ")) == keys_parse(a, len)) {
				*ret = a;
				return len;
			}
	}
	return 0;
}

static void warn(const struct keymap_entry *entry, struct strs *warnings, const char *text)
{
	if (entry->file)
		strs_addf(warnings, "%s:%u: %s", entry->file, entry->line, text);
	else
		strs_add(warnings, text);
}

/* Takes back an action that was set and shares a key with another one on some screen; false: there is none.
 * The later one in the table goes first, since the order of the table is that of weight. */
static bool settle_one(struct keymap *k, struct strs *warnings)
{
	for (enum action a = ACTION_COUNT; --a > ACTION_NONE;)
		for (enum action b = ACTION_NONE + 1; k->v[a].set && b < ACTION_COUNT; b++) {
			const char *key = NULL;
			struct err e;
			size_t len;

			if (a == b || !(keys_binding(a)->screens & keys_binding(b)->screens))
				continue;
			len = common_key(keymap_keys(k, a), keymap_keys(k, b), &key);
			if (len == 0)
				continue;
			err_set(&e, STATUS_USAGE, EINVAL,
			        "the key '%.*s' can not mean both %s and %s: %s keeps '%s'", (int)len, key,
			        keys_binding(a)->name, keys_binding(b)->name, keys_binding(a)->name,
			        keys_binding(a)->keys);
			warn(&k->v[a], warnings, e.text);
			k->v[a].set = false;
			return true;
		}
	return false;
}

void keymap_settle(struct keymap *k, struct strs *warnings)
{
	while (settle_one(k, warnings))
		;
}

void keymap_install(const struct keymap *k)
{
	for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		keys_rebind(a, k->v[a].set ? k->v[a].keys : NULL);
}
