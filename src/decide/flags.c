/* The words of EXTRA_NSPAWN_FLAGS, taken together. */
#include "decide/values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

/* The long options of systemd-nspawn(1) 257, so that an abbreviation can be told, and whether they take a
 * value. */
struct option_word {
	const char *name;
	bool takes_value, engine_decides;
};

static const struct option_word long_options[] = {
	{ "help", false, true },
	{ "version", false, true },
	{ "directory", true, true },
	{ "template", true, true },
	{ "ephemeral", false, false },
	{ "user", true, false },
	{ "private-network", false, false },
	{ "as-pid2", false, true },
	{ "boot", false, true },
	{ "uuid", true, false },
	{ "read-only", false, false },
	{ "capability", true, false },
	{ "ambient-capability", true, false },
	{ "drop-capability", true, false },
	{ "no-new-privileges", true, false },
	{ "link-journal", true, false },
	{ "bind", true, false },
	{ "bind-ro", true, false },
	{ "bind-user", true, false },
	{ "tmpfs", true, false },
	{ "overlay", true, false },
	{ "overlay-ro", true, false },
	{ "inaccessible", true, false },
	{ "machine", true, true },
	{ "hostname", true, false },
	{ "slice", true, true },
	{ "setenv", true, false },
	{ "selinux-context", true, false },
	{ "selinux-apifs-context", true, false },
	{ "quiet", false, false },
	{ "share-system", false, true },
	{ "register", true, true },
	{ "keep-unit", false, true },
	{ "network-interface", true, false },
	{ "network-macvlan", true, false },
	{ "network-ipvlan", true, false },
	{ "network-veth", false, false },
	{ "network-veth-extra", true, false },
	{ "network-bridge", true, false },
	{ "network-zone", true, false },
	{ "network-namespace-path", true, false },
	{ "personality", true, false },
	{ "image", true, true },
	{ "image-policy", true, false },
	{ "volatile", false, false },
	{ "port", true, false },
	{ "private-users", false, false },
	{ "private-users-chown", false, false },
	{ "private-users-ownership", true, false },
	{ "kill-signal", true, true },
	{ "settings", true, true },
	{ "chdir", true, false },
	{ "pivot-root", true, false },
	{ "property", true, false },
	{ "notify-ready", true, true },
	{ "root-hash", true, false },
	{ "root-hash-sig", true, false },
	{ "verity-data", true, false },
	{ "system-call-filter", true, false },
	{ "rlimit", true, false },
	{ "oom-score-adjust", true, false },
	{ "cpu-affinity", true, false },
	{ "resolv-conf", true, false },
	{ "timezone", true, false },
	{ "console", true, false },
	{ "pipe", false, true },
	{ "oci-bundle", true, true },
	{ "no-pager", false, false },
	{ "set-credential", true, false },
	{ "load-credential", true, false },
	{ "suppress-sync", true, false },
	{ "background", true, false },
};

/* getopt takes an unambiguous beginning for the whole name, so any beginning of an engine's option is
 * refused. NULL when there is no such option, or more than one. */
static const struct option_word *find_option(const char *name, size_t len, bool *ret_engine)
{
	const struct option_word *found = NULL;
	size_t n = 0;

	*ret_engine = false;
	for (size_t i = 0; i < COUNT(long_options); i++) {
		const struct option_word *o = &long_options[i];

		if (strncmp(o->name, name, len) != 0)
			continue;
		if (strlen(o->name) == len) {
			*ret_engine = o->engine_decides;
			return o;
		}
		*ret_engine |= o->engine_decides;
		found = o;
		n++;
	}
	return n == 1 ? found : NULL;
}

/* The modules part their flags at blanks, so one text may have been two of them. What an assignment passes on may look
 * like anything. */
static bool has_another_option(const char *value)
{
	const char *next = strstr(value, " --");
	size_t len = next ? strcspn(next + 3, "= ") : 0;
	const struct option_word *o;
	bool engine;

	if (len == 0 || memchr(value, '=', (size_t)(next - value)))
		return false;
	o = find_option(next + 3, len, &engine);
	return o && strlen(o->name) == len;
}

