/* keys - the one table of what a person can do: action, where, keys, words. Help and key bar are made from
 * it. */
#pragma once

#include <stddef.h>

#define KEY_TEXT_MAX 16

/* Where keys go to: one screen at a time. */
enum screen {
	SCREEN_LIST = 1,
	SCREEN_TEXT = 2,    /* help, details: something to read */
	SCREEN_CONFIRM = 4, /* a question */
};

/* Name, screens, default keys (the first is shown on the bar), word on the bar ("": not there), help. */
#define ACTIONS(X)                                                                                           \
	X(UP, SCREEN_LIST | SCREEN_TEXT, "k Up", "", "one up")                                               \
	X(DOWN, SCREEN_LIST | SCREEN_TEXT, "j Down", "", "one down")                                         \
	X(PAGE_UP, SCREEN_LIST | SCREEN_TEXT, "PgUp C-b", "", "a page up")                                   \
	X(PAGE_DOWN, SCREEN_LIST | SCREEN_TEXT, "PgDn C-f", "", "a page down")                               \
	X(FIRST, SCREEN_LIST | SCREEN_TEXT, "g Home", "", "to the first")                                    \
	X(LAST, SCREEN_LIST | SCREEN_TEXT, "G End", "", "to the last")                                       \
	X(START, SCREEN_LIST, "s", "start", "start the selected machine")                                    \
	X(STOP, SCREEN_LIST, "x", "stop", "stop it cleanly; asks first")                                     \
	X(RESTART, SCREEN_LIST, "R", "restart", "stop and start it; asks first")                             \
	X(RELOAD, SCREEN_LIST, "r", "reload", "apply what can change without a restart")                     \
	X(DETAILS, SCREEN_LIST, "Enter", "details", "all that is known about it, with the whole reason")     \
	X(HELP, SCREEN_LIST, "? F1", "help", "this help")                                                    \
	X(CLEAR, SCREEN_LIST, "Esc", "", "clear the message line")                                           \
	X(REPAINT, SCREEN_LIST | SCREEN_TEXT | SCREEN_CONFIRM, "C-l", "", "draw the whole screen again")     \
	X(QUIT, SCREEN_LIST, "q F10 C-c", "quit", "leave; what was started goes on")                         \
	X(CLOSE, SCREEN_TEXT, "q Esc Enter ? F1 F10 C-c", "back", "back to the list")                        \
	X(YES, SCREEN_CONFIRM, "y", "yes", "do it")                                                          \
	X(NO, SCREEN_CONFIRM, "n Esc q F10 C-c", "no", "do nothing")                                         \
	X(SWITCH, SCREEN_CONFIRM, "Tab Left Right h l", "switch", "to the other answer")                     \
	X(CHOOSE, SCREEN_CONFIRM, "Enter", "choose", "take the marked answer; it is No unless you switch")

enum action {
	ACTION_NONE,
#define X(name, screens, keys, bar, help) ACTION_##name,
	ACTIONS(X)
#undef X
		ACTION_COUNT
};

struct binding {
	const char *name; /* "START" */
	unsigned screens; /* enum screen, or-ed */
	const char *keys; /* names parted by blanks */
	const char *bar, *help;
};

/* keys_binding - of an action other than NONE. */
const struct binding *keys_binding(enum action a);
/* keys_action - what key (see input.h) means on that screen; ACTION_NONE: nothing. */
enum action keys_action(enum screen s, int key);
/* keys_parse - the key of that name: "k", "Up", "PgDn", "C-l", "F1"; INPUT_NONE when there is none. */
int keys_parse(const char *name, size_t len);
/* keys_first - the name of the key to show for an action. */
void keys_first(enum action a, char ret[static KEY_TEXT_MAX]);
