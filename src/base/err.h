/* err - a failure as a value: what the program says when it ends, and a sentence for a person.
 *
 * A function that can fail returns a negative errno and fills the struct err it was lent. The function that knows
 * the cause writes the sentence; a caller that knows better what was being done puts that in front of it. */
#pragma once

#include <stdarg.h>

#define ERR_TEXT_MAX 512

/* Exit statuses; the man page documents them. 64 to 78 carry the meanings of sysexits.h. */
enum status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,        /* the thing asked for did not succeed: a job, a guest */
	STATUS_DOWN = 3,          /* `status`: not running */
	STATUS_USAGE = 64,        /* wrong use, or not a machine's name */
	STATUS_DATA = 65,         /* a conf or JSON text that is not acceptable */
	STATUS_NO_CONTAINER = 66, /* no such container, or a file it needs is missing */
	STATUS_UNAVAILABLE = 69,  /* the bus or systemd-machined is out of reach */
	STATUS_BUG = 70,
	STATUS_SYSTEM = 71,      /* the operating system refused */
	STATUS_UNSAFE_TREE = 72, /* refused: the container's tree is not safe to work in */
	STATUS_CANNOT_CREATE = 73,
	STATUS_IO = 74,
	STATUS_BUSY = 75, /* taken by somebody else, or changed underneath */
	STATUS_NOT_PERMITTED = 77,
	STATUS_UNSAFE_HOST = 78, /* the host is unsafe or misconfigured */
	STATUS_DEADLINE = 124,
};

struct err {
	enum status status;
	char text[ERR_TEXT_MAX]; /* printable, no newline, no final dot */
};

/* err_set - say what failed.
 *
 * e       may be NULL
 * returns -errnum, so that a caller can write `return err_set(...)`
 * The text is made printable; it must say thing, step, cause and, where there is one, the remedy. */
int err_set(struct err *e, enum status status, int errnum, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* err_sys - like err_set, with the status that fits errnum and ": " and the system's words for errnum appended. */
int err_sys(struct err *e, int errnum, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* err_wrap - put what was being done in front of the sentence that is there: "FORMAT: SENTENCE". Returns r. */
int err_wrap(struct err *e, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* err_no_memory - the one sentence for it. Returns -ENOMEM. */
int err_no_memory(struct err *e);

/* err_status_of - the exit status that fits an errno when nothing better is known. */
enum status err_status_of(int errnum);

#ifdef __clang_analyzer__ /* it sees one file at a time, and not that these fail for certain */
static inline int err_is_negative(int r)
{
	if (r >= 0)
		__builtin_unreachable();
	return r;
}
#define err_set(...)     err_is_negative((err_set)(__VA_ARGS__))
#define err_sys(...)     err_is_negative((err_sys)(__VA_ARGS__))
#define err_no_memory(e) err_is_negative((err_no_memory)(e))
#endif
