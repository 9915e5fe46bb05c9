/* options - one container's options, as the modules' JSON has them, into its values (behaviours A.13). Pure. */
#pragma once

#include "decide/jsonplace.h"
#include "words/container.h"

/* options_take - put all options of the object v into c, whose release says which there are. at is where v is; after
 * a failure it is where that was. errors: -EINVAL STATUS_DATA, -ENOMEM */
int options_take(struct jsonplace *at, json_t *v, struct container *c);
