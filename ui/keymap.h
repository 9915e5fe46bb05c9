/* keymap - keys that a person gave to actions, instead of those of ui/keys.h. Pure, but for keymap_install().
 */
#pragma once

#include "base/err.h"
#include "base/strs.h"
#include "ui/keys.h"

#define KEYMAP_KEYS 64 /* bytes of an action's keys, NUL included */

struct keymap { /* starts zeroed: all as in the table */
	struct keymap_entry {
		char keys[KEYMAP_KEYS]; /* names parted by one blank */
		bool set;
		const char *file; /* where it was said, for messages; borrowed */
		unsigned line;
	} v[ACTION_COUNT];
};

/* keymap_set - action (as in the table: "STOP", the case does not count) has these keys and no others; "":
 * none.
 *
 * file, line  where that is said; file may be NULL, and is borrowed until keymap_settle()
 * errors      -EINVAL: no such action or key, too many keys, or one that would make a screen a trap: answers,
 * ways back and out need a key, letters must stay letters in a prompt, and yes is never Enter or Space */
int keymap_set(struct keymap *k, const char *action, const char *keys, const char *file, unsigned line,
               struct err *e);

/* keymap_settle - after the last keymap_set(): no key may mean two things on one screen. Where one would, an
 * action that was set gets its own keys back, and warnings a sentence that names both. */
void keymap_settle(struct keymap *k, struct strs *warnings);

/* keymap_keys - of an action, names parted by blanks. */
const char *keymap_keys(const struct keymap *k, enum action a);
/* keymap_install - what ui/keys.h says from now on; k must outlive that. */
void keymap_install(const struct keymap *k);
