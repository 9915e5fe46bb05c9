/* machdeck check: look for mistakes in confs. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/lint.h"
#include "drivers/confs.h"
#include "engine/load.h"
#include "verbs/verbs.h"

struct checked {
	struct loaded *v;
	bool *is_bad;
	size_t n;
};

static void checked_done(struct checked *all)
{
	for (size_t i = 0; i < all->n; i++)
		loaded_done(&all->v[i]);
	free(all->v);
	free(all->is_bad);
}

static int load_all(const char *root, const struct strs *names, struct checked *all)
{
	int status = STATUS_DONE;

	all->v = calloc(names->n + 1, sizeof(*all->v));
	all->is_bad = calloc(names->n + 1, sizeof(*all->is_bad));
	if (!all->v || !all->is_bad)
		return STATUS_SYSTEM;
	for (all->n = 0; all->n < names->n; all->n++) {
		struct err e = { 0 };

		all->is_bad[all->n] = load_plan(root, names->v[all->n], &all->v[all->n], &e) < 0;
		if (all->is_bad[all->n])
			status = verb_fail(&e);
		else
			verb_warn(&all->v[all->n].warnings);
	}
	return status;
}

/* Two that were read well can still be in each other's way; each pair is said once. */
static int look_at_pairs(const struct checked *all)
{
	int status = STATUS_DONE;
	struct finding f;

	for (size_t i = 0; i < all->n; i++)
		for (size_t j = 0; j < i; j++)
			for (size_t k = 0; !all->is_bad[i] && !all->is_bad[j] &&
			                   lint_pair(&all->v[i].container, &all->v[j].container, k, &f);
			     k++) {
				struct err e = { 0 };

				(void)err_set(&e, STATUS_DATA, EINVAL, "%s: %s%s%s: %s",
				              all->v[i].container.name, f.key, f.veth ? " " : "",
				              f.veth ? f.veth : "", f.text);
				status = verb_fail(&e);
			}
	return status;
}

int verb_check(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = { { "root", required_argument, NULL, 'r' }, { 0 } };
	CLEANUP(strs_done) struct strs names = { 0 };
	CLEANUP(checked_done) struct checked all = { 0 };
	const char *root = "";
	struct err e = { 0 };
	int option, status, pairs;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have, or one that lacks its value");
		root = optarg;
	}
	if (optind < argc && (status = verb_names(v, argc, argv, optind)) != STATUS_DONE)
		return status;
	for (int i = optind; i < argc; i++)
		strs_add(&names, argv[i]);
	if (optind == argc && confs_list(root, &names, &e) < 0)
		return verb_fail(&e);
	status = load_all(root, &names, &all);
	pairs = look_at_pairs(&all);
	/* 65 is what matters when anything is bad; another reason only counts alone. */
	if (status == STATUS_DONE || pairs != STATUS_DONE)
		status = pairs;
	if (status == STATUS_DONE)
		printf("%zu %s: no mistakes found\n", all.n, all.n == 1 ? "container" : "containers");
	return status;
}
