/* What differs between a machine's conf, its start, and what is there. */
#include <string.h>

#include "ui/view.h"

static enum style style_of(enum drift_cure c)
{
	return c == DRIFT_NONE ? STYLE_GOOD : c == DRIFT_RESTART ? STYLE_BAD : STYLE_BUSY;
}

/* False: not known. On a tape there is the verdict alone. */
static bool verdict_of(const struct world *w, const struct machine *m, enum drift_cure *ret)
{
	const struct drifted *one = drift_list_find(w->drifts, m->name);

	if (one && one->known) {
		*ret = drift_verdict(&one->drift);
		return true;
	}
	for (int c = DRIFT_NONE; m->drift && c <= DRIFT_RESTART; c++)
		if (strcmp(m->drift, drift_cure_word((enum drift_cure)c)) == 0) {
			*ret = (enum drift_cure)c;
			return true;
		}
	return false;
}

const char *view_drift_word(const struct world *w, const struct machine *m, enum style *ret_style)
{
	enum drift_cure cure;

	if (!verdict_of(w, m, &cure))
		return NULL;
	if (cure == DRIFT_NONE)
		return "ok";
	*ret_style = STYLE_BUSY;
	return "STALE";
}

static const char *advice(enum drift_cure c)
{
	static const char *const words[] = {
		[DRIFT_NONE] = "nothing to do: it runs as it is configured",
		[DRIFT_MEND] = "something was taken away since its start: it can be put back without a restart: M",
		[DRIFT_RELOAD] = "a reload is enough: r",
		[DRIFT_RESTART] = "it takes a restart: R",
	};

	return words[c];
}

bool view_drift_fact(const struct world *w, const struct machine *m, struct doc *d)
{
	enum drift_cure cure;

	if (!verdict_of(w, m, &cure) || cure == DRIFT_NONE)
		return false;
	doc_fact(d, "STALE", style_of(cure), "%s", advice(cure));
	if (!w->is_tape)
		doc_add(d, STYLE_DIM, "  (D: what differs)");
	return true;
}

static void item(struct doc *d, const struct drift_item *i)
{
	doc_fact(d, drift_cure_word(i->cure), style_of(i->cure), "%s", i->text);
	if (i->configured)
		doc_fact(d, "", STYLE_DIM, "configured    %s", i->configured);
	if (i->started)
		doc_fact(d, "", STYLE_DIM, "started with  %s", i->started);
	if (i->live)
		doc_fact(d, "", STYLE_DIM, "seen          %s", i->live);
}

void view_drift(const struct app *a, const struct world *w, struct doc *d)
{
	const struct drifted *one = drift_list_find(w->drifts, a->selected);
	const struct machine *m = snapshot_find(w->s, a->selected);

	if (w->is_tape) {
		if (!m || !view_drift_fact(w, m, d))
			doc_line(d, STYLE_DIM, "nothing that was recorded");
		doc_line(d, STYLE_DIM, "a tape does not tell what differs");
		return;
	}
	if (!one) {
		doc_line(d, STYLE_DIM, "%s", m && m->state == MACHINE_RUNNING && m->kind == MACHINE_CONTAINER
		                                     ? "looking ..."
		                                     : "it does not run as a container of machdeck's, so nothing differs");
		return;
	}
	if (one->known)
		doc_line(d, style_of(drift_verdict(&one->drift)), "%s", advice(drift_verdict(&one->drift)));
	for (size_t i = 0; i < one->drift.n; i++)
		item(d, &one->drift.v[i]);
	for (size_t i = 0; i < one->drift.unseen.n; i++)
		doc_fact(d, "not seen", STYLE_DIM, "%s", one->drift.unseen.v[i]);
}
