/* keys - the one table of what a person can do: action, where, keys, words. Help, key bar, palette and the
 * manual's list are made from it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define KEY_TEXT_MAX 16

/* Where keys go to: one screen at a time. */
enum screen {
	SCREEN_LIST = 1,
	SCREEN_PANE = 2, /* the details, on any tab but the logs */
	SCREEN_LOGS = 4,
	SCREEN_TEXT = 8,     /* help, evidence, results: something to read */
	SCREEN_CONFIRM = 16, /* a question */
	SCREEN_MENU = 32,
	SCREEN_PROMPT = 64, /* a line to type; keys that are no action of it are typed */
};
#define AT_WORK    (SCREEN_LIST | SCREEN_PANE | SCREEN_LOGS)
#define EVERYWHERE (AT_WORK | SCREEN_TEXT | SCREEN_CONFIRM | SCREEN_MENU | SCREEN_PROMPT)

/* LOOKS changes nothing outside this program; ACTS is refused while it is read-only. */
enum effect { LOOKS, ACTS };

/* Name, screens, effect, default keys (the first is shown on the bar), word on the bar, help. The order is
 * that of the bar: what stands first stays longest. */
#define ACTIONS(X)                                                                                           \
	X(START, AT_WORK, ACTS, "s", "start", "start it")                                                    \
	X(STOP, AT_WORK, ACTS, "x", "stop", "stop it cleanly; asks first")                                   \
	X(RESTART, AT_WORK, ACTS, "R", "restart", "stop and start it; asks first")                           \
	X(RELOAD, AT_WORK, ACTS, "r", "reload", "apply what can change without a restart")                   \
	X(OPEN, SCREEN_LIST, LOOKS, "Enter", "open",                                                         \
	  "details of the machine, below the list or instead of it")                                         \
	X(WHY, SCREEN_LIST | SCREEN_PANE, LOOKS, "w", "why",                                                 \
	  "the evidence: why it is as it is, and the log of that moment")                                    \
	X(FILTER, SCREEN_LIST, LOOKS, "/ \\ F4", "filter",                                                   \
	  "show only some: web state:failed port:8080 cpu>50 net:br0 !lab")                                  \
	X(FORM_COMMIT, SCREEN_TEXT, ACTS, "Enter", "do it",                                                  \
	  "where a form's changes or a new container are shown: save them, make it")                         \
	X(FOLLOW, SCREEN_LOGS, LOOKS, "f", "follow", "go to the end of the log and stay there")              \
	X(SEARCH, SCREEN_PANE | SCREEN_LOGS | SCREEN_TEXT, LOOKS, "/", "search",                             \
	  "look for a regular expression")                                                                   \
	X(SEARCH_NEXT, SCREEN_PANE | SCREEN_LOGS | SCREEN_TEXT, LOOKS, "n", "next",                          \
	  "to the next place where it is")                                                                   \
	X(SEARCH_BACK, SCREEN_PANE | SCREEN_LOGS | SCREEN_TEXT, LOOKS, "N", "previous",                      \
	  "to the place before")                                                                             \
	X(LINES, SCREEN_LOGS, LOOKS, "&", "lines", "show only the lines that match a regular expression")    \
	X(ERROR_NEXT, SCREEN_LOGS, LOOKS, "e", "error", "to the next error")                                 \
	X(ERROR_BACK, SCREEN_LOGS, LOOKS, "E", "error before", "to the error before")                        \
	X(PRIORITY, SCREEN_LOGS, LOOKS, "p", "priority", "the least priority that is shown")                 \
	X(SOURCE, SCREEN_LOGS, LOOKS, "o", "source", "the guest's journal, the host's side, or both")        \
	X(TIME, SCREEN_LOGS, LOOKS, "t", "time", "how times are written")                                    \
	X(WRAP, SCREEN_LOGS, LOOKS, "w", "wrap", "wrap long lines, or cut them")                             \
	X(SAVE, SCREEN_LOGS, ACTS, "S", "save", "write the shown lines to a file")                           \
	X(PAGER, SCREEN_LOGS, ACTS, "|", "pager", "the shown lines in $PAGER")                               \
	X(MARK, SCREEN_LIST, LOOKS, "Space", "mark",                                                         \
	  "mark it, or take the mark away; actions go to all marked ones")                                   \
	X(SHELL, AT_WORK, ACTS, "!", "shell", "a root shell in it")                                          \
	X(CONSOLE, AT_WORK, ACTS, "c", "console", "its login console")                                       \
	X(RUN, AT_WORK, ACTS, "C", "command",                                                                \
	  "run one command in each marked machine; the results are a table")                                 \
	X(DOCTOR, SCREEN_LIST | SCREEN_PANE, LOOKS, "d", "doctor",                                           \
	  "its forwarded ports from the conf to who listens, and what it reaches: what is broken")           \
	X(DRIFT, SCREEN_LIST | SCREEN_PANE, LOOKS, "D", "differs",                                           \
	  "what differs between its conf, its start and what is there, and what helps")                      \
	X(MAP, SCREEN_LIST | SCREEN_PANE, LOOKS, "H", "network map",                                         \
	  "the host's network: uplink, bridges, both ends of each link, addresses, forwards")                \
	X(ALL_PORTS, SCREEN_LIST | SCREEN_PANE, LOOKS, "O", "all ports",                                     \
	  "the forwarded ports of all machines: rule, listener, who reaches them")                           \
	X(EDIT, SCREEN_LIST | SCREEN_PANE, ACTS, "e", "edit",                                                \
	  "its conf as a form; a .nspawn file in your editor")                                               \
	X(EDITOR, SCREEN_LIST | SCREEN_PANE, ACTS, "E", "editor",                                            \
	  "its conf in your editor, checked when you leave it")                                              \
	X(CANCEL_JOB, AT_WORK, ACTS, "X", "cancel", "cancel its job")                                        \
	X(KILL, AT_WORK, ACTS, "K", "kill", "what is left when stop does not work; asks for its name")       \
	X(FREEZE, SCREEN_LIST | SCREEN_PANE, ACTS, "p", "freeze",                                            \
	  "stop all its processes where they are; asks first")                                               \
	X(THAW, SCREEN_LIST | SCREEN_PANE, ACTS, "P", "thaw", "let them go on")                              \
	X(ENABLE, SCREEN_LIST | SCREEN_PANE, ACTS, "a", "at boot", "start it at boot")                       \
	X(DISABLE, SCREEN_LIST | SCREEN_PANE, ACTS, "A", "not at boot", "do not start it at boot")           \
	X(FORGIVE, SCREEN_LIST | SCREEN_PANE, ACTS, "F", "forget", "forget that it failed")                  \
	X(MEND, SCREEN_LIST | SCREEN_PANE, ACTS, "M", "mend",                                                \
	  "what is missing of its network comes back, without a restart; shows it first")                    \
	X(CREATE, SCREEN_LIST | SCREEN_PANE, ACTS, "+", "create",                                            \
	  "a new container: its name, tree, network, ports, users; shows it first")                          \
	X(CLONE, SCREEN_LIST | SCREEN_PANE, ACTS, "Y", "clone",                                              \
	  "a second one like it, with a name, addresses and ports of its own; shows it first")               \
	X(RENAME, SCREEN_LIST | SCREEN_PANE, ACTS, "=", "rename",                                            \
	  "another name for one that is down; shows it first")                                               \
	X(DESTROY, SCREEN_LIST | SCREEN_PANE, ACTS, "-", "destroy",                                          \
	  "remove it with its tree and its conf; asks for its name")                                         \
	X(RESET, SCREEN_LIST | SCREEN_PANE, ACTS, "Z", "reset",                                              \
	  "its tree becomes what it began as; asks for its name")                                            \
	X(SNAPSHOT, SCREEN_LIST | SCREEN_PANE, ACTS, "S", "snapshot",                                        \
	  "keep its tree as it is now, where the file system can; shows it first")                           \
	X(RESTORE, SCREEN_LIST | SCREEN_PANE, ACTS, "B", "go back",                                          \
	  "its snapshots, and its tree as it was in one; asks for its name")                                 \
	X(PALETTE, AT_WORK, LOOKS, ": C-p", "palette", "all actions and machines by name")                   \
	X(COMMANDS, AT_WORK, LOOKS, "@", "log", "what was done here, as shell commands")                     \
	X(COPY, AT_WORK, LOOKS, "y", "copy", "copy its name, address, ports or the line to the clipboard")   \
	X(TAB_OVERVIEW, AT_WORK, LOOKS, "1", "overview", "what it is and uses")                              \
	X(TAB_LOGS, AT_WORK, LOOKS, "2", "logs", "its journal and its console, by time")                     \
	X(TAB_NETWORK, AT_WORK, LOOKS, "3", "network", "its links at both ends, addresses, routes")          \
	X(TAB_PORTS, AT_WORK, LOOKS, "4", "ports", "what is forwarded to it")                                \
	X(TAB_PROCESSES, AT_WORK, LOOKS, "5", "processes", "its processes, by the guest's units")            \
	X(TAB_CONFIG, AT_WORK, LOOKS, "6", "config", "its conf, and what each line turned into")             \
	X(TAB_PLAN, AT_WORK, LOOKS, "7", "plan", "what a start would do")                                    \
	X(TAB_EVENTS, AT_WORK, LOOKS, "8", "events", "what happened, and when")                              \
	X(LOGS, SCREEN_LIST, LOOKS, "l", "logs", "go to its logs; of all marked ones when there are marks")  \
	X(TAB_BACK, AT_WORK, LOOKS, "[ Left", "tab before", "the tab to the left")                           \
	X(TAB_NEXT, AT_WORK, LOOKS, "] Right", "next tab", "the tab to the right")                           \
	X(FOCUS, AT_WORK, LOOKS, "Tab", "list/details", "between the list and the details")                  \
	X(ZOOM, AT_WORK, LOOKS, "z", "zoom", "details over the whole screen, or below the list")             \
	X(MARK_ALL, SCREEN_LIST, LOOKS, "*", "mark all", "turn the marks of all shown rows around")          \
	X(UNMARK, SCREEN_LIST, LOOKS, "U", "unmark", "take all marks away")                                  \
	X(SORT_LEFT, SCREEN_LIST, LOOKS, "<", "sort left", "sort by the column to the left")                 \
	X(SORT_RIGHT, SCREEN_LIST, LOOKS, "> F6", "sort right",                                              \
	  "sort by the column to the right; beyond the last: what needs you first")                          \
	X(SORT_TURN, SCREEN_LIST, LOOKS, "I", "sort down", "turn the order around")                          \
	X(COLUMNS, SCREEN_LIST, LOOKS, "F2 o", "columns", "choose columns and their order")                  \
	X(FOLD, SCREEN_LIST, LOOKS, "f", "fold", "show the healthy ones, or only how many they are")         \
	X(SIDE_LEFT, SCREEN_LOGS, LOOKS, "<", "left", "the text to the left")                                \
	X(SIDE_RIGHT, SCREEN_LOGS, LOOKS, ">", "right", "the text to the right")                             \
	X(CLEAR, SCREEN_LIST, LOOKS, "Esc", "clear", "clear the filter, the message, the jobs' line")        \
	X(YES, SCREEN_CONFIRM, LOOKS, "y", "yes", "do it")                                                   \
	X(SWITCH, SCREEN_CONFIRM, LOOKS, "Tab Left Right h l", "switch", "to the other answer")              \
	X(CHOOSE, SCREEN_CONFIRM | SCREEN_MENU, LOOKS, "Enter", "choose",                                    \
	  "take what is marked; in a question that is No unless you switch")                                 \
	X(ACCEPT, SCREEN_PROMPT, LOOKS, "Enter", "ok", "take what was typed")                                \
	X(FORM_SAVE, SCREEN_MENU, ACTS, "S", "save", "in a form: show what would be saved")                  \
	X(FORM_TAKE, SCREEN_MENU, ACTS, "e", "edit",                                                         \
	  "in a form that another one edits: edit it, when that is over")                                    \
	X(DROP_VALUE, SCREEN_MENU, ACTS, "x Del", "take out", "in a form: take the value out of the conf")   \
	X(FORM_DISCARD, SCREEN_MENU, LOOKS, "Q", "discard",                                                  \
	  "in a form: leave it, and forget what was changed")                                                \
	X(FORM_PLAN, SCREEN_MENU, LOOKS, "p", "plan", "in a form: what a start would do with it")            \
	X(FORM_WRITE, SCREEN_MENU, ACTS, "W", "save as", "in a form: write what is typed to another file")   \
	X(COMPLETE, SCREEN_PROMPT, LOOKS, "Tab", "complete",                                                 \
	  "of a form's value: the next one that is possible here")                                           \
	X(UP, AT_WORK | SCREEN_TEXT | SCREEN_MENU | SCREEN_CONFIRM, LOOKS, "k Up", "up", "one up")           \
	X(DOWN, AT_WORK | SCREEN_TEXT | SCREEN_MENU | SCREEN_CONFIRM, LOOKS, "j Down", "down", "one down")   \
	X(PAGE_UP, AT_WORK | SCREEN_TEXT | SCREEN_MENU, LOOKS, "PgUp C-b", "page up", "a page up")           \
	X(PAGE_DOWN, AT_WORK | SCREEN_TEXT | SCREEN_MENU, LOOKS, "PgDn C-f", "page down", "a page down")     \
	X(HALF_UP, AT_WORK | SCREEN_TEXT | SCREEN_MENU, LOOKS, "C-u", "half up", "half a page up")           \
	X(HALF_DOWN, AT_WORK | SCREEN_TEXT | SCREEN_MENU, LOOKS, "C-d", "half down", "half a page down")     \
	X(FIRST, AT_WORK | SCREEN_TEXT | SCREEN_MENU, LOOKS, "g Home", "first", "to the first")              \
	X(LAST, AT_WORK | SCREEN_TEXT | SCREEN_MENU, LOOKS, "G End", "last", "to the last; in logs: follow") \
	X(SELF, AT_WORK, LOOKS, "%", "self",                                                                 \
	  "what this program itself uses: processor, wake-ups, bytes, calls")                                \
	X(MOUSE, AT_WORK, LOOKS, "m", "mouse", "mouse on or off; off, the terminal selects text")            \
	X(THEME, AT_WORK, LOOKS, "T", "theme", "the next theme: colours, none, high contrast, ...")          \
	X(REREAD, AT_WORK, LOOKS, "C-r F5", "re-read", "ask for everything anew")                            \
	X(LOCK, AT_WORK, LOOKS, "L", "lock", "read-only until u is pressed")                                 \
	X(UNLOCK, AT_WORK, LOOKS, "u", "unlock", "allow changes again")                                      \
	X(TOGGLE, SCREEN_MENU, LOOKS, "Space", "show/hide", "in the menu of columns: show it, or hide it")   \
	X(SHIFT_UP, SCREEN_MENU, LOOKS, "K", "move up", "in the menu of columns: move it up")                \
	X(SHIFT_DOWN, SCREEN_MENU, LOOKS, "J", "move down", "in the menu of columns: move it down")          \
	X(PREVIOUS, SCREEN_PROMPT, LOOKS, "Up C-p", "before",                                                \
	  "what was typed before; in the palette one up")                                                    \
	X(NEXT, SCREEN_PROMPT, LOOKS, "Down C-n", "after", "the one after; in the palette one down")         \
	X(REPAINT, EVERYWHERE, LOOKS, "C-l", "repaint", "draw the whole screen again")                       \
	X(NO, SCREEN_CONFIRM, LOOKS, "n Esc q F10 C-c", "no", "do nothing")                                  \
	X(CANCEL, SCREEN_PROMPT, LOOKS, "Esc C-c F10", "cancel", "as it was before")                         \
	X(CLOSE, SCREEN_TEXT | SCREEN_MENU, LOOKS, "q Esc F10 C-c", "close", "back to where you were")       \
	X(BACK, SCREEN_PANE | SCREEN_LOGS, LOOKS, "q Esc F10 C-c", "back", "back to the list")               \
	X(HELP, AT_WORK, LOOKS, "? F1", "help", "all keys")                                                  \
	X(QUIT, SCREEN_LIST, LOOKS, "q F10 C-c", "quit",                                                     \
	  "leave; what was started goes on, but what is being made is given up, which is said first")

enum action {
	ACTION_NONE,
#define X(name, screens, effect, keys, bar, help) ACTION_##name,
	ACTIONS(X)
#undef X
		ACTION_COUNT
};

struct binding {
	const char *name; /* "START" */
	unsigned screens; /* enum screen, or-ed */
	enum effect effect;
	const char *keys; /* names parted by blanks */
	const char *bar, *help;
};

/* keys_binding - of an action other than NONE. */
const struct binding *keys_binding(enum action a);
/* keys_rebind - from now on an action has these keys; borrowed, NULL: its own ones again. See ui/keymap.h. */
void keys_rebind(enum action a, const char *keys);
/* keys_action - what key (see input.h) means on that screen; ACTION_NONE: nothing. */
enum action keys_action(enum screen s, int key);
/* keys_parse - the key of that name: "k", "Up", "PgDn", "Del", "BackTab", "C-l", "F1"; INPUT_NONE when there
 * is none.
 */
int keys_parse(const char *name, size_t len);
/* keys_first - the name of the key to show for an action. */
void keys_first(enum action a, char ret[static KEY_TEXT_MAX]);
