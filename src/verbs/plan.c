/* machdeck plan: what starting a container takes, without doing it. */
#include <getopt.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "engine/load.h"
#include "verbs/verbs.h"

int verb_plan(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	CLEANUP(loaded_done) struct loaded l = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	const char *root = "";
	bool json = false;
	struct err e = { 0 };
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have, or one that lacks its value");
		json |= option == 'j';
		root = option == 'r' ? optarg : root;
	}
	r = verb_name(v, argc, argv);
	if (r != STATUS_DONE)
		return r;
	if (load_plan(root, argv[optind], &l, &e) < 0)
		return verb_fail(&e);
	verb_warn(&l.warnings);
	if (json)
		plan_json(&l.plan, &text);
	else
		plan_preview(&l.plan, LIBEXECDIR "/machdeck-init", &text);
	return verb_print_buf(&text);
}
