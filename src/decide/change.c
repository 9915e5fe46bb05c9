#include "decide/change.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/conflist.h"
#include "words/limits.h"

#define BRIDGE "--network-bridge="

void started_done(struct started *s)
{
	strs_done(&s->argv);
	strs_done(&s->devices);
	netops_done(&s->host);
	netops_done(&s->guest);
	strs_done(&s->masquerade);
	strs_done(&s->directives);
	free(s->system);
	*s = (struct started){ 0 };
}

void change_done(struct change *c)
{
	netops_done(&c->host);
	netops_done(&c->guest);
	netops_done(&c->host_back);
	netops_done(&c->host_after);
	netops_done(&c->guest_after);
	strs_done(&c->restart);
	strs_done(&c->masquerade);
	free(c->system_was);
	free(c->system_now);
	*c = (struct change){ 0 };
}

/* ---- what was started */

static void read_words(const json_t *array, struct strs *ret)
{
	const json_t *word;
	size_t i;

	json_array_foreach(array, i, word)
		if (json_is_string(word))
			strs_add(ret, json_string_value(word));
}

/* Those that nothing else here compares, that do not only count while it starts, and that systemd does not take over for
 * what runs as soon as it reads its units anew (systemd.resource-control(5)). */
static bool is_compared(const char *directive)
{
	return strcmp(directive, "DeviceAllow") != 0 && strcmp(directive, "TimeoutStartSec") != 0 &&
	       limit_named(directive) == LIMITS;
}

static void read_directives(json_t *service, struct strs *ret)
{
	const char *key;
	json_t *value;

	json_object_foreach(service, key, value) {
		CLEANUP(strs_done) struct strs words = { 0 };
		CLEANUP(free_p) char *text = NULL;

		read_words(value, &words);
		if (json_is_string(value))
			strs_add(&words, json_string_value(value));
		if (json_is_true(value))
			strs_add(&words, "yes");
		text = strs_join(&words, " ");
		if (text && is_compared(key))
			strs_addf(ret, "%s=%s", key, text);
		ret->bad |= !text;
	}
}

static void json_decref_p(json_t **j)
{
	json_decref(*j);
}

static int not_ours(struct err *e)
{
	return err_set(e, STATUS_DATA, EINVAL, "what was started can not be read: another version wrote it");
}

int started_parse(const char *plan_json, const char *host, const char *guest, struct started *ret,
                  struct err *e)
{
	CLEANUP(json_decref_p) json_t *plan = json_loads(plan_json, JSON_REJECT_DUPLICATES, NULL);
	CLEANUP(started_done) struct started s = { 0 };
	int r;

	read_words(json_object_get(plan, "argv"), &s.argv);
	read_words(json_object_get(json_object_get(json_object_get(plan, "unit"), "service"), "DeviceAllow"),
	           &s.devices);
	read_words(json_object_get(plan, "masquerade"), &s.masquerade);
	read_directives(json_object_get(json_object_get(plan, "unit"), "service"), &s.directives);
	if (json_is_string(json_object_get(plan, "system")) &&
	    !(s.system = strdup(json_string_value(json_object_get(plan, "system")))))
		return err_no_memory(e);
	r = netops_parse(host, &s.host);
	if (r >= 0)
		r = netops_parse(guest, &s.guest);
	if (r == -ENOMEM || s.masquerade.bad || s.directives.bad || s.argv.bad || s.devices.bad)
		return err_no_memory(e);
	if (r < 0 || s.argv.n == 0)
		return not_ours(e);
	*ret = s;
	s = (struct started){ 0 };
	return 0;
}

/* ---- systemd-nspawn's arguments: what they say takes a restart */

enum weight {
	IGNORED, /* says nothing of its own */
	RESTART,
	MAIN_LINK, /* the main link is another one, or none */
};

