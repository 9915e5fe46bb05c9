/* nixos-container: the command line of the NixOS tool of that name, over our engine. Its verbs, flags and output; the
 * exit statuses are ours (the Perl tool's are chance). nixos-container(1) says where it differs. */
#include "verbs/compat.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "decide/sshkey.h"
#include "drivers/confs.h"
#include "drivers/enter.h"
#include "drivers/rootfs.h"
#include "engine/control.h"
#include "engine/load.h"
#include "engine/session.h"
#include "engine/settle.h"
#include "verbs/compat_private.h"
#include "verbs/verbs.h"
#include "words/name.h"

#define KEY_MAX 65536

int compat_say(const struct err *e)
{
	fprintf(stderr, "nixos-container: %s\n", e->text);
	return (int)e->status;
}

int compat_refuse(enum status status, const char *format, ...)
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

void compat_warn(const struct strs *warnings)
{
	for (size_t i = 0; i < warnings->n; i++)
		(void)compat_refuse(STATUS_DONE, "warning: %s", warnings->v[i]);
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

static int control(const struct compat_call *c, enum control_verb verb)
{
	CLEANUP(sd_event_unrefp) sd_event *loop = NULL;
	struct waiting w = { 0 };
	struct control *handle;
	int r = sd_event_new(&loop);

	if (r < 0)
		return compat_refuse(STATUS_SYSTEM, "cannot make an event loop: %s", strerror(-r));
	w.loop = loop;
	if (control_begin(loop, verb, c->name, on_done, &w, &handle, &w.e) < 0)
		return compat_say(&w.e);
	r = sd_event_loop(loop);
	if (r < 0)
		return compat_refuse(STATUS_SYSTEM, "cannot run an event loop: %s", strerror(-r));
	return w.r < 0 ? compat_say(&w.e) : STATUS_DONE;
}

static int act_start(const struct compat_call *c)
{
	return control(c, CONTROL_START);
}

static int act_stop(const struct compat_call *c)
{
	return control(c, CONTROL_STOP);
}

static int act_restart(const struct compat_call *c)
{
	return control(c, CONTROL_RESTART);
}

/* Of what does not run there is nothing to kill, which the tool ends with a failure. */
static int act_terminate(const struct compat_call *c)
{
	if (!settle_is_up(c->name))
		return compat_refuse(STATUS_NO_CONTAINER,
		                     "unable to get container's main PID: %s is not running", c->name);
	return control(c, CONTROL_TERMINATE);
}

static int act_status(const struct compat_call *c)
{
	struct err e;
	bool up;

	if (verb_is_up(c->name, &up, &e) < 0)
		return compat_say(&e);
	return verb_print(up ? "up\n" : "down\n");
}

/* ---- what goes into it */

static void quietly(const char *sentence)
{
	(void)sentence;
}

static int act_login(const struct compat_call *c)
{
	struct err e;
	int r = session_login(c->name, quietly, &e);

	return r < 0 ? compat_say(&e) : r;
}

static int act_run(const struct compat_call *c)
{
	struct err e;
	int r = enter_run(c->name, c->command, -1, &e);

	return r < 0 ? compat_say(&e) : r;
}

/* ---- what is read */

static int act_list(const struct compat_call *c)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e;

	(void)c;
	if (confs_list("", &names, &e) < 0)
		return compat_say(&e);
	for (size_t i = 0; i < names.n; i++)
		buf_addf(&text, "%s\n", names.v[i]);
	return verb_print_buf(&text);
}

static int act_show_ip(const struct compat_call *c)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	char text[ADDR_TEXT_SIZE + 1];
	const struct addr *a;
	struct err e;

	if (load_container("", c->name, &l, &e) < 0)
		return compat_say(&e);
	a = addr_is_set(&l.container.addr[LOCAL4]) ? &l.container.addr[LOCAL4] : &l.container.addr[LOCAL6];
	if (!addr_is_set(a))
		return compat_refuse(STATUS_FAILED, "cannot get IP address");
	addr_print(a, false, text);
	return verb_print(text) == STATUS_DONE ? verb_print("\n") : STATUS_IO;
}

/* Whether anything has that name; that it leads nowhere is another matter. */
static bool has_name(const struct rootfs *root, const char *folder, const char *leaf)
{
	CLEANUP(close_p) int dir = rootfs_open_dir(root, folder);
	struct stat st;

	return dir >= 0 && fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What a guest put there is shown only when it is a key. */
static int show_key(const struct rootfs *root, const char *path)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e;
	int r = rootfs_read(root, path, KEY_MAX, &text, &e);
	size_t len = r < 0 ? 0 : sshkey_line(buf_text(&text), text.len);

	if (r == -ENOENT)
		return compat_refuse(STATUS_NO_CONTAINER, "%s", e.text);
	if (r < 0)
		return compat_refuse(STATUS_UNSAFE_TREE, "%s", e.text);
	if (len == 0)
		return compat_refuse(STATUS_UNSAFE_TREE, "%s in %s is no public key of OpenSSH's", path,
		                     root->path);
	text.p[len] = '\0';
	return verb_print(text.p) == STATUS_DONE ? verb_print("\n") : STATUS_IO;
}

