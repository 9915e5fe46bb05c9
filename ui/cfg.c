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

enum cfg cfg_of(const struct world *w, const struct machine *m)
{
	static const enum cfg of_drift[] = {
		[DRIFT_NONE] = CFG_OK,       [DRIFT_LIVE] = CFG_MEND,     [DRIFT_MEND] = CFG_MEND,
		[DRIFT_REREAD] = CFG_RELOAD, [DRIFT_RELOAD] = CFG_RELOAD, [DRIFT_RESTART] = CFG_RESTART,
	};
	const struct linted *lint = lint_list_find(w->lints, m->name);
	enum drift_cure cure = DRIFT_NONE;
	bool runs = m->state != MACHINE_STOPPED && m->state != MACHINE_FAILED;
	bool is_known = cfg_drift(w, m, &cure);

	if (m->bad_conf || (lint && lint->fatal))
		return CFG_BAD;
	if (cure != DRIFT_NONE)
		return of_drift[cure];
	if (lint && lint->texts.n > 0)
		return CFG_CHECK;
	return is_known || (lint && !runs) ? CFG_OK : CFG_UNKNOWN;
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
	case CFG_OK:
		return "ok";
	case CFG_UNKNOWN:
		break;
	}
	return NULL;
}
