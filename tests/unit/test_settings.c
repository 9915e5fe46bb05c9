#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ui/setfile.h"
#include "ui/settings.h"

#define NOBODY 65534

static void parse(struct settings *s, const char *text, struct strs *warnings)
{
	settings_default(s);
	settings_parse(s, "m.conf", text, strlen(text), warnings);
	settings_settle(s, warnings);
}

static void every_default_is_a_value_of_its_own_grammar(void **state)
{
	struct settings s;

	(void)state;
	settings_default(&s);
	for (enum setting i = 0; i < SETTING_COUNT; i++) {
		CLEANUP(buf_done) struct buf value = { 0 };
		struct err e = { 0 };

		if (settings_set(&s, i, settings_info(i)->value, &e) < 0)
			fail_msg("%s", e.text);
		settings_value(&s, i, &value);
		assert_string_equal(buf_text(&value), settings_info(i)->value);
	}
}

static void the_printed_default_file_says_what_holds_without_it(void **state)
{
	CLEANUP(buf_done) struct buf file = { 0 }, state_text = { 0 };
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct settings s, defaults;

	(void)state;
	settings_default(&defaults);
	settings_print_default(&file);
	parse(&s, buf_text(&file), &warnings);
	assert_int_equal(warnings.n, 0);
	for (char *at = file.p; (at = strstr(at, "\n#")); at++) /* every setting switched on */
		if (at[2] != ' ')
			at[1] = ' ';
	parse(&s, buf_text(&file), &warnings);
	if (warnings.n > 0)
		fail_msg("%s", warnings.v[0]);
	settings_print_state(&s, &defaults, &state_text);
	assert_string_equal(buf_text(&state_text), "");
	assert_true(s.keymap.v[ACTION_STOP].set);
}

static void lines_set_what_they_name(void **state)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct settings s;

	(void)state;
	parse(&s,
	      "# comment\n\n  theme=High-Contrast\r\nperiod = 5\nsort = \"-mem\"\ncolumns = name, cpu\n"
	      "key.stop = \"F7 Del\"\nbell = yes",
	      &warnings);
	assert_int_equal(warnings.n, 0);
	assert_int_equal(s.number[SETTING_THEME], THEME_HIGH_CONTRAST);
	assert_int_equal(s.number[SETTING_PERIOD], 5);
	assert_int_equal(s.number[SETTING_BELL], 1);
	assert_true(s.sort.by == COLUMN_MEM && s.sort.reverse);
	assert_false(s.columns.shown[COLUMN_STATE]);
	assert_string_equal(keymap_keys(&s.keymap, ACTION_STOP), "F7 Del");
}

static void themes_and_colours_have_the_numbers_of_their_enums(void **state)
{
	struct settings s;

	(void)state;
	settings_default(&s);
	for (unsigned t = 0; t < THEME_COUNT; t++) {
		assert_int_equal(settings_set(&s, SETTING_THEME, theme_word((enum theme)t), NULL), 0);
		assert_int_equal(s.number[SETTING_THEME], t);
	}
	assert_int_equal(settings_set(&s, SETTING_COLOR, "never", NULL), 0);
	assert_int_equal(s.number[SETTING_COLOR], THEME_COLOR_NEVER);
}

static void a_wrong_line_is_named_and_the_others_count(void **state)
{
	static const struct {
		const char *text, *warning;
	} wrong[] = {
		{ "period = 7\ncolour = red\nbell=yes",
		  "m.conf:2: there is no setting 'colour' (`machdeck --default-config`" },
		{ "period = 7\nbell=yes\njust words",
		  "m.conf:3: this is no setting (KEY = VALUE is one): just words" },
		{ "theme = pink\nperiod = 7\nbell=yes", "m.conf:1: theme is one of default|mono|" },
		{ "period = 7\nperiod = 0\nbell=yes", "m.conf:2: period is a number from 1-60, not '0'" },
		{ "period = 7\ncolumns = speed\nbell=yes", "m.conf:2: there is no column 'speed'" },
		{ "period = 7\nkey.STOP = Foo\nbell=yes", "m.conf:2: there is no key 'Foo'" },
		{ "period = 7\nkey.STOP = R\nbell=yes",
		  "m.conf:2: the key 'R' can not mean both STOP and RESTART" },
		{ "period = 7\ntab = 3\nbell=yes", "m.conf:2: there is no setting 'tab'" },
		{ "period = 7\nx\xff = \x1b[2J\nbell=yes", "m.conf:2: this line is no text" },
		{ "period = 7\nx = \x1b[2J\nbell=yes", "m.conf:2: there is no setting 'x'" },
		{ "period = 7\n= 3\nbell=yes", "m.conf:2: this is no setting" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		CLEANUP(strs_done) struct strs warnings = { 0 };
		struct settings s;

		parse(&s, wrong[i].text, &warnings);
		assert_int_equal(warnings.n, 1);
		if (strncmp(warnings.v[0], wrong[i].warning, strlen(wrong[i].warning)) != 0)
			fail_msg("%s", warnings.v[0]);
		assert_null(strchr(warnings.v[0], '\x1b'));
		assert_int_equal(s.number[SETTING_PERIOD], 7);
		assert_int_equal(s.number[SETTING_BELL], 1);
	}
}

static void a_file_of_rubbish_gives_few_warnings(void **state)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	char text[4096];
	struct settings s;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i % 7 ? i * 31 : '\n');
	settings_default(&s);
	settings_parse(&s, "m.conf", text, sizeof(text), &warnings);
	assert_int_equal(warnings.n, SETTINGS_WARNINGS_MAX);
}

