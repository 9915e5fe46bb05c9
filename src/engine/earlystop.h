/* earlystop - a stop that came before a container could hear it.
 *
 * systemd-nspawn passes a stop on once, as a signal to the container's PID 1. While it still sets the
 * container up that is too early: the kernel drops signals that a PID 1 has no handler for, and the stop
 * would last until its deadline. So machdeck-init tells when it listens (STATUS=, EARLYSTOP_STATUS), and if
 * its unit is being stopped by then, the signal is sent to it once more.
 *
 * One that was still starting is sent it, too: of releases before 2021-05 systemd-nspawn ignores systemd's own signal, and
 * an ExecStop= is not run before a unit has started.
 *
 * And where a shell is PID 1, as in the stage 2 of NixOS, it does not hear the signal while it waits for a command:
 * that is ended, too. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"

#define EARLYSTOP_STATUS "machdeck-init is ready"

/* earlystop_new - listen to systemd on the loop, and act. Without systemd nothing happens. */
struct earlystop;
int earlystop_new(sd_event *loop, struct earlystop **ret, struct err *e);
void earlystop_free(struct earlystop *s);
