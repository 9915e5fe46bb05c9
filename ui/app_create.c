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
	{ "system", "a system that Nix has built", "--system-path", NULL, "its path in /nix/store: " },
	{ "config", "a NixOS configuration, built by Nix", "--config-file", NULL, "path of the configuration: " },
	{ "flake", "a flake, built by Nix", "--flake", NULL, "flake: " },
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

void app_create_words(const struct app *a, struct strs *words)
{
	CLEANUP(strs_done) struct strs ports = { 0 };
	size_t source = a->create.source;

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
}

void app_create_chosen(struct app *a, enum app_menu menu, size_t row)
{
	if (menu == MENU_START) {
		a->create.start = row == 0;
		app_errand_look(a);
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

void app_create_again(struct app *a)
{
	bool has_root = sources[a->create.source].asks;

	app_open_prompt(a, has_root ? PROMPT_ROOT : PROMPT_PORTS, has_root ? a->create.root : a->create.ports);
}
