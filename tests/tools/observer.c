/* observer - prints a line for each snapshot: milliseconds of CLOCK_MONOTONIC, processor time of ours in milliseconds,
 * NAME=STATE..., and "| " with what is stale. Until it is killed. */
#include <stdio.h>
#include <time.h>

#include "engine/observe.h"

static long long milliseconds(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void print(const struct snapshot *now, void *arg)
{
	(void)arg;
	printf("%lld %lld", milliseconds(CLOCK_MONOTONIC), milliseconds(CLOCK_PROCESS_CPUTIME_ID));
	for (size_t i = 0; i < now->n && i < 20; i++)
		printf(" %s=%s", now->v[i].name, machine_state_word(now->v[i].state));
	printf(" n=%zu", now->n);
	if (now->stale)
		printf(" | %s", now->stale);
	printf("\n");
	(void)fflush(stdout);
}

int main(void)
{
	struct observer *o = NULL;
	sd_event *loop = NULL;
	struct err e = { 0 };

	if (sd_event_new(&loop) < 0 || observer_new(loop, print, NULL, &o, &e) < 0) {
		(void)fprintf(stderr, "observer: %s\n", e.text);
		return 1;
	}
	print(observer_snapshot(o), NULL);
	(void)sd_event_loop(loop);
	observer_free(o);
	sd_event_unref(loop);
	return 0;
}