/* clang-format off */
static const struct topic {
	const char *prefix; /* a longer one stands before its beginning */
	const char *key;
	enum weight weight;
} topics[] = {
	{ "--port=",                   "HOST_PORT",               RESTART },
	{ "--network-veth-extra=",     "EXTRA_VETHS",             RESTART },
	{ "--network-interface=",      "INTERFACES",              RESTART },
	{ "--network-macvlan=",        "MACVLANS",                RESTART },
	{ BRIDGE,                      "HOST_BRIDGE",             MAIN_LINK },
	{ "--network-namespace-path=", "NETWORK_NAMESPACE_PATH",  MAIN_LINK },
	{ "--network-veth",            "whether it has addresses", MAIN_LINK },
	{ "--private-network",         "PRIVATE_NETWORK",         MAIN_LINK },
	{ "--private-users=",          "PRIVATE_USERS",           RESTART },
	{ "--capability=",             "ADDITIONAL_CAPABILITIES", RESTART },
	{ "--tmpfs=",                  "TMPFS",                   RESTART },
	{ "--ephemeral",               "EPHEMERAL",               RESTART },
	{ "--volatile=",               "EPHEMERAL",               RESTART },
	{ "--bind-ro=",                "bind mounts",             RESTART },
	{ "--bind=",                   "bind mounts",             RESTART },
	{ "--personality=",            "its architecture",        RESTART },
	{ "-D",                        "its root",                RESTART },
	{ "-M",                        "its name",                IGNORED },
	{ "",                          "EXTRA_NSPAWN_FLAGS",      RESTART },
};
/* clang-format on */

static const struct topic *topic_of(const char *word)
{
	const struct topic *t = topics;

	while (strncmp(word, t->prefix, strlen(t->prefix)) != 0)
		t++;
	return t;
}

/* What the engine itself puts into the environment says other keys once more. */
static bool is_repeated(const char *assignment)
{
	static const char *const keys[] = { "PRIVATE_NETWORK", "HOST_BRIDGE",   "HOST_ADDRESS",
		                            "LOCAL_ADDRESS",   "HOST_ADDRESS6", "LOCAL_ADDRESS6",
		                            "HOST_PORT",       "PATH" };
	size_t len = strcspn(assignment, "=");

	for (size_t i = 0; i < COUNT(keys); i++)
		if (strlen(keys[i]) == len && strncmp(assignment, keys[i], len) == 0)
			return true;
	return false;
}

/* One line an argument: an option of two words becomes one; the payload is left out. */
static void join_options(const struct strs *argv, struct strs *ret)
{
	for (size_t i = 1; i < argv->n && strcmp(argv->v[i], PLAN_GUEST_DIR "/init") != 0; i++) {
		const char *word = argv->v[i], *next = i + 1 < argv->n ? argv->v[i + 1] : "";

		bool two = strcmp(word, "-D") == 0 || strcmp(word, "-M") == 0,
		     env = strcmp(word, "--setenv") == 0;

		if (topic_of(word)->weight != IGNORED && !(env && is_repeated(next)))
			strs_addf(ret, "%s%s%s", word, env ? "=" : "", two || env ? next : "");
		i += two || env;
	}
}

static const char *payload(const struct strs *argv)
{
	for (size_t i = 0; i + 1 < argv->n; i++)
		if (strcmp(argv->v[i], PLAN_GUEST_DIR "/init") == 0)
			return argv->v[i + 1];
	return "";
}

/* The values of one key: all of a list of the conf, for it runs with them; else those that are not in b, since some are the engine's
 * own. Returns whether one is not in b. */
static bool values_of(const struct strs *a, const struct strs *b, const char *key, struct strs *ret)
{
	bool differs = false;

	for (size_t i = 0; i < a->n; i++) {
		const struct topic *t = topic_of(a->v[i]);

		bool is_new = !strs_has(b, a->v[i]);

		if (strcmp(t->key, key) != 0)
			continue;
		if (is_new || (*t->prefix && conf_list_is(key)))
			strs_add(ret, a->v[i][strlen(t->prefix)] ? a->v[i] + strlen(t->prefix) : a->v[i]);
		differs |= is_new;
	}
	return differs;
}

static void name_difference(const char *key, const struct strs *was, const struct strs *now, struct strs *ret)
{
	CLEANUP(free_p) char *before = strs_join(was, " ");
	CLEANUP(free_p) char *after = strs_join(now, " ");

	if (!before || !after)
		ret->bad = true;
	else
		strs_addf(ret, "%s: runs with %s, configured is %s", key, *before ? before : "none",
		          *after ? after : "none");
}

