/* actions - what only the dashboard asks for, for the lab's tests.
 *
 *   actions cancel VERB MILLISECONDS NAME   begins it, takes it back after that time, prints how it ended
 *   actions read-only NAME                  gives its rights up, tries all verbs on NAME, and what the system
 *                                           itself must refuse; then sleeps, to be looked at
 *   actions may                             whether this user may manage units
 *   actions everywhere SECONDS COMMAND NAME...   a line a machine: NAME STATUS OUTPUT-BYTES SENTENCE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/control.h"
#include "engine/everywhere.h"
#include "engine/privileges.h"

static sd_event *loop;
static struct control *control;

static void on_done(int r, const struct err *e, void *arg)
{
	(void)arg;
	printf("%d %s\n", r, r < 0 ? e->text : "done");
	control = NULL;
	(void)sd_event_exit(loop, r < 0);
}

static int on_time(sd_event_source *s, uint64_t now, void *arg)
{
	(void)s, (void)now, (void)arg;
	if (control)
		control_cancel_job(control);
	return 0;
}

static int cancel(char **argv)
{
	enum control_verb verb = CONTROL_START;
	struct err e;

	while (strcmp(control_word(verb), argv[2]) != 0)
		verb++;
	if (control_begin(loop, verb, argv[4], on_done, NULL, &control, &e) < 0) {
		puts(e.text);
		return (int)e.status;
	}
	(void)sd_event_add_time_relative(loop, NULL, CLOCK_MONOTONIC, strtoul(argv[3], NULL, 10) * 1000, 1,
	                                 on_time, NULL);
	return sd_event_loop(loop);
}

static void on_change(struct everywhere *w, size_t i, void *arg)
{
	const struct everywhere_result *x = everywhere_result(w, i);

	(void)arg;
	if (x->ended)
		printf("%s %d %zu %s\n", x->name, x->status, x->output.len, x->e.text);
	if (everywhere_ended(w))
		(void)sd_event_exit(loop, 0);
}

static int everywhere(int argc, char **argv)
{
	char sh[] = "/bin/sh", c[] = "-c", *const words[] = { sh, c, argv[3], NULL };
	const char **names = calloc((size_t)argc, sizeof(*names));
	struct everywhere *w;
	struct err e;
	int r;

	for (int i = 4; names && i < argc; i++)
		names[i - 4] = argv[i];
	r = everywhere_begin(loop, names, (size_t)argc - 4, words, strtoul(argv[2], NULL, 10) * 1000000,
	                     on_change, NULL, &w, &e);
	if (r < 0) {
		puts(e.text);
		return (int)e.status;
	}
	r = sd_event_loop(loop);
	everywhere_free(w);
	free(names);
	return r;
}

static void tried(const char *what, int r)
{
	printf("%s: %s\n", what, r < 0 ? strerror(errno) : "DONE");
}

/* Each may be refused by seccomp, by Landlock or by the rights that are gone: it must only not be done. */
static void try_the_system(void)
{
	char *const argv[] = { (char[]){ "/bin/true" }, NULL };

	tried("write a file", open("/tmp/read-only", O_WRONLY | O_CREAT, 0666));
	tried("write a file that is there", open("/tmp/mine", O_WRONLY));
	tried("make a folder", mkdirat(AT_FDCWD, "/tmp/read-only", 0777));
	tried("delete", unlinkat(AT_FDCWD, "/tmp/mine", 0));
	tried("execute", execv(argv[0], argv));
	tried("unshare", unshare(CLONE_NEWUSER));
	tried("mount", mount("none", "/mnt", "tmpfs", 0, NULL));
	tried("kill all", kill(-1, 0));
	tried("internet", socket(AF_INET, SOCK_STREAM, 0));
	tried("packet", socket(AF_PACKET, SOCK_RAW, 0));
	tried("become root", setuid(0));
	tried("chmod", chmod("/tmp/mine", 0666));
}

static int read_only(char **argv)
{
	CLEANUP(strs_done) struct strs missing = { 0 };
	struct err e;
	int r = privileges_drop(NULL, &e);

	if (r < 0) {
		puts(e.text);
		return (int)e.status;
	}
	for (enum control_verb v = 0; v < CONTROL_VERBS; v++) {
		r = control_begin(loop, v, argv[2], on_done, NULL, &control, &e);
		printf("%s\n", r < 0 ? e.text : "DONE");
	}
	try_the_system();
	privileges_missing(&missing);
	for (size_t i = 0; i < missing.n; i++)
		puts(missing.v[i]);
	fflush(stdout);
	(void)pause();
	return 0;
}

static void on_may(enum privileges_may may, const char *why, void *arg)
{
	(void)arg;
	printf("%d %s\n", (int)may, why);
	(void)sd_event_exit(loop, 0);
}

static int ask_may(void)
{
	struct privileges_ask *ask;
	struct err e;

	if (privileges_may_manage(loop, on_may, NULL, &ask, &e) < 0)
		return 1;
	return sd_event_loop(loop);
}

int main(int argc, char **argv)
{
	int r;

	if (argc < 2 || sd_event_new(&loop) < 0)
		return 64;
	if (strcmp(argv[1], "may") == 0)
		r = ask_may();
	else if (strcmp(argv[1], "read-only") == 0 && argc == 3)
		r = read_only(argv);
	else if (strcmp(argv[1], "cancel") == 0 && argc == 5)
		r = cancel(argv);
	else
		r = argc > 4 ? everywhere(argc, argv) : 64;
	sd_event_unref(loop);
	return r < 0 ? 1 : r;
}
