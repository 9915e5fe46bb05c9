/* journal_reader - the child that reads journals: of drivers/journal_follow and of drivers/journal alone.
 *
 * As root it opens the folders and files, then becomes nobody, in no group, without any capability, with
 * nothing open but those and its pipe; only then it looks into a file. It opens nothing later: when a folder
 * changes (a rotation, a first journal) it says where it is and ends, to be made again. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { READER_AGAIN = 10, READER_UNABLE }; /* how it ends; any other end is a crash */

/* One journal to read, and from where on: the cursor's entry or, when that is done, the one after it, and of
 * those not the first `since` records, which were told. Without a cursor, the last `backlog`. */
struct journal_stream {
	uint32_t place;
	bool guest;
	const char *machine, *unit, *root;
	size_t backlog;
	const char *cursor; /* of an entry; "": from the first one on; NULL: never read before */
	bool done;
	uint64_t since;
	bool off; /* not this time */
};

/* What goes through the pipe: frames of a head and two texts. */
enum frame_kind {
	FRAME_RECORD,
	FRAME_CURSOR,    /* text: where the stream is; n: whether that entry is done */
	FRAME_STATE,     /* n: enum journal_state, text: a sentence */
	FRAME_CAUGHT_UP, /* all that was there was told */
};

#define FRAME_TEXTS_MAX (LOG_IDENT_MAX + LOG_TEXT_MAX + 16)

struct frame {
	uint32_t kind, stream; /* stream: its index */
	uint32_t n, source, priority;
	int32_t pid;
	uint64_t usec;
	uint32_t ident_len, text_len; /* the texts follow, without NUL */
};

/* journal_reader_run - never returns.
 *
 * out       the pipe's end
 * leash     when its other end is closed, it says where it is and ends, as when a folder changes
 * lives_ms  so long it lives at least before it ends by itself
 * at        shared with the parent: the stream that is being read, so that a crash has a name */
_Noreturn void journal_reader_run(int out, int leash, unsigned lives_ms, const struct journal_stream *streams,
                                  size_t n, volatile uint32_t *at);
