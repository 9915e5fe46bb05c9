/* The faces of a plan: JSON for programs, a preview for people. */
#include "decide/plan.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/gateway.h"
#include "decide/shellwords.h"

void plan_fsop_words(const struct fsop *op, struct strs *ret)
{
	switch (op->kind) {
	case FSOP_MKDIR:
		strs_split(ret, "mkdir -p -m", " ");
		strs_addf(ret, "%04o", op->mode);
		break;
	case FSOP_TOUCH:
		strs_add(ret, "touch");
		break;
	case FSOP_COPY:
		strs_split(ret, "cp --remove-destination", " ");
		break;
	case FSOP_FIFO:
		strs_split(ret, "mkfifo -m", " ");
		strs_addf(ret, "%04o", op->mode);
		break;
	}
	strs_add_all(ret, &op->paths);
}

/* --- commands as lists of words, whatever they are shown as */

typedef void command_fn(const struct strs *words, void *arg);

static void each_fsop(const struct fsops *ops, command_fn *command, void *arg)
{
	for (size_t i = 0; i < ops->n; i++) {
		CLEANUP(strs_done) struct strs remove = { 0 }, words = { 0 };

		if (ops->v[i].kind == FSOP_FIFO) {
			strs_split(&remove, "rm -f", " ");
			strs_add_all(&remove, &ops->v[i].paths);
			command(&remove, arg);
		}
		plan_fsop_words(&ops->v[i], &words);
		command(&words, arg);
	}
}

static void each_netop(const struct netops *ops, command_fn *command, void *arg)
{
	for (size_t i = 0; i < ops->n; i++) {
		CLEANUP(strs_done) struct strs words = { 0 };

		netop_words(&ops->v[i], &words);
		command(&words, arg);
	}
}

static void each_prestart(const struct plan *p, command_fn *command, void *arg)
{
	CLEANUP(strs_done) struct strs words = { 0 };

	strs_split(&words, "machinectl terminate", " ");
	strs_add(&words, p->name);
	command(&words, arg);
	each_netop(&p->prestart, command, arg);
	each_fsop(&p->prestart_files, command, arg);
}

/* --- JSON */

static json_t *json_words(const struct strs *words)
{
	json_t *array = json_array();

	for (size_t i = 0; i < words->n; i++)
		(void)json_array_append_new(array, json_string(words->v[i]));
	return array;
}

static void json_command(const struct strs *words, void *arg)
{
	(void)json_array_append_new(arg, json_words(words));
}

static json_t *json_service(const struct plan *p)
{
	json_t *service = json_object();

	for (size_t i = 0; i < p->n_service; i++) {
		const struct directive *d = &p->service[i];

		(void)json_object_set_new(service, d->key,
		                          d->is_list   ? json_words(&d->values)
		                          : d->is_bool ? json_true()
		                                       : json_string(d->values.v[0]));
	}
	return service;
}

void plan_json(const struct plan *p, struct buf *ret)
{
	json_t *prestart = json_array(), *prepare = json_array(), *init = json_array(),
	       *poststart = json_array();
	CLEANUP(free_p) char *text = NULL;
	json_t *plan;

	each_prestart(p, json_command, prestart);
	each_fsop(&p->prepare, json_command, prepare);
	each_netop(&p->init, json_command, init);
	each_netop(&p->poststart, json_command, poststart);
	plan = json_pack("{s:i, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:{s:o}, s:o, s:o, s:o}, s:o}",
	                 "schema", 1, "name", p->name, "root", p->root, "prestart", prestart, "prepare",
	                 prepare, "argv", json_words(&p->argv), "init", init, "poststart", poststart, "unit",
	                 "service", json_service(p), "unit", "RequiresMountsFor",
	                 json_words(&p->requires_mounts), "wantedBy", json_words(&p->wanted_by), "wants",
	                 json_words(&p->wants), "after", json_words(&p->after), "hosts",
	                 json_words(&p->hosts));
	if (plan && p->masquerade.n > 0)
		(void)json_object_set_new(plan, "masquerade", json_words(&p->masquerade));
	if (plan && p->system)
		(void)json_object_set_new(plan, "system", json_string(p->system));
	text = plan ? json_dumps(plan, JSON_INDENT(2)) : NULL;
	json_decref(plan);
	if (text) {
		buf_puts(ret, text);
		buf_puts(ret, "\n");
	}
	ret->bad |= !text;
}

/* --- the preview */

static void put_words(const struct strs *words, struct buf *b)
{
	for (size_t i = 0; i < words->n; i++) {
		if (i > 0)
			buf_puts(b, " ");
		shellwords_quote(words->v[i], b);
	}
	buf_puts(b, "\n");
}

static void preview_command(const struct strs *words, void *arg)
{
	put_words(words, arg);
}

/* The guest's commands are a comment: pasted into the host's shell they would change the host's routes. */
static void preview_guest_command(const struct strs *words, void *arg)
{
	buf_puts(arg, "#   ");
	put_words(words, arg);
}

/* Of the template, not of the plan: since 257 systemd-nspawn makes this node, with users of its own only so. */
#define MAKES_TUN "DeviceAllow=/dev/net/tun m"

/* As a unit of its own, as the engine does it: machined takes the unit for the container, and would end the
 * shell's with it. */
