/* hold - locks that let one process at a time make, change or remove a machine. They end with their holder. The files
 * are in /run/machdeck/.locks, where nobody but root may make one. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"
#include "words/name.h"

struct hold {
	int fd;
	char leaf[NAME_MACHINE_MAX + 8];
};

/* hold_name - NAME is ours until hold_done(). errors: -EBUSY STATUS_BUSY: another process has it; -EACCES
 *             STATUS_NOT_PERMITTED: we are not root
 * hold_name_within - waits that long for another process.
 * hold_host - the same for what all share: which names, addresses and ports are taken. Waits up to 10 s for it. */
int hold_name(const char *name, struct hold *ret, struct err *e);
int hold_name_within(const char *name, int wait_ms, struct hold *ret, struct err *e);
int hold_host(struct hold *ret, struct err *e);
void hold_done(struct hold *h);

/* hold_edited - tell others that what is done is editing its conf. */
int hold_edited(const struct hold *h, struct err *e);

/* hold_who - who has NAME; false: nobody, or that is not known. hold_wait - until nobody has it: for a process of its own. */
struct hold_who {
	int pid;
	bool edits;     /* and nothing else: hold_edited() */
	char since[16]; /* "10:15:30"; "": not known */
	char login
		[48]; /* who logged in to become root: a name or "uid 1000"; "": nobody did, as of a service */
	char command[101];
};
bool hold_who(const char *name, struct hold_who *ret);
int hold_wait(const char *name, struct err *e);

/* hold_note - what the machine will be, for others to see while there is no conf yet: a conf's text.
 * hold_notes - the names of the machines that others are making; hold_read_note - what one of them noted. */
int hold_note(const struct hold *h, const struct buf *text, struct err *e);
int hold_notes(struct strs *ret, struct err *e);
int hold_read_note(const char *name, struct buf *ret, struct err *e);
