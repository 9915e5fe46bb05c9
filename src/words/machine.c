#include "words/machine.h"

#include <stdlib.h>

void machine_done(struct machine *m)
{
	free(m->name);
	free(m->class);
	free(m->unit);
	free(m->reason);
	strs_done(&m->addresses);
	strs_done(&m->ports);
	*m = (struct machine){ 0 };
}

const char *machine_state_word(enum machine_state s)
{
	switch (s) {
	case MACHINE_UNKNOWN:
		return "unknown";
	case MACHINE_STOPPED:
		return "stopped";
	case MACHINE_STARTING:
		return "starting";
	case MACHINE_RUNNING:
		return "running";
	case MACHINE_RELOADING:
		return "reloading";
	case MACHINE_STOPPING:
		return "stopping";
	case MACHINE_RESTARTING:
		return "restarting";
	case MACHINE_FAILED:
		return "failed";
	case MACHINE_GHOST:
		return "ghost";
	}
	return "unknown";
}
