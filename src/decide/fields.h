/* fields - one table of a container's settings: what the conf calls them, what the modules call them, and how a text
 * becomes the value. Settings whose shape differs between conf and JSON are in it without a setter; conf.c and
 * options.c have those. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "decide/values.h"
#include "words/container.h"

enum field_type {
	FIELD_BOOL,  /* a bool of the container */
	FIELD_ADDR,  /* a struct addr of it */
	FIELD_TEXT,  /* a string of it, judged by `text` */
	FIELD_WHOLE, /* `item` takes the whole text */
	FIELD_WORDS, /* `item` takes each word of a conf's value, each string of a JSON list */
	FIELD_OWN,   /* conf.c and options.c have their own way */
};

struct field {
	const char *key;    /* NULL: not in confs */
	const char *option; /* NULL: not in JSON */
	enum field_type type;
	size_t at; /* offset in struct container: BOOL, ADDR, TEXT */
	int (*text)(const char *text, char **ret, struct why *w);
	int (*item)(struct container *c, const char *text, struct why *w);
	enum release since; /* the first module that has the option */
	bool or_null;       /* null is the same as leaving the option out */
};

#define FIELDS 35
extern const struct field fields[FIELDS]; /* in the order in which JSON options are taken */

/* The field of that key or option; NULL when there is none. */
const struct field *field_of_key(const char *key);
const struct field *field_of_option(const char *option);

/* field_set - put the value of text into c: the whole of a BOOL, ADDR, TEXT or WHOLE, one word of WORDS. */
int field_set(const struct field *f, struct container *c, const char *text, struct why *w);

/* field_bool - where a BOOL's value is in c. */
bool *field_bool(const struct field *f, struct container *c);