static void what_was_made_stricter_is_not_loosened_by_a_later_file(void **state)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	static const char later[] = "read_only = no\nconfirm = usual\n";
	struct settings s;

	(void)state;
	parse(&s, "read_only = yes\nconfirm = more\n", &warnings);
	settings_parse(&s, "mine.conf", later, strlen(later), &warnings);
	assert_int_equal(s.number[SETTING_READ_ONLY], 1);
	assert_int_equal(s.number[SETTING_CONFIRM], 1);
	assert_int_equal(warnings.n, 2);
	assert_string_equal(warnings.v[0],
	                    "mine.conf:1: read_only was set before and can not be lowered here");
}

static void what_was_changed_on_the_screen_is_remembered_and_nothing_else(void **state)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	static const char rubbish[] = "read_only = yes\ntheme = pink\nsort\n\xff\ntab = 4\nkey.STOP = F7\n";
	struct settings files, now, again;

	(void)state;
	settings_default(&files);
	now = files;
	assert_int_equal(settings_set(&now, SETTING_SORT, "-cpu", NULL), 0);
	assert_int_equal(settings_set(&now, SETTING_TAB, "2", NULL), 0);
	settings_print_state(&now, &files, &text);
	assert_string_equal(buf_text(&text), "sort = -cpu\ntab = 2\n");
	settings_default(&again);
	settings_parse_state(&again, buf_text(&text), text.len);
	assert_true(again.sort.by == COLUMN_CPU && again.sort.reverse);
	settings_parse_state(&again, rubbish, strlen(rubbish));
	assert_int_equal(again.number[SETTING_READ_ONLY], 0);
	assert_int_equal(again.number[SETTING_TAB], 4);
	assert_false(again.keymap.v[ACTION_STOP].set);
}

static void roots_files_are_roots_whatever_the_variables_say(void **state)
{
	struct setfile_places p;

	(void)state;
	setfile_find(0, "/home/me", "/home/me/cfg", "/home/me/st", &p);
	assert_string_equal(p.config, "/root/.config/machdeck/machdeck.conf");
	assert_string_equal(p.state, "/root/.local/state/machdeck");
	setfile_find(1000, "/home/me", NULL, "relative", &p);
	assert_string_equal(p.config, "/home/me/.config/machdeck/machdeck.conf");
	assert_string_equal(p.state, "/home/me/.local/state/machdeck");
	setfile_find(1000, "/home/me", "/cfg", "/st", &p);
	assert_string_equal(p.config, "/cfg/machdeck/machdeck.conf");
	assert_string_equal(p.state, "/st/machdeck");
	setfile_find(1000, NULL, NULL, NULL, &p);
	assert_string_equal(p.config, "");
	assert_string_equal(p.state, "");
}

/* --- on a disk --- */

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test_settings.XXXXXX");
	return mkdtemp(folder) && chmod(folder, 0777) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int remove_folder(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *leaf, const char *text, mode_t mode)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, leaf);
	for (char *at = path + strlen(folder) + 1; (at = strchr(at, '/')); *at++ = '/') {
		*at = '\0';
		(void)mkdir(path, 0755);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void the_later_file_wins_and_state_comes_on_top(void **state)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct setfile_places p;
	struct settings files, now;
	struct err e = { 0 };

	(void)state;
	setfile_find(0, NULL, NULL, NULL, &p);
	p.host_root = folder;
	put("etc/machdeck/machdeck.conf", "period = 5\nlock_minutes = 7\nsort = mem\n", 0644);
	put("root/.config/machdeck/machdeck.conf", "period = 9\n", 0644);
	setfile_load(&p, &files, &now, &warnings);
	assert_int_equal(warnings.n, 0);
	assert_false(now.host_is_read_only);
	assert_int_equal(now.number[SETTING_PERIOD], 9);
	assert_int_equal(now.number[SETTING_LOCK_MINUTES], 7);

	assert_int_equal(setfile_store(&p, &files, &now, &e), 0); /* nothing changed: nothing is made */
	assert_int_equal(settings_set(&now, SETTING_SORT, "cpu", NULL), 0);
	assert_int_equal(setfile_store(&p, &files, &now, &e), 1);
	assert_int_equal(setfile_store(&p, &files, &now, &e), 0);
	setfile_load(&p, &files, &now, &warnings);
	assert_int_equal(files.sort.by, COLUMN_MEM);
	assert_int_equal(now.sort.by, COLUMN_CPU);
	put("root/.local/state/machdeck/state", "\xff\x01sort", 0600);
	setfile_load(&p, &files, &now, &warnings);
	assert_int_equal(now.sort.by, COLUMN_MEM);
	assert_int_equal(warnings.n, 0);
}

