/* netmapper - drives engine/netwatch in the namespace that it is started in, for tests and measurements.
 *
 * netmapper read N      reads all N times: "LINKS ADDRESSES ROUTES BEST_USEC MEDIAN_USEC" (wall time)
 * netmapper follow      keeps the map fresh and answers lines of its input, one line each:
 *   stat                "links N addresses N routes N resyncs N changes N cpu USEC" (processor time since the last stat)
 *   check               reads all anew, until it is as what was kept, 3 s at most: "same", or where it differs
 *   exit
 * netmapper machines FILE  writes all that is known of the host and its machines to FILE at each change; SIGUSR1 is a tick */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>

#include "engine/netwatch.h"
#include "engine/observe.h"
#include "tests/unit/netsame.h"

static unsigned changes;
static bool again; /* a check was asked for */
static struct netwatch *watch;
static const struct snapshot nobody;

static long usec(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int by_size(const void *a, const void *b)
{
	return (*(const long *)a > *(const long *)b) - (*(const long *)a < *(const long *)b);
}

static int read_times(int n)
{
	long *took = calloc((size_t)n, sizeof(*took));
	struct netmap map = { 0 };
	struct err e = { 0 };

	for (int i = 0; took && i < n; i++) {
		long before = usec(CLOCK_MONOTONIC);

		netmap_done(&map);
		if (netmap_read(&nobody, NETWATCH_MAP, &map, &e) < 0) {
			(void)fprintf(stderr, "netmapper: %s\n", e.text);
			return 1;
		}
		took[i] = usec(CLOCK_MONOTONIC) - before;
	}
	if (!took || !map.v)
		return 1;
	qsort(took, (size_t)n, sizeof(*took), by_size);
	printf("%zu %zu %zu %ld %ld\n", map.v[0].n_links, map.v[0].n_addresses, map.v[0].n_routes, took[0],
	       took[n / 2]);
	netmap_done(&map);
	free(took);
	return 0;
}

static void on_changed(const struct netmap *now, void *arg)
{
	(void)now, (void)arg;
	changes++;
}

static void stat_line(void)
{
	static long before;
	const struct netmap_space *host = netmap_host(netwatch_now(watch));
	long now = usec(CLOCK_PROCESS_CPUTIME_ID);

	printf("links %zu addresses %zu routes %zu resyncs %u changes %u cpu %ld\n", host->n_links,
	       host->n_addresses, host->n_routes, netwatch_now(watch)->resyncs, changes, now - before);
	before = usec(CLOCK_PROCESS_CPUTIME_ID);
}

static void settle(sd_event *loop)
{
	while (sd_event_run(loop, 0) > 0 || !netwatch_is_settled(watch))
		if (!netwatch_is_settled(watch))
			(void)sd_event_run(loop, 10000);
}

/* What the kernel does a moment later (a carrier, duplicate address detection) has 3 s. */
static void check(sd_event *loop)
{
	long deadline = usec(CLOCK_MONOTONIC) + 3000000;
	char why[1024] = "cannot be read";

	do {
		struct netmap fresh = { 0 };

		settle(loop);
		if (netmap_read(&nobody, NETWATCH_MAP, &fresh, NULL) == 0)
			netsame(netwatch_now(watch), &fresh, why, sizeof(why));
		netmap_done(&fresh);
		if (*why)
			(void)sd_event_run(loop, 20000);
	} while (*why && usec(CLOCK_MONOTONIC) < deadline);
	printf("%s\n", *why ? why : "same");
}

static int on_line(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	sd_event *loop = arg;
	char line[64] = "";

	(void)s, (void)fd, (void)events;
	if (!fgets(line, sizeof(line), stdin) || strcmp(line, "exit\n") == 0)
		return sd_event_exit(loop, 0);
	if (strcmp(line, "check\n") == 0)
		again = true;
	else
		stat_line();
	(void)fflush(stdout);
	return 0;
}

static int follow(void)
{
	sd_event *loop = NULL;
	struct err e = { 0 };

	if (sd_event_new(&loop) < 0 || netwatch_new(loop, on_changed, NULL, &watch, &e) < 0 ||
	    netwatch_want(watch, &nobody, NETWATCH_MAP, &e) < 0 ||
	    sd_event_add_io(loop, NULL, STDIN_FILENO, EPOLLIN, on_line, loop) < 0) {
		(void)fprintf(stderr, "netmapper: %s\n", e.text);
		return 1;
	}
	(void)setvbuf(stdin, NULL, _IONBF, 0); /* what is buffered would not wake the loop */
	while (sd_event_get_state(loop) != SD_EVENT_FINISHED) {
		if (sd_event_run(loop, UINT64_MAX) < 0)
			return 1;
		if (again)
			check(loop);
		again = false;
		(void)fflush(stdout);
	}
	netwatch_free(watch);
	sd_event_unref(loop);
	return 0;
}

/* ---- machines */

static const char *picture;

static void add_rest(const struct netmap *m, struct buf *to)
{
	for (size_t i = 0; i < m->n; i++)
		for (size_t k = 0; k < m->v[i].n_listeners; k++) {
			const struct netmap_listener *l = &m->v[i].listeners[k];

			buf_addf(to, "listener '%s' %s", m->v[i].machine, l->udp ? "udp" : "tcp");
			netsame_addr(to, &l->at);
			buf_addf(to, " %u process %s unit %s\n", (unsigned)l->port, l->process, l->unit);
		}
	for (size_t i = 0; i < m->n_forwards; i++) {
		buf_addf(to, "to %u", (unsigned)m->forwards[i].port.host);
		netsame_addr(to, &m->forwards[i].to);
		buf_addf(to, " %u\n", (unsigned)m->forwards[i].port.guest);
	}
	buf_addf(to, "resyncs %u\n", m->resyncs);
}

static void write_picture(const struct netmap *now, void *arg)
{
	struct buf text = { 0 };
	char aside[4096];
	FILE *f;

	(void)arg;
	for (size_t i = 0; i < now->n; i++)
		netsame_text(&now->v[i], &text);
	add_rest(now, &text);
	(void)snprintf(aside, sizeof(aside), "%s.new", picture);
	f = fopen(aside, "w");
	if (f) {
		(void)fputs(buf_text(&text), f);
		(void)fclose(f);
		(void)rename(aside, picture);
	}
	buf_done(&text);
}

static void on_snapshot(const struct snapshot *now, void *arg)
{
	(void)arg;
	(void)netwatch_want(watch, now, NETWATCH_MAP | NETWATCH_LISTENERS, NULL);
}

static int on_tick(sd_event_source *s, const struct signalfd_siginfo *info, void *arg)
{
	(void)s, (void)info, (void)arg;
	netwatch_tick(watch);
	return 0;
}

static int machines(const char *file)
{
	sd_event *loop = NULL;
	struct observer *o = NULL;
	struct err e = { 0 };
	sigset_t tick;

	picture = file;
	(void)sigemptyset(&tick);
	(void)sigaddset(&tick, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &tick, NULL);
	if (sd_event_new(&loop) < 0 || netwatch_new(loop, write_picture, NULL, &watch, &e) < 0 ||
	    observer_new(loop, on_snapshot, NULL, &o, &e) < 0 ||
	    sd_event_add_signal(loop, NULL, SIGUSR1, on_tick, NULL) < 0) {
		(void)fprintf(stderr, "netmapper: %s\n", e.text);
		return 1;
	}
	on_snapshot(observer_snapshot(o), NULL);
	(void)sd_event_loop(loop);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "read") == 0)
		return read_times((int)strtol(argv[2], NULL, 10));
	if (argc == 2 && strcmp(argv[1], "follow") == 0)
		return follow();
	if (argc == 3 && strcmp(argv[1], "machines") == 0)
		return machines(argv[2]);
	return 64;
}
