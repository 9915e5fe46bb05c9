/* settings - what a person decided once: the settings file, and what the dashboard remembers by itself. Pure.
 *
 *   # comment
 *   theme = high-contrast
 *   key.STOP = "F7 Del"
 *
 * One table has every key, its values and its help; the commented default file is printed from it. */
#pragma once

#include "base/buf.h"
#include "base/strs.h"
#include "ui/columns.h"
#include "ui/keymap.h"
#include "ui/theme.h"

#define SETTINGS_SIZE_MAX     65536 /* bytes of a file */
#define SETTINGS_WARNINGS_MAX 20

enum setting_kind {
	SETTING_IS_WORD,   /* one of the words in values, parted by '|'; its place is the number */
	SETTING_IS_NUMBER, /* "LOW-HIGH" */
	SETTING_IS_COLUMNS,
	SETTING_IS_SORT,
};

enum {
	SETTING_IN_FILE = 1,  /* may be set in settings files */
	SETTING_IN_STATE = 2, /* is remembered when it was changed on the screen */
	SETTING_RAISES = 4,   /* a later file can only make it more */
};

#define SETTINGS(X)                                                                                          \
	X(THEME, "theme", WORD, "default", "default|mono|high-contrast|deuteranopia|tritanopia",             \
	  SETTING_IN_FILE | SETTING_IN_STATE, "colours; default is the terminal's own")                      \
	X(COLOR, "color", WORD, "auto", "auto|always|never", SETTING_IN_FILE,                                \
	  "auto: as the terminal, NO_COLOR and SYSTEMD_COLORS say")                                          \
	X(ASCII, "ascii", WORD, "no", "no|yes", SETTING_IN_FILE,                                             \
	  "draw with ASCII only, whatever the locale")                                                       \
	X(MOUSE, "mouse", WORD, "auto", "auto|yes|no", SETTING_IN_FILE | SETTING_IN_STATE,                   \
	  "auto: yes, but not in a small read-only pane")                                                    \
	X(READ_ONLY, "read_only", WORD, "no", "no|yes", SETTING_IN_FILE | SETTING_RAISES,                    \
	  "change nothing; what /etc says can not be taken back")                                            \
	X(LOCK_MINUTES, "lock_minutes", NUMBER, "0", "0-1440", SETTING_IN_FILE,                              \
	  "read-only after so many minutes without a key, until it is unlocked; 0: never")                   \
	X(PERIOD, "period", NUMBER, "2", "1-60", SETTING_IN_FILE,                                            \
	  "seconds between two samples of statistics")                                                       \
	X(COLUMNS, "columns", COLUMNS,                                                                       \
	  "name,state,up,cpu,history,mem,limit,-tasks,rx,tx,address,ports,cfg,-os,-unit,-autostart", "",     \
	  SETTING_IN_FILE | SETTING_IN_STATE, "columns of the list in their order; '-' in front: hidden")    \
	X(SORT, "sort", SORT, "urgency", "", SETTING_IN_FILE | SETTING_IN_STATE,                             \
	  "urgency (what needs you first) or a column; '-' in front: the other way round")                   \
	X(FOLD, "fold", WORD, "auto", "auto|yes|no", SETTING_IN_FILE | SETTING_IN_STATE,                     \
	  "healthy machines in one line; auto: where lines are short")                                       \
	X(ESCDELAY, "escdelay", NUMBER, "0", "0-5000", SETTING_IN_FILE,                                      \
	  "milliseconds until Esc alone counts; 0: as ESCDELAY says, else 25, over SSH 100")                 \
	X(BELL, "bell", WORD, "no", "no|yes", SETTING_IN_FILE, "ring when a machine fails")                  \
	X(CONFIRM, "confirm", WORD, "usual", "usual|more", SETTING_IN_FILE | SETTING_RAISES,                 \
	  "more: ask before every change, and for the name where a y would do")                              \
	X(TAB, "tab", NUMBER, "0", "0-20", SETTING_IN_STATE, "the open tab")

enum setting {
#define X(id, key, kind, value, values, flags, help) SETTING_##id,
	SETTINGS(X)
#undef X
		SETTING_COUNT
};

struct setting_info {
	const char *key;
	enum setting_kind kind;
	const char *value, *values; /* default, grammar */
	unsigned flags;
	const char *help;
};

struct settings {
	int number[SETTING_COUNT]; /* of words, their place: 0 is the first */
	bool host_is_read_only;    /* /etc says read_only: no option takes that back */
	struct columns columns;
	struct columns_sort sort;
	struct keymap keymap;
};

const struct setting_info *settings_info(enum setting s);
void settings_default(struct settings *ret);

/* settings_set - one setting as a file has it; -EINVAL: e says what would do; *s stays. */
int settings_set(struct settings *s, enum setting which, const char *value, struct err *e);
/* settings_value - what settings_set() reads. */
void settings_value(const struct settings *s, enum setting which, struct buf *ret);

/* settings_parse - a file over what is there already. Lines that can not be used are left out, each with a
 * warning "FILE:LINE: ...", at most SETTINGS_WARNINGS_MAX. file is borrowed until settings_settle(). */
void settings_parse(struct settings *s, const char *file, const char *text, size_t len,
                    struct strs *warnings);
/* settings_settle - after the last file: see keymap_settle(). */
void settings_settle(struct settings *s, struct strs *warnings);
/* settings_print_default - the whole file with every setting commented out: what --default-config prints. */
void settings_print_default(struct buf *ret);

/* settings_parse_state - what was remembered; what can not be used is left out without a word.
 * settings_print_state - what differs from the files', to be remembered; "" when nothing does. */
void settings_parse_state(struct settings *s, const char *text, size_t len);
void settings_print_state(const struct settings *now, const struct settings *files, struct buf *ret);
