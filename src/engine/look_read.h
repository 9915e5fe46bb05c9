/* look_read - the parts of a look that are read at once. Each fills its part, which is empty; what it could not
 * read it says in there. False: out of memory. */
#pragma once

#include "drivers/cgroup.h"
#include "engine/look.h"

bool look_read_network(const struct machine *m, struct look_network *ret);
bool look_read_ports(const struct machine *m, const struct snapshot *s, struct look_ports *ret);
/* look_read_processes - before: the look before, for what they used since. */
bool look_read_processes(const struct machine *m, const struct cgroupfs *fs,
                         const struct look_processes *before, struct look_processes *ret);
bool look_read_config(const struct machine *m, struct look_config *ret);
bool look_read_plan(const struct machine *m, struct look_plan *ret);

/* look_can_run - whether anything of it may be there now: it is not known to be stopped. */
bool look_can_run(const struct machine *m);
