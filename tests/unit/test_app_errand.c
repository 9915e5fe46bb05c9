/* What a process of its own does for the dashboard: how it is asked for, refused, shown and ended. */
#include "sample.h"

#include <errno.h>

#include "ui/input.h"

struct fixture {
	struct snapshot s;
	struct app a;
};

static void set_up(struct fixture *f)
{
	f->s = sample_snapshot();
	f->a = sample_app(&f->s);
}

static void tear_down(struct fixture *f)
{
	app_done(&f->a);
	snapshot_done(&f->s);
}

static struct app_command press(struct fixture *f, int key)
{
	return sample_press(&f->a, &f->s, key, SAMPLE_NOW);
}

static void type(struct fixture *f, const char *text)
{
	while (*text)
		press(f, *text++);
}

/* The first machine of that kind and state goes under the cursor. */
static struct machine *pick(struct fixture *f, enum machine_kind kind, enum machine_state state)
{
	struct world w = sample_world(&f->s);

	for (size_t i = 0; i < f->s.n; i++) {
		struct machine *m = &f->s.v[i];

		if (m->kind != kind || m->state != state)
			continue;
		m->configured |= kind == MACHINE_CONTAINER;
		app_select(&f->a, &w, m->name);
		assert_string_equal(f->a.selected, m->name);
		return m;
	}
	fail_msg("there is none");
	return NULL;
}

/* From what was looked at to its being done. */
static struct app_command commit(struct fixture *f, enum app_errand errand, const char *name)
{
	app_errand_looked(&f->a, errand, name, 0, "# /etc/containers/second.conf\n", NULL);
	assert_int_equal(f->a.text, APP_TEXT_ERRAND);
	press(f, 'k');
	app_shown(&f->a, SAMPLE_NOW - APP_CONFIRM_USEC);
	return press(f, INPUT_ENTER);
}

/* What was begun last is that, but for "it", which is the machine's name. */
static void same_command(const struct fixture *f, const char *name, const char *wanted)
{
	const char *it = strstr(wanted, " it ");
	char line[256];

	(void)snprintf(line, sizeof(line), "%.*s %s%s", (int)(it - wanted), wanted, name, it + 3);
	assert_string_equal(f->a.log[f->a.n_log - 1].command, line);
}

static void a_clone_is_asked_its_name_and_shown_as_a_job(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	const struct machine *m;
	struct app_command c;

	(void)state;
	set_up(&f);
	m = pick(&f, MACHINE_CONTAINER, MACHINE_STOPPED);
	c = press(&f, 'Y');
	assert_int_equal(c.what, APP_NOTHING);
	assert_int_equal(f.a.prompt, PROMPT_NEW);
	type(&f, "second");
	c = press(&f, INPUT_ENTER);
	assert_int_equal(c.what, APP_ERRAND_LOOK);
	assert_int_equal(f.a.n_jobs, 0);
	c = commit(&f, ERRAND_CLONE, m->name);
	assert_int_equal(c.what, APP_ERRAND);
	assert_string_equal(c.name, m->name);
	assert_string_equal(app_job_doing(app_job(&f.a, m->name)), "cloning");
	assert_non_null(strstr(f.a.log[f.a.n_log - 1].command, "machdeck clone "));
	assert_non_null(strstr(f.a.log[f.a.n_log - 1].command, " second"));
	app_errand_progress(&f.a, m->name, "12 MB");
	assert_string_equal(app_job(&f.a, m->name)->waits_for, "12 MB");
	c = press(&f, 'X');
	assert_int_equal(c.what, APP_ERRAND_CANCEL);
	assert_string_equal(c.name, m->name);
	c = press(&f, '-');
	assert_int_equal(c.what, APP_NOTHING);
	assert_int_equal(f.a.prompt, PROMPT_NONE);
	app_errand_result(&f.a, m->name, 0, "second: cloned (copied)", NULL, NULL, SAMPLE_NOW);
	assert_string_equal(f.a.message.text, "second: cloned (copied)");
	assert_null(app_job(&f.a, m->name));
}

