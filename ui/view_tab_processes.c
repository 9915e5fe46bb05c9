/* The processes of a machine, below the units they belong to. */
#include <math.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "ui/view_tab.h"

#define TIME_SIZE 24

/* "0:01.2", "12:34", "3h12m", "12d3h" */
static void cpu_time(uint64_t usec, char ret[static TIME_SIZE])
{
	unsigned long long s = usec / 1000000;

	if (usec == STATS_UNKNOWN)
		(void)snprintf(ret, TIME_SIZE, "-");
	else if (s < 600)
		(void)snprintf(ret, TIME_SIZE, "%llu:%02llu.%llu", s / 60, s % 60,
		               (unsigned long long)usec / 100000 % 10);
	else if (s < 6000)
		(void)snprintf(ret, TIME_SIZE, "%llu:%02llu", s / 60, s % 60);
	else if (s < 360000)
		(void)snprintf(ret, TIME_SIZE, "%lluh%02llum", s / 3600, s / 60 % 60);
	else
		(void)snprintf(ret, TIME_SIZE, "%llud%lluh", s / 86400, s / 3600 % 24);
}

static enum style style_of(char state)
{
	return state == 'D' || state == 'Z' ? STYLE_BAD : state == 'R' ? STYLE_GOOD : STYLE_DIM;
}

static void one_process(const struct tab_source *t, const struct process *p, float cpu)
{
	char inside[16] = "-", time[TIME_SIZE], share[16] = "-";

	if (p->guest_pid)
		(void)snprintf(inside, sizeof(inside), "%d", (int)p->guest_pid);
	if (!isnan(cpu))
		(void)snprintf(share, sizeof(share), "%.1f", (double)cpu);
	cpu_time(p->cpu_usec, time);
	doc_line(t->d, STYLE_DIM, "%7d %7s ", (int)p->pid, inside);
	doc_add(t->d, cpu >= 1 ? STYLE_STRONG : STYLE_TEXT, "%5s ", share);
	doc_add(t->d, STYLE_TEXT, "%7s %5s ", time, tab_bytes(t, p->rss));
	doc_add(t->d, style_of(p->state), "%c ", p->state);
	doc_add(t->d, STYLE_TEXT, "%s", p->command ? p->command : "(may not be read)");
	doc_indent(t->d, 37);
}

/* Whether something is in it or below. */
static bool holds_any(const struct proctree *tree, size_t at)
{
	unsigned depth = tree->groups[at].depth;

	if (tree->groups[at].n > 0)
		return true;
	for (size_t i = at + 1; i < tree->n_groups && tree->groups[i].depth > depth; i++)
		if (tree->groups[i].n > 0)
			return true;
	return false;
}

void tab_processes(const struct tab_source *t)
{
	const struct look_processes *p = t->look ? &t->look->processes : NULL;

	if (tab_waits(t, LOOK_PROCESSES) || !p)
		return;
	if (p->problem) {
		doc_line(t->d, STYLE_DIM, "%s", p->problem);
		return;
	}
	t->v->samples = true;
	doc_line(t->d, STYLE_HEAD, "%7s %7s %5s %7s %5s S COMMAND", "PID", "INSIDE", "CPU%", "TIME", "MEM");
	for (size_t i = 0; i < p->tree.n_groups; i++) {
		const struct process_group *g = &p->tree.groups[i];

		if (!holds_any(&p->tree, i))
			continue;
		doc_line(t->d, STYLE_KEY, "%*s%s", (int)(2 * g->depth), "", g->name);
		for (size_t k = g->first; k < g->first + g->n; k++)
			one_process(t, &p->tree.processes[k], p->cpu[k]);
	}
	if (p->tree.n_processes == 0)
		doc_line(t->d, STYLE_DIM,
		         "no process of it can be seen: /proc hides those of others (hidepid)");
	if (p->tree.cut)
		doc_line(t->d, STYLE_DIM, "and more: only the first %d are shown", PROCTREE_PROCESSES);
}
