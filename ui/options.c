#include "ui/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strs.h"

/* Name, letter (0: none), argument (NULL: none), help. */
#define OPTIONS(X)                                                                                           \
	X(READ_ONLY, "read-only", 'R', NULL, "change nothing, and drop the rights to")                       \
	X(WRITE, "write", 0, NULL, "allow changes, also where you may be asked for a password")              \
	X(FILTER, "filter", 'f', "TEXT",                                                                     \
	  "show only some: \"state:failed\"; ? in the dashboard has its words")                              \
	X(SORT, "sort", 's', "COLUMN", "by a column; -COLUMN turns the order around")                        \
	X(PERIOD, "period", 'd', "SECONDS", "between two samples of what machines use; 0: none")             \
	X(COLOR, "color", 0, "WHEN", "auto, always, never")                                                  \
	X(THEME, "theme", 0, "NAME", "colours: default, mono, high-contrast, deuteranopia, tritanopia")      \
	X(ASCII, "ascii", 0, NULL, "only ASCII characters")                                                  \
	X(LINEAR, "linear", 0, NULL,                                                                         \
	  "sentences and numbered menus, for a screen reader or a serial console")                           \
	X(RECORD, "record", 0, "FILE", "write what is seen to a new file")                                   \
	X(REPLAY, "replay", 0, "FILE", "show such a file instead of this host")                              \
	X(SPEED, "speed", 0, "N", "play it N times as fast; 0 stands still")                                 \
	X(SCRIPT, "script", 0, "FILE", "press the keys of a file, without a terminal: for tests")

enum known_option {
	OPTION_NONE,
#define X(id, name, letter, arg, help) OPTION_##id,
	OPTIONS(X)
#undef X
		OPTION_COUNT
};

static const struct {
	const char *name;
	char letter;
	const char *arg, *help;
} known[OPTION_COUNT] = {
#define X(id, name, letter, arg, help) [OPTION_##id] = { name, letter, arg, help },
	OPTIONS(X)
#undef X
};

void options_help(struct buf *ret)
{
	for (size_t i = OPTION_NONE + 1; i < OPTION_COUNT; i++) {
		char shown[64];

		(void)snprintf(shown, sizeof(shown), "--%s%s%s", known[i].name, known[i].arg ? "=" : "",
		               known[i].arg ? known[i].arg : "");
		buf_addf(ret, known[i].letter ? "  -%c, " : "      ", known[i].letter);
		buf_addf(ret, "%-18s %s\n", shown, known[i].help);
	}
}

static int number(const char *text, double *ret, enum known_option o, struct err *e)
{
	char *end;

	*ret = strtod(text, &end);
	if (!*text || *end || !(*ret >= 0) || *ret > 1e6)
		return err_set(e, STATUS_USAGE, EINVAL, "--%s=%s: not a number from 0 on", known[o].name,
		               text);
	return 0;
}

/* Its place among words parted by '|', from 1 on. */
static int word(const char *text, const char *words, unsigned *ret, enum known_option o, struct err *e)
{
	CLEANUP(strs_done) struct strs all = { 0 };

	strs_split(&all, words, "|");
	for (unsigned i = 0; i < all.n; i++) {
		if (strcmp(all.v[i], text) != 0)
			continue;
		*ret = i + 1;
		return 0;
	}
	return err_set(e, STATUS_USAGE, EINVAL, "--%s=%s: not one of %s", known[o].name, text, words);
}

static int take(enum known_option o, const char *arg, struct dashboard_options *ret, struct err *e)
{
	switch (o) {
	case OPTION_READ_ONLY:
		ret->read_only = true;
		return 0;
	case OPTION_WRITE:
		ret->write = true;
		return 0;
	case OPTION_FILTER:
		ret->filter = arg;
		return 0;
	case OPTION_SORT:
		ret->sort = arg;
		return 0;
	case OPTION_PERIOD:
		return number(arg, &ret->period, o, e);
	case OPTION_COLOR:
		return word(arg, "auto|always|never", &ret->color, o, e);
	case OPTION_THEME:
		return word(arg, "default|mono|high-contrast|deuteranopia|tritanopia", &ret->theme, o, e);
	case OPTION_ASCII:
		ret->ascii = true;
		return 0;
	case OPTION_LINEAR:
		ret->linear = true;
		return 0;
	case OPTION_RECORD:
		ret->source.record = arg;
		return 0;
	case OPTION_REPLAY:
		ret->source.replay = arg;
		return 0;
	case OPTION_SPEED:
		return number(arg, &ret->source.speed, o, e);
	case OPTION_SCRIPT:
		ret->script = arg;
		return 0;
	case OPTION_NONE:
	case OPTION_COUNT:
		break;
	}
	return 0;
}

static int check(const struct dashboard_options *o, struct err *e)
{
	if (o->read_only && o->write)
		return err_set(e, STATUS_USAGE, EINVAL, "--read-only and --write exclude each other");
	if (o->source.replay && o->source.record)
		return err_set(e, STATUS_USAGE, EINVAL, "--replay and --record exclude each other");
	return 0;
}

int options_parse(int argc, char **argv, struct dashboard_options *ret, struct err *e)
{
	struct option list[OPTION_COUNT] = { 0 };
	char letters[3 * OPTION_COUNT + 2] = ":";
	size_t n = 1;
	int c, r = 0;

	for (size_t i = OPTION_NONE + 1; i < OPTION_COUNT; i++) {
		list[i - 1] = (struct option){ known[i].name, known[i].arg ? required_argument : no_argument,
			                       NULL, (int)i + 256 };
		if (known[i].letter)
			letters[n++] = known[i].letter;
		if (known[i].letter && known[i].arg)
			letters[n++] = ':';
	}
	*ret = (struct dashboard_options){ .source = { .speed = 1 }, .period = -1 };
	optind = 0;
	opterr = 0;
	while (r >= 0 && (c = getopt_long(argc, argv, letters, list, NULL)) != -1) {
		size_t i = OPTION_NONE + 1;

		if (c == ':')
			return err_set(e, STATUS_USAGE, EINVAL, "%s needs an argument", argv[optind - 1]);
		while (i < OPTION_COUNT && c != (int)i + 256 && c != known[i].letter)
			i++;
		if (i == OPTION_COUNT)
			return err_set(e, STATUS_USAGE, EINVAL, "no such option: %s", argv[optind - 1]);
		r = take((enum known_option)i, optarg, ret, e);
	}
	if (r >= 0 && optind < argc)
		return err_set(e, STATUS_USAGE, EINVAL, "the dashboard takes no word '%s'; verbs come first",
		               argv[optind]);
	if (r >= 0)
		r = check(ret, e);
	return r < 0 ? r : source_open_files(&ret->source, e);
}
