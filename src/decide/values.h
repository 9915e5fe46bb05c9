/* values - one configured value from its text: the grammar of each, once, for confs and for JSON alike. Pure.
 *
 * A function adds to or sets a part of a container. It returns 0, -ENOMEM, or -EINVAL and then says in why what is
 * wrong with the text; the caller knows where the text came from and puts that in front. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "words/container.h"

#define VALUE_WHY_SIZE  256
#define VALUE_PORTS_MAX 256
#define VALUE_WORDS_MAX 512 /* of one list */

struct why {
	char text[VALUE_WHY_SIZE];
};

/* value_refuse - what is wrong with a text; returns -EINVAL. */
int value_refuse(struct why *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

int value_bool(const char *text, bool *ret, struct why *w);  /* "1"; "0" and "" are false */
bool value_is_path(const char *text);                        /* absolute, no "..", not too long */
int value_path(const char *text, char **ret, struct why *w); /* a value_is_path, kept as written */
int value_addr(const char *text, struct addr *ret, struct why *w);
int value_link(const char *text, char **ret, struct why *w);
int value_veth_bridge(const char *text, char **ret, struct why *w);
int value_port(struct container *c, const char *text, struct why *w);
int value_interface(struct container *c, const char *text, struct why *w);
int value_macvlan(struct container *c, const char *text, struct why *w);
/* value_flags_end looks at all words of EXTRA_NSPAWN_FLAGS together: what the engine decides can not be redefined,
 * and every word must belong to an option, or systemd-nspawn would take it for the payload. */
int value_flag(struct container *c, const char *text, struct why *w);
int value_flags_end(const struct container *c, struct why *w);
int value_tmpfs(struct container *c, const char *text, struct why *w);
int value_capability(struct container *c, const char *text, struct why *w);
const char *value_capability_name(size_t number); /* of the kernel's number, without CAP_; NULL: not known */
int value_device(struct container *c, const char *node, const char *modifier, struct why *w);
/* value_veth - append an extra veth of that name; its other fields are set by the caller. Sorted by value_veths_end. */
int value_veth(struct container *c, const char *name, struct veth **ret, struct why *w);
void value_veths_end(struct container *c);
int value_mac(const char *text, uint8_t ret[static 6], struct why *w);
int value_private_users(const char *text, char **ret, struct why *w);
/* value_timespan_usec - of one that is accepted; UINT64_MAX: infinity. */
uint64_t value_timespan_usec(const char *text);
int value_timespan(const char *text, char **ret, struct why *w); /* systemd.time(7); kept as written */

/* value_bind - the two paths of a --bind= or --bind-ro= word's payload "SOURCE[:TARGET[:OPTIONS]]", "\:" undone;
 * the caller frees both. source is "" for a temporary directory, target equals source when left out. */
int value_bind(const char *payload, char **ret_source, char **ret_target, struct why *w);
/* value_bind_word - the other way: "--bind=" or "--bind-ro=", source NULL when it is not to be written. */
void value_bind_word(const char *target, const char *source, bool read_only, struct buf *ret);
/* value_next_bind - the payload of the next bind mount among words that value_flags_end accepted, from *at on, which
 * moves behind it; NULL when there are no more. */
const char *value_next_bind(const struct strs *flags, size_t *at);
