#include "ui/cfg.h"

#include <string.h>

bool cfg_drift(const struct world *w, const struct machine *m, enum drift_cure *ret)
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

const char *cfg_restart(const struct world *w, const struct machine *m)
{
	const struct drifted *one = drift_list_find(w->drifts, m->name);
	enum drift_cure cure;

	if (!cfg_drift(w, m, &cure) || cure != DRIFT_RESTART)
		return NULL;
	return one && one->known && one->drift.n > 0 ? one->drift.v[0].text : "";
}

bool cfg_lint(const struct world *w, const struct machine *m, struct linted *ret)
{
	const struct linted *one = lint_list_find(w->lints, m->name);

	*ret = one ? *one : (struct linted){ .name = m->name, .texts = m->lints, .fatal = m->lint_fatal };
	return one || m->linted;
}

enum cfg cfg_of(const struct world *w, const struct machine *m)
{
	static const enum cfg of_drift[] = {
		[DRIFT_MEND] = CFG_MEND,
		[DRIFT_REREAD] = CFG_RELOAD,
		[DRIFT_RELOAD] = CFG_RELOAD,
		[DRIFT_RESTART] = CFG_RESTART,
	};
	struct linted lint;
	bool is_linted = cfg_lint(w, m, &lint);
	enum drift_cure cure = DRIFT_NONE;
	bool runs = m->state != MACHINE_STOPPED && m->state != MACHINE_FAILED;
	bool is_known = cfg_drift(w, m, &cure);

	if (m->bad_conf || lint.fatal)
		return CFG_BAD;
	if (cure > DRIFT_LIVE)
		return of_drift[cure];
	if (lint.texts.n > 0)
		return CFG_CHECK;
	if (cure == DRIFT_LIVE)
		return CFG_LIVE;
	return is_known || (is_linted && !runs) ? CFG_OK : CFG_UNKNOWN;
}

const char *cfg_word(enum cfg c, enum style *ret_style)
{
	switch (c) {
	case CFG_BAD:
		*ret_style = STYLE_BAD;
		return "BAD";
	case CFG_RESTART:
	case CFG_RELOAD:
	case CFG_MEND:
		*ret_style = STYLE_BUSY;
		return "STALE";
	case CFG_CHECK:
		*ret_style = STYLE_BUSY;
		return "CHECK";
	case CFG_LIVE:
		*ret_style = STYLE_TEXT;
		return "LIVE";
	case CFG_OK:
		return "ok";
	case CFG_UNKNOWN:
		break;
	}
	return NULL;
}
