/* filter - which machines to show, as a person types it. Pure.
 *
 *   web state:failed port:8080 cpu>50 net:br0 !lab
 *
 * Terms parted by blanks; all must hold; '!' in front turns one round. A word is looked for in the name, with
 * '~' in front only its letters in their order. KEY:TEXT and KEY>NUMBER (also < >= <= =) look at one thing
 * each; what is not known never holds. "..." keeps blanks together. The case of letters does not count. A
 * term that is still being typed ("cpu>", "state:") holds for all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "words/machine.h"
#include "words/stats.h"

#define FILTER_TERMS 16
#define FILTER_TEXT  64 /* bytes of one term, NUL included */

/* Key, what kind of thing, help. */
#define FILTER_KEYS(X)                                                                                       \
	X(NAME, "name", TEXT, "in its name, like a word alone")                                              \
	X(STATE, "state", STATE, "running, failed, ..., or up, off, bad, changing, degraded")                \
	X(KIND, "kind", KIND, "container, nspawn, image, vm, other")                                         \
	X(OS, "os", TEXT, "in the name of its system")                                                       \
	X(CAUSE, "cause", TEXT, "in the rule that says why it is not well: oom-kill")                        \
	X(WHY, "why", TEXT, "in the sentence that says why it is not well")                                  \
	X(UNIT, "unit", TEXT, "in its unit, or in a failed unit inside")                                     \
	X(ADDRESS, "addr", TEXT, "in one of its addresses")                                                  \
	X(NET, "net", TEXT, "in the name of one of its links")                                               \
	X(PORT, "port", PORT, "a forwarded port, of the host or inside")                                     \
	X(AUTO, "auto", YES_NO, "yes or no: it starts at boot")                                              \
	X(CPU, "cpu", NUMBER, "percent of one core")                                                         \
	X(MEM, "mem", BYTES, "memory: 512M, 1G")                                                             \
	X(SWAP, "swap", BYTES, "swap")                                                                       \
	X(LIMIT, "limit", BYTES, "limit of its memory")                                                      \
	X(TASKS, "tasks", NUMBER, "processes and threads")                                                   \
	X(RX, "rx", BYTES, "bytes a second it receives")                                                     \
	X(TX, "tx", BYTES, "bytes a second it sends")                                                        \
	X(IO, "io", BYTES, "bytes a second it reads and writes")                                             \
	X(OOM, "oom", NUMBER, "processes killed for want of memory")                                         \
	X(UP, "up", SPAN, "since it came into its state: 5m, 2h, 1d")

enum filter_key {
#define X(id, word, kind, help) FILTER_##id,
	FILTER_KEYS(X)
#undef X
		FILTER_KEY_COUNT
};

struct filter_term {
	enum filter_key key;
	bool negate;
	bool fuzzy;
	bool open; /* still being typed */
	char op;   /* '>' '<' 'g' (>=) 'l' (<=) '=' for numbers; ':' for the rest */
	char text[FILTER_TEXT];
	double number; /* as the machine has it: percent, bytes, microseconds */
};

struct filter { /* plain data */
	struct filter_term v[FILTER_TERMS];
	size_t n;
};

/* filter_parse - text to a value; an empty text is a filter that all pass.
 *
 * errors  -EINVAL: e says what is wrong, *ret_at (may be NULL) is the byte of text where; *ret stays */
int filter_parse(const char *text, struct filter *ret, size_t *ret_at, struct err *e);

/* filter_match - s: what the machine uses, or NULL: not known; now_usec: CLOCK_REALTIME. */
bool filter_match(const struct filter *f, const struct machine *m, const struct stats *s, uint64_t now_usec);

/* filter_needs_stats - whether it looks at what machines use, which is then to be known of all, also of those it hides. */
bool filter_needs_stats(const struct filter *f);

/* filter_key_word, filter_key_help - "state" and what it looks at: for help. */
const char *filter_key_word(enum filter_key k);
const char *filter_key_help(enum filter_key k);
