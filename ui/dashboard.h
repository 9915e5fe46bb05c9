/* dashboard - the program a person leaves open. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "ui/source.h"

struct dashboard_options {
	struct source_options source;
	const char *script;        /* a file that presses the keys; NULL: a person does */
	const char *filter, *sort; /* as they are typed; NULL: as it was left */
	double period;             /* seconds between two samples, 0: none; negative: as usual */
	bool read_only, write;
	bool ascii;
	unsigned theme; /* enum theme + 1; 0: as the settings say */
	unsigned color; /* enum theme_color + 1; 0: as the settings say */
	bool linear;    /* sentences, for a screen reader (ui/linear) */
};

/* dashboard_run - until the person leaves; returns the exit status, or a negative errno. */
int dashboard_run(const struct dashboard_options *o, struct err *e);
