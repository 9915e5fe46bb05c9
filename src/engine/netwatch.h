/* netwatch - the network of the host and of all running machines, kept fresh by events (words/netmap).
 *
 * Links, addresses and routes of every namespace, and the forwards in the kernel, by notifications: one change is applied
 * by itself; only when events were lost all is read anew, four times a second at most. For listeners there is no event:
 * they are read when they are wanted, and at each tick. A namespace that is not ours is asked by its id; only its routes
 * and listeners take a socket inside of it, which is closed at once, since an open one keeps a dead namespace alive.
 *
 * What the kernel tells nobody is seen late: an alternative name that is given to a link which is down, with the link's
 * next change; the own address of a link, when duplicate address detection is over. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"
#include "words/netmap.h"
#include "words/snapshot.h"

enum netwatch_part {                   /* bits */
	             NETWATCH_MAP = 1, /* all but these: */
	             NETWATCH_LISTENERS =
	                     2, /* with their processes, which is the dear part: some 10 us a process */
	             NETWATCH_TRAFFIC = 4,
};

/* netwatch_new - holds nothing open until something is wanted. changed is called from the loop, at most once a turn,
 * after the map changed. */
struct netwatch;
typedef void netwatch_changed_fn(const struct netmap *now, void *arg);
int netwatch_new(sd_event *loop, netwatch_changed_fn *changed, void *arg, struct netwatch **ret,
                 struct err *e);
void netwatch_free(struct netwatch *w); /* NULL is fine */

/* netwatch_want - from now on these parts, of the host and of the machines that may run in that snapshot; parts 0: nothing,
 * all is closed. Call it again when the snapshot changes: what is the same costs nothing.
 *
 * The first look is begun here and done in turns of the loop, of some milliseconds each: netwatch_is_settled().
 *
 * errors  -ENOMEM, the loop's, and that the kernel can not be listened to; what can not be read says so in the map */
int netwatch_want(struct netwatch *w, const struct snapshot *machines, unsigned parts, struct err *e);

/* netwatch_tick - it is time to read listeners and traffic again, where they are wanted. */
void netwatch_tick(struct netwatch *w);

/* netwatch_now - borrowed until the loop runs again; netmap_host() of it is NULL while nothing is known. */
const struct netmap *netwatch_now(const struct netwatch *w);
/* netwatch_is_settled - whether all that is wanted was read. */
bool netwatch_is_settled(const struct netwatch *w);

/* netmap_read - the same once, without a loop: for verbs. ret: netmap_done(). Only -ENOMEM fails, and a kernel that
 * answers nothing at all. */
int netmap_read(const struct snapshot *machines, unsigned parts, struct netmap *ret, struct err *e);
