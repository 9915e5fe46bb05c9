#include "ui/self.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "drivers/bus.h"

static uint64_t resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (f && fscanf(f, "%*s %lu", &pages) != 1)
		pages = 0;
	if (f)
		(void)fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t usec(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000 + (uint64_t)t->tv_usec;
}

void self_measure(struct app_self *s, uint64_t bytes)
{
	struct rusage used;

	s->bytes = bytes;
	s->bus_calls = bus_calls();
	s->memory = resident_bytes();
	if (getrusage(RUSAGE_SELF, &used) < 0)
		return;
	s->cpu_usec = usec(&used.ru_utime) + usec(&used.ru_stime);
	s->wakeups = (uint64_t)used.ru_nvcsw;
}
