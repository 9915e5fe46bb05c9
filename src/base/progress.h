/* progress - what takes long tells how far it is, and asks whether it is to go on. */
#pragma once

#include <stdbool.h>

#define PROGRESS_TEXT_MAX 256

struct progress {
	void (*say)(const char *text,
	            void *arg);     /* one printable line: what is done now; NULL: nobody listens */
	bool (*stopped)(void *arg); /* whether to give up and undo; NULL: never */
	void *arg;
};

/* progress_say - p may be NULL. The text is made printable and cut at PROGRESS_TEXT_MAX. */
void progress_say(const struct progress *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool progress_stopped(const struct progress *p);
