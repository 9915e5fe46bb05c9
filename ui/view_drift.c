/* What differs between a machine's conf, its start, and what is there. */
#include "ui/cfg.h"
#include "ui/view.h"

#define LINTS_SHOWN 3

static enum style style_of(enum drift_cure c)
{
	return c == DRIFT_NONE ? STYLE_GOOD : c == DRIFT_RESTART ? STYLE_BAD : STYLE_BUSY;
}

static const char *advice(enum drift_cure c)
{
	static const char *const words[] = {
		[DRIFT_NONE] = "nothing to do: it runs as it is configured",
		[DRIFT_LIVE] =
			"somebody set something live: nothing is wrong, and systemctl revert takes it back",
		[DRIFT_MEND] =
			"something was taken away since its start: it can be put back without a restart: M",
		[DRIFT_REREAD] = "systemd is to read its unit anew: systemctl daemon-reload",
		[DRIFT_RELOAD] = "a reload is enough: r",
		[DRIFT_RESTART] = "restart needed: R",
	};

	return words[c];
}

bool view_drift_fact(const struct world *w, const struct machine *m, struct doc *d)
{
	enum drift_cure cure;

	if (!cfg_drift(w, m, &cure) || cure == DRIFT_NONE)
		return false;
	doc_fact(d, cure == DRIFT_LIVE ? "LIVE" : "STALE", style_of(cure), "%s", advice(cure));
	if (!w->is_tape)
		doc_add(d, STYLE_DIM, "  (D: what differs)");
	return true;
}

bool view_lint_fact(const struct world *w, const struct machine *m, struct doc *d)
{
	struct linted one;
	size_t shown = 0;

	(void)cfg_lint(w, m, &one);
	for (; shown < one.texts.n && shown < LINTS_SHOWN; shown++)
		doc_fact(d,
		         shown > 0   ? ""
		         : one.fatal ? "BAD"
		                     : "CHECK",
		         one.fatal && shown == 0 ? STYLE_BAD : STYLE_BUSY, "%s", one.texts.v[shown]);
	if (shown < one.texts.n)
		doc_fact(d, "", STYLE_DIM, "%zu more: Config", one.texts.n - shown);
	return shown > 0;
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
		doc_line(d, STYLE_DIM, "%s",
		         m && m->state == MACHINE_RUNNING && m->kind == MACHINE_CONTAINER
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
