#include "verbs/editing.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

int editing_options(const struct verb *v, int argc, char **argv, const char *has, struct edit_options *ret)
{
	static const struct option options[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "unit", optional_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	int option;

	*ret = (struct edit_options){ 0 };
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?' || !strchr(has, option))
			return verb_usage(v, "an option it does not have");
		ret->dry |= option == 'n';
		if (option == 'u')
			ret->unit = optarg ? optarg : "";
		ret->json |= option == 'j';
	}
	return verb_first_name(v, argc, argv);
}

/* Of the conf as it is, or with text as it would be; told: also that nothing is to be done. */
static void print_verdict(const struct edit *x, const struct buf *text, bool told)
{
	const char *name = x->places.name;
	CLEANUP(strs_done) struct strs because = { 0 };

	switch (edit_verdict(x, text, &because)) {
	case EDIT_NOTHING:
		if (told)
			printf("%s: nothing else to do\n", name);
		break;
	case EDIT_RELOAD:
		printf("%s: a reload %s it (machdeck reload %s)\n", name, text ? "would apply" : "applies",
		       name);
		break;
	case EDIT_RESTART:
		printf("%s: restart %s (machdeck restart %s)\n", name, text ? "would be needed" : "needed",
		       name);
		for (size_t i = 0; i < because.n; i++) {
			char shown[ERR_TEXT_MAX];

			text_printable(shown, sizeof(shown), because.v[i], strlen(because.v[i]));
			printf("  %s\n", shown);
		}
		break;
	}
}

void editing_verdict(const char *name)
{
	CLEANUP(edit_done) struct edit x = { .hold.fd = -1, .dir = -1 };

	if (edit_find(name, NULL, &x, NULL) == 0)
		print_verdict(&x, NULL, false);
}

static int show(const struct edit *x, const struct buf *text)
{
	CLEANUP(buf_done) struct buf diff = { 0 };
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct err e;

	if (edit_judge(x, text, &warnings, &e) < 0 || edit_preview(x, text, &diff, &e) < 0)
		return verb_fail(&e);
	edit_fit(x, text, &warnings);
	edit_paths(x, text, &warnings);
	verb_warn(&warnings);
	if (diff.len == 0)
		printf("%s: nothing would change\n", x->places.name);
	if (verb_print_buf(&diff) != STATUS_DONE)
		return STATUS_IO;
	if (diff.len > 0)
		print_verdict(x, text, true);
	return STATUS_DONE;
}

int editing_save(struct edit *x, struct buf *text, bool dry)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	CLEANUP(strs_done) struct strs fit = { 0 };
	struct err e;
	int r;

	if (dry)
		return show(x, text);
	edit_fit(x, text, &fit);
	edit_paths(x, text, &fit);
	r = edit_save(x, text, &warnings, &e);
	if (r > 0)
		strs_add_all(&warnings, &fit);
	verb_warn(&warnings);
	if (r < 0)
		return verb_fail(&e);
	printf("%s: %s\n", x->places.name, r > 0 ? "saved" : "nothing to change");
	if (x->kind == EDIT_CONF || r > 0)
		print_verdict(x, NULL, r > 0);
	return STATUS_DONE;
}

int editing_undo(struct edit *x, struct buf *text, uint64_t usec, bool dry)
{
	CLEANUP(free_p) uint64_t *now = NULL;
	struct edit_saves saves = { 0 };
	struct err e;
	int status = editing_save(x, text, dry);

	if (status != STATUS_DONE || dry)
		return status;
	/* what the undoing itself put there goes, too: the next undo goes on to what was before */
	if (edit_history(x->store, &saves, &e) < 0)
		return verb_fail(&e);
	now = saves.usec;
	for (size_t i = 0; i < saves.n && now[i] >= usec; i++)
		if (edit_undone(x->store, now[i], &e) < 0)
			return verb_fail(&e);
	return STATUS_DONE;
}
