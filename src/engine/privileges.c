#include "engine/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/gate.h"
#include "drivers/confine.h"
#include "drivers/polkit.h"

#define ACTION     "org.freedesktop.systemd1.manage-units"
#define SYSTEM_MAX 999 /* SYS_UID_MAX of Debian and others */
#define GROUPS_MAX 1024

/* ---- giving up */

static int become_reader(struct err *e)
{
	const struct passwd *user = getpwnam("machdeck");
	const struct group *journal;
	uid_t uid;
	gid_t gid;

	if (!user || user->pw_uid == 0 || user->pw_uid > SYSTEM_MAX)
		user = getpwnam("nobody");
	if (!user || user->pw_uid == 0)
		return err_set(e, STATUS_SYSTEM, ENOENT,
		               "cannot give root's rights up: there is no user machdeck and no user nobody");
	uid = user->pw_uid;
	gid = user->pw_gid;
	journal = getgrnam("systemd-journal");
	return confine_user(uid, gid, journal ? journal->gr_gid : (gid_t)-1, e);
}

int privileges_drop(const char *writable, struct err *e)
{
	int r = 0;

	gate_seal("it was started to look only (--read-only)");
	if (geteuid() == 0 || getuid() == 0)
		r = become_reader(e);
	if (r < 0)
		return r;
	r = confine_files(writable, e);
	return r < 0 ? r : confine_calls(r == 0, e);
}

/* ---- what is missing */

static bool has_capability(unsigned number)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	return syscall(SYS_capget, &head, data) >= 0 && data[number / 32].effective & 1U << number % 32;
}

static bool in_group(const char *name)
{
	const struct group *g = getgrnam(name);
	gid_t groups[GROUPS_MAX];
	int n = g ? getgroups(GROUPS_MAX, groups) : 0;

	for (int i = 0; i < n; i++)
		if (groups[i] == g->gr_gid)
			return true;
	return g && getegid() == g->gr_gid;
}

void privileges_missing(struct strs *ret)
{
	if (!has_capability(CAP_NET_ADMIN))
		strs_add(ret, "addresses inside of containers and port forwards take root (CAP_NET_ADMIN)");
	if (!has_capability(CAP_DAC_READ_SEARCH) && geteuid() != 0) {
		strs_add(ret, "images in /var/lib/machines and the journals of guests take root");
		if (!in_group("systemd-journal") && !in_group("adm"))
			strs_add(ret, "logs take root or the group systemd-journal");
	}
}

/* ---- what is allowed */

struct privileges_ask {
	privileges_may_fn *done;
	void *arg;
	struct polkit_check *check;
	sd_event_source *end; /* for root, who need not ask */
};

void privileges_cancel(struct privileges_ask *a)
{
	if (!a)
		return;
	polkit_cancel(a->check);
	sd_event_source_disable_unref(a->end);
	free(a);
}

static void on_checked(int r, enum polkit_answer answer, const struct err *e, void *arg)
{
	struct privileges_ask *a = arg;
	char why[GATE_REASON_MAX] = "";
	enum privileges_may may = PRIVILEGES_MAY_NOT;

	a->check = NULL;
	if (r < 0) {
		(void)snprintf(why, sizeof(why), "you are not root, and %.100s", e->text);
	} else if (answer == POLKIT_YES) {
		may = PRIVILEGES_MAY;
	} else {
		may = answer == POLKIT_CHALLENGE ? PRIVILEGES_MAY_ASK : PRIVILEGES_MAY_NOT;
		(void)snprintf(why, sizeof(why), "you are not root, and polkit does not let you %s%s", ACTION,
		               may == PRIVILEGES_MAY_ASK ? " without a password" : "");
	}
	a->done(may, why, a->arg);
	privileges_cancel(a);
}

static int on_root(sd_event_source *s, void *arg)
{
	struct privileges_ask *a = arg;

	(void)s;
	a->done(PRIVILEGES_MAY, "", a->arg);
	privileges_cancel(a);
	return 0;
}

int privileges_may_manage(sd_event *loop, privileges_may_fn *done, void *arg, struct privileges_ask **ret,
                          struct err *e)
{
	struct privileges_ask *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return err_no_memory(e);
	*a = (struct privileges_ask){ .done = done, .arg = arg };
	if (geteuid() == 0) {
		r = sd_event_add_defer(loop, &a->end, on_root, a);
		if (r < 0)
			(void)err_sys(e, -r, "cannot look at the rights there are");
	} else {
		r = polkit_check(loop, ACTION, on_checked, a, &a->check, e);
	}
	if (r < 0) {
		privileges_cancel(a);
		return r;
	}
	*ret = a;
	return 0;
}
