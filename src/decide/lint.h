/* lint - what can not be meant: a container that contradicts itself, and two that get in each other's way. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "words/container.h"

#define LINT_TEXT_SIZE 320

struct finding {
	const char *key;    /* the conf key it is about */
	const char *option; /* the modules' option, "hostAddress"; an extra veth's "extraVeths" */
	const char *veth;   /* the extra veth, borrowed; NULL: the container itself */
	bool fatal;         /* starts nothing; else a warning */
	char text[LINT_TEXT_SIZE];
};

/* lint_container - the index-th contradiction of c; false when there are no more. Fatal ones: a prefix on a
 * point-to-point address (BUG-18), forwarded ports without private network (BUG-13), a namespace of its own beside private networking. A warning only: a host address beside a bridge, which makes it
 * the container's gateway and configures nothing on the host (BUG-12). */
bool lint_container(const struct container *c, size_t index, struct finding *ret);

/* lint_pair - the index-th conflict between two containers: the same address, host port, link or moved
 * interface; what a long name's link is called after shortening included. Says it of a, naming b; always fatal. */
bool lint_pair(const struct container *a, const struct container *b, size_t index, struct finding *ret);

/* lint_rivals - which of n containers want something that another one of them wants, too: only two such can be a
 * lint_pair, and few are. ret has n members. -ENOMEM */
int lint_rivals(const struct container *const *v, size_t n, bool *ret);
