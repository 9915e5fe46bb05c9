#include "drivers/journal_say.h"

#include <stdlib.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

#include "base/gate.h"

void journal_say(const char *unit, const char *text)
{
	if (gate_ask(NULL, "cannot write to the journal") < 0)
		return;
	/* journalctl --unit shows what root says so of a unit: journalctl(1), systemd.journal-fields(7) */
	if (unit)
		(void)sd_journal_send("MESSAGE=%s", text, "PRIORITY=%d", LOG_NOTICE,
		                      "SYSLOG_IDENTIFIER=machdeck", "OBJECT_SYSTEMD_UNIT=%s", unit, NULL);
	else
		(void)sd_journal_send("MESSAGE=%s", text, "PRIORITY=%d", LOG_NOTICE,
		                      "SYSLOG_IDENTIFIER=machdeck", NULL);
}
