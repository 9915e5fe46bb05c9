/* nixos-container create, update, destroy. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/program.h"
#include "engine/create.h"
#include "engine/destroy.h"
#include "engine/settle.h"
#include "engine/update.h"
#include "verbs/compat_private.h"
#include "verbs/verbs.h"
#include "verbs/working.h"

static bool has_nix(void)
{
	CLEANUP(free_p) char *file = NULL;

	return program_find("nix-env", &file, NULL) == 0;
}

/* Without a conf, the tool takes a root that is there as the new container's. */
static bool is_to_adopt(const struct compat_call *c)
{
	struct places p;

	return !c->unique_name && places_find(c->name, &p, NULL) == 0 && p.has_root && !p.has_conf;
}

/* The text that goes into the root's configuration.nix. */
static int read_config(const struct compat_call *c, struct buf *ret, struct err *e)
{
	if (c->config_file)
		return build_nix_module(c->config_file, ret, e);
	buf_puts(ret, c->config ? c->config : "");
	return ret->bad ? err_no_memory(e) : 0;
}

/* What the root is made of; conf gets what says so there. */
static int choose_source(const struct compat_call *c, struct draft *conf, struct buf *config,
                         struct build *ret, struct err *e)
{
	bool built = c->flake || c->system_path;
	int r;

	*ret = (struct build){ .source = BUILD_NIX,
		               .nix = { .flake = c->flake,
		                        .system_path = c->flake ? NULL : c->system_path,
		                        .nixos_path = c->nixos_path,
		                        .flags = &c->nix_flags } };
	if (c->flake) {
		draft_replace(conf, "FLAKE", c->flake);
	} else if (c->system_path && !has_nix()) {
		ret->source = BUILD_EMPTY;
		ret->from = c->system_path;
		draft_replace(conf, "SYSTEM_PATH", c->system_path);
	} else if (!built && !c->config && !c->config_file && !has_nix() && is_to_adopt(c)) {
		ret->source = BUILD_ADOPT;
	}
	if (built || ret->source != BUILD_NIX)
		return 0;
	r = read_config(c, config, e);
	ret->nix_config = buf_text(config);
	return r;
}

static void tell(const struct compat_call *c, const struct created *made)
{
	const struct addr *a = made->container.addr;
	char host[ADDR_TEXT_SIZE], local[ADDR_TEXT_SIZE];

	addr_print(&a[HOST4], true, host);
	addr_print(&a[LOCAL4], true, local);
	fprintf(stderr, "host IP is %s, container IP is %s\n", host, local);
	if (c->unique_name)
		(void)verb_print(made->places.name), (void)verb_print("\n");
}

int compat_create(const struct compat_call *c)
{
	CLEANUP(created_done) struct created made = { 0 };
	CLEANUP(strs_done) struct strs warnings = { 0 };
	CLEANUP(draft_done) struct draft conf = { 0 };
	CLEANUP(buf_done) struct buf config = { 0 };
	struct create create = { .name = c->name, .unique_name = c->unique_name, .options = &conf };
	struct err e = { 0 };
	int r;

	strs_add_all(&conf.keys, &c->conf.keys);
	strs_add_all(&conf.values, &c->conf.values);
	draft_replace(&conf, "PRIVATE_NETWORK", "1");
	draft_replace(&conf, "PRIVATE_USERS", "no");
	create.pair = !draft_get(&conf, "HOST_ADDRESS");
	r = choose_source(c, &conf, &config, &create.build, &e);
	if (r == 0)
		r = create_container(&create, working_progress(false), &made, &warnings, &e);
	working_done();
	compat_warn(&warnings);
	if (r < 0)
		return compat_say(&e);
	tell(c, &made);
	return STATUS_DONE;
}

/* An empty text is none, as for the tool. */
static bool is_given(const char *text)
{
	return text && *text;
}

int compat_update(const struct compat_call *c)
{
	CLEANUP(buf_done) struct buf config = { 0 };
	struct update u = {
		.nix = { .flake = c->flake, .nixos_path = c->nixos_path, .flags = &c->nix_flags },
	};
	struct err e = { 0 };
	bool up = false;
	int r = 0;

	if (is_given(c->config) || is_given(c->config_file)) {
		r = read_config(c, &config, &e);
		u.config = buf_text(&config);
	}
	if (r == 0)
		r = update_container(c->name, &u, working_progress(false), &e);
	working_done();
	if (r == 0)
		r = verb_is_up(c->name, &up, &e);
	if (r == 0 && up) {
		fputs("reloading container...\n", stderr);
		r = settle_control(CONTROL_RELOAD, c->name, NULL, &e);
		if (r < 0 && e.status < STATUS_USAGE) /* the guest's own, which its text tells */
			e.status = STATUS_FAILED;
	}
	return r < 0 ? compat_say(&e) : STATUS_DONE;
}

int compat_destroy(const struct compat_call *c)
{
	static const struct destroy_options as_there = { .running = true, .detach = true, .now = true };
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct err e = { 0 };
	int r = destroy_container(c->name, &as_there, working_progress(false), &warnings, &e);

	working_done();
	compat_warn(&warnings);
	if (r == -ELOOP || r == -EROFS)
		return compat_refuse(e.status,
		                     "cannot destroy declarative container (remove it from your "
		                     "configuration.nix instead): %s",
		                     e.text);
	return r < 0 ? compat_say(&e) : STATUS_DONE;
}
