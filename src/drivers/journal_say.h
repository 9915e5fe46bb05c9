/* journal_say - a line of ours in the host's journal, beside those of the unit that it is about. */
#pragma once

/* journal_say - unit: "container@web.service"; NULL: about none. A journal that is not there is no failure. Asks the
 * gate; a closed one says nothing. */
void journal_say(const char *unit, const char *text);
