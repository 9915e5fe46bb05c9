#include "drivers/hoststat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

int hoststat_open(const char *host_root, struct hoststat *ret, struct err *e)
{
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/proc", host_root);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "cannot open %s", path);
	*ret = (struct hoststat){ fd, KEPT_NONE, KEPT_NONE, KEPT_NONE, KEPT_NONE, KEPT_NONE };
	return 0;
}

void hoststat_close(struct hoststat *h)
{
	struct kept *files[] = { &h->stat, &h->meminfo, &h->cpu, &h->memory, &h->io };

	if (h->proc < 0)
		return;
	for (size_t i = 0; i < COUNT(files); i++)
		kept_close(files[i]);
	close(h->proc);
	h->proc = -1;
}

/* "cpu  USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL ...": proc_stat(5). */
static void read_cpu(const char *text, struct host_now *now)
{
	uint64_t field[8] = { 0 }, all = 0;
	char *at;

	now->busy = now->all = STATS_UNKNOWN;
	if (strncmp(text, "cpu ", 4) != 0)
		return;
	text += 4;
	for (size_t i = 0; i < COUNT(field); i++, text = at) {
		field[i] = strtoull(text, &at, 10);
		all += field[i];
	}
	now->all = all;
	now->busy = all - field[3] - field[4] - field[7];
}

static uint64_t kilobytes(const char *text, const char *key)
{
	uint64_t value = kept_keyed(text, key);

	return value == STATS_UNKNOWN ? value : value * 1024;
}

static uint64_t less(uint64_t all, uint64_t free)
{
	return all == STATS_UNKNOWN || free == STATS_UNKNOWN || free > all ? STATS_UNKNOWN : all - free;
}

static void read_memory(const char *text, struct host_now *now)
{
	now->memory_total = kilobytes(text, "MemTotal:");
	now->memory = less(now->memory_total, kilobytes(text, "MemAvailable:"));
	now->swap_total = kilobytes(text, "SwapTotal:");
	now->swap = less(now->swap_total, kilobytes(text, "SwapFree:"));
}

static const char *text_of(struct hoststat *h, struct kept *k, const char *leaf, char *buf, size_t size)
{
	return kept_read(k, h->proc, leaf, buf, size) < 0 ? "" : buf;
}

void hoststat_read(struct hoststat *h, struct host_now *ret)
{
	char text[4096];

	read_cpu(text_of(h, &h->stat, "stat", text, sizeof(text)), ret);
	read_memory(text_of(h, &h->meminfo, "meminfo", text, sizeof(text)), ret);
	ret->cpu_pressure = kept_pressure(text_of(h, &h->cpu, "pressure/cpu", text, sizeof(text)));
	ret->memory_pressure = kept_pressure(text_of(h, &h->memory, "pressure/memory", text, sizeof(text)));
	ret->io_pressure = kept_pressure(text_of(h, &h->io, "pressure/io", text, sizeof(text)));
}
