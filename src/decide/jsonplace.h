/* jsonplace - values of a JSON document, with messages that name the place. Pure. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "decide/values.h"

/* Where in a document a message is about: the file, and a JSON pointer that grows and shrinks. */
struct jsonplace {
	const char *file;
	char path[512];
	struct err *e;
};

/* place_enter - one step down; place_leave goes back to where the returned length was. */
size_t place_enter(struct jsonplace *at, const char *step);
size_t place_enter_index(struct jsonplace *at, size_t index);
void place_leave(struct jsonplace *at, size_t len);

/* place_find - make AT's path that of the value in which LEN bytes of a text end, which need not be JSON; false, and the
 * path of what is too deep, when a value before that has more than PLACE_DEPTH_MAX levels around it. */
#define PLACE_DEPTH_MAX 32
bool place_find(struct jsonplace *at, const char *text, size_t len);

/* place_refuse - "FILE: /PATH: REASON" (STATUS_DATA); returns -EINVAL. */
int place_refuse(const struct jsonplace *at, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* place_judge - what a function of values.h returned, and why. */
int place_judge(const struct jsonplace *at, int r, const struct why *w);

/* place_type - "a list", "a string" ... for messages. */
const char *place_type(json_t *v);

/* A string without control characters, borrowed: everything that a conf can hold; a boolean; a port. */
int place_string(const struct jsonplace *at, json_t *v, const char **ret);
int place_bool(const struct jsonplace *at, json_t *v, bool *ret);
int place_port(const struct jsonplace *at, json_t *v, json_int_t *ret);

/* place_each_field - call field for each member of an object; -ENOENT from it is an unknown option.
 * place_each_item - call item for each element of a list. */
int place_each_field(struct jsonplace *at, json_t *v, void *arg,
                     int (*field)(struct jsonplace *at, const char *name, json_t *v, void *arg));
int place_each_item(struct jsonplace *at, json_t *v, void *arg,
                    int (*item)(struct jsonplace *at, json_t *v, void *arg));
