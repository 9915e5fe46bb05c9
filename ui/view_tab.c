#include "ui/view.h"

void view_tab(const struct app *a, const struct world *w, uint64_t now_usec, struct view *v, struct doc *d)
{
	const struct machine *m = snapshot_find(w->s, a->selected);

	(void)now_usec, (void)v;
	if (m && m->reason)
		doc_fact(d, "because", STYLE_BUSY, "%s", m->reason);
}
