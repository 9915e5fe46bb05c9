/* machdeck hosts: the lines of all containers, printed or kept in /etc/hosts. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/hostsfile.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

/* The lines of all confs; those that can not be read are told about and make the status that is returned. */
static int collect(const char *root, struct strs *ret)
{
	CLEANUP(strs_done) struct strs problems = { 0 };
	enum status status;
	struct err e = { 0 };

	if (hostsfile_lines(root, ret, &problems, &status, &e) < 0)
		return verb_fail(&e);
	for (size_t i = 0; i < problems.n; i++)
		fprintf(stderr, "machdeck: %s\n", problems.v[i]);
	return (int)status;
}

static int print_hosts(const struct strs *lines, int status)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e = { 0 };
	int printed;

	for (size_t i = 0; i < lines->n; i++)
		buf_addf(&text, "%s\n", lines->v[i]);
	if (text.bad || lines->bad) {
		(void)err_no_memory(&e);
		return verb_fail(&e);
	}
	printed = verb_print_buf(&text);
	return printed != STATUS_DONE ? printed : status;
}

static int print_json(const struct strs *lines, int status)
{
	json_t *hosts = json_array();
	int printed;

	for (size_t i = 0; i < lines->n; i++) {
		const char *blank = strchr(lines->v[i], ' ');

		(void)json_array_append_new(hosts,
		                            json_pack("{s:s%, s:s}", "address", lines->v[i],
		                                      (size_t)(blank - lines->v[i]), "name", blank + 1));
	}
	printed = show_json(lines->bad ? NULL : json_pack("{s:i, s:o}", "schema", 1, "hosts", hosts));
	return printed != STATUS_DONE ? printed : status;
}

static int show_change(const char *root, const struct strs *lines)
{
	CLEANUP(buf_done) struct buf diff = { 0 };
	struct err e = { 0 };

	return hostsfile_show(root, lines, &diff, &e) < 0 ? verb_fail(&e) : verb_print_buf(&diff);
}

static int write_hosts(const char *root, const struct strs *lines)
{
	struct err e = { 0 };
	int r = hostsfile_write(root, lines, &e);

	if (r < 0)
		return verb_fail(&e);
	printf("%s/etc/hosts: %s\n", root, r > 0 ? "written" : "has all lines already");
	return STATUS_DONE;
}

int verb_hosts(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ "write", no_argument, NULL, 'w' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ 0 },
	};
	CLEANUP(strs_done) struct strs lines = { 0 };
	const char *root = "";
	bool json = false, write = false, dry = false;
	int option, status;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have, or one that lacks its value");
		json |= option == 'j';
		write |= option == 'w' || option == 'n';
		dry |= option == 'n';
		root = option == 'r' ? optarg : root;
	}
	if (optind < argc)
		return verb_usage(v, "it takes no names: all containers' lines belong together");
	if (json && write)
		return verb_usage(v, "--json prints, and --write does not");

	status = collect(root, &lines);
	if (!write)
		return json ? print_json(&lines, status) : print_hosts(&lines, status);
	if (status != STATUS_DONE) {
		fprintf(stderr, "machdeck: %s/etc/hosts stays as it is: its block would lose these lines\n",
		        root);
		return status;
	}
	if (dry)
		return show_change(root, &lines);
	return write_hosts(root, &lines);
}
