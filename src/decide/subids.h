/* subids - subordinate uids and gids for users without privileges: lines of subuid(5) and subgid(5). Pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"

#define SUBIDS_FIRST 100000
#define SUBIDS_COUNT 65536

/* Texts of the files, "" for one that is not there; borrowed. */
struct subids_known {
	const char *subuid, *subgid, *passwd, *group;
};

/* subids_assign - append the new texts of /etc/subuid and /etc/subgid: all that is in them, and a range of SUBIDS_COUNT for
 * each user without one.
 *
 * User number i gets SUBIDS_FIRST + i * SUBIDS_COUNT, of both kinds; where that holds an id of another range, user or
 * group it gets the first place of that grid where none is. Who has a range that large keeps it, whatever its place, and
 * nobody's is ever moved or taken away: files belong to those ids.
 *
 * warnings  lines that say nothing, users that are not in passwd
 * errors    -ENOSPC STATUS_CANNOT_CREATE: all places are taken; -ENOMEM */
int subids_assign(const struct strs *users, const struct subids_known *known, struct buf *ret_subuid,
                  struct buf *ret_subgid, struct strs *warnings, struct err *e);

/* subids_users - append the names of those who have a range that large of both kinds, in the order of subuid. */
void subids_users(const char *subuid, const char *subgid, struct strs *ret);
