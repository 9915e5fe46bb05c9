/* .nspawn files and drop-ins: judged, and changed with every other byte as it was. */
#include "sample.h"

#include <errno.h>

#include "decide/conflist.h"
#include "decide/unitfile.h"

#define FILE_NAME "img.nspawn"

static struct buf text_of(const char *text)
{
	struct buf b = { 0 };

	buf_puts(&b, text);
	return b;
}

static void becomes(const char *before, enum unit_operation operation, const char *name, const char *value,
                    const char *wanted)
{
	CLEANUP(buf_done) struct buf text = text_of(before), got = { 0 };
	struct unit_change change = { operation, name, value };
	struct err e;

	if (unitfile_edit(FILE_NAME, &text, &change, 1, &got, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(buf_text(&got), wanted);
}

static int refused(const char *before, enum unit_operation operation, const char *name, const char *value,
                   struct err *e)
{
	CLEANUP(buf_done) struct buf text = text_of(before), got = { 0 };
	struct unit_change change = { operation, name, value };

	return unitfile_edit(FILE_NAME, &text, &change, 1, &got, e);
}

static void one_setting_is_changed_where_it_stands(void **state)
{
	static const char before[] =
		"; mine\n[Exec]\nBoot = yes\n\n[Network]\n# the door\nPort=tcp:1\nZone=lan";

	(void)state;
	becomes(before, UNIT_SET, "Exec.Boot", "no",
	        "; mine\n[Exec]\nBoot=no\n\n[Network]\n# the door\nPort=tcp:1\nZone=lan");
	becomes(before, UNIT_SET, "Exec.Boot", "yes", before);
	becomes(before, UNIT_ADD, "Network.Port", "udp:2",
	        "; mine\n[Exec]\nBoot = yes\n\n[Network]\n# the door\nPort=tcp:1\nZone=lan\nPort=udp:2\n");
	becomes(before, UNIT_ADD, "Network.Port", "tcp:1", before);
	becomes(before, UNIT_SET, "Exec.Hostname", "x",
	        "; mine\n[Exec]\nBoot = yes\nHostname=x\n\n[Network]\n# the door\nPort=tcp:1\nZone=lan");
	becomes(before, UNIT_SET, "Files.Bind", "/a",
	        "; mine\n[Exec]\nBoot = yes\n\n[Network]\n# the door\nPort=tcp:1\n"
	        "Zone=lan\n\n[Files]\nBind=/a\n");
	becomes("", UNIT_SET, "Service.MemoryMax", "1G", "[Service]\nMemoryMax=1G\n");
}

static void lines_are_taken_out_whole(void **state)
{
	static const char before[] = "[Files]\nBind=/a \\\n# between\n /b\nBind=/c\nReadOnly=no\n";

	(void)state;
	becomes(before, UNIT_REMOVE, "Files.Bind", "/c",
	        "[Files]\nBind=/a \\\n# between\n /b\nReadOnly=no\n");
	becomes(before, UNIT_UNSET, "Files.Bind", NULL, "[Files]\nReadOnly=no\n");
	becomes(before, UNIT_UNSET, "Exec.Boot", NULL, before);
}

static void what_is_not_simple_is_refused_with_what_helps(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(refused("[Files]\nBind=/a\nBind=/b\n", UNIT_SET, "Files.Bind", "/c", &e), -EINVAL);
	assert_non_null(strstr(e.text, "Files.Bind+="));
	assert_int_equal(refused("", UNIT_SET, "MEMORY_MAX", "1G", &e), -EINVAL);
	assert_non_null(strstr(e.text, "SECTION.KEY"));
	assert_int_equal(refused("", UNIT_SET, "Exec.Parameters", "a\nb", &e), -EINVAL);
	assert_int_equal(refused("", UNIT_SET, "Exec.Parameters", "a\\", &e), -EINVAL);
	assert_int_equal(refused("[Files]\n", UNIT_REMOVE, "Files.Bind", "/c", &e), -ENOENT);
}

static void judged(enum unitfile_kind kind, const char *text, const char *problem, const char *warning)
{
	CLEANUP(buf_done) struct buf b = text_of(text);
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct err e = { 0 };
	int r = unitfile_judge(FILE_NAME, kind, &b, &warnings, &e);

	assert_int_equal(r, problem ? -EINVAL : 0);
	if (problem && !strstr(e.text, problem))
		fail_msg("'%s' is not in: %s", problem, e.text);
	assert_int_equal(warnings.n, warning ? 1 : 0);
	if (warning)
		assert_non_null(strstr(warnings.v[0], warning));
}

static void mistakes_are_told_with_their_line(void **state)
{
	(void)state;
	judged(UNITFILE_NSPAWN, "[Exec]\nBoot=on\n[Network]\nPort=tcp:8080:80\nPort=\n[X-Mine]\na=b\n", NULL,
	       NULL);
	judged(UNITFILE_NSPAWN, "# x\nBoot=yes\n", "img.nspawn:2:1: it stands before", NULL);
	judged(UNITFILE_NSPAWN, "[Exec]\n\nBoot\n", "img.nspawn:3:1: KEY=VALUE", NULL);
	judged(UNITFILE_NSPAWN, "[Exec\n", "img.nspawn:1:1: a section", NULL);
	judged(UNITFILE_NSPAWN, "[Exec]\nBoot=maybe\n", "img.nspawn:2:1: Boot=maybe: it is yes or no", NULL);
	judged(UNITFILE_NSPAWN, "[Network]\nPort=99999\n", "img.nspawn:2:1: Port=99999", NULL);
	judged(UNITFILE_NSPAWN, "[Exec]\nBot=yes\n", NULL, "Bot= is not a setting of [Exec]");
	judged(UNITFILE_NSPAWN, "[Execs]\nBoot=yes\n", NULL, "[Execs] is not a section");
	judged(UNITFILE_DROPIN, "[Service]\nMemoryMax=1G\n[Unit]\nAfter=x\n", NULL, NULL);
	judged(UNITFILE_DROPIN, "[Service]\nMemoryMax=5x\n", NULL, "img.nspawn:2: MemoryMax=5x: ");
	judged(UNITFILE_DROPIN, "[Service]\nIOWeight=\nTasksMax=infinity\nMEMORY_MAX=5x\n", NULL, NULL);
	judged(UNITFILE_DROPIN, "[Exec]\nBoot=yes\n", NULL, "[Exec] is not a section");
}

static void merged(const char *mine_text, const char *theirs_text, const char *wanted)
{
	CLEANUP(buf_done)
	struct buf base = text_of("[Exec]\nBoot=yes\n[Network]\nPort=1\nZone=a\n"), got = { 0 },
		   mine = text_of(mine_text), theirs = text_of(theirs_text);
	struct err e;
	int r = unitfile_merge(FILE_NAME, &base, &mine, &theirs, &got, &e);

	assert_int_equal(r, wanted ? 0 : -EBUSY);
	if (wanted)
		assert_string_equal(buf_text(&got), wanted);
}

static void two_who_changed_other_lines_are_both_heard(void **state)
{
	(void)state;
	merged("[Exec]\nBoot=no\n[Network]\nPort=1\nZone=a\n",
	       "[Exec]\nBoot=yes\n[Network]\nPort=1\nZone=b\n",
	       "[Exec]\nBoot=no\n[Network]\nPort=1\nZone=b\n");
	merged("[Exec]\nBoot=yes\n[Network]\nPort=1\nZone=b\n",
	       "# x\n[Exec]\nBoot=yes\n[Network]\nPort=1\nZone=a\n",
	       "# x\n[Exec]\nBoot=yes\n[Network]\nPort=1\nZone=b\n");
	merged("[Exec]\nBoot=yes\n[Network]\nPort=2\nZone=a\n",
	       "[Exec]\nBoot=yes\n[Network]\nPort=3\nZone=a\n", NULL);
	merged("[Exec]\nBoot=yes\n[Network]\nPort=1\nZone=a\nA=1\n",
	       "[Exec]\nBoot=yes\n[Network]\nPort=1\nZone=a\nB=1\n", NULL);
	merged("[Exec]\nBoot=no\n[Network]\nPort=1\nZone=a\n", "[Exec]\nBoot=no\n[Network]\nPort=1\nZone=a\n",
	       "[Exec]\nBoot=no\n[Network]\nPort=1\nZone=a\n");
}

static void list(const char *text, const char *key, const char *item, bool add, const char *wanted)
{
	CLEANUP(buf_done) struct buf conf = text_of(text), got = { 0 };
	struct err e;

	if (conf_list_change("web.conf", &conf, key, item, add, &got, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(buf_text(&got), wanted);
}

static void an_item_of_a_conf_s_list_comes_and_goes(void **state)
{
	CLEANUP(buf_done) struct buf conf = text_of("HOST_PORT=80\n"), got = { 0 };
	struct err e;

	(void)state;
	list("", "HOST_PORT", "80", true, "80");
	list("HOST_PORT=80\n", "HOST_PORT", "8080:443", true, "80,8080:443");
	list("HOST_PORT=80\n", "HOST_PORT", "tcp:80:80", true, "80");
	list("HOST_PORT=80,udp:53\n", "HOST_PORT", "tcp:80:80", false, "udp:53");
	list("EXTRA_NSPAWN_FLAGS=--quiet\n", "EXTRA_NSPAWN_FLAGS", "--bind=/a b", true,
	     "--quiet '--bind=/a b'");
	list("TMPFS=\"/a /b\"\n", "TMPFS", "/a", false, "/b");
	list("TMPFS=/a\n", "TMPFS", "/a", false, "");
	assert_int_equal(conf_list_change("f", &conf, "HOST_PORT", "81", false, &got, &e), -ENOENT);
	assert_int_equal(conf_list_change("f", &conf, "AUTO_START", "1", true, &got, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_setting_is_changed_where_it_stands),
		cmocka_unit_test(lines_are_taken_out_whole),
		cmocka_unit_test(what_is_not_simple_is_refused_with_what_helps),
		cmocka_unit_test(mistakes_are_told_with_their_line),
		cmocka_unit_test(two_who_changed_other_lines_are_both_heard),
		cmocka_unit_test(an_item_of_a_conf_s_list_comes_and_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