static void preview_run(const struct plan *p, struct buf *b)
{
	buf_addf(b, "systemd-run --unit=%s-by-hand.service --collect", p->name);
	for (size_t i = 0; i < p->n_service; i++)
		for (size_t j = 0; j < p->service[i].values.n; j++) {
			const char *value = p->service[i].values.v[j], *instance = strstr(value, "%i");
			CLEANUP(buf_done) struct buf word = { 0 };

			if (strncmp(p->service[i].key, "Restart", strlen("Restart")) == 0)
				continue;
			buf_addf(&word, "%s=%.*s%s%s", p->service[i].key,
			         (int)(instance ? (size_t)(instance - value) : strlen(value)), value,
			         instance ? p->name : "", instance ? instance + 2 : "");
			buf_puts(b, " \\\n    -p ");
			shellwords_quote(buf_text(&word), b);
			b->bad |= word.bad;
		}
	if (plan_directive(p, "DevicePolicy"))
		buf_puts(b, " \\\n    -p '" MAKES_TUN "'");
	for (size_t i = 0; i < p->argv.n; i++) {
		const char *word = p->argv.v[i];
		bool with_last = i > 0 && (strcmp(p->argv.v[i - 1], "-M") == 0 ||
		                           strcmp(p->argv.v[i - 1], "-D") == 0 ||
		                           strcmp(p->argv.v[i - 1], "--setenv") == 0);

		buf_puts(b, with_last ? " " : " \\\n    ");
		shellwords_quote(word, b);
	}
	buf_puts(b, "\n");
}

static void preview_unit(const struct plan *p, struct buf *b)
{
	buf_addf(b, "\n# The unit container@%s.service\n", p->name);
	for (size_t i = 0; i < p->requires_mounts.n; i++)
		buf_addf(b, "#   RequiresMountsFor=%s\n", p->requires_mounts.v[i]);
	for (size_t i = 0; i < p->wants.n; i++)
		buf_addf(b, "#   Wants=%s\n#   After=%s\n", p->wants.v[i], p->wants.v[i]);
	for (size_t i = 0; i < p->n_service; i++)
		for (size_t j = 0; j < p->service[i].values.n; j++)
			buf_addf(b, "#   %s=%s\n", p->service[i].key, p->service[i].values.v[j]);
	if (plan_directive(p, "DevicePolicy"))
		buf_puts(b, "#   " MAKES_TUN "\n");
	for (size_t i = 0; i < p->wanted_by.n; i++)
		buf_addf(b, "#   WantedBy=%s\n", p->wanted_by.v[i]);
}

/* What `unit start` puts into the runtime directory: a copy of the init, and the guest's half of the network.
 */
static void preview_guest_files(const struct plan *p, const char *init, struct buf *b)
{
	char line[2 * NETOP_NAME_SIZE + 16];

	buf_puts(b, "install -D -m 0555 ");
	shellwords_quote(init, b);
	buf_addf(b, " " PLAN_RUN_DIR "/%s/guest/init\n", p->name);
	buf_puts(b, p->init.n > 0 ? "printf '%s\\n'" : ":");
	for (size_t i = 0; i < p->init.n; i++) {
		netop_line(&p->init.v[i], line, sizeof(line));
		buf_puts(b, " ");
		shellwords_quote(line, b);
	}
	buf_addf(b, " >" PLAN_RUN_DIR "/%s/guest/net\n", p->name);
}

static void preview_way_out(const struct plan *p, struct buf *b)
{
	CLEANUP(strs_done) struct strs commands = { 0 };

	gateway_commands(p->name, &p->masquerade, &commands);
	if (commands.n > 0)
		buf_puts(b, "\n# 6. On the host: its way out\n");
	for (size_t i = 0; i < commands.n; i++)
		buf_addf(b, "%s\n", commands.v[i]);
	b->bad |= commands.bad;
}

void plan_preview(const struct plan *p, const char *init, struct buf *b)
{
	buf_addf(b, "# %s: a %s container in %s, started as the module of %s does\n", p->name,
	         p->kind == KIND_NIX ? "nix" : "tree", p->root, release_name(p->release));
	buf_puts(b, "\n# 1. On the host, before: drop what an unclean end left behind\n");
	each_prestart(p, preview_command, b);
	buf_puts(b, "\n# 2. The root (never following a link out of it)\n");
	each_fsop(&p->prepare, preview_command, b);
	buf_puts(b, "\n# 3. The container\n");
	preview_guest_files(p, init, b);
	buf_addf(b, "# This returns when it is ready; to stop it: %s %s%s\n",
	         p->stop_by_poweroff ? "machinectl poweroff" : "systemctl stop", p->name,
	         p->stop_by_poweroff ? "" : "-by-hand");
	preview_run(p, b);
	if (p->init.n > 0)
		buf_puts(b, "\n# 4. Inside, before its init\n");
	each_netop(&p->init, preview_guest_command, b);
	if (p->poststart.n > 0 || p->wait_fifo)
		buf_puts(b, "\n# 5. On the host, as soon as the links are there\n");
	each_netop(&p->poststart, preview_command, b);
	if (p->wait_fifo)
		buf_addf(b, "read -r ready <%s/var/lib/startup-done\nrm -f %s/var/lib/startup-done\n",
		         p->root, p->root);
	preview_way_out(p, b);
	preview_unit(p, b);
	if (p->hosts.n > 0)
		buf_puts(b, "\n# Lines for /etc/hosts\n");
	for (size_t i = 0; i < p->hosts.n; i++)
		buf_addf(b, "#   %s\n", p->hosts.v[i]);
}
