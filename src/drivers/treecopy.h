/* treecopy - copy a tree that is hostile, or changed meanwhile, name by name against folders held open: no link is
 * followed, no mount entered, no device or FIFO opened. Owners, modes, times, xattrs with ACLs and capabilities, holes
 * and hard links are kept; sockets and what is mounted in it are left out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/progress.h"

enum treecopy_how {
	TREECOPY_SHARE_OR_COPY, /* blocks are shared where the file system can (FICLONE), else copied */
	TREECOPY_SHARE,         /* or it fails: -EOPNOTSUPP STATUS_FAILED */
};

struct treecopied {
	size_t names;
	bool shared; /* all files share their blocks with the original */
};

/* treecopy - what is in the folder from into the empty folder to; to itself gets from's owner, mode, times, xattrs.
 *
 * shown   how from is called in sentences
 * errors  -ECANCELED STATUS_FAILED, -ENOSPC STATUS_CANNOT_CREATE, -ELOOP STATUS_UNSAFE_TREE: nested too deep; the
 *         system's. What was copied by then is left: wipe_tree() */
int treecopy(int from, int to, const char *shown, enum treecopy_how how, const struct progress *p,
             struct treecopied *ret, struct err *e);

/* treecopy_shares - whether blocks can be shared in the file system of that folder: tried with two files that have no name
 * and are gone at once. 1: they can; 0: not, or it could not be tried. */
int treecopy_shares(int folder);
