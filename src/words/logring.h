/* logring - log records of one or several machines in the order of time, the newest kept: at most so many, at
 * most so many bytes. What falls out is counted, so that nothing is lost unseen. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LOGRING_RECORDS 10000
#define LOGRING_BYTES   (4u << 20)

#define LOG_TEXT_MAX  4096 /* bytes of one record's text, its cut mark included, NUL not */
#define LOG_IDENT_MAX 64

#define LOG_PRIORITY_ERR 3 /* as syslog(3) numbers them: 0 emerg ... 7 debug */
#define LOG_PRIORITY_ALL 7

enum log_source {
	LOG_CONSOLE, /* what the machine's unit wrote: mostly the guest's console */
	LOG_SYSTEMD, /* what the host's systemd says of the unit */
	LOG_GUEST,   /* the guest's own journal */
	LOG_READER,  /* what the reader has to say of itself: "log read error" */
};

struct logrec {
	uint64_t id;      /* counts up in the order of arrival, from 0 */
	uint64_t usec;    /* CLOCK_REALTIME */
	uint32_t machine; /* which of those that are read */
	enum log_source source;
	uint8_t priority;
	pid_t pid;         /* 0: not told */
	const char *ident; /* who wrote it: "sshd"; printable */
	const char *text;  /* printable, but for '\n' between its lines */
};

/* Positions count up: a record's changes only when an older one arrives late, see logring_news(). */
struct logring {
	struct logrec **v; /* a ring of cap + 1 */
	size_t cap, first, n;
	size_t bytes, bytes_max;
	uint64_t received, fallen, lost; /* received = n + fallen + lost; lost: out of memory */
	uint64_t news;
};

int logring_init(struct logring *r, size_t records, size_t bytes); /* -ENOMEM */
void logring_done(struct logring *r);

/* logring_add - a copy of rec, but for its id, where its time belongs; never before an earlier arrival from
 * the same journal, whose own order stands. */
void logring_add(struct logring *r, const struct logrec *rec);

/* Positions from begin (of the oldest that is kept) to before end. */
uint64_t logring_begin(const struct logring *r);
uint64_t logring_end(const struct logring *r);
const struct logrec *logring_at(const struct logring *r, uint64_t position); /* borrowed until the next add */

/* logring_news - from which position on records are new or have moved since the last call; for one reader. */
uint64_t logring_news(struct logring *r);
/* logring_rewind - all of them are news again. */
void logring_rewind(struct logring *r);

const char *log_source_word(enum log_source s);   /* "console", "systemd", "guest", "reader" */
const char *log_priority_word(unsigned priority); /* "emerg" ... "debug" */
/* log_priority_parse - a word, or a digit. 0 or -EINVAL. */
int log_priority_parse(const char *text, unsigned *ret);
