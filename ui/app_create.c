#include <string.h>

#include "base/cleanup.h"
#include "ui/app.h"

static const struct {
	const char *word, *help;
	const char *option, *distribution; /* of the verb; distribution NULL: the option takes what is typed */
	const char *asks;                  /* NULL: nothing is typed */
} sources[] = {
	{ "tree", "a copy of a folder", "--tree", NULL, "folder: " },
	{ "image", "a copy of a tree in /var/lib/machines", "--image", NULL, "name of the image: " },
	{ "tarball", "an archive, unpacked", "--tarball", NULL, "path of the archive: " },
	{ "debian", "installed by mmdebstrap or debootstrap", "--bootstrap", "debian", "release; the usual one: Enter: " },
	{ "ubuntu", "installed by mmdebstrap or debootstrap", "--bootstrap", "ubuntu", "release; the usual one: Enter: " },
	{ "fedora", "installed by dnf", "--bootstrap", "fedora", "release; the usual one: Enter: " },
	{ "arch", "installed by pacstrap", "--bootstrap", "arch", NULL },
	{ "adopt", "the tree that is at its place already", "--adopt", NULL, NULL },
};

bool app_create_source(size_t row, const char **ret_word, const char **ret_help, const char **ret_asks)
{
	if (row >= COUNT(sources))
		return false;
	*ret_word = sources[row].word;
	*ret_help = sources[row].help;
	*ret_asks = sources[row].asks;
	return true;
}

/* ---- one question after the other */

void app_create_named(struct app *a)
{
	memset(&a->create, 0, sizeof(a->create));
	app_say(a, STYLE_TEXT, 0, "%s", "");
	app_open_menu(a, MENU_ROOT);
}

/* The words of the verb that does what was answered. */
static void add_words(const struct app *a, bool dry, struct strs *words)
{
	CLEANUP(strs_done) struct strs ports = { 0 };
	size_t source = a->create.source;

	strs_add(words, "create");
	if (dry)
		strs_add(words, "--dry-run");
	strs_add(words, sources[source].option);
	if (sources[source].distribution)
		strs_add(words, sources[source].distribution);
	if (sources[source].distribution && a->create.root[0])
		strs_add(words, "--suite");
	if (a->create.root[0])
		strs_add(words, a->create.root);
	strs_split(&ports, a->create.ports, " ");
	for (size_t i = 0; i < ports.n; i++) {
		strs_add(words, "--host-port");
		strs_add(words, ports.v[i]);
	}
	if (a->create.start)
		strs_add(words, "--start");
	strs_add(words, a->wish.name);
}

static void look(struct app *a)
{
	CLEANUP(strs_done) struct strs words = { 0 };

	a->create.looks = true;
	add_words(a, true, &words);
	app_say(a, STYLE_BUSY, 0, "%s: looking what would be made…", a->wish.name);
	app_todo(a, APP_ERRAND_LOOK, CONTROL_START, a->wish.name, NULL, &words);
}

void app_create_chosen(struct app *a, enum app_menu menu, size_t row)
{
	if (menu == MENU_START) {
		a->create.start = row == 0;
		look(a);
		return;
	}
	a->create.source = row < COUNT(sources) ? row : 0;
	a->create.root[0] = '\0';
	app_open_prompt(a, sources[a->create.source].asks ? PROMPT_ROOT : PROMPT_PORTS, "");
}

void app_create_typed(struct app *a, enum app_prompt prompt, const char *text)
{
	bool is_root = prompt == PROMPT_ROOT;
	char *to = is_root ? a->create.root : a->create.ports;

	if (is_root && !*text && !sources[a->create.source].distribution) {
		app_open_prompt(a, prompt, "");
		return;
	}
	memcpy(to, text, strlen(text) + 1); /* both are of LINE_SIZE */
	if (is_root)
		app_open_prompt(a, PROMPT_PORTS, a->create.ports);
	else
		app_open_menu(a, MENU_START);
}

/* ---- what would be made */

void app_create_looked(struct app *a, int r, const char *text, const struct err *e)
{
	bool is_free = a->prompt == PROMPT_NONE && a->menu == MENU_NONE && a->text == APP_TEXT_NONE && !a->confirm.open;

	if (!a->create.looks)
		return;
	a->create.looks = false;
	if (!is_free) {
		app_say(a, STYLE_TEXT, 0, "%s is not made: something else was begun meanwhile", a->wish.name);
		return;
	}
	if (r < 0) { /* what was typed last can be mended */
		app_say(a, STYLE_BAD, 0, "%s", e->text);
		app_open_prompt(a, sources[a->create.source].asks ? PROMPT_ROOT : PROMPT_PORTS,
		                sources[a->create.source].asks ? a->create.root : a->create.ports);
		return;
	}
	app_say(a, STYLE_TEXT, 0, "%s", "");
	doc_done(&a->results);
	doc_text(&a->results, STYLE_TEXT, text);
	a->text = APP_TEXT_CREATE;
	a->offered_usec = 0;
	a->text_top = 0;
	app_todo(a, APP_FLUSH_INPUT, CONTROL_START, NULL, NULL, NULL);
}

void app_create_commit(struct app *a, const struct world *w, uint64_t now_usec)
{
	CLEANUP(strs_done) struct strs words = { 0 };

	if (a->text != APP_TEXT_CREATE)
		return;
	a->text = APP_TEXT_NONE;
	if (snapshot_find(w->s, a->wish.name) || app_job(a, a->wish.name)) {
		app_say(a, STYLE_TEXT, 0, "the name '%s' is taken meanwhile", a->wish.name);
		return;
	}
	add_words(a, false, &words);
	app_begin_errand(a, ERRAND_CREATE, a->wish.name, a->wish.name, &words, now_usec);
}