/* The bridges when the main link only moves from one to another. */
static const char *other_bridge(const struct strs *was, const struct strs *now)
{
	const char *from = NULL, *to = NULL;

	for (size_t i = 0; i < was->n; i++)
		if (strncmp(was->v[i], BRIDGE, strlen(BRIDGE)) == 0)
			from = was->v[i] + strlen(BRIDGE);
	for (size_t i = 0; i < now->n; i++)
		if (strncmp(now->v[i], BRIDGE, strlen(BRIDGE)) == 0)
			to = now->v[i] + strlen(BRIDGE);
	return from && to && strcmp(from, to) != 0 ? to : NULL;
}

/* Returns the weightiest difference. */
static enum weight compare_options(const struct strs *was, const struct strs *now, struct strs *ret)
{
	enum weight heaviest = IGNORED;

	for (size_t i = 0; i < COUNT(topics); i++) {
		const struct topic *t = &topics[i];
		CLEANUP(strs_done) struct strs before = { 0 };
		CLEANUP(strs_done) struct strs after = { 0 };

		bool differs;

		if (i > 0 && strcmp(t->key, topics[i - 1].key) == 0)
			continue;
		differs = values_of(was, now, t->key, &before);
		differs |= values_of(now, was, t->key, &after);
		if (!differs || (strcmp(t->prefix, BRIDGE) == 0 && other_bridge(was, now)))
			continue;
		name_difference(t->key, &before, &after, ret);
		if (t->weight > heaviest)
			heaviest = t->weight;
	}
	return heaviest;
}

static void compare_devices(const struct strs *was, const struct plan *now, struct strs *ret)
{
	static const struct directive none;
	const struct directive *d = plan_directive(now, "DeviceAllow");
	CLEANUP(free_p) char *before = strs_join(was, ", ");
	CLEANUP(free_p) char *after = strs_join(d ? &d->values : &none.values, ", ");

	if (!before || !after)
		ret->bad = true;
	else if (strcmp(before, after) != 0)
		strs_addf(ret, "ALLOWED_DEVICES: runs with %s, configured is %s", *before ? before : "none",
		          *after ? after : "none");
}

static void directives_of(const struct plan *p, struct strs *ret)
{
	for (size_t i = 0; i < p->n_service; i++) {
		CLEANUP(free_p) char *text = strs_join(&p->service[i].values, " ");

		if (text && is_compared(p->service[i].key))
			strs_addf(ret, "%s=%s", p->service[i].key, text);
		ret->bad |= !text;
	}
}

/* The value of the directive of that one's key; "none": it is not among them, or has none. */
static const char *value_like(const struct strs *directives, const char *like)
{
	size_t key = strcspn(like, "=") + 1;

	for (size_t i = 0; i < directives->n; i++)
		if (strncmp(directives->v[i], like, key) == 0)
			return directives->v[i][key] ? directives->v[i] + key : "none";
	return "none";
}

static void compare_directives(const struct strs *was, const struct plan *p, struct strs *ret)
{
	CLEANUP(strs_done) struct strs now = { 0 };
	size_t key;

	directives_of(p, &now);
	ret->bad |= now.bad;
	for (size_t i = 0; i < was->n; i++) {
		const char *before = value_like(was, was->v[i]), *after = value_like(&now, was->v[i]);

		key = strcspn(was->v[i], "=");
		if (strcmp(before, after) != 0)
			strs_addf(ret, "%.*s: runs with %s, configured is %s", (int)key, was->v[i], before,
			          after);
	}
	for (size_t i = 0; i < now.n; i++) {
		const char *before = value_like(was, now.v[i]), *after = value_like(&now, now.v[i]);

		key = strcspn(now.v[i], "=");
		if (strcmp(before, "none") == 0 && strcmp(after, "none") != 0)
			strs_addf(ret, "%.*s: runs with none, configured is %s", (int)key, now.v[i], after);
	}
}

/* By what the system path leads to, as far as that is known of both: a profile has many generations. */
static void compare_systems(const struct started *was, const struct plan *now, struct change *c)
{
	bool known = was->system && now->system;
	const char *from = known ? was->system : payload(&was->argv);
	const char *to = known ? now->system : payload(&now->argv);

	if (strcmp(from, to) == 0)
		return;
	c->system_was = strdup(from);
	c->system_now = strdup(to);
	c->restart.bad |= !c->system_was || !c->system_now;
}

/* ---- network operations */

static bool has_dev(const struct netops *ops, const char *dev)
{
	for (size_t i = 0; i < ops->n; i++)
		if (strcmp(ops->v[i].dev, dev) == 0)
			return true;
	return false;
}