/* What the new name is typed for; m is under the cursor. */
static void looked(struct fixture *f, const struct machine *m, const char *text)
{
	press(f, 'Y');
	type(f, "second");
	assert_int_equal(press(f, INPUT_ENTER).what, APP_ERRAND_LOOK);
	app_errand_looked(&f->a, ERRAND_CLONE, m->name, 0, text, NULL);
}

static void an_overlay_is_offered_where_a_clone_would_be_a_full_copy(void **state)
{
	static const struct {
		const char *root, *row, *command;
	} cases[] = {
		{ "# root: a full copy of /roots/it\n", "", "machdeck clone it second" },
		{ "# root: a full copy of /roots/it\n", "j", "machdeck clone --overlay it second" },
		{ "# root: a copy that shares blocks of /roots/it\n", NULL, "machdeck clone it second" },
		{ "# root: a btrfs snapshot of /roots/it\n", NULL, "machdeck clone it second" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(tear_down) struct fixture f;
		struct machine *m;

		set_up(&f);
		m = pick(&f, MACHINE_CONTAINER, MACHINE_STOPPED);
		looked(&f, m, cases[i].root);
		assert_int_equal(f.a.menu, cases[i].row ? MENU_CLONE : MENU_NONE);
		if (cases[i].row) {
			type(&f, cases[i].row);
			assert_int_equal(press(&f, INPUT_ENTER).what, APP_ERRAND_LOOK);
		}
		assert_int_equal(commit(&f, ERRAND_CLONE, m->name).what, APP_ERRAND);
		same_command(&f, m->name, cases[i].command);
	}
}

static void what_runs_is_cloned_live_and_of_an_overlay_there_is_only_a_full_copy(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	struct machine *m;

	(void)state;
	set_up(&f);
	m = pick(&f, MACHINE_CONTAINER, MACHINE_RUNNING);
	looked(&f, m, "# root: a full copy of /roots/it\n");
	assert_int_equal(f.a.menu, MENU_NONE);
	assert_int_equal(commit(&f, ERRAND_CLONE, m->name).what, APP_ERRAND);
	same_command(&f, m->name, "machdeck clone --live it second");
	app_errand_result(&f.a, m->name, 0, "second: cloned", NULL, NULL, SAMPLE_NOW);
	m = pick(&f, MACHINE_CONTAINER, MACHINE_STOPPED);
	m->overlay_over = strdup("below");
	looked(&f, m, "# root: a full copy of /roots/it\n");
	assert_int_equal(f.a.menu, MENU_NONE);
	assert_int_equal(f.a.text, APP_TEXT_ERRAND);
}

static void the_cursor_goes_to_the_new_machine_unless_somebody_moved_it(void **state)
{
	static const char *const none[] = { "", "j" };

	(void)state;
	for (size_t moves = 0; moves < COUNT(none); moves++) {
		CLEANUP(tear_down) struct fixture f;
		char name[NAME_MACHINE_MAX + 1];
		struct world w;

		set_up(&f);
		w = sample_world(&f.s);
		(void)snprintf(name, sizeof(name), "%s", pick(&f, MACHINE_CONTAINER, MACHINE_STOPPED)->name);
		press(&f, 'Y');
		type(&f, "second");
		press(&f, INPUT_ENTER);
		commit(&f, ERRAND_CLONE, name);
		app_errand_result(&f.a, name, 0, "second: cloned", NULL, NULL, SAMPLE_NOW);
		type(&f, none[moves]);
		free(f.s.v[0].name);
		f.s.v[0].name = strdup("second");
		app_follow(&f.a, &w);
		if (moves)
			assert_string_not_equal(f.a.selected, "second");
		else
			assert_string_equal(f.a.selected, "second");
	}
}

static void a_snapshot_is_shown_before_it_is_made(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	const struct machine *m;
	struct app_command c;

	(void)state;
	set_up(&f);
	m = pick(&f, MACHINE_CONTAINER, MACHINE_STOPPED);
	c = press(&f, 'S');
	assert_int_equal(c.what, APP_ERRAND_LOOK);
	c = commit(&f, ERRAND_SNAPSHOT, m->name);
	assert_int_equal(c.what, APP_ERRAND);
	assert_string_equal(app_job_doing(app_job(&f.a, m->name)), "keeping a snapshot");
	assert_non_null(strstr(f.a.log[f.a.n_log - 1].command, "machdeck snapshot "));
}

static void going_back_is_by_a_list_with_the_newest_first_and_by_the_machines_name(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	const struct machine *m;
	struct app_command c;

	(void)state;
	set_up(&f);
	m = pick(&f, MACHINE_CONTAINER, MACHINE_STOPPED);
	c = press(&f, 'B');
	assert_int_equal(c.what, APP_ERRAND_LOOK);
	app_errand_looked(&f.a, ERRAND_RESTORE, m->name, 0, "base     Mon 10:00\nbefore-1 Tue 11:00", NULL);
	assert_int_equal(f.a.menu, MENU_STATES);
	press(&f, 'j');
	press(&f, INPUT_ENTER);
	assert_int_equal(f.a.prompt, PROMPT_NAME);
	assert_string_equal(f.a.wish.to, "base");
	app_errand_looked(&f.a, ERRAND_RESTORE, m->name, 0, "The root becomes base.", NULL);
	app_shown(&f.a, SAMPLE_NOW - APP_CONFIRM_USEC);
	type(&f, m->name);
	c = press(&f, INPUT_ENTER);
	assert_int_equal(c.what, APP_ERRAND);
	assert_non_null(strstr(f.a.log[f.a.n_log - 1].command, "machdeck restore --yes "));
	assert_non_null(strstr(f.a.log[f.a.n_log - 1].command, " base"));
	app_errand_result(&f.a, m->name, 0, "restored", NULL, NULL, SAMPLE_NOW);
	assert_string_equal(f.a.goal, "");
}

static void without_a_snapshot_it_is_said_what_makes_one(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	const struct machine *m;

	(void)state;
	set_up(&f);
	m = pick(&f, MACHINE_CONTAINER, MACHINE_STOPPED);
	press(&f, 'B');
	app_errand_looked(&f.a, ERRAND_RESTORE, m->name, 0, "", NULL);
	assert_int_equal(f.a.menu, MENU_NONE);
	assert_non_null(strstr(f.a.message.text, "has no snapshot to go back to: S makes one"));
}

static void a_name_that_is_taken_or_none_is_refused_and_stays_to_be_mended(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	const struct machine *m;

	(void)state;
	set_up(&f);
	m = pick(&f, MACHINE_CONTAINER, MACHINE_STOPPED);
	press(&f, '=');
	type(&f, m->name);
	assert_int_equal(press(&f, INPUT_ENTER).what, APP_NOTHING);
	assert_non_null(strstr(f.a.message.text, "is taken"));
	assert_int_equal(f.a.prompt, PROMPT_NEW);
	assert_string_equal(f.a.line.text, m->name);
	press(&f, 'u' & 0x1f);
	type(&f, "a b");
	assert_int_equal(press(&f, INPUT_ENTER).what, APP_NOTHING);
	assert_non_null(strstr(f.a.message.text, "can not be the name"));
	press(&f, INPUT_ESC);
	assert_int_equal(f.a.prompt, PROMPT_NONE);
	assert_int_equal(f.a.n_jobs, 0);
}

static void what_destroys_takes_the_name_typed_after_it_was_seen(void **state)
{
	static const struct {
		const char *typed;
		bool seen, done;
	} cases[] = { { "", true, true }, { "x", true, false }, { "", false, false } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(tear_down) struct fixture f;
		const struct machine *m;
		struct app_command c;

		set_up(&f);
		m = pick(&f, MACHINE_CONTAINER, MACHINE_RUNNING);
		press(&f, '-');
		assert_int_equal(f.a.prompt, PROMPT_NAME);
		app_errand_looked(&f.a, ERRAND_DESTROY, m->name, 0, "delete  /var/lib/machines/it", NULL);
		assert_string_equal(f.a.confirm.preview, "delete  /var/lib/machines/it");
		if (cases[i].seen)
			app_shown(&f.a, SAMPLE_NOW - APP_CONFIRM_USEC);
		type(&f, m->name);
		type(&f, cases[i].typed);
		c = press(&f, INPUT_ENTER);
		assert_int_equal(c.what, cases[i].done ? APP_ERRAND : APP_NOTHING);
		assert_int_equal(f.a.n_jobs, cases[i].done);
		if (cases[i].done)
			assert_non_null(strstr(f.a.log[f.a.n_log - 1].command, "machdeck destroy --yes "));
	}
}

static void what_can_not_be_is_refused_before_anything_is_typed(void **state)
{
	static const struct {
		int key;
		enum machine_kind kind;
		enum machine_state state;
		const char *why;
	} cases[] = {
		{ '-', MACHINE_VM, MACHINE_RUNNING, "is a virtual machine" },
		{ 'Y', MACHINE_VM, MACHINE_RUNNING, "is a virtual machine" },
		{ '=', MACHINE_CONTAINER, MACHINE_RUNNING, "is not down: stop it first" },
		{ 'Z', MACHINE_CONTAINER, MACHINE_RUNNING, "is not down: stop it first" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(tear_down) struct fixture f;

		set_up(&f);
		pick(&f, cases[i].kind, cases[i].state);
		assert_int_equal(press(&f, cases[i].key).what, APP_NOTHING);
		assert_non_null(strstr(f.a.message.text, cases[i].why));
		assert_int_equal(f.a.prompt, PROMPT_NONE);
	}
}

static void a_look_that_fails_closes_the_question_it_was_for_and_no_other(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	const struct machine *m;
	struct err e = { 0 };

	(void)state;
	set_up(&f);
	m = pick(&f, MACHINE_CONTAINER, MACHINE_STOPPED);
	(void)err_set(&e, STATUS_UNSAFE_HOST, ELOOP, "cannot destroy it: declared elsewhere");
	press(&f, '-');
	app_errand_looked(&f.a, ERRAND_RESET, m->name, -ELOOP, "", &e);
	app_errand_looked(&f.a, ERRAND_DESTROY, "another", -ELOOP, "", &e);
	assert_int_equal(f.a.prompt, PROMPT_NAME);
	app_errand_looked(&f.a, ERRAND_DESTROY, m->name, -ELOOP, "", &e);
	assert_int_equal(f.a.prompt, PROMPT_NONE);
	assert_string_equal(f.a.message.text, e.text);
	assert_int_equal(f.a.confirm.what.names.n, 0);
}

/* How a new container is asked for: the row of what it is made of, that (NULL: it is not asked), what more is asked of it, the rows of network,
 * of users and of what follows; ports NULL: they are not asked. */
struct answers {
	const char *row, *root, *network, *ports, *users, *then, *command, *extras[3];
};

static struct app_command answer(struct fixture *f, const struct answers *x)
{
	press(f, '+');
	type(f, "new");
	press(f, INPUT_ENTER);
	assert_int_equal(f->a.menu, MENU_ROOT);
	type(f, x->row);
	press(f, INPUT_ENTER);
	if (x->root) {
		assert_int_equal(f->a.prompt, PROMPT_ROOT);
		type(f, x->root);
		press(f, INPUT_ENTER);
	}
	for (size_t i = 0; x->extras[i]; i++) {
		assert_int_equal(f->a.prompt, PROMPT_EXTRA);
		type(f, x->extras[i]);
		press(f, INPUT_ENTER);
	}
	assert_int_equal(f->a.menu, MENU_NETWORK);
	type(f, x->network);
	press(f, INPUT_ENTER);
	if (x->ports) {
		assert_int_equal(f->a.prompt, PROMPT_PORTS);
		type(f, x->ports);
		press(f, INPUT_ENTER);
	}
	assert_int_equal(f->a.menu, MENU_USERS);
	type(f, x->users);
	press(f, INPUT_ENTER);
	assert_int_equal(f->a.menu, MENU_START);
	type(f, x->then);
	return press(f, INPUT_ENTER);
}

static void a_new_container_is_asked_shown_and_made(void **state)
{
	static const struct answers cases[] = {
		{ "",
		  "/src",
		  "",
		  "tcp:auto:80 udp:53:53",
		  "",
		  "",
		  "machdeck create --tree /src --host-port tcp:auto:80 --host-port udp:53:53 --start new",
		  { NULL } },
		{ "j", "box", "", "", "", "j", "machdeck create --image box new", { NULL } },
		{ "jj", "/a b.tar", "", "", "", "j", "machdeck create --tarball '/a b.tar' new", { NULL } },
		{ "jjj", "", "", "", "", "j", "machdeck create --bootstrap debian new", { "", "" } },
		{ "jjjj",
		  "noble",
		  "",
		  "",
		  "",
		  "j",
		  "machdeck create --bootstrap ubuntu --suite noble --mirror http://mirror/ --packages "
		  "vim,less new",
		  { "http://mirror/", "vim,less" } },
		{ "jjjjjj",
		  NULL,
		  "",
		  "",
		  "",
		  "j",
		  "machdeck create --bootstrap arch --packages vim new",
		  { "vim" } },
		{ "jjjjjjj",
		  NULL,
		  "j",
		  NULL,
		  "",
		  "j",
		  "machdeck create --adopt --private-network=0 new",
		  { NULL } },
		{ "jjjjjjjj",
		  "/nix/store/x",
		  "",
		  "",
		  "",
		  "j",
		  "machdeck create --system-path /nix/store/x new",
		  { NULL } },
		{ "jjjjjjjjj",
		  "/a.nix",
		  "",
		  "",
		  "",
		  "jj",
		  "machdeck create --config-file /a.nix new",
		  { "" } },
		{ "jjjjjjjjjj",
		  "/src#box",
		  "",
		  "",
		  "j",
		  "j",
		  "machdeck create --flake '/src#box' --private-users no new",
		  { NULL } },
		{ "jjjjjjjjjjj",
		  "a = 1;",
		  "",
		  "",
		  "",
		  "j",
		  "machdeck create --config 'a = 1;' --nixos-path /nixpkgs new",
		  { "/nixpkgs" } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(tear_down) struct fixture f;
		struct app_command c;

		set_up(&f);
		c = answer(&f, &cases[i]);
		assert_int_equal(c.what, APP_ERRAND_LOOK);
		assert_string_equal(c.name, "new");
		assert_int_equal(f.a.n_jobs, 0);
		app_errand_looked(&f.a, ERRAND_CREATE, "new", 0, "# /etc/containers/new.conf\n", NULL);
		assert_int_equal(f.a.text, APP_TEXT_ERRAND);
		assert_int_equal(press(&f, 'k').what, APP_FLUSH_INPUT);
		assert_int_equal(press(&f, INPUT_ENTER).what, APP_NOTHING); /* nobody has seen it */
		app_shown(&f.a, SAMPLE_NOW - APP_CONFIRM_USEC / 2);
		assert_int_equal(press(&f, INPUT_ENTER).what, APP_NOTHING); /* not for long enough */
		f.a.offered_usec = 0;
		app_shown(&f.a, SAMPLE_NOW - APP_CONFIRM_USEC);
		c = press(&f, INPUT_ENTER);
		assert_int_equal(c.what, APP_ERRAND);
		assert_int_equal(f.a.text, APP_TEXT_NONE);
		assert_string_equal(f.a.log[f.a.n_log - 1].command, cases[i].command);
		c = press(&f, 'X'); /* it has no row yet */
		assert_int_equal(c.what, APP_ERRAND_CANCEL);
		assert_string_equal(c.name, "new");
	}
}

static void a_bridge_of_the_host_can_be_its_network(void **state)
{
	struct netmap_link bridge = { .index = 3, .name = "br0", .kind = "bridge" },
			   odd = { .index = 4, .name = "\x1b[2J", .kind = "bridge" },
			   links[] = { { .index = 2, .name = "eth0" }, odd, bridge };
	struct netmap_space host = { .links = links, .n_links = COUNT(links) };
	struct netmap net = { .v = &host, .n = 1 };
	CLEANUP(strs_done) struct strs words = { 0 };
	CLEANUP(free_p) char *joined = NULL;
	CLEANUP(tear_down) struct fixture f;
	struct world w;

	(void)state;
	set_up(&f);
	w = sample_world(&f.s);
	w.net = &net;
	press(&f, '+');
	type(&f, "new");
	press(&f, INPUT_ENTER);
	assert_true(app_wants_network(&f.a));
	press(&f, INPUT_ENTER);
	type(&f, "/src");
	press(&f, INPUT_ENTER);
	for (const char *key = "j\r"; *key; key++)
		app_key(&f.a, &w, *key, SAMPLE_NOW);
	assert_int_equal(f.a.prompt, PROMPT_PORTS);
	f.a.create.then = APP_THEN_START;
	app_create_words(&f.a, &words);
	joined = strs_join(&words, " ");
	assert_string_equal(joined, "--tree /src --host-bridge br0 --start");
}

static void what_was_made_to_be_edited_opens_its_form_unless_one_is_elsewhere(void **state)
{
	(void)state;
	for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
		CLEANUP(tear_down) struct fixture f;
		struct app_command c = { 0 };

		set_up(&f);
		(void)answer(&f, &(struct answers){ "", "/src", "", "", "", "jj", NULL, { NULL } });
		app_errand_looked(&f.a, ERRAND_CREATE, "new", 0, "x\n", NULL);
		(void)press(&f, 'k');
		app_shown(&f.a, SAMPLE_NOW - APP_CONFIRM_USEC);
		assert_int_equal(press(&f, INPUT_ENTER).what, APP_ERRAND);
		if (elsewhere)
			press(&f, '?');
		app_errand_result(&f.a, "new", 0, "new: created", NULL, NULL, SAMPLE_NOW);
		assert_int_equal(app_next(&f.a, &c), !elsewhere);
		assert_int_equal(c.what, elsewhere ? APP_NOTHING : APP_FORM_OPEN);
		app_command_done(&c);
	}
}

static void up_and_down_scroll_what_is_asked_before_a_name(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	pick(&f, MACHINE_CONTAINER, MACHINE_STOPPED);
	press(&f, '-');
	press(&f, INPUT_DOWN);
	press(&f, INPUT_DOWN);
	press(&f, INPUT_UP);
	assert_int_equal(f.a.confirm.top, 1);
	assert_int_equal(f.a.prompt, PROMPT_NAME);
}

static void what_can_not_be_made_goes_back_to_what_was_typed(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	struct err e = { 0 };

	(void)state;
	set_up(&f);
	answer(&f, &(struct answers){ "", "/nowhere", "", "", "", "", NULL, { NULL } });
	(void)err_set(&e, STATUS_NO_CONTAINER, ENOENT, "there is no folder /nowhere");
	app_errand_looked(&f.a, ERRAND_CREATE, "new", -ENOENT, "", &e);
	assert_int_equal(f.a.prompt, PROMPT_ROOT);
	assert_string_equal(f.a.line.text, "/nowhere");
	assert_string_equal(f.a.message.text, e.text);
	press(&f, INPUT_ESC);
	assert_int_equal(f.a.prompt, PROMPT_NONE);
	assert_int_equal(f.a.n_jobs, 0);
}

static void leaving_what_would_be_made_makes_nothing(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	answer(&f, &(struct answers){ "", "/src", "", "", "", "", NULL, { NULL } });
	press(&f, '?'); /* something else is read when the look comes */
	app_errand_looked(&f.a, ERRAND_CREATE, "new", 0, "x\n", NULL);
	assert_int_equal(f.a.text, APP_TEXT_HELP);
	assert_non_null(strstr(f.a.message.text, "no create"));
	press(&f, 'q');
	answer(&f, &(struct answers){ "", "/src", "", "", "", "", NULL, { NULL } });
	app_errand_looked(&f.a, ERRAND_CREATE, "new", 0, "x\n", NULL);
	press(&f, 'q');
	assert_int_equal(press(&f, INPUT_ENTER).what, APP_NOTHING);
	assert_int_equal(f.a.n_jobs, 0);
}

static void what_is_declared_elsewhere_can_only_be_cloned(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	size_t at = 0;

	(void)state;
	set_up(&f);
	while (f.s.v[at].name != pick(&f, MACHINE_CONTAINER, MACHINE_STOPPED)->name)
		at++;
	f.s.v[at].declared = strdup("/nix/store/conf");
	for (const char *keys = "=-Z"; *keys; keys++) {
		assert_int_equal(press(&f, *keys).what, APP_NOTHING);
		assert_int_equal(f.a.prompt, PROMPT_NONE);
		assert_non_null(strstr(f.a.message.text, "is declared elsewhere"));
	}
	press(&f, 'Y');
	assert_int_equal(f.a.prompt, PROMPT_NEW);
}

static void leaving_says_once_what_it_would_give_up(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	const struct machine *m;

	(void)state;
	set_up(&f);
	m = pick(&f, MACHINE_CONTAINER, MACHINE_STOPPED);
	press(&f, 'Y');
	type(&f, "second");
	press(&f, INPUT_ENTER);
	commit(&f, ERRAND_CLONE, m->name);
	assert_int_equal(press(&f, 'q').what, APP_NOTHING);
	assert_non_null(strstr(f.a.message.text, "would be given up"));
	assert_int_equal(press(&f, 'q').what, APP_QUIT);
}

static void what_leaving_gives_up_is_told_as_sentences(void **state)
{
	CLEANUP(tear_down) struct fixture f;
	CLEANUP(strs_done) struct strs left = { 0 }, words = { 0 };

	(void)state;
	set_up(&f);
	app_errands_left(&f.a, &left);
	assert_int_equal(left.n, 0);
	app_begin_errand(&f.a, ERRAND_CLONE, "lab", "second", &words, SAMPLE_NOW);
	app_errands_left(&f.a, &left);
	assert_int_equal(left.n, 1);
	assert_string_equal(left.v[0], "lab: cloning is given up: what was made so far is removed");
}

static void nothing_is_asked_while_it_is_read_only(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	pick(&f, MACHINE_CONTAINER, MACHINE_STOPPED);
	f.a.read_only = "locked; u unlocks";
	for (const char *keys = "+Y=-Z"; *keys; keys++) {
		assert_int_equal(press(&f, *keys).what, APP_NOTHING);
		assert_int_equal(f.a.prompt, PROMPT_NONE);
		assert_non_null(strstr(f.a.message.text, "read-only"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clone_is_asked_its_name_and_shown_as_a_job),
		cmocka_unit_test(an_overlay_is_offered_where_a_clone_would_be_a_full_copy),
		cmocka_unit_test(what_runs_is_cloned_live_and_of_an_overlay_there_is_only_a_full_copy),
		cmocka_unit_test(the_cursor_goes_to_the_new_machine_unless_somebody_moved_it),
		cmocka_unit_test(a_snapshot_is_shown_before_it_is_made),
		cmocka_unit_test(going_back_is_by_a_list_with_the_newest_first_and_by_the_machines_name),
		cmocka_unit_test(without_a_snapshot_it_is_said_what_makes_one),
		cmocka_unit_test(a_name_that_is_taken_or_none_is_refused_and_stays_to_be_mended),
		cmocka_unit_test(what_destroys_takes_the_name_typed_after_it_was_seen),
		cmocka_unit_test(what_can_not_be_is_refused_before_anything_is_typed),
		cmocka_unit_test(a_look_that_fails_closes_the_question_it_was_for_and_no_other),
		cmocka_unit_test(a_new_container_is_asked_shown_and_made),
		cmocka_unit_test(a_bridge_of_the_host_can_be_its_network),
		cmocka_unit_test(what_was_made_to_be_edited_opens_its_form_unless_one_is_elsewhere),
		cmocka_unit_test(up_and_down_scroll_what_is_asked_before_a_name),
		cmocka_unit_test(what_can_not_be_made_goes_back_to_what_was_typed),
		cmocka_unit_test(leaving_what_would_be_made_makes_nothing),
		cmocka_unit_test(what_is_declared_elsewhere_can_only_be_cloned),
		cmocka_unit_test(leaving_says_once_what_it_would_give_up),
		cmocka_unit_test(what_leaving_gives_up_is_told_as_sentences),
		cmocka_unit_test(nothing_is_asked_while_it_is_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
