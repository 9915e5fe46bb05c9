/* nixos-container: the command line of the NixOS tool of that name, over our engine. Its verbs, flags and output; the
 * exit statuses are ours (the Perl tool's are chance). nixos-container(1) says where it differs. */
#include "verbs/compat.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "drivers/confs.h"
#include "drivers/enter.h"
#include "drivers/rootfs.h"
#include "engine/control.h"
#include "engine/load.h"
#include "engine/observe.h"
#include "engine/session.h"
#include "verbs/verbs.h"
#include "words/name.h"

#define KEY_MAX 65536

struct call {
	const char *name;
	char **rest; /* after "--" */
};

static int say(const struct err *e)
{
	fprintf(stderr, "nixos-container: %s\n", e->text);
	return (int)e->status;
}

static int refuse(enum status status, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int refuse(enum status status, const char *format, ...)
{
	char text[ERR_TEXT_MAX], shown[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	text_printable(shown, sizeof(shown), text, strlen(text));
	fprintf(stderr, "nixos-container: %s\n", shown);
	return (int)status;
}

/* ---- what asks systemd */

struct waiting {
	sd_event *loop;
	int r;
	struct err e;
};

static void on_done(int r, const struct err *e, void *arg)
{
	struct waiting *w = arg;

	w->r = r;
	if (r < 0)
		w->e = *e;
	(void)sd_event_exit(w->loop, 0);
}

static int control(const struct call *c, enum control_verb verb)
{
	CLEANUP(sd_event_unrefp) sd_event *loop = NULL;
	struct waiting w = { 0 };
	struct control *handle;
	int r = sd_event_new(&loop);

	if (r < 0)
		return refuse(STATUS_SYSTEM, "cannot make an event loop: %s", strerror(-r));
	w.loop = loop;
	if (control_begin(loop, verb, c->name, on_done, &w, &handle, &w.e) < 0)
		return say(&w.e);
	r = sd_event_loop(loop);
	if (r < 0)
		return refuse(STATUS_SYSTEM, "cannot run an event loop: %s", strerror(-r));
	return w.r < 0 ? say(&w.e) : STATUS_DONE;
}

static int act_start(const struct call *c)
{
	return control(c, CONTROL_START);
}

static int act_stop(const struct call *c)
{
	return control(c, CONTROL_STOP);
}

static int act_restart(const struct call *c)
{
	return control(c, CONTROL_RESTART);
}

static int act_terminate(const struct call *c)
{
	return control(c, CONTROL_TERMINATE);
}

static int act_status(const struct call *c)
{
	CLEANUP(snapshot_done) struct snapshot s = { 0 };
	const struct machine *m;
	struct err e;

	if (observe_once(&s, &e) < 0)
		return say(&e);
	m = snapshot_find(&s, c->name);
	return verb_print(m && m->state == MACHINE_RUNNING ? "up\n" : "down\n");
}

/* ---- what goes into it */

static void quietly(const char *sentence)
{
	(void)sentence;
}

static int act_login(const struct call *c)
{
	struct err e;
	int r = session_login(c->name, quietly, &e);

	return r < 0 ? say(&e) : r;
}

static int act_run(const struct call *c)
{
	static char *const shell[] = { NULL };
	struct err e;
	int r = enter_run(c->name, c->rest ? c->rest : shell, -1, &e);

	return r < 0 ? say(&e) : r;
}

/* ---- what is read */

static int act_list(const struct call *c)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e;

	(void)c;
	if (confs_list("", &names, &e) < 0)
		return say(&e);
	for (size_t i = 0; i < names.n; i++)
		buf_addf(&text, "%s\n", names.v[i]);
	return verb_print(buf_text(&text));
}

static int act_show_ip(const struct call *c)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	char text[ADDR_TEXT_SIZE + 1];
	const struct addr *a;
	struct err e;

	if (load_container("", c->name, &l, &e) < 0)
		return say(&e);
	a = addr_is_set(&l.container.addr[LOCAL4]) ? &l.container.addr[LOCAL4] : &l.container.addr[LOCAL6];
	if (!addr_is_set(a))
		return refuse(STATUS_FAILED, "cannot get IP address");
	addr_print(a, false, text);
	return verb_print(text) == STATUS_DONE ? verb_print("\n") : STATUS_IO;
}

