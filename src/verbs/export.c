/* machdeck export: confs as the modules' options in JSON, which import takes back. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/export.h"
#include "decide/virtualisation.h"
#include "drivers/confs.h"
#include "drivers/files.h"
#include "engine/load.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

static int load_all(const char *root, const struct strs *names, struct loaded *loaded,
                    const struct container **all, struct err *e)
{
	for (size_t i = 0; i < names->n; i++) {
		int r = load_container(root, names->v[i], &loaded[i], e);

		if (r < 0)
			return r;
		if (!loaded[i].conf_path)
			return err_set(e, STATUS_NO_CONTAINER, ENOENT, "%s has no conf", names->v[i]);
		verb_warn(&loaded[i].warnings);
		all[i] = &loaded[i].container;
	}
	return 0;
}

#define ETC_MAX (16 << 20)

/* What container engines read. -ENOENT: there is nothing of it */
static int add_engines(const char *root, json_t *document, struct err *e)
{
	static const char *const paths[] = { "/etc/containers/registries.conf", "/etc/containers/policy.json",
		                             "/etc/subuid", "/etc/subgid" };
	struct buf texts[COUNT(paths)] = { 0 };
	CLEANUP(virtualisation_done) struct virtualisation v = { 0 };
	enum registries_format format;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < COUNT(paths); i++) {
		r = files_read(root, paths[i], ETC_MAX, &texts[i], NULL, e);
		if (r == -ENOENT && i > 0)
			r = 0;
	}
	if (r == 0)
		r = virtualisation_read(
			&(struct virtualisation_files){ buf_text(&texts[0]), buf_text(&texts[1]),
		                                        buf_text(&texts[2]), buf_text(&texts[3]) },
			&v, &format, e);
	if (r == 0)
		r = virtualisation_export(&v, document, e);
	if (r == 0 && format == REGISTRIES_V2)
		fprintf(stderr, "machdeck: registries.conf is of the second format: import it with "
		                "--registries v2\n");
	for (size_t i = 0; i < COUNT(paths); i++)
		buf_done(&texts[i]);
	return r;
}

static int print(const char *root, const struct strs *names, bool engines)
{
	struct loaded *loaded = calloc(names->n + 1, sizeof(*loaded));
	CLEANUP(free_p) const struct container **all = calloc(names->n + 1, sizeof(*all));
	json_t *document = NULL;
	struct err e;
	int r = loaded && all ? load_all(root, names, loaded, all, &e) : err_no_memory(&e);

	if (r == 0)
		r = export_document(all, names->n, &document, &e);
	if (r == 0 && engines)
		r = add_engines(root, document, &e);
	if (r == 0 && names->n > 0 && all[0]->release != RELEASE_DEFAULT)
		fprintf(stderr, "machdeck: these behave like release %s: import them with --release %s\n",
		        release_name(all[0]->release), release_name(all[0]->release));
	for (size_t i = 0; loaded && i < names->n; i++)
		loaded_done(&loaded[i]);
	free(loaded);
	if (r == 0)
		return show_json(document);
	json_decref(document);
	return verb_fail(&e);
}

int verb_export(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "virtualisation", no_argument, NULL, 'v' },
		{ 0 },
	};
	CLEANUP(strs_done) struct strs names = { 0 };
	const char *root = "";
	bool engines = false;
	struct err e;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have, or one that lacks its value");
		root = option == 'r' ? optarg : root;
		engines |= option == 'v';
	}
	r = optind < argc ? verb_names(v, argc, argv, optind) : STATUS_DONE;
	if (r != STATUS_DONE)
		return r;
	for (int i = optind; i < argc; i++)
		strs_add(&names, argv[i]);
	if (optind == argc && confs_list(root, &names, &e) < 0)
		return verb_fail(&e);
	if (names.bad) {
		(void)err_no_memory(&e);
		return verb_fail(&e);
	}
	return print(root, &names, engines);
}
