/* machdeck status --line: all machines in one line, for the status of a terminal multiplexer. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "decide/statusline.h"
#include "engine/observe.h"
#include "verbs/status_line.h"
#include "verbs/verbs.h"

#define WIDTH_DEFAULT 80

static int width_of(const struct verb *v, const char *given, uint64_t *ret)
{
	const char *columns = getenv("COLUMNS");

	*ret = WIDTH_DEFAULT;
	if (given && num_parse(given, 1, STATUSLINE_MAX, ret) < 0)
		return verb_usage(v, "--width is a number of columns from 1 to 4096");
	if (!given && columns && num_parse(columns, 1, STATUSLINE_MAX, ret) < 0)
		*ret = WIDTH_DEFAULT;
	return STATUS_DONE;
}

static int print_line(const struct verb *v, bool tmux, const char *width)
{
	CLEANUP(snapshot_done) struct snapshot s = { 0 };
	CLEANUP(buf_done) struct buf line = { 0 };
	uint64_t columns;
	struct err e;
	int r;

	r = width_of(v, width, &columns);
	if (r != STATUS_DONE)
		return r;
	if (observe_glance(&s, &e) < 0)
		return verb_fail(&e);
	statusline(&s, columns, tmux, &line);
	buf_puts(&line, "\n");
	r = verb_print_buf(&line);
	return r == STATUS_DONE && !statusline_is_well(&s) ? STATUS_FAILED : r;
}

bool status_line_is_meant(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strncmp(argv[i], "--line", strlen("--line")) == 0)
			return true;
	return false;
}

int status_line(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = { { "line", optional_argument, NULL, 'l' },
		                                 { "width", required_argument, NULL, 'w' },
		                                 { 0 } };
	const char *form = NULL, *width = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have");
		if (option == 'l')
			form = optarg;
		else
			width = optarg;
	}
	if (optind < argc)
		return verb_usage(v, "--line is about all machines, and takes no name");
	if (form && strcmp(form, "tmux") != 0)
		return verb_usage(v, "--line is alone, or --line=tmux");
	return print_line(v, form, width);
}
