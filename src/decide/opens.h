/* opens - options that hand a container its host: good ones, but nobody should get them unnoticed from a document that
 * somebody else wrote. Pure. */
#pragma once

#include "base/strs.h"
#include "words/container.h"

/* opens_find - the words of c's flags, and its capabilities, that do: kernel modules and raw memory, the host's root or one of
 * its system folders bound as a whole, the filter of system calls opened for those. Bad memory is noted in ret. */
void opens_find(const struct container *c, struct strs *ret);