static bool has_op(const struct netops *ops, const struct netop *op)
{
	for (size_t i = 0; i < ops->n; i++)
		if (netop_same(&ops->v[i], op))
			return true;
	return false;
}

static bool has_kind(const struct netops *ops, const struct netop *like)
{
	for (size_t i = 0; i < ops->n; i++)
		if (ops->v[i].kind == like->kind && strcmp(ops->v[i].dev, like->dev) == 0)
			return true;
	return false;
}

static void add_copy(struct netops *ops, const struct netop *op, bool gone)
{
	struct netop *added = netops_add_copy(ops, op);

	if (added)
		added->gone = gone;
}

/* What is gone, the last first: routes lean on addresses. */
static void take_away(const struct netops *was, const struct netops *now, struct netops *ret,
                      struct strs *restart)
{
	for (size_t i = was->n; i-- > 0;) {
		const struct netop *op = &was->v[i];

		if (!has_dev(now, op->dev) || has_op(now, op))
			continue;
		switch (op->kind) {
		case NETOP_ADDRESS:
		case NETOP_ROUTE:
		case NETOP_DEFAULT:
			add_copy(ret, op, true);
			break;
		case NETOP_MASTER:
			if (!has_kind(now, op))
				add_copy(ret, op, true);
			break;
		case NETOP_MAC:
			if (!has_kind(now, op))
				strs_add(restart, "LOCAL_MAC_ADDRESS: runs with one, configured is none");
			break;
		case NETOP_RENAME:
		case NETOP_UP:
		case NETOP_DELETE:
			break;
		}
	}
}

static void compare_ops(const struct netops *was, const struct netops *now, struct netops *ret,
                        struct strs *restart)
{
	bool differs = false;

	take_away(was, now, ret, restart);
	for (size_t i = 0; i < now->n; i++)
		differs |= has_dev(was, now->v[i].dev) && !has_op(was, &now->v[i]);
	/* All of them, not only the new ones: an address that goes can take routes with it. */
	for (size_t i = 0; (differs || ret->n > 0) && i < now->n; i++)
		if (has_dev(was, now->v[i].dev) && now->v[i].kind != NETOP_RENAME)
			add_copy(ret, &now->v[i], false);
}

/* Links that only was has keep what was done to them. */
static void list_after(const struct netops *was, const struct netops *now, bool untouched, struct netops *ret)
{
	for (size_t i = 0; !untouched && i < now->n; i++)
		if (has_dev(was, now->v[i].dev))
			add_copy(ret, &now->v[i], false);
	for (size_t i = 0; i < was->n; i++)
		if (untouched || !has_dev(now, was->v[i].dev))
			add_copy(ret, &was->v[i], false);
}

static void move_main_link(const char *name, const char *bridge, struct netops *ret)
{
	char link[NETOP_NAME_SIZE];

	(void)snprintf(link, sizeof(link), "vb-%s", name);
	if (bridge)
		netops_add_port(ret, link, bridge);
}

/* While the main link is as it was, so are its addresses. */
static void decide_way_out(const struct strs *was, const struct strs *now, bool untouched, struct change *c)
{
	strs_add_all(&c->masquerade, untouched ? was : now);
	c->masquerade_differs = !untouched && !strs_same(was, now);
}

