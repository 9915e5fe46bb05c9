#include "engine/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "decide/change.h"
#include "decide/releases.h"
#include "drivers/enter.h"
#include "drivers/files.h"
#include "drivers/relay.h"
#include "drivers/rootfs.h"
#include "drivers/rtnl.h"
#include "engine/claims.h"
#include "engine/compared.h"
#include "engine/gateway.h"
#include "engine/guestnet.h"
#include "engine/mend.h"
#include "engine/start.h"

#define OUTPUT         "reload.out"
#define DEFAULT_SYSTEM "/nix/var/nix/profiles/system"

/* ---- the network */

static int apply_network(const char *name, const struct change *c, struct err *e)
{
	struct err back;
	int r = rtnl_apply(name, &c->host, e);

	if (r < 0 || c->guest.n == 0)
		return r;
	r = guestnet_apply(name, &c->guest, e);
	if (r >= 0)
		return 0;
	if (rtnl_apply(name, &c->host_back, &back) < 0)
		return err_wrap(e, r, "the host's side could not be set back (%s)", back.text);
	return r;
}

/* What should be from here on, as its start would have noted it. */
static int claim(const char *name, const struct compared *r, struct claims *ret, struct err *e)
{
	static const char option[] = "--network-bridge=";
	const char *bridge = r->now.container.host_bridge;
	int q = claims_read("", name, ret, e);

	if (q < 0)
		return q;
	netops_done(&ret->host);
	netops_done(&ret->guest);
	strs_done(&ret->masquerade);
	for (size_t i = 0; i < r->change.host_after.n; i++)
		netops_add_copy(&ret->host, &r->change.host_after.v[i]);
	for (size_t i = 0; i < r->change.guest_after.n; i++)
		netops_add_copy(&ret->guest, &r->change.guest_after.v[i]);
	strs_add_all(&ret->masquerade, &r->change.masquerade);
	for (size_t i = 0; bridge && i < ret->argv.n; i++) {
		char *word;

		if (strncmp(ret->argv.v[i], option, strlen(option)) != 0)
			continue;
		if (asprintf(&word, "%s%s", option, bridge) < 0)
			return err_no_memory(e);
		free(ret->argv.v[i]);
		ret->argv.v[i] = word;
	}
	return ret->host.bad || ret->guest.bad || ret->masquerade.bad ? err_no_memory(e) : 0;
}

/* What somebody took away since the start comes back. Where it can not, that is told, and nothing else stops. */
static void repair(const char *name, const struct compared *r, struct strs *says)
{
	CLEANUP(claims_done) struct claims c = { 0 };
	struct err e;
	int q = claim(name, r, &c, &e);

	if (q < 0 || mend_by(name, &c, says, &e) < 0)
		strs_add(says, e.text);
}

/* What is done from here on is what runs. */
static int note(const char *name, const struct compared *r, struct err *e)
{
	CLEANUP(close_p) int dir = -1, guest = -1;
	CLEANUP(buf_done) struct buf text = { 0 };
	char path[256];
	int q = change_note(buf_text(&r->was_json), buf_text(&r->now_json), &r->change, &text, e);

	(void)snprintf(path, sizeof(path), PLAN_RUN_DIR "/%s", name);
	if (q >= 0)
		q = files_open("", path, O_RDONLY | O_DIRECTORY, &dir, e);
	(void)snprintf(path, sizeof(path), PLAN_RUN_DIR "/%s/guest", name);
	if (q >= 0)
		q = files_open("", path, O_RDONLY | O_DIRECTORY, &guest, e);
	if (q >= 0)
		q = start_put_ops(guest, "net", &r->change.guest_after, e);
	if (q >= 0)
		q = start_put_plan(dir, &text, e);
	if (q >= 0)
		q = start_put_ops(dir, "host", &r->change.host_after, e);
	return q < 0 ? err_wrap(e, q, "%s: changed, but that can not be noted", name) : 0;
}

/* ---- the system of a nix container */