static void only_what_the_hosts_file_says_of_read_only_can_not_be_taken_back(void **state)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct setfile_places p;
	struct settings files, now;

	(void)state;
	setfile_find(0, NULL, NULL, NULL, &p);
	p.host_root = folder;
	put("etc/machdeck/machdeck.conf", "period = 5\n", 0644);
	put("root/.config/machdeck/machdeck.conf", "read_only = yes\n", 0644);
	setfile_load(&p, &files, &now, &warnings);
	assert_int_equal(now.number[SETTING_READ_ONLY], 1);
	assert_false(now.host_is_read_only);
	put("etc/machdeck/machdeck.conf", "read_only = yes\n", 0644);
	put("root/.config/machdeck/machdeck.conf", "read_only = no\n", 0644);
	setfile_load(&p, &files, &now, &warnings);
	assert_int_equal(now.number[SETTING_READ_ONLY], 1);
	assert_true(now.host_is_read_only);
}

/* As an ordinary user, with files of his own in the folder. */
static int as_a_user(void)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct setfile_places p;
	struct settings files, now;
	struct err e = { 0 };
	char home[128], path[PATH_MAX + 8];
	struct stat st;

	(void)snprintf(home, sizeof(home), "%s/me", folder);
	setfile_find(getuid(), home, NULL, NULL, &p);
	put("me/.config/machdeck/machdeck.conf", "period = 9\nfoo = 1\n", 0644);
	setfile_load(&p, &files, &now, &warnings);
	if (now.number[SETTING_PERIOD] != 9 || warnings.n != 1 ||
	    strncmp(warnings.v[0], p.config, strlen(p.config)) != 0)
		return 1;
	if (settings_set(&now, SETTING_SORT, "cpu", NULL) < 0 || setfile_store(&p, &files, &now, &e) != 1)
		return 2;
	(void)snprintf(path, sizeof(path), "%s/state", p.state);
	if (stat(path, &st) < 0 || (st.st_mode & 07777) != 0600)
		return 3;
	setfile_load(&p, &files, &now, &warnings);
	if (now.sort.by != COLUMN_CPU)
		return 4;
	put("me/.config/machdeck/machdeck.conf", "period = 11\n", 0666);
	strs_done(&warnings);
	warnings = (struct strs){ 0 };
	setfile_load(&p, &files, &now, &warnings);
	if (now.number[SETTING_PERIOD] == 11 || warnings.n != 1 ||
	    !strstr(warnings.v[0], "must be yours alone to write"))
		return 5;
	return 0;
}

static void a_users_files_are_read_and_written_unless_others_can_write_them(void **state)
{
	int status = 0;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(getuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0) ? 99 : as_a_user());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_default_is_a_value_of_its_own_grammar),
		cmocka_unit_test(the_printed_default_file_says_what_holds_without_it),
		cmocka_unit_test(lines_set_what_they_name),
		cmocka_unit_test(themes_and_colours_have_the_numbers_of_their_enums),
		cmocka_unit_test(a_wrong_line_is_named_and_the_others_count),
		cmocka_unit_test(a_file_of_rubbish_gives_few_warnings),
		cmocka_unit_test(what_was_made_stricter_is_not_loosened_by_a_later_file),
		cmocka_unit_test(what_was_changed_on_the_screen_is_remembered_and_nothing_else),
		cmocka_unit_test(roots_files_are_roots_whatever_the_variables_say),
		cmocka_unit_test_setup_teardown(the_later_file_wins_and_state_comes_on_top, make_folder,
		                                remove_folder),
		cmocka_unit_test_setup_teardown(
			a_users_files_are_read_and_written_unless_others_can_write_them, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(
			only_what_the_hosts_file_says_of_read_only_can_not_be_taken_back, make_folder,
			remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
