#include "ui/keys.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "ui/input.h"

static const struct binding defaults[ACTION_COUNT] = {
#define X(name, screens, effect, keys, bar, help)                                                            \
	[ACTION_##name] = { #name, screens, effect, keys, bar, help },
	ACTIONS(X)
#undef X
};

/* The keys of each action when they are others than the default ones; set once, before the first key is read.
 */
static struct binding rebound[ACTION_COUNT];

const struct binding *keys_binding(enum action a)
{
	return rebound[a].keys ? &rebound[a] : &defaults[a];
}

void keys_rebind(enum action a, const char *keys)
{
	rebound[a] = defaults[a];
	rebound[a].keys = keys;
}

int keys_parse(const char *name, size_t len)
{
	static const struct {
		const char *name;
		int key;
	} named[] = {
		{ "Up", INPUT_UP },         { "Down", INPUT_DOWN },       { "Left", INPUT_LEFT },
		{ "Right", INPUT_RIGHT },   { "Home", INPUT_HOME },       { "End", INPUT_END },
		{ "PgUp", INPUT_PAGE_UP },  { "PgDn", INPUT_PAGE_DOWN },  { "Enter", INPUT_ENTER },
		{ "Esc", INPUT_ESC },       { "Tab", INPUT_TAB },         { "Space", ' ' },
		{ "Del", INPUT_DELETE },    { "BackTab", INPUT_BACKTAB }, { "Backspace", INPUT_BACKSPACE },
		{ "C-h", INPUT_BACKSPACE }, { "C-j", INPUT_ENTER },
	};
	uint32_t code = 0;

	for (size_t i = 0; i < COUNT(named); i++)
		if (strlen(named[i].name) == len && !memcmp(named[i].name, name, len))
			return named[i].key;
	if (len == 2 && name[0] == 'F' && name[1] >= '1' && name[1] <= '9')
		return INPUT_F1 + name[1] - '1';
	if (len == 3 && name[0] == 'F' && name[1] == '1' && name[2] >= '0' && name[2] <= '2')
		return INPUT_F10 + name[2] - '0';
	if (len == 3 && name[0] == 'C' && name[1] == '-' && name[2] >= 'a' && name[2] <= 'z')
		return name[2] - 'a' + 1;
	if (len > 0 && text_decode(name, len, &code) == len)
		return (int)code;
	return INPUT_NONE;
}

static bool has_key(const char *keys, int key)
{
	while (*keys) {
		size_t len = strcspn(keys, " ");

		if (keys_parse(keys, len) == key)
			return true;
		keys += len + strspn(keys + len, " ");
	}
	return false;
}

enum action keys_action(enum screen s, int key)
{
	if (key == INPUT_NONE)
		return ACTION_NONE;
	for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		if ((defaults[a].screens & s) && has_key(keys_binding(a)->keys, key))
			return a;
	return ACTION_NONE;
}

void keys_first(enum action a, char ret[static KEY_TEXT_MAX])
{
	const char *keys = keys_binding(a)->keys;

	(void)snprintf(ret, KEY_TEXT_MAX, "%.*s", (int)strcspn(keys, " "), keys);
}
