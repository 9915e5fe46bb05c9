/* sampled - what the sampler tells of machines:  sampled [-p MSEC] [-n TICKS] [-t] NAME=LEADER...
 *
 * A line of JSON a machine for each time values changed; -t only counts: microseconds of CPU a tick and the
 * peak of memory at the end; -P the processes of the machines instead. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "drivers/cgroup.h"
#include "drivers/rtnl.h"
#include "engine/sampler.h"

static sd_event *loop;
static struct sampler *sampler;
static long left = 2;
static bool quiet;

static void number(const char *key, double value)
{
	if (isnan(value))
		printf(",\"%s\":null", key);
	else
		printf(",\"%s\":%.2f", key, value);
}

static void whole(const char *key, uint64_t value)
{
	number(key, value == STATS_UNKNOWN ? (double)NAN : (double)value);
}

static void show(const struct stats *st)
{
	printf("{\"name\":\"%s\",\"frozen\":%s,\"estimate\":%s", st->name, st->frozen ? "true" : "false",
	       st->memory_is_estimate ? "true" : "false");
	number("cpu", (double)st->cpu);
	number("cpu_limit", (double)st->cpu_limit);
	number("throttled", (double)st->throttled);
	number("cpu_pressure", (double)st->cpu_pressure.some);
	whole("memory", st->memory);
	whole("memory_limit", st->memory_limit);
	whole("tasks", st->tasks);
	whole("rx", st->rx);
	whole("tx", st->tx);
	printf(",\"links\":[");
	for (size_t i = 0; i < st->n_links; i++)
		printf("%s\"%s\"", i ? "," : "", st->links[i].name);
	printf("]}\n");
}

static void on_sampled(void *arg)
{
	const struct stats_table *t = sampler_now(sampler);

	(void)arg;
	for (size_t i = 0; !quiet && i < t->n; i++)
		show(&t->v[i]);
	(void)fflush(stdout);
	if (--left == 0)
		(void)sd_event_exit(loop, 0);
}

static double used_msec(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static void show_processes(const struct machine *m)
{
	struct cgroupfs *fs;
	struct proctree t;
	struct err e = { 0 };
	char *path = NULL;

	if (cgroupfs_open("", &fs, &e) < 0 || cgroup_of_leader(fs, m->leader, &path) < 0 ||
	    cgroup_processes(fs, path, &t, &e) < 0) {
		(void)fprintf(stderr, "%s\n", e.text);
		exit(1);
	}
	for (size_t i = 0; i < t.n_groups; i++) {
		const struct process_group *g = &t.groups[i];

		printf("%*s%s\n", (int)(2 * g->depth), "", g->name);
		for (size_t k = g->first; k < g->first + g->n; k++)
			printf("%*s- %d %d %c %s\n", (int)(2 * g->depth), "", t.processes[k].pid,
			       t.processes[k].guest_pid, t.processes[k].state,
			       t.processes[k].command ? t.processes[k].command : "?");
	}
	proctree_done(&t);
	free(path);
	cgroupfs_close(fs);
}

static void find_netns(struct machine *m)
{
	struct nl nl;
	struct err e;

	m->netnsid = -1;
	if (nl_open(NETLINK_ROUTE, &nl, &e) < 0)
		return;
	(void)rtnl_netnsid(&nl, m->leader, &m->netnsid, &e);
	nl_close(&nl);
}

int main(int argc, char **argv)
{
	static struct machine machines[SAMPLER_MACHINES];
	const struct machine *v[SAMPLER_MACHINES];
	uint64_t period = 500000;
	struct err e = { 0 };
	bool processes = false;
	double began, first;
	size_t n = 0;
	long ticks;

	for (int option; (option = getopt(argc, argv, "p:n:tP")) >= 0;) {
		if (option == 'p')
			period = strtoull(optarg, NULL, 10) * 1000;
		left = option == 'n' ? strtol(optarg, NULL, 10) : left;
		quiet = quiet || option == 't';
		processes = processes || option == 'P';
	}
	for (; optind < argc && n < SAMPLER_MACHINES; optind++, n++) {
		char *name = argv[optind], *leader = strchr(name, '=');

		if (!leader)
			return 64;
		*leader = '\0';
		machines[n] = (struct machine){ .name = name, .leader = (pid_t)strtol(leader + 1, NULL, 10) };
		find_netns(&machines[n]);
		if (processes)
			show_processes(&machines[n]);
		v[n] = &machines[n];
	}
	if (processes)
		return 0;
	if (sd_event_new(&loop) < 0 || sampler_new(loop, on_sampled, NULL, &sampler, &e) < 0)
		return 1;
	began = used_msec();
	if (sampler_want(sampler, v, n, period) < 0)
		return 1;
	first = used_msec();
	if (sampler_trouble(sampler))
		(void)fprintf(stderr, "%s\n", sampler_trouble(sampler));
	ticks = left;
	(void)sd_event_loop(loop);
	if (quiet) {
		struct rusage u;

		(void)getrusage(RUSAGE_SELF, &u);
		printf("first %.0f us, %ld ticks of %.0f us each, %ld KB at most\n", (first - began) * 1e3,
		       ticks, (used_msec() - first) * 1e3 / (double)ticks, u.ru_maxrss);
	}
	sampler_free(sampler);
	sd_event_unref(loop);
	return 0;
}
