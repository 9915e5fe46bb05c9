/* script - the dashboard without a terminal, driven by a file: for tests, pictures and bug reports.
 *
 *	size 80x24                the screen from here on (80x24 until told)
 *	ascii | utf8              what it can show
 *	key j Enter C-l           press keys, by their names
 *	type web state:failed     press the characters of the rest of the line
 *	paste x y                 the same, pasted
 *	step [3]                  the tape's next moments
 *	pretend                   of a tape: show the questions and jobs of who may change things; the gate stays
 *	                          sealed, and what is asked for is not even tried
 *	wait TEXT                 let things happen until it is on the screen; fails after 10 s
 *	rest 250                  let things happen for so many ms
 *	show                      print the screen
 *	save FILE                 write it there: of each line its text, and below it its meanings, a letter
 *	                          a cell
 *
 * A # begins a comment. After a question came up there is as much time as a person would take to read it. */
#pragma once

#include "ui/dashboard.h"

/* script_run - print what the script shows; it ends at the last line, or when a key quits.
 *
 * errors  -EINVAL STATUS_DATA a command that can not be used; -ETIMEDOUT STATUS_DEADLINE a text did not come: then the
 *         screen is printed. Both with FILE:LINE */
int script_run(const struct dashboard_options *o, struct err *e);
