#include "verbs/confoptions.h"

#include <stdlib.h>
#include <string.h>

#include "decide/fields.h"

/* As the reference's tool calls some of them. */
static const struct {
	const char *option, *key;
} aliases[] = {
	{ "bridge", "HOST_BRIDGE" },
	{ "port", "HOST_PORT" },
};

static const char *key_of(int option)
{
	size_t i = (size_t)(option - CONFOPTIONS_FIRST);

	return i < FIELDS ? fields[i].key : aliases[i - FIELDS].key;
}

static int value_of(const struct field *f)
{
	return f->type == FIELD_BOOL ? optional_argument : required_argument;
}

struct option *confoptions_make(const struct option *own)
{
	static char names[FIELDS][DRAFT_OPTION_SIZE];
	size_t n = 0;
	struct option *all;

	while (own[n].name)
		n++;
	all = calloc(n + FIELDS + sizeof(aliases) / sizeof(*aliases) + 1, sizeof(*all));
	if (!all)
		return NULL;
	memcpy(all, own, n * sizeof(*all));
	for (int i = 0; i < FIELDS; i++) {
		if (!fields[i].key)
			continue;
		draft_option(fields[i].key, names[i]);
		all[n++] = (struct option){ names[i], value_of(&fields[i]), NULL, CONFOPTIONS_FIRST + i };
	}
	for (int i = 0; i < (int)(sizeof(aliases) / sizeof(*aliases)); i++)
		all[n++] = (struct option){ aliases[i].option, required_argument, NULL,
			                    CONFOPTIONS_FIRST + FIELDS + i };
	return all;
}

void confoptions_take(int option, const char *value, struct draft *d)
{
	draft_set(d, key_of(option), value);
}