static int act_show_host_key(const struct compat_call *c)
{
	static const char *const keys[] = { "ssh_host_ed25519_key.pub", "ssh_host_ecdsa_key.pub" };
	CLEANUP(rootfs_done) struct rootfs root = { .fd = -1 };
	CLEANUP(loaded_done) struct loaded l = { 0 };
	struct err e;

	if (load_plan("", c->name, &l, &e) < 0 || rootfs_open(l.plan.root, ROOTFS_REFUSE, 0, &root, &e) < 0)
		return compat_say(&e);
	for (size_t i = 0; i < COUNT(keys); i++)
		if (has_name(&root, "etc/ssh", keys[i])) {
			char path[64];

			(void)snprintf(path, sizeof(path), "etc/ssh/%s", keys[i]);
			return show_key(&root, path);
		}
	return STATUS_FAILED;
}

/* ---- the command line */

static const struct action {
	const char *name;
	int (*run)(const struct compat_call *c);
	bool takes_name, takes_more;
} actions[] = {
	{ "list", act_list, false, false },
	{ "create", compat_create, true, false },
	{ "update", compat_update, true, false },
	{ "destroy", compat_destroy, true, false },
	{ "start", act_start, true, false },
	{ "stop", act_stop, true, false },
	{ "restart", act_restart, true, false },
	{ "terminate", act_terminate, true, false },
	{ "status", act_status, true, false },
	{ "login", act_login, true, false },
	{ "root-login", act_run, true, false },
	{ "run", act_run, true, true },
	{ "show-ip", act_show_ip, true, false },
	{ "show-host-key", act_show_host_key, true, false },
	{ 0 },
};

enum flag {
	OPTION_HELP = 256,
	OPTION_IGNORED,
	OPTION_NIXOS_PATH,
	OPTION_SYSTEM_PATH,
	OPTION_CONFIG,
	OPTION_CONFIG_FILE,
	OPTION_FLAKE,
	OPTION_UNIQUE_NAME,
	OPTION_AUTO_START,
	OPTION_BRIDGE,
	OPTION_PORT,
	OPTION_HOST_ADDRESS,
	OPTION_LOCAL_ADDRESS,
	OPTION_NIX, /* without a value; then with one, with two */
	OPTION_NIX_ONE,
	OPTION_NIX_TWO,
};

static const struct option options[] = {
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "signal", required_argument, NULL, OPTION_IGNORED },
	{ "nixos-path", required_argument, NULL, OPTION_NIXOS_PATH },
	{ "system-path", required_argument, NULL, OPTION_SYSTEM_PATH },
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "config-file", required_argument, NULL, OPTION_CONFIG_FILE },
	{ "flake", required_argument, NULL, OPTION_FLAKE },
	{ "ensure-unique-name", no_argument, NULL, OPTION_UNIQUE_NAME },
	{ "auto-start", no_argument, NULL, OPTION_AUTO_START },
	{ "bridge", required_argument, NULL, OPTION_BRIDGE },
	{ "port", required_argument, NULL, OPTION_PORT },
	{ "host-address", required_argument, NULL, OPTION_HOST_ADDRESS },
	{ "local-address", required_argument, NULL, OPTION_LOCAL_ADDRESS },
	{ "log-format", required_argument, NULL, OPTION_NIX_ONE },
	{ "option", required_argument, NULL, OPTION_NIX_TWO },
	{ "impure", no_argument, NULL, OPTION_NIX },
	{ "update-input", required_argument, NULL, OPTION_NIX_ONE },
	{ "override-input", required_argument, NULL, OPTION_NIX_TWO },
	{ "commit-lock-file", no_argument, NULL, OPTION_NIX },
	{ "no-registries", no_argument, NULL, OPTION_NIX },
	{ "no-update-lock-file", no_argument, NULL, OPTION_NIX },
	{ "no-write-lock-file", no_argument, NULL, OPTION_NIX },
	{ "no-allow-dirty", no_argument, NULL, OPTION_NIX },
	{ "recreate-lock-file", no_argument, NULL, OPTION_NIX },
	{ 0 },
};