int change_decide(const struct started *was, const struct plan *now, struct change *ret, struct err *e)
{
	CLEANUP(change_done) struct change c = { 0 };
	CLEANUP(strs_done) struct strs before = { 0 };
	CLEANUP(strs_done) struct strs after = { 0 };
	enum weight heaviest;

	join_options(&was->argv, &before);
	join_options(&now->argv, &after);
	heaviest = compare_options(&before, &after, &c.restart);
	compare_devices(&was->devices, now, &c.restart);
	compare_directives(&was->directives, now, &c.restart);
	if (now->kind == KIND_TREE && strcmp(payload(&was->argv), payload(&now->argv)) != 0)
		strs_addf(&c.restart, "INIT: runs with %s, configured is %s", payload(&was->argv),
		          payload(&now->argv));
	c.switches = now->kind == KIND_NIX && strs_has(&was->argv, "--bind-ro=/nix/store");
	if (c.switches)
		compare_systems(was, now, &c);
	if (now->kind == KIND_NIX && !c.switches)
		strs_addf(&c.restart, "SYSTEM_PATH: runs with %s of its own, configured is %s",
		          payload(&was->argv), payload(&now->argv));
	list_after(&was->host, &now->poststart, heaviest == MAIN_LINK, &c.host_after);
	list_after(&was->guest, &now->init, heaviest == MAIN_LINK, &c.guest_after);
	decide_way_out(&was->masquerade, &now->masquerade, heaviest == MAIN_LINK, &c);
	if (heaviest < MAIN_LINK) {
		compare_ops(&was->host, &now->poststart, &c.host, &c.restart);
		compare_ops(&was->guest, &now->init, &c.guest, &c.restart);
		compare_ops(&c.host_after, &was->host, &c.host_back, &c.restart);
		move_main_link(now->name, other_bridge(&before, &after), &c.host);
		move_main_link(now->name, other_bridge(&after, &before), &c.host_back);
	}
	if (before.bad || after.bad || c.restart.bad || c.host.bad || c.guest.bad || c.host_back.bad ||
	    c.host_after.bad || c.guest_after.bad || c.masquerade.bad)
		return err_no_memory(e);
	*ret = c;
	c = (struct change){ 0 };
	return 0;
}

/* ---- what runs after it */

/* The bridge that now has is the one that the main link is on. */
static void note_bridge(json_t *was_argv, const json_t *now_argv)
{
	const json_t *word, *bridge = NULL;
	size_t i;

	json_array_foreach(now_argv, i, word)
		if (strncmp(json_string_value(word) ? json_string_value(word) : "", BRIDGE, strlen(BRIDGE)) ==
		    0)
			bridge = word;
	for (i = 0; bridge && i < json_array_size(was_argv); i++) {
		const char *text = json_string_value(json_array_get(was_argv, i));

		if (text && strncmp(text, BRIDGE, strlen(BRIDGE)) == 0)
			(void)json_array_set_new(was_argv, i, json_copy((json_t *)(uintptr_t)bridge));
	}
}

/* What it was switched to is what runs. */
static void note_system(json_t *was, const json_t *now)
{
	json_t *was_argv = json_object_get(was, "argv");
	const json_t *now_argv = json_object_get(now, "argv");
	json_t *system = json_object_get(now, "system");

	if (system)
		(void)json_object_set(was, "system", system);
	else
		(void)json_object_del(was, "system");
	(void)json_array_set(was_argv, json_array_size(was_argv) - 1,
	                     json_array_get(now_argv, json_array_size(now_argv) - 1));
}

static json_t *words_of(const struct strs *words)
{
	json_t *array = json_array();

	for (size_t i = 0; i < words->n; i++)
		(void)json_array_append_new(array, json_string(words->v[i]));
	return array;
}

static json_t *commands(const struct netops *ops)
{
	json_t *all = json_array();

	for (size_t i = 0; i < ops->n; i++) {
		CLEANUP(strs_done) struct strs words = { 0 };

		netop_words(&ops->v[i], &words);
		(void)json_array_append_new(all, words_of(&words));
	}
	return all;
}

int change_note(const char *was_json, const char *now_json, const struct change *c, struct buf *ret,
                struct err *e)
{
	CLEANUP(json_decref_p) json_t *was = json_loads(was_json, 0, NULL);
	CLEANUP(json_decref_p) json_t *now = json_loads(now_json, 0, NULL);
	CLEANUP(free_p) char *text = NULL;

	if (!was || !now)
		return not_ours(e);
	if (c->restart.n > 0) {
		(void)json_object_set_new(was, "init", commands(&c->guest_after));
		(void)json_object_set_new(was, "masquerade", words_of(&c->masquerade));
		(void)json_object_set_new(was, "poststart", commands(&c->host_after));
		(void)json_object_set(was, "hosts", json_object_get(now, "hosts"));
		if (c->system_now)
			note_system(was, now);
		if (c->host.n > 0)
			note_bridge(json_object_get(was, "argv"), json_object_get(now, "argv"));
	}
	text = json_dumps(c->restart.n > 0 ? was : now, JSON_INDENT(2));
	if (!text)
		return err_no_memory(e);
	buf_puts(ret, text);
	buf_puts(ret, "\n");
	return ret->bad ? err_no_memory(e) : 0;
}
