#include "engine/netwanted.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "engine/claims.h"
#include "engine/load.h"

void netwanted_done(struct netwanted *w)
{
	free(w->v);
	strs_done(&w->texts);
	*w = (struct netwanted){ 0 };
}

/* texts: "" stands for none, since addresses of texts are taken when all are there. */
static void add_texts(struct strs *to, const char *prefix, const char *name, const char *bridge)
{
	strs_addf(to, "%s%s", prefix ? prefix : "", prefix ? name : "");
	strs_add(to, bridge ? bridge : "");
}

static void add_started(struct strs *to, const char *name, const struct claims *c)
{
	size_t at = 0;
	const char *bridge = claims_value(c, "network-bridge", &at);

	add_texts(to, bridge ? "vb-" : strs_has(&c->argv, "--network-veth") ? "ve-" : NULL, name, bridge);
}

static void add_configured(struct strs *to, const char *name, bool *ret_way_out)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };

	if (load_container("", name, &l, NULL) < 0)
		add_texts(to, NULL, name, NULL);
	else
		add_texts(to, container_main_link(&l.container), name, l.container.host_bridge);
	*ret_way_out = l.container.masquerade;
}

int netwanted_read(const struct snapshot *machines, struct netwanted *ret, struct err *e)
{
	CLEANUP(netwanted_done) struct netwanted made = { .v = calloc(machines->n + 1, sizeof(*made.v)) };

	if (!made.v)
		return err_no_memory(e);
	for (size_t i = 0; i < machines->n; i++) {
		const struct machine *m = &machines->v[i];
		CLEANUP(claims_done) struct claims c = { 0 };

		made.v[i].way_out = claims_read("", m->name, &c, NULL) == 0 && c.masquerade.n > 0;
		if (c.argv.n > 0)
			add_started(&made.texts, m->name, &c);
		else if (m->configured)
			add_configured(&made.texts, m->name, &made.v[i].way_out);
		else
			add_texts(&made.texts, NULL, m->name, NULL);
	}
	if (made.texts.bad)
		return err_no_memory(e);
	for (; made.n < machines->n; made.n++) {
		const char *link = made.texts.v[2 * made.n], *bridge = made.texts.v[2 * made.n + 1];

		made.v[made.n].machine = machines->v[made.n].name;
		made.v[made.n].link = *link ? link : NULL;
		made.v[made.n].bridge = *bridge ? bridge : NULL;
	}
	*ret = made;
	made = (struct netwanted){ 0 };
	return 0;
}
