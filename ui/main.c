/* main - from the command line to a verb, or to the dashboard. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "ui/linear.h"
#include "ui/options.h"
#include "ui/script.h"
#include "ui/settings.h"
#include "ui/view.h"
#include "verbs/compat.h"
#include "verbs/verbs.h"

/* A file that is opened while 0, 1 or 2 is free would be written to by whoever prints. */
static int open_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_NOCTTY) != fd)
			return -1;
	return 0;
}

/* What the caller's variables would make libraries do with root's rights: su and some sudo set-ups pass them
 * on. */
static void forget_hostile_environment(void)
{
	static const char *const names[] = {
		"TERMINFO",
		"TERMINFO_DIRS",
		"TERMCAP",
		"TERMPATH",
		"TERM_PROGRAM",
		"NCURSES_NO_UTF8_ACS",
		"NCURSES_ASSUMED_COLORS",
		"NCURSES_NO_PADDING",
		"NCURSES_TRACE",
		"DBUS_SYSTEM_BUS_ADDRESS",
		"DBUS_SESSION_BUS_ADDRESS",
		"DBUS_STARTER_ADDRESS",
		"LESS",
		"LESSOPEN",
		"LESSCLOSE",
		"PAGER",
	};

	if (geteuid() != 0)
		return;
	for (size_t i = 0; i < COUNT(names); i++)
		unsetenv(names[i]);
	setenv("HOME", "/root", 1); /* ncurses reads ~/.terminfo */
}

static const struct verb *find_verb(const char *name)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

static int print_help(void)
{
	CLEANUP(buf_done) struct buf options = { 0 };

	puts("usage: machdeck [OPTIONS]       the dashboard\n"
	     "       machdeck VERB [ARGS]\n");
	for (const struct verb *v = verbs; v->name; v++)
		if (!v->hidden)
			printf("  %-9s %-38s %s\n", v->name, v->args, v->help);
	options_help(&options);
	printf("\n"
	       "  help [VERB | keys], --help, --version, --default-config\n"
	       "\n"
	       "Options of the dashboard:\n"
	       "%s"
	       "\n"
	       "The manual is machdeck(1).\n",
	       buf_text(&options));
	return STATUS_DONE;
}

static int print_verb_help(const struct verb *v)
{
	printf("usage: machdeck %s %s\n%s: %s\n", v->name, v->args, v->name, v->help);
	return STATUS_DONE;
}

static int usage_error(const char *why, const char *what)
{
	char shown[ERR_TEXT_MAX];

	text_printable(shown, sizeof(shown), what, strlen(what));
	fprintf(stderr, "machdeck: %s%s\nusage: machdeck [VERB [ARGS]]; `machdeck help` lists the verbs\n",
	        why, shown);
	return STATUS_USAGE;
}

static bool is_linear_by_default(void)
{
	const char *wish = getenv("MACHDECK_LINEAR");

	return wish && !strcmp(wish, "1");
}

static int run_dashboard(int argc, char **argv)
{
	struct dashboard_options o;
	struct err e = { 0 };
	int r = options_parse(argc, argv, &o, &e);

	if (r < 0)
		return verb_fail(&e);
	if (o.script) {
		r = script_run(&o, &e);
		return r < 0 ? verb_fail(&e) : STATUS_DONE;
	}
	if (o.linear || is_linear_by_default()) {
		r = linear_run(&o, &e);
		return r < 0 ? verb_fail(&e) : r;
	}
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return usage_error("the dashboard needs a terminal; try `machdeck list`", "");
	r = dashboard_run(&o, &e);
	if (r == -ENOTSUP) { /* it can show lines */
		fprintf(stderr, "machdeck: %s; so in sentences\n", e.text);
		r = linear_run(&o, &e);
	}
	return r < 0 ? verb_fail(&e) : r;
}

static bool asks_for_help(const char *arg)
{
	return !strcmp(arg, "--help") || !strcmp(arg, "-h");
}

static int print_default_config(void)
{
	CLEANUP(buf_done) struct buf text = { 0 };

	settings_print_default(&text);
	if (text.bad)
		return STATUS_SYSTEM;
	fputs(buf_text(&text), stdout);
	return STATUS_DONE;
}

/* The help of the dashboard, for the manual to be held against. */
static int print_keys(void)
{
	CLEANUP(doc_done) struct doc d = { 0 };
	CLEANUP(buf_done) struct buf line = { 0 };

	view_help(NULL, &d);
	for (size_t i = 0; i < d.n_lines && !d.bad && !line.bad; i++) {
		doc_plain(&d, i, &line);
		puts(buf_text(&line));
	}
	return d.bad || line.bad ? STATUS_SYSTEM : STATUS_DONE;
}

static bool is_called(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash ? slash + 1 : path, name) == 0;
}

static int run(int argc, char **argv)
{
	const struct verb *v;

	if (argc > 0 && is_called(argv[0], COMPAT_NAME))
		return compat_main(argc, argv);
	if (argc < 2)
		return run_dashboard(argc, argv);
	if (!strcmp(argv[1], "--version")) {
		puts("machdeck " VERSION);
		return STATUS_DONE;
	}
	if (!strcmp(argv[1], "--default-config"))
		return print_default_config();
	if (asks_for_help(argv[1]) || (argc == 2 && !strcmp(argv[1], "help")))
		return print_help();
	if (!strcmp(argv[1], "help") && !strcmp(argv[2], "keys"))
		return print_keys();
	if (!strcmp(argv[1], "help")) {
		v = find_verb(argv[2]);
		return v ? print_verb_help(v) : usage_error("no such verb: ", argv[2]);
	}
	if (argv[1][0] == '-')
		return run_dashboard(argc, argv);
	v = find_verb(argv[1]);
	if (!v)
		return usage_error("no such verb: ", argv[1]);
	if (argc > 2 && asks_for_help(argv[2]))
		return print_verb_help(v);
	return v->run(v, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int status;

	if (open_standard_fds() < 0)
		return STATUS_SYSTEM;
	umask(022);
	forget_hostile_environment();
	setlocale(LC_CTYPE, "");
	status = run(argc, argv);
	if ((fflush(stdout) || ferror(stdout)) && status == STATUS_DONE)
		status = STATUS_IO;
	return status;
}
