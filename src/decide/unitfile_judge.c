/* What systemd-nspawn reads of a .nspawn file (systemd.nspawn(5), v252 to v258), and what a drop-in of a service has. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "decide/limitvalue.h"
#include "decide/unitfile.h"
#include "words/port.h"

enum value { ANY, YES_OR_NO, PORT };

static const struct {
	const char *section, *keys;
	enum value value;
} known[] = {
	{ "Exec", "Boot Ephemeral ProcessTwo NoNewPrivileges NotifyReady SuppressSync", YES_OR_NO },
	{ "Exec",
	  "Parameters Environment User WorkingDirectory PivotRoot Capability DropCapability "
	  "AmbientCapability "
	  "KillSignal Personality MachineID PrivateUsers SystemCallFilter LimitCPU LimitFSIZE LimitDATA "
	  "LimitSTACK "
	  "LimitCORE LimitRSS LimitNOFILE LimitAS LimitNPROC LimitMEMLOCK LimitLOCKS LimitSIGPENDING "
	  "LimitMSGQUEUE "
	  "LimitNICE LimitRTPRIO LimitRTTIME OOMScoreAdjust CPUAffinity Hostname ResolvConf Timezone "
	  "LinkJournal",
	  ANY },
	{ "Files", "ReadOnly PrivateUsersChown", YES_OR_NO },
	{ "Files",
	  "Volatile Bind BindReadOnly BindUser BindUserShell Inaccessible Overlay OverlayReadOnly "
	  "TemporaryFileSystem PrivateUsersOwnership",
	  ANY },
	{ "Network", "Private VirtualEthernet", YES_OR_NO },
	{ "Network", "Port", PORT },
	{ "Network", "VirtualEthernetExtra Interface MACVLAN IPVLAN Bridge Zone NamespacePath", ANY },
};

static const char *const unit_sections[] = { "Unit", "Service", "Install" };

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; len > 0 && (at = strstr(at, word)); at += len)
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	return false;
}

static bool is_section(enum unitfile_kind kind, const char *name)
{
	if (strncmp(name, "X-", 2) == 0)
		return true;
	for (size_t i = 0; kind == UNITFILE_DROPIN && i < COUNT(unit_sections); i++)
		if (strcmp(unit_sections[i], name) == 0)
			return true;
	for (size_t i = 0; kind == UNITFILE_NSPAWN && i < COUNT(known); i++)
		if (strcmp(known[i].section, name) == 0)
			return true;
	return false;
}

static const char *value_refused(enum value value, const char *text)
{
	static const char *const words[] = { "1",  "yes", "y",     "true", "t",   "on", "0",
		                             "no", "n",   "false", "f",    "off", "" };
	struct port port;

	switch (value) {
	case ANY:
		return NULL;
	case YES_OR_NO:
		for (size_t i = 0; i < COUNT(words); i++)
			if (strcasecmp(words[i], text) == 0)
				return NULL;
		return "it is yes or no";
	case PORT:
		return !text[0] || port_parse(text, &port, NULL) == 0 ? NULL : "a port is as in tcp:8080:80";
	}
	return NULL;
}

static int judge_setting(const char *file, const struct unit_entry *a, struct strs *warnings, struct err *e)
{
	for (size_t i = 0; i < COUNT(known); i++) {
		const char *why;

		if (strcmp(known[i].section, a->section) != 0 || !has_word(known[i].keys, a->key))
			continue;
		why = value_refused(known[i].value, a->value);
		return why ? err_set(e, STATUS_DATA, EINVAL, "%s:%zu:1: %s=%s: %s", file, a->line, a->key,
		                     a->value, why)
		           : 0;
	}
	if (warnings && strncmp(a->section, "X-", 2) != 0)
		strs_addf(warnings,
		          "%s:%zu: %s= is not a setting of [%s] that we know; systemd skips what it does not "
		          "know",
		          file, a->line, a->key, a->section);
	return 0;
}

/* Of a drop-in what a conf has, too; a release of systemd may take more than we know. */
static void judge_limit(const char *file, const struct unit_entry *a, struct strs *warnings)
{
	enum limit which = limit_named(a->key);
	struct limit_value value;
	struct why w;

	if (warnings && strcmp(a->section, "Service") == 0 && which != LIMITS &&
	    strcmp(a->key, limit_names[which].directive) == 0 && a->value[0] &&
	    limit_parse(which, a->value, &value, &w) < 0)
		strs_addf(warnings, "%s:%zu: %s=%s: %s; systemd skips what it can not read", file, a->line,
		          a->key, a->value, w.text);
}

int unitfile_judge(const char *file, enum unitfile_kind kind, const struct buf *text, struct strs *warnings,
                   struct err *e)
{
	CLEANUP(unitfile_done) struct unitfile f = { 0 };
	int r = unitfile_parse(file, text, &f, e);

	for (size_t i = 0; r == 0 && i < f.n; i++) {
		const struct unit_entry *a = &f.v[i];
		bool section = is_section(kind, a->section);

		if (!a->key && !section && warnings)
			strs_addf(warnings, "%s:%zu: [%s] is not a section that systemd knows: it skips it",
			          file, a->line, a->section);
		if (a->key && section && kind == UNITFILE_NSPAWN)
			r = judge_setting(file, a, warnings, e);
		else if (a->key && kind == UNITFILE_DROPIN)
			judge_limit(file, a, warnings);
	}
	return r;
}