/* Returns whether the option has what it needs. */
static bool take_option(struct compat_call *c, int option, const char *name, int argc, char **argv)
{
	switch (option) {
	case OPTION_NIXOS_PATH:
		c->nixos_path = optarg;
		break;
	case OPTION_SYSTEM_PATH:
		c->system_path = optarg;
		break;
	case OPTION_CONFIG:
		c->config = optarg;
		break;
	case OPTION_CONFIG_FILE:
		c->config_file = optarg;
		break;
	case OPTION_FLAKE:
		c->flake = optarg;
		break;
	case OPTION_UNIQUE_NAME:
		c->unique_name = true;
		break;
	case OPTION_AUTO_START:
		draft_replace(&c->conf, "AUTO_START", "1");
		break;
	case OPTION_BRIDGE:
		draft_replace(&c->conf, "HOST_BRIDGE", optarg);
		break;
	case OPTION_PORT:
		draft_replace(&c->conf, "HOST_PORT", optarg);
		break;
	case OPTION_HOST_ADDRESS:
		draft_replace(&c->conf, "HOST_ADDRESS", optarg);
		break;
	case OPTION_LOCAL_ADDRESS:
		draft_replace(&c->conf, "LOCAL_ADDRESS", optarg);
		break;
	case OPTION_NIX:
	case OPTION_NIX_ONE:
	case OPTION_NIX_TWO:
		strs_addf(&c->nix_flags, "--%s", name);
		if (option != OPTION_NIX)
			strs_add(&c->nix_flags, optarg);
		if (option != OPTION_NIX_TWO)
			break;
		if (optind >= argc)
			return false;
		strs_add(&c->nix_flags, argv[optind++]);
		break;
	default:
		break;
	}
	return true;
}

static int print_usage(void)
{
	return verb_print("Usage: nixos-container list\n"
	                  "       nixos-container create NAME\n"
	                  "         [--nixos-path PATH]\n"
	                  "         [--system-path PATH]\n"
	                  "         [--config STRING]\n"
	                  "         [--config-file PATH]\n"
	                  "         [--flake FLAKE]\n"
	                  "         [--ensure-unique-name]\n"
	                  "         [--auto-start]\n"
	                  "         [--bridge LINK]\n"
	                  "         [--port PORT]\n"
	                  "         [--host-address ADDRESS]\n"
	                  "         [--local-address ADDRESS]\n"
	                  "       nixos-container destroy NAME\n"
	                  "       nixos-container restart NAME\n"
	                  "       nixos-container start NAME\n"
	                  "       nixos-container stop NAME\n"
	                  "       nixos-container terminate NAME\n"
	                  "       nixos-container status NAME\n"
	                  "       nixos-container update NAME\n"
	                  "         [--config STRING]\n"
	                  "         [--config-file PATH]\n"
	                  "         [--flake FLAKE]\n"
	                  "         [--nixos-path PATH]\n"
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

/* What is wrong with the options together; NULL: nothing. */
static const char *find_contradiction(const struct compat_call *c)
{
	if (!draft_get(&c->conf, "HOST_ADDRESS") != !draft_get(&c->conf, "LOCAL_ADDRESS"))
		return "with --host-address set, --local-address is required as well, and the other way "
		       "round";
	if (c->config && c->config_file)
		return "--config and --config-file are mutually incompatible: define one of them";
	return NULL;
}

static int act(const struct action *a, struct compat_call *c)
{
	struct err e;

	if (!a->takes_name)
		return a->run(c);
	if (!c->name)
		return compat_refuse(STATUS_USAGE, "no container name specified");
	if (!name_is_machine(c->name))
		return compat_refuse(STATUS_USAGE, "invalid container name '%s'", c->name);
	if (a->run == compat_create || has_conf(c->name, &e))
		return a->run(c);
	if (a->run == compat_destroy)
		return STATUS_DONE;
	if (a->run == act_status)
		(void)verb_print("gone\n");
	return compat_refuse(STATUS_NO_CONTAINER, "container '%s' does not exist", c->name);
}

static void call_done(struct compat_call *c)
{
	draft_done(&c->conf);
	strs_done(&c->nix_flags);
}

static int call(struct compat_call *c, int argc, char **argv)
{
	const struct action *a = actions;
	const char *wrong;
	int option, named, at = 0;

	while ((option = getopt_long(argc, argv, "", options, &at)) >= 0) {
		if (option == OPTION_HELP)
			return print_usage();
		if (option == '?')
			return STATUS_FAILED;
		if (!take_option(c, option, options[at].name, argc, argv)) {
			(void)compat_refuse(STATUS_FAILED, "option '--%s' requires two arguments",
			                    options[at].name);
			return STATUS_FAILED;
		}
	}
	wrong = find_contradiction(c);
	if (wrong)
		return compat_refuse(STATUS_USAGE, "%s", wrong);
	if (optind == argc)
		return compat_refuse(STATUS_USAGE, "no action specified");
	while (a->name && strcmp(a->name, argv[optind]) != 0)
		a++;
	if (!a->name)
		return compat_refuse(STATUS_USAGE, "unknown action '%s'", argv[optind]);
	named = optind + (a->takes_name ? 2 : 1); /* "--" is gone, and what is behind it last */
	if (argc > named && !a->takes_more)
		return compat_refuse(STATUS_USAGE, "too many arguments: what is '%s'?", argv[named]);
	c->name = argv[optind + 1]; /* NULL after the last */
	c->command = argv + (argc > named ? named : argc);
	return act(a, c);
}

int compat_main(int argc, char **argv)
{
	CLEANUP(call_done) struct compat_call c = { 0 };

	argv[0] = (char[]){ COMPAT_NAME };
	return call(&c, argc, argv);
}
