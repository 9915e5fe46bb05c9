/* copy-to, copy-from, bind: files between the host and a running machine, by systemd-machined, which goes into the
 * machine's own namespaces for it: a link in its tree leads nowhere on the host. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strs.h"
#include "decide/shellwords.h"
#include "drivers/enter.h"
#include "drivers/machined_ask.h"
#include "engine/target.h"
#include "verbs/show.h"
#include "verbs/verbs.h"
#include "verbs/working.h"

/* A path on the host counts from where we are; one in the machine from its root. */
static int absolute(const char *path, bool host, struct strs *to, struct err *e)
{
	CLEANUP(free_p) char *here = NULL;

	if (path[0] == '/') {
		strs_add(to, path);
		return 0;
	}
	if (!host || !path[0])
		return err_set(e, STATUS_USAGE, EINVAL,
		               "'%s' is no absolute path, which one in a machine must be", path);
	here = getcwd(NULL, 0);
	if (!here)
		return err_sys(e, errno, "%s: cannot tell where we are", path);
	strs_addf(to, "%s/%s", strcmp(here, "/") == 0 ? "" : here, path);
	return 0;
}

static int show(const char *name, bool binds, bool from, int flags, const struct strs *words)
{
	bool ours = binds && enter_users(name);

	CLEANUP(target_done) struct target t = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e;

	if (target_find(name, false, &t, &e) < 0)
		return verb_fail(&e);
	if (!t.registered) {
		(void)err_set(&e, STATUS_NO_CONTAINER, ENOENT, "%s is not running", name);
		return verb_fail(&e);
	}
	buf_addf(&text, "%s %s%s%s %s", ours ? "machdeck" : "machinectl",
	         binds  ? "bind"
	         : from ? "copy-from"
	                : "copy-to",
	         ours && flags & ENTER_READ_ONLY ? " --read-only" : "",
	         ours && flags & ENTER_IDMAP ? " --idmap" : "", name);
	for (size_t i = 0; i < 2; i++) {
		buf_puts(&text, " ");
		shellwords_quote(words->v[i], &text);
	}
	if (ours)
		buf_puts(&text, " # machinectl refuses it for a machine with users of its own");
	else if (words->n > 2) /* machinectl has no word for replacing before v254 */
		buf_addf(&text, " # %s",
		         strcmp(words->v[2], "replace") == 0 ? "replacing what is there" : words->v[2]);
	buf_puts(&text, "\n");
	return verb_print_buf(&text);
}

static int say_done(const char *name, bool binds, bool from, const struct strs *words)
{
	CLEANUP(buf_done) struct buf text = { 0 };

	buf_addf(&text, "%s: ", name);
	show_text(&text, words->v[0]);
	buf_puts(&text, from ? " in it is copied to " : binds ? " is bound to " : " is copied to ");
	show_text(&text, words->v[1]);
	buf_addf(&text, "%s%s\n", from ? "" : " in it",
	         binds && strcmp(words->v[2], "ro") == 0 ? ", read-only" : "");
	return verb_print_buf(&text);
}

int verb_transfer(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{ "force", no_argument, NULL, 'f' },    { "read-only", no_argument, NULL, 'r' },
		{ "idmap", no_argument, NULL, 'i' },    { "dry-run", no_argument, NULL, 'n' },
		{ "snapshot", no_argument, NULL, 's' }, { 0 }
	};
	bool binds = strcmp(v->name, "bind") == 0, from = strcmp(v->name, "copy-from") == 0;
	CLEANUP(strs_done) struct strs words = { 0 };
	bool force = false, dry = false, keeps = false;
	const char *second;
	struct err e;
	int flags = 0, option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?' || (option == 'f' && binds) || (strchr("ri", option) && !binds) ||
		    (option == 's' && (binds || from)))
			return verb_usage(v, "an option it does not have");
		force |= option == 'f';
		flags |= option == 'r' ? ENTER_READ_ONLY : option == 'i' ? ENTER_IDMAP : 0;
		dry |= option == 'n';
		keeps |= option == 's';
	}
	r = verb_first_name(v, argc, argv);
	if (r != STATUS_DONE)
		return r;
	if (argc - optind < 2 || argc - optind > 3)
		return verb_usage(v, argc - optind < 2 ? "which path?" : "two paths at most");
	second = argv[argc - 1]; /* left out, it is the same on both sides */
	if (absolute(argv[optind + 1], !from, &words, &e) < 0 ||
	    absolute(argc - optind == 2 ? words.v[0] : second, from, &words, &e) < 0)
		return verb_fail(&e);
	if (binds)
		strs_add(&words, flags & ENTER_READ_ONLY ? "ro" : "rw");
	else if (force)
		strs_add(&words, "replace");
	if (words.bad) {
		(void)err_no_memory(&e);
		return verb_fail(&e);
	}
	if (dry)
		return show(argv[optind], binds, from, flags, &words);
	r = keeps ? working_keep(argv[optind], "copy-to") : STATUS_DONE;
	if (r != STATUS_DONE)
		return r;
	if (binds && enter_users(argv[optind]))
		r = enter_bind(argv[optind], words.v[0], words.v[1], flags, &e);
	else
		r = machined_await(binds  ? MACHINED_BIND
		                   : from ? MACHINED_COPY_FROM
		                          : MACHINED_COPY_TO,
		                   argv[optind], words.v, NULL, &e);
	if (r == -EEXIST && !binds) {
		char what[ERR_TEXT_MAX];

		(void)snprintf(what, sizeof(what), "%s", e.text);
		(void)err_set(&e, e.status, EEXIST, "%s (--force replaces %s)", what, words.v[1]);
	}
	return r < 0 ? verb_fail(&e) : say_done(argv[optind], binds, from, &words);
}
