/* setfile - where settings and state are kept, read and written.
 *
 * Root reads and writes only what is root's alone (drivers/files.h), and never what a caller's variables
 * name, also not under sudo. Others read a file that is theirs or root's and that nobody else can write. */
#pragma once

#include <limits.h>
#include <sys/types.h>

#include "ui/settings.h"

struct setfile_places {
	const char *host_root; /* before every path; "" but in tests */
	uid_t uid;             /* whose files */
	char config[PATH_MAX]; /* "/home/me/.config/machdeck/machdeck.conf"; "": there is none */
	char state[PATH_MAX];  /* the folder: "/home/me/.local/state/machdeck" */
};

#define SETFILE_SYSTEM "/etc/machdeck/machdeck.conf"

/* setfile_find - for uid; the others are values of variables, NULL when not set, which count only for who is
 * not root and when they are absolute. source: XDG Base Directory Specification */
void setfile_find(uid_t uid, const char *home, const char *config_home, const char *state_home,
                  struct setfile_places *ret);

/* setfile_load - ret_files what the files say, ret_now the same with what was remembered; files that are
 * missing say nothing, files that can not be used give a warning. Both keep pointers into p. Sticky:
 * warnings. */
void setfile_load(const struct setfile_places *p, struct settings *ret_files, struct settings *ret_now,
                  struct strs *warnings);

/* setfile_store - remember how now differs from files: at once and whole, and only when that is something
 * new. Returns 1 when it was written, 0 when nothing had to be. */
int setfile_store(const struct setfile_places *p, const struct settings *files, const struct settings *now,
                  struct err *e);
