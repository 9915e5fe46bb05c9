/* export - containers as a JSON document shaped like the modules' options: what import takes back. Pure. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "words/container.h"

/* export_document - {"containers": {NAME: {OPTION: VALUE}}}, options at their default left out; import_json() of it, as
 * the module of their release, makes the same containers. all: n of them, borrowed. ret: json_decref()
 * errors  -EINVAL STATUS_DATA: they follow different releases, so that no one import takes them;  -ENOMEM */
int export_document(const struct container *const *all, size_t n, json_t **ret, struct err *e);

/* export_is_same - whether both give the same document, of the same release: they mean the same, however they are written. */
bool export_is_same(const struct container *a, const struct container *b);
