/* tapefield - plain data as a JSON object and back, by one table a struct, so that both ways agree. Pure.
 *
 * What is not known (NULL, 0, NAN, STATS_UNKNOWN, empty lists) has no member; a member that a table does not
 * name is refused. Text is made printable both ways: a tape may be anybody's. */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/strs.h"
#include "decide/jsonplace.h"

#define TAPE_TEXTS_MAX  1000 /* strings in one list */
#define TAPE_CAUSES_MAX 64   /* different causes in one tape */

enum tapefield_type {
	FIELD_NAME,    /* char[NAME_MACHINE_MAX + 1]: a machine's, must be there */
	FIELD_LINK,    /* char[NAME_LINK_SIZE]: a link's, must be there */
	FIELD_OWNED,   /* char *, a machine's name, must be there */
	FIELD_TEXT,    /* char * */
	FIELD_TEXTS,   /* struct strs */
	FIELD_FLAG,    /* bool */
	FIELD_STATE,   /* enum machine_state, must be there */
	FIELD_KIND,    /* enum machine_kind, must be there */
	FIELD_EVENT,   /* enum event_kind, must be there */
	FIELD_CAUSE,   /* const char *, one word kept in `causes` */
	FIELD_ID,      /* int; none: 0 */
	FIELD_NSID,    /* int; none: -1 */
	FIELD_COUNT,   /* uint64_t; none: 0 */
	FIELD_HASH,    /* the same, of which 63 bits are kept */
	FIELD_AMOUNT,  /* uint64_t; none: STATS_UNKNOWN */
	FIELD_NUMBER,  /* float; none: NAN */
	FIELD_HISTORY, /* float[STATS_HISTORY], without the NANs before the first; none: all NAN */
};

struct tapefield {
	const char *key; /* NULL ends a table */
	enum tapefield_type type;
	size_t offset;
};

/* tapefield_object - NULL when out of memory. */
json_t *tapefield_object(const struct tapefield *table, const void *from);

/* tapefield_take - fill `to`, zeroed, from an object; its caller frees what it then owns, also after a
 * failure. causes: what FIELD_CAUSE points into. -EINVAL with the place, -ENOMEM */
int tapefield_take(struct jsonplace *at, const struct tapefield *table, json_t *object, struct strs *causes,
                   void *to);

/* tapefield_text - printable, or null. tapefield_take_text - the other way: null is NULL. */
json_t *tapefield_text(const char *text);
int tapefield_take_text(const struct jsonplace *at, json_t *v, char **ret);