/* What the switch prints goes to the unit's log, and into a file for whoever asked for the reload: its beginning, since a guest can print for ever. */
static int open_output(const char *name, int *ret, struct err *e)
{
	CLEANUP(close_p) int dir = -1;
	char path[256];
	int r;

	(void)snprintf(path, sizeof(path), PLAN_RUN_DIR "/%s", name);
	r = files_open("", path, O_RDONLY | O_DIRECTORY, &dir, e);
	if (r < 0)
		return r;
	(void)unlinkat(dir, OUTPUT, 0);
	*ret = openat(dir, OUTPUT, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	return *ret < 0 ? err_sys(e, errno, "%s: cannot make %s/" OUTPUT, name, path) : 0;
}

/* The module of 2014 has the guest do it, which listens for a command line (RL-2), but without its mistake of never
 * looking at SYSTEM_PATH (BUG-4). */
static int switch_by_socket(const char *name, const struct container *c, const struct plan *p, int output,
                            struct err *e)
{
	const char *system = c->system_path ? c->system_path : DEFAULT_SYSTEM;
	char command[4096 + 64];
	CLEANUP(rootfs_done) struct rootfs root = { .fd = -1 };
	CLEANUP(close_p) int fd = -1;
	int r = rootfs_open(p->root, ROOTFS_REFUSE, 0, &root, e);
	char bytes[4096];
	ssize_t n = 0;

	(void)snprintf(command, sizeof(command), "%s/bin/switch-to-configuration test\n", system);
	if (r >= 0)
		r = rootfs_connect(&root, "var/lib/run-command.socket", &fd, e);
	if (r < 0)
		return err_wrap(e, r, "%s", name);
	if (send(fd, command, strlen(command), MSG_NOSIGNAL) != (ssize_t)strlen(command) ||
	    shutdown(fd, SHUT_WR) < 0)
		return err_sys(e, errno, "%s: cannot send the command to its socket", name);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		(void)!write(STDOUT_FILENO, bytes, (size_t)n);
		relay_copy(output, bytes, (size_t)n);
	}
	return n < 0 ? err_sys(e, errno, "%s: no end of what its socket says", name) : 0;
}

static int switch_system(const char *name, const struct container *c, int output, struct err *e)
{
	const char *system = c->system_path ? c->system_path : DEFAULT_SYSTEM;
	char program[4096 + 64], test[] = "test";
	int r;

	(void)snprintf(program, sizeof(program), "%s/bin/switch-to-configuration", system);
	r = enter_run(name, (char *[]){ program, test, NULL }, output, e);
	if (r <= 0)
		return r;
	return err_set(e, (enum status)r, EIO, "%s: %s test ended with exit status %d", name, program, r);
}

static void say_what_changed(const struct change *c, struct strs *ret)
{
	const struct {
		const char *where;
		const struct netops *ops;
	} sides[] = { { "on the host", &c->host }, { "in the guest", &c->guest } };

	if (c->masquerade_differs)
		strs_add(ret, "its way out is changed");
	for (size_t i = 0; i < COUNT(sides); i++)
		if (sides[i].ops->n > 0)
			strs_addf(ret, "its network %s is changed", sides[i].where);
	for (size_t i = 0; i < c->restart.n; i++)
		strs_addf(ret, "restart needed: %s", c->restart.v[i]);
}

int reload_run(const char *name, struct strs *ret_says, struct err *e)
{
	CLEANUP(compared_done) struct compared r = { 0 };
	CLEANUP(close_p) int output = -1;
	struct err failed;
	int q = compared_read(name, &r, e), switched = 0;

	if (q >= 0)
		q = open_output(name, &output, e);
	if (q < 0)
		return q;
	q = apply_network(name, &r.change, e);
	if (q < 0)
		return q;
	q = gateway_set(name, &r.change.masquerade, ret_says, e);
	if (q < 0)
		return q;
	repair(name, &r, ret_says);
	say_what_changed(&r.change, ret_says);
	if (r.change.switches && release_rules(r.now.plan.release)->reload_socket)
		switched = switch_by_socket(name, &r.now.container, &r.now.plan, output, &failed);
	else if (r.change.switches)
		switched = switch_system(name, &r.now.container, output, &failed);
	if (switched < 0) { /* so what runs is not all that is configured */
		strs_add(&r.change.restart, "the switch failed");
		free(r.change.system_now);
		r.change.system_now = NULL;
	}
	q = note(name, &r, e);
	if (switched < 0 && e)
		*e = failed;
	return switched < 0 ? switched : q;
}

void reload_forget_output(const char *name)
{
	CLEANUP(close_p) int dir = -1;
	char path[256];

	(void)snprintf(path, sizeof(path), PLAN_RUN_DIR "/%s", name);
	if (files_open("", path, O_PATH | O_DIRECTORY, &dir, NULL) >= 0)
		(void)unlinkat(dir, OUTPUT, 0);
}

int reload_output(const char *name, struct buf *ret, struct err *e)
{
	return compared_file(name, OUTPUT, ret, e);
}

int reload_pending(const char *name, struct strs *ret, bool *ret_live, struct err *e)
{
	CLEANUP(compared_done) struct compared r = { 0 };
	int q = compared_read(name, &r, e);

	if (q < 0)
		return q;
	strs_add_all(ret, &r.change.restart);
	*ret_live = r.change.system_now || r.change.masquerade_differs || r.change.host.n > 0 ||
	            r.change.guest.n > 0;
	return 0;
}