static int act_show_host_key(const struct call *c)
{
	static const char *const paths[] = { "etc/ssh/ssh_host_ed25519_key.pub", "etc/ssh/ssh_host_ecdsa_key.pub" };
	CLEANUP(rootfs_done) struct rootfs root = { .fd = -1 };
	CLEANUP(loaded_done) struct loaded l = { 0 };
	CLEANUP(buf_done) struct buf key = { 0 };
	struct err e;

	if (load_plan("", c->name, &l, &e) < 0 || rootfs_open(l.plan.root, ROOTFS_REFUSE, 0, &root, &e) < 0)
		return say(&e);
	for (size_t i = 0; i < COUNT(paths); i++)
		if (rootfs_read(&root, paths[i], KEY_MAX, &key, &e) == 0) {
			char shown[KEY_MAX];

			text_printable(shown, sizeof(shown), buf_text(&key), strcspn(buf_text(&key), "\n"));
			return verb_print(shown) == STATUS_DONE ? verb_print("\n") : STATUS_IO;
		}
	return STATUS_FAILED;
}

/* ---- the command line */

static const struct action {
	const char *name;
	int (*run)(const struct call *c);
	bool takes_name;
} actions[] = {
	{ "list", act_list, false },
	{ "start", act_start, true },
	{ "stop", act_stop, true },
	{ "restart", act_restart, true },
	{ "terminate", act_terminate, true },
	{ "status", act_status, true },
	{ "login", act_login, true },
	{ "root-login", act_run, true },
	{ "run", act_run, true },
	{ "show-ip", act_show_ip, true },
	{ "show-host-key", act_show_host_key, true },
	{ 0 },
};

enum flag {
	OPTION_HELP = 256,
	OPTION_IGNORED,
};

static const struct option options[] = {
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "signal", required_argument, NULL, OPTION_IGNORED },
	{ 0 },
};

static int print_usage(void)
{
	return verb_print("Usage: nixos-container list\n"
	                  "       nixos-container start NAME\n"
	                  "       nixos-container stop NAME\n"
	                  "       nixos-container restart NAME\n"
	                  "       nixos-container terminate NAME\n"
	                  "       nixos-container status NAME\n"
	                  "       nixos-container login NAME\n"
	                  "       nixos-container root-login NAME\n"
	                  "       nixos-container run NAME -- ARGS...\n"
	                  "       nixos-container show-ip NAME\n"
	                  "       nixos-container show-host-key NAME\n"
	                  "\n"
	                  "This is machdeck under that name; nixos-container(1) says where it differs.\n");
}

static bool has_conf(const char *name, struct err *e)
{
	CLEANUP(conf_file_done) struct conf_file conf = { 0 };

	return confs_load("", name, &conf, e) == 0 || e->status != STATUS_NO_CONTAINER;
}

static int act(const struct action *a, struct call *c)
{
	struct err e;

	if (!a->takes_name)
		return a->run(c);
	if (!c->name)
		return refuse(STATUS_USAGE, "no container name specified");
	if (!name_is_machine(c->name))
		return refuse(STATUS_USAGE, "invalid container name '%s'", c->name);
	if (!has_conf(c->name, &e)) {
		if (a->run == act_status)
			(void)verb_print("gone\n");
		return refuse(STATUS_NO_CONTAINER, "container '%s' does not exist", c->name);
	}
	return a->run(c);
}

/* What follows "--" is a command's, however it looks. */
static char **cut_command(int *argc, char **argv)
{
	for (int i = 1; i < *argc; i++)
		if (strcmp(argv[i], "--") == 0) {
			argv[i] = NULL;
			*argc = i;
			return argv + i + 1;
		}
	return NULL;
}

int compat_main(int argc, char **argv)
{
	struct call c = { .rest = cut_command(&argc, argv) };
	const struct action *a = actions;
	int option;

	argv[0] = (char[]){ COMPAT_NAME };
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		switch (option) {
		case OPTION_HELP:
			return print_usage();
		case OPTION_IGNORED:
			break;
		default:
			return STATUS_FAILED;
		}
	if (optind == argc)
		return refuse(STATUS_USAGE, "no action specified");
	while (a->name && strcmp(a->name, argv[optind]) != 0)
		a++;
	if (!a->name)
		return refuse(STATUS_USAGE, "unknown action '%s'", argv[optind]);
	c.name = argv[optind + 1]; /* NULL after the last */
	if (argc - optind > (a->takes_name ? 2 : 1))
		return refuse(STATUS_USAGE, "too many arguments (a command comes after --)");
	return act(a, &c);
}
