/* machdeck edit: a conf in the person's own editor. What comes back is judged before it is saved; what is bad goes back to
 * the editor, at its line. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "base/text.h"
#include "drivers/files.h"
#include "engine/recorder.h"
#include "verbs/editing.h"
#include "verbs/verbs.h"

#define FOLDER    "/run/machdeck/.edit"
#define TEXT_MAX  (1U << 20)
#define PATH_SIZE (sizeof(FOLDER) + NAME_MACHINE_MAX + 32)

/* ---- the editor */

static const char *const usual[] = { "editor", "nano", "vim", "vi" };

/* How it is told the line: +LINE is what nearly all take, as systemctl edit and visudo suppose, too. */
enum line_style { LINE_PLUS, LINE_COMMAND, LINE_BEHIND, LINE_GOTO, LINE_NEVER };

static enum line_style line_style(const char *program)
{
	static const struct {
		const char *name;
		enum line_style style;
	} others[] = {
		{ "busybox", LINE_COMMAND }, { "hx", LINE_BEHIND }, { "helix", LINE_BEHIND },
		{ "subl", LINE_BEHIND },     { "code", LINE_GOTO }, { "codium", LINE_GOTO },
		{ "ed", LINE_NEVER },        { "sh", LINE_NEVER },
	};
	const char *slash = strrchr(program, '/');

	for (size_t i = 0; i < COUNT(others); i++)
		if (strcmp(slash ? slash + 1 : program, others[i].name) == 0)
			return others[i].style;
	return LINE_PLUS;
}

static void add_file(struct strs *argv, const char *path, size_t line)
{
	enum line_style style = line > 1 && !argv->bad ? line_style(argv->v[0]) : LINE_NEVER;

	switch (style) {
	case LINE_PLUS:
		strs_addf(argv, "+%zu", line);
		break;
	case LINE_COMMAND:
		strs_add(argv, "-c");
		strs_addf(argv, "%zu", line);
		break;
	case LINE_GOTO:
		strs_add(argv, "--goto");
		strs_addf(argv, "%s:%zu", path, line);
		return;
	case LINE_BEHIND:
		strs_addf(argv, "%s:%zu", path, line);
		return;
	case LINE_NEVER:
		break;
	}
	strs_add(argv, path);
}

static void wished(struct strs *ret)
{
	static const char *const names[] = { "SYSTEMD_EDITOR", "VISUAL", "EDITOR" };

	for (size_t i = 0; i < COUNT(names) && ret->n == 0; i++) {
		const char *value = getenv(names[i]);

		if (value)
			strs_split(ret, value, " ");
	}
}

static _Noreturn void become_editor(const struct strs *wish, const char *path, size_t line)
{
	CLEANUP(strs_done) struct strs argv = { 0 };
	size_t n = wish->n > 0 ? 1 : COUNT(usual);

	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGQUIT, SIG_DFL);
	for (size_t i = 0; i < n; i++) {
		strs_done(&argv);
		argv = (struct strs){ 0 };
		if (wish->n > 0)
			strs_add_all(&argv, wish);
		else
			strs_add(&argv, usual[i]);
		add_file(&argv, path, line);
		if (!argv.bad)
			(void)execvp(argv.v[0], argv.v);
	}
	_exit(127);
}

static int run_editor(const char *path, size_t line, struct err *e)
{
	CLEANUP(strs_done) struct strs wish = { 0 };
	sighandler_t interrupt, quit;
	int status = 0;
	pid_t pid;

	wished(&wish);
	fflush(stdout);
	interrupt = signal(SIGINT, SIG_IGN);
	quit = signal(SIGQUIT, SIG_IGN);
	pid = fork();
	if (pid == 0)
		become_editor(&wish, path, line);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	(void)signal(SIGINT, interrupt);
	(void)signal(SIGQUIT, quit);
	if (pid < 0)
		return err_sys(e, errno, "cannot run an editor");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_set(e, STATUS_FAILED, ENOENT, "there is no editor %s (set EDITOR)",
		               wish.n > 0 ? wish.v[0] : "here");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, STATUS_FAILED, ECANCELED, "the editor failed: nothing was saved");
	return 0;
}

/* ---- there and back */

static void copy_path(const struct edit *x, char ret[static PATH_SIZE])
{
	static const char *const endings[] = { ".conf", ".nspawn", ".override.conf" };

	(void)snprintf(ret, PATH_SIZE, FOLDER "/%s%s", x->places.name, endings[x->kind]);
}

static int put_copy(const struct edit *x, const struct buf *text, char ret_path[static PATH_SIZE],
                    struct err *e)
{
	struct files_new private = { .mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	CLEANUP(close_p) int dir = -1;
	const char *leaf;
	int r = files_mkdir("", FOLDER, 0700, &dir, e);