/* ret_takes_next: the option's value is the next word. */
static int look_at_option(const char *word, bool *ret_takes_next, struct why *w)
{
	static const char short_with_value[] = "EuLZp", short_alone[] = "xqUnj";
	const struct option_word *o;
	bool engine;
	size_t len;

	*ret_takes_next = false;
	if (strncmp(word, "--", 2) == 0) {
		len = strcspn(word + 2, "=");
		if (len == 0)
			return value_refuse(w, "'%.60s' ends the options of systemd-nspawn", word);
		o = find_option(word + 2, len, &engine);
		if (engine)
			return value_refuse(w, "'%.60s': the engine decides that option itself", word);
		if (!o && memchr(word, ' ', len + 2))
			return value_refuse(
				w,
				"'%.60s' has a blank in the option's name: give the option and its "
				"value as two words, or with a '='",
				word);
		if (!o)
			return value_refuse(w, "'%.60s' is no option of systemd-nspawn", word);
		if (word[2 + len] == '=' && has_another_option(word + 2 + len + 1))
			return value_refuse(w, "'%.60s' is two options: give each a word of its own", word);
		*ret_takes_next = o->takes_value && word[2 + len] != '=';
		return 0;
	}
	for (const char *p = word + 1; *p; p++) {
		if (strchr("DMibahSP", *p))
			return value_refuse(w, "'%.60s': the engine decides option -%c itself", word, *p);
		if (strchr(short_with_value, *p)) {
			if (p[1] == ' ')
				return value_refuse(w,
				                    "'%.60s' has a blank behind -%c: give the option and its "
				                    "value as two words",
				                    word, *p);
			*ret_takes_next = p[1] == '\0';
			return 0;
		}
		if (!strchr(short_alone, *p))
			return value_refuse(w, "'%.60s' is no option of systemd-nspawn", word);
	}
	return 0;
}

int value_flags_end(const struct container *c, struct why *w)
{
	bool takes_next = false;
	const char *bind;
	int r;

	for (size_t i = 0; i < c->flags.n; i++) {
		const char *word = c->flags.v[i];

		if (takes_next) {
			takes_next = false;
			continue;
		}
		if (word[0] != '-' || !word[1])
			return value_refuse(
				w, "'%.80s' belongs to no option (a word with a blank needs quotes)", word);
		r = look_at_option(word, &takes_next, w);
		if (r < 0)
			return r;
	}
	if (takes_next)
		return value_refuse(w, "'%.60s' lacks its value", c->flags.v[c->flags.n - 1]);
	for (size_t at = 0; (bind = value_next_bind(&c->flags, &at));) {
		CLEANUP(free_p) char *source = NULL, *target = NULL;

		r = value_bind(bind, &source, &target, w);
		if (r < 0)
			return r;
	}
	return 0;
}

const char *value_next_bind(const struct strs *flags, size_t *at)
{
	while (*at < flags->n) {
		const char *word = flags->v[(*at)++], *equals = strchr(word, '=');
		size_t len = equals ? (size_t)(equals - word) : strlen(word);
		bool takes_next = false;
		struct why w;

		if (look_at_option(word, &takes_next, &w) < 0 || (takes_next && *at == flags->n))
			continue;
		if (takes_next)
			(*at)++;
		if ((len == strlen("--bind") && strncmp(word, "--bind", len) == 0) ||
		    (len == strlen("--bind-ro") && strncmp(word, "--bind-ro", len) == 0))
			return takes_next ? flags->v[*at - 1] : equals + 1;
	}
	return NULL;
}

/* The field up to the next ':' that no backslash precedes; the backslashes undone. */
static char *next_field(const char **p)
{
	CLEANUP(buf_done) struct buf b = { 0 };

	for (; **p && **p != ':'; (*p)++) {
		if (**p == '\\' && (*p)[1])
			(*p)++;
		buf_add(&b, *p, 1);
	}
	if (**p == ':')
		(*p)++;
	return strdup(buf_text(&b));
}

/* ':' and '\' behind a backslash. */
static void put_path(struct buf *b, const char *path)
{
	for (; *path; path++) {
		if (*path == ':' || *path == '\\')
			buf_puts(b, "\\");
		buf_add(b, path, 1);
	}
}

void value_bind_word(const char *target, const char *source, bool read_only, struct buf *ret)
{
	buf_puts(ret, read_only ? "--bind-ro=" : "--bind=");
	if (source) {
		put_path(ret, source);
		buf_puts(ret, ":");
	}
	put_path(ret, target);
}

int value_bind(const char *payload, char **ret_source, char **ret_target, struct why *w)
{
	const char *p = payload;
	CLEANUP(free_p) char *source = next_field(&p);
	CLEANUP(free_p) char *target = *p ? next_field(&p) : NULL;
	const char *bare;

	if (!target || !target[0]) {
		free(target);
		target = source ? strdup(source) : NULL;
	}
	if (!source || !target)
		return -ENOMEM;
	bare = source + (source[0] == '+' ? 1 : 0);
	if ((bare[0] && !value_is_path(bare)) || !value_is_path(target[0] == '+' ? target + 1 : target))
		return value_refuse(w, "'%.100s' is not SOURCE or SOURCE:TARGET with absolute paths",
		                    payload);
	*ret_source = take_p(&source);
	*ret_target = take_p(&target);
	return 0;
}
