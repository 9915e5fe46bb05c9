/* machdeck import: confs, and what container engines read, from the modules' options in JSON or Nix. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "decide/import.h"
#include "decide/opens.h"
#include "drivers/confs.h"
#include "engine/build.h"
#include "engine/importing.h"
#include "engine/load.h"
#include "verbs/editing.h"
#include "verbs/verbs.h"

static int read_all(const char *file, struct buf *ret, struct err *e)
{
	CLEANUP(close_p) int opened = -1;
	int fd = STDIN_FILENO;
	char part[16384];
	ssize_t n;

	if (strcmp(file, "-") != 0)
		fd = opened = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(e, errno == ENOENT ? STATUS_NO_CONTAINER : err_status_of(errno), errno,
		               "cannot open %s: %s", file, strerror(errno));
	while ((n = read(fd, part, sizeof(part))) != 0 && ret->len <= IMPORT_SIZE_MAX) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, STATUS_IO, errno, "cannot read %s: %s", file, strerror(errno));
		buf_add(ret, part, (size_t)n);
	}
	return ret->bad ? err_no_memory(e) : 0;
}

static bool is_nix(const char *file)
{
	const char *dot = strrchr(file, '.');

	return dot && strcmp(dot, ".nix") == 0;
}

static int read_document(const char *file, const char *expression, const struct strs *folders,
                         struct buf *ret, struct err *e)
{
	return file && !is_nix(file) ? read_all(file, ret, e)
	                             : build_nix_eval(file, expression, folders, IMPORT_SIZE_MAX, ret, e);
}

static bool is_imported(const struct imported *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->v[i].name, name) == 0)
			return true;
	return false;
}

/* The containers that are configured already, and stay, must not clash with the new ones. */
static int look_at_neighbours(const char *root, const char *file, const struct imported *all, struct err *e)
{
	CLEANUP(strs_done) struct strs names = { 0 }, unread = { 0 };
	CLEANUP(free_p) const struct container **others = NULL;
	struct loaded *loaded = NULL;
	int r = confs_list(root, &names, e);
	size_t n = 0;

	if (r < 0)
		return r;
	loaded = calloc(names.n + 1, sizeof(*loaded));
	others = calloc(names.n + 1, sizeof(*others));
	if (!loaded || !others) {
		free(loaded);
		return err_no_memory(e);
	}
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		struct err why;

		if (is_imported(all, names.v[i]))
			continue;
		if (load_container(root, names.v[i], &loaded[n], &why) < 0) {
			strs_addf(&unread, "what %s takes is not known: %s", names.v[i], why.text);
			continue;
		}
		others[n] = &loaded[n].container;
		n++;
	}
	verb_warn(&unread);
	if (r == 0)
		r = import_compare(file, all, others, n, e);
	for (size_t i = 0; i < n; i++)
		loaded_done(&loaded[i]);
	free(loaded);
	return r;
}

/* Of a document that somebody else wrote: it is told, and takes an agreement. */
static int look_at_what_it_opens(const char *file, const struct imported *all, bool agreed, struct err *e)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };

	for (size_t i = 0; i < all->n; i++) {
		CLEANUP(strs_done) struct strs found = { 0 };

		opens_find(&all->v[i], &found);
		for (size_t k = 0; k < found.n; k++)
			strs_addf(&warnings, "%s: /containers/%s: %s gives it the host", file, all->v[i].name,
			          found.v[k]);
		warnings.bad |= found.bad;
	}
	verb_warn(&warnings);
	if (warnings.bad)
		return err_no_memory(e);
	if (warnings.n > 0 && !agreed)
		return err_set(e, STATUS_USAGE, EPERM,
		               "nothing is imported: with --yes it is, in spite of what gives it the host");
	return 0;
}

static int show(const struct importing *x, struct err *e)
{
	CLEANUP(buf_done) struct buf diff = { 0 };
	int r = importing_diff(x, &diff, e);

	if (r < 0)
		return r;
	return verb_print(diff.len > 0 ? buf_text(&diff) : "nothing would change\n") == STATUS_DONE
	               ? 0
	               : err_set(e, STATUS_IO, EIO, "the difference was not shown");
}

/* What was written, and what follows for those that run. */
static void tell(const struct importing *x)
{
	if (x->n == 0)
		printf("nothing to change\n");
	for (size_t i = 0; i < x->n; i++) {
		char name[NAME_MACHINE_MAX + 1];

		printf("%s%s: %s\n", x->root, x->v[i].path, x->v[i].old->len > 0 ? "changed" : "made");
		if (i >= x->n_confs || *x->root)
			continue;
		importing_name(x, i, name);
		editing_verdict(name);
	}
}

static int save(const char *root, const struct imported *all, enum registries_format format, bool dry,
                struct err *e)
{
	CLEANUP(importing_done) struct importing x = { .lock.fd = -1 };
	CLEANUP(strs_done) struct strs warnings = { 0 };
	CLEANUP(strs_done) struct strs late = { 0 };
	int r = importing_begin(root, all, format, dry, &x, &warnings, e);

	verb_warn(&warnings);
	if (r < 0)
		return r;
	if (dry)
		return show(&x, e);
	r = importing_save(&x, &late, e);
	verb_warn(&late);
	if (r == 0)
		tell(&x);
	return r;
}

int verb_import(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{ "root", required_argument, NULL, 'r' },    { "release", required_argument, NULL, 'R' },
		{ "dry-run", no_argument, NULL, 'n' },       { "yes", no_argument, NULL, 'y' },
		{ "expr", required_argument, NULL, 'x' },    { "registries", required_argument, NULL, 'V' },
		{ "include", required_argument, NULL, 'I' }, { 0 },
	};
	CLEANUP(imported_done) struct imported all = { 0 };
	CLEANUP(strs_done) struct strs folders = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	enum registries_format format = REGISTRIES_V1;
	enum release release = RELEASE_DEFAULT;
	const char *root = "", *file, *expression = NULL;
	struct err e = { 0 };
	bool dry = false, yes = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have, or one that lacks its value");
		if (option == 'R' && release_parse(optarg, &release) < 0)
			return verb_usage(v, "--release is one of 2014, 2020, 2021-04, 2021-05, 2021-11");
		if (option == 'V' && strcmp(optarg, "v1") != 0 && strcmp(optarg, "v2") != 0)
			return verb_usage(v, "--registries is v1 or v2");
		if (option == 'V')
			format = optarg[1] == '2' ? REGISTRIES_V2 : REGISTRIES_V1;
		root = option == 'r' ? optarg : root;
		expression = option == 'x' ? optarg : expression;
		dry |= option == 'n';
		yes |= option == 'y';
		if (option == 'I')
			strs_add(&folders, optarg);
	}
	if (argc - optind != (expression ? 0 : 1))
		return verb_usage(v, "one file, - for standard input, or --expr");
	file = expression ? NULL : argv[optind];
	if (read_document(file, expression, &folders, &text, &e) < 0)
		return verb_fail(&e);
	if (!file || strcmp(file, "-") == 0)
		file = file ? "stdin" : "expr";
	if (import_json(file, buf_text(&text), text.len, release, &all, &e) < 0 ||
	    look_at_neighbours(root, file, &all, &e) < 0 ||
	    look_at_what_it_opens(file, &all, dry || yes, &e) < 0 || save(root, &all, format, dry, &e) < 0)
		return verb_fail(&e);
	return STATUS_DONE;
}