	if (r < 0)
		return r;
	copy_path(x, ret_path);
	leaf = strrchr(ret_path, '/') + 1;
	r = files_replace(dir, leaf, &private, buf_text(text), text->len);
	return r < 0 ? err_sys(e, -r, "cannot write %s", ret_path) : 0;
}

static bool asks(const char *question)
{
	char answer[16];

	if (!isatty(STDIN_FILENO))
		return false;
	printf("%s [Y/n] ", question);
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && tolower((unsigned char)answer[0]) != 'n';
}

/* The line of "FILE:LINE:COLUMN: reason"; 1 when it tells none. */
static size_t line_of(const struct edit *x, const char *sentence)
{
	size_t len = strlen(x->path);
	const char *at = strstr(sentence, x->path);

	return at && at[len] == ':' && isdigit((unsigned char)at[len + 1]) ? strtoul(at + len + 1, NULL, 10)
	                                                                   : 1;
}

/* Until it is good, or given up. */
static int edit_until_good(const struct edit *x, struct buf *text, struct err *e)
{
	char path[PATH_SIZE];
	size_t line = 1;
	int r = put_copy(x, text, path, e);

	while (r == 0) {
		r = run_editor(path, line, e);
		if (r < 0)
			break;
		buf_done(text);
		*text = (struct buf){ 0 };
		r = files_read("", path, TEXT_MAX, text, NULL, e);
		if (r < 0 || edit_judge(x, text, NULL, e) == 0)
			break;
		(void)verb_fail(e);
		line = line_of(x, e->text);
		if (!asks("Edit it again?"))
			r = -ECANCELED;
	}
	if (gate_ask(NULL, "cannot remove %s", path) == 0)
		(void)unlink(path);
	return r;
}

/* The file of an editor whose machdeck was killed: the lock is ours, so nobody is at it. */
static int take_left_copy(const struct edit *x, struct err *e)
{
	CLEANUP(buf_done) struct buf left = { 0 };
	char path[PATH_SIZE];
	int r;

	copy_path(x, path);
	r = files_read("", path, TEXT_MAX, &left, NULL, e);
	if (r == 0 && left.len > 0 && strcmp(buf_text(&left), buf_text(&x->old)) != 0)
		r = edit_draft_save(x->store, NULL, &left, e);
	if (r == 0 && gate_ask(NULL, "cannot remove %s", path) == 0)
		(void)unlink(path);
	return r == -ENOENT ? 0 : r;
}

/* What an earlier editing left when it was killed or given up. Where nobody can be asked it stays for later. */
static int take_draft(const struct edit *x, struct buf *text, bool *ret_stays, struct err *e)
{
	CLEANUP(buf_done) struct buf draft = { 0 };
	int r = edit_draft_take(x, &draft, e);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (!isatty(STDIN_FILENO)) {
		fprintf(stderr,
		        "machdeck: %s: a text that was not saved earlier stays kept: on a terminal edit goes "
		        "on with it\n",
		        x->places.name);
		*ret_stays = true;
		return 0;
	}
	if (!asks("There is a text that was not saved. Go on with it?"))
		return edit_draft_drop(x->store, e);
	buf_done(text);
	*text = draft;
	draft = (struct buf){ 0 };
	return 0;
}

static const char *or_not_set(const char *value)
{
	return *value ? value : "not set";
}

static void print_clashes(const struct strs *clashes)
{
	CLEANUP(buf_done) struct buf text = { 0 };

	for (size_t i = 0; i + 3 < clashes->n; i += 4) {
		char shown[ERR_TEXT_MAX];

		buf_addf(&text, "%s: it was %.150s, it is now %.150s, you typed %.150s\n", clashes->v[i],
		         or_not_set(clashes->v[i + 1]), or_not_set(clashes->v[i + 2]),
		         or_not_set(clashes->v[i + 3]));
		text_printable(shown, sizeof(shown), buf_text(&text), text.len);
		fprintf(stderr, "%s\n", shown);
		buf_done(&text);
		text = (struct buf){ 0 };
	}
}

static bool answers(const char *question, char *ret, int size)
{
	if (!isatty(STDIN_FILENO))
		return false;
	printf("%s ", question);
	fflush(stdout);
	if (!fgets(ret, size, stdin))
		return false;
	ret[strcspn(ret, "\n")] = '\0';
	return *ret;
}

/* What others changed, and what was typed: keys of a conf, lines of settings. */
static bool shows_clashes(const struct edit *x, const struct buf *theirs, const struct buf *mine)
{
	static const char *const labels[] = { "as others left it", "as you typed it" };
	CLEANUP(strs_done) struct strs clashes = { 0 };
	CLEANUP(buf_done) struct buf diff = { 0 };

	if (x->kind == EDIT_CONF) {
		(void)conf_clashes(x->path, &x->old, mine, theirs, &clashes, NULL);
		print_clashes(&clashes);
		return clashes.n > 0;
	}
	return conf_diff(labels[0], buf_text(&x->old), buf_text(theirs), &diff) >= 0 &&
	       conf_diff(labels[1], buf_text(&x->old), buf_text(mine), &diff) >= 0 &&
	       verb_print_buf(&diff) == STATUS_DONE;
}

/* Others saved the same keys: both are shown, and whose count is asked. True: it is to be saved once more. */
static bool settles(struct edit *x, struct buf *text)
{
	CLEANUP(buf_done) struct buf theirs = { 0 };
	char answer[16];
	struct err e;

	if (edit_meanwhile(x, &theirs, NULL) < 0 || !shows_clashes(x, &theirs, text))
		return false;
	if (!answers("Type theirs or yours for what is to count, or nothing to stop:", answer,
	             sizeof(answer)) ||
	    (strcmp(answer, "theirs") != 0 && strcmp(answer, "yours") != 0))
		return false;
	if (edit_settle(x, &theirs, strcmp(answer, "yours") == 0, text, &e) == 0)
		return true;
	(void)verb_fail(&e);
	return false;
}

/* Its conf is gone, or no file any more. */
static void offer_another_file(const struct edit *x, const struct buf *text)
{
	CLEANUP(buf_done) struct buf now = { 0 };
	CLEANUP(close_p) int fd = -1;
	char path[PATH_MAX];
	struct err e;

	if (edit_meanwhile(x, &now, NULL) == 0 ||
	    !answers("Save what you typed as another file, which (nothing: none)?", path, sizeof(path)))
		return;
	if (recorder_create(path, &fd, &e) < 0)
		(void)verb_fail(&e);
	else if (write(fd, buf_text(text), text->len) != (ssize_t)text->len)
		fprintf(stderr, "machdeck: cannot write all of '%s': %s\n", path, strerror(errno));
	else
		printf("%s: written\n", path);
}

static int save(struct edit *x, struct buf *text, bool dry)
{
	int status = editing_save(x, text, dry);

	while (status == STATUS_BUSY && settles(x, text))
		status = editing_save(x, text, dry);
	if (status == STATUS_BUSY)
		offer_another_file(x, text);
	return status;
}

static void tell_kept(const struct edit *x, const char *unit)
{
	fprintf(stderr,
	        "machdeck: what you typed is kept in %s/%s; `machdeck edit %s%s%s%s%s` goes on with it\n",
	        EDIT_DRAFTS, x->store, unit ? "--unit" : "", unit && *unit ? "=" : "", unit ? unit : "",
	        unit ? " " : "", x->places.name);
}

/* Where there is one already that nobody could be asked about, that stays, too. */
static void keep_typed(const struct edit *x, const struct buf *text, bool stays, const char *unit)
{
	char earlier[EDIT_STORE_SIZE + sizeof(PLACES_EARLIER)];
	CLEANUP(buf_done) struct buf draft = { 0 };
	struct err e;

	if (text->len == 0 || buf_same(text, &x->old))
		return;
	(void)snprintf(earlier, sizeof(earlier), "%s" PLACES_EARLIER, x->store);
	if (stays && edit_draft_read(x->store, &draft, &e) == 0 && !buf_same(&draft, text)) {
		if (edit_draft_save(earlier, NULL, &draft, &e) < 0) {
			(void)verb_fail(&e);
			return;
		}
		fprintf(stderr, "machdeck: what was typed before that is kept in %s/%s\n", EDIT_DRAFTS,
		        earlier);
	}
	if (edit_draft_save(x->store, &x->old, text, &e) < 0)
		(void)verb_fail(&e);
	else
		tell_kept(x, unit);
}

int verb_edit(const struct verb *v, int argc, char **argv)
{
	CLEANUP(edit_done) struct edit x = { .hold.fd = -1, .dir = -1 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct edit_options o;
	struct err e;
	bool stays = false;
	int status = editing_options(v, argc, argv, "nu", &o), r;

	if (status == STATUS_DONE)
		status = verb_name(v, argc, argv);
	if (status != STATUS_DONE)
		return status;
	if (edit_begin_any(argv[optind], o.unit, 0, &x, &e) < 0)
		return verb_fail(&e);
	buf_add(&text, buf_text(&x.old), x.old.len);
	if (take_left_copy(&x, &e) < 0 || take_draft(&x, &text, &stays, &e) < 0)
		return verb_fail(&e);
	r = edit_until_good(&x, &text, &e);
	status = r == 0 ? save(&x, &text, o.dry) : (int)e.status;
	if (r < 0 && r != -ECANCELED)
		(void)verb_fail(&e);
	if (status == STATUS_DONE)
		return !o.dry && !stays && edit_draft_drop(x.store, &e) < 0 ? verb_fail(&e) : STATUS_DONE;
	keep_typed(&x, &text, stays, o.unit);
	return status;
}
