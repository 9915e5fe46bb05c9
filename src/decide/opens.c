#include "decide/opens.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "decide/values.h"

static const char *const capabilities[] = { "all", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", NULL };
static const char *const calls[] = { "@module", "@raw-io", "init_module", "finit_module",
	                             "iopl",    "ioperm",  NULL };
static const char *const folders[] = { "",      "/boot", "/dev", "/etc", "/proc",
	                               "/root", "/run",  "/sys", "/var", NULL };

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcasecmp(word, *list) == 0)
			return true;
	return false;
}

static bool has_one_of(const char *text, const char *const *list)
{
	CLEANUP(strs_done) struct strs words = { 0 };

	strs_split(&words, text, ", ");
	for (size_t i = 0; i < words.n; i++)
		if (is_one_of(words.v[i], list))
			return true;
	return false;
}

/* The option's value when words[at] is it, or a beginning of it that systemd-nspawn takes; NULL. */
static const char *value_of(const struct strs *words, size_t at, const char *option, size_t least)
{
	const char *word = words->v[at], *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);

	if (len < least || len > strlen(option) || strncmp(word, option, len) != 0)
		return NULL;
	return equals ? equals + 1 : at + 1 < words->n ? words->v[at + 1] : NULL;
}

static void find_binds(const struct strs *flags, struct strs *ret)
{
	const char *bind;

	for (size_t at = 0; (bind = value_next_bind(flags, &at));) {
		CLEANUP(free_p) char *source = NULL, *target = NULL;
		struct why w;
		char *end;

		if (value_bind(bind, &source, &target, &w) < 0)
			continue;
		end = source + strlen(source);
		while (end > source && end[-1] == '/')
			*--end = '\0';
		if (is_one_of(source, folders))
			strs_addf(ret, "a bind mount of %s", *source ? source : "/");
	}
}

void opens_find(const struct container *c, struct strs *ret)
{
	for (size_t i = 0; i < c->capabilities.n; i++)
		if (is_one_of(c->capabilities.v[i], capabilities))
			strs_addf(ret, "capability %s", c->capabilities.v[i]);
	for (size_t i = 0; i < c->flags.n; i++) {
		const char *value = value_of(&c->flags, i, "--capability", strlen("--cap"));

		if (value && has_one_of(value, capabilities))
			strs_addf(ret, "--capability=%s", value);
		value = value_of(&c->flags, i, "--system-call-filter", strlen("--sy"));
		if (value && value[0] != '~' && has_one_of(value, calls))
			strs_addf(ret, "--system-call-filter=%s", value);
	}
	find_binds(&c->flags, ret);
}
