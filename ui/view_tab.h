/* view_tab - what the details say, tab by tab: from a machine, what it uses and what is known of it to a
 * document. Pure. */
#pragma once

#include "ui/view.h"

/* What all tabs are made from; all borrowed. */
struct tab_source {
	const struct app *a;
	const struct world *w;
	const struct machine *m;
	const struct stats *st;    /* NULL: not sampled, or not yet */
	const struct looked *look; /* NULL: nothing is known yet */
	uint64_t now_usec;
	struct view *v;
	struct doc *d;
};

void tab_overview(const struct tab_source *t);
void tab_network(const struct tab_source *t);
void tab_ports(const struct tab_source *t);
void tab_processes(const struct tab_source *t);
void tab_config(const struct tab_source *t);
/* view_why - the evidence: why the selected machine is not well, what its unit says, its last words. */
void view_why(const struct app *a, const struct world *w, uint64_t now_usec, struct view *v, struct doc *d);

/* ---- shared by the tabs */

/* tab_fill - where the selected machine is; false: there is none. */
bool tab_fill(const struct app *a, const struct world *w, uint64_t now_usec, struct view *v, struct doc *d,
              struct tab_source *ret);
/* tab_waits - a part that is not known yet, or never will be: then a line says so. */
bool tab_waits(const struct tab_source *t, enum look_part part);
/* tab_state - "running  12d", as a fact. */
void tab_state(const struct tab_source *t);
/* tab_bytes, tab_percent, tab_time - "412M", "3.1%", "11-13 22:10:05" (of today without the day); "-" when
 * not known. They live as long as the view. */
const char *tab_bytes(const struct tab_source *t, uint64_t bytes);
const char *tab_percent(const struct tab_source *t, double percent);
const char *tab_time(const struct tab_source *t, uint64_t usec);
/* tab_port - "tcp 8080". tab_traffic - goes on with "  rx 1.2M/s  tx 310K/s  drops 0  errors 0" of that link,
 * where it is known. tab_log - lines of a run that failed, the last ones, at most max. */
const char *tab_port(const struct tab_source *t, const struct port *p);
void tab_traffic(const struct tab_source *t, const char *link);
void tab_log(const struct tab_source *t, const struct loglines *lines, size_t max);
/* tab_inside - the address, with its prefix, by which it is reached: the first that is not of the link alone;
 * NULL: none is known. */
const char *tab_inside(const struct look_link *l);
