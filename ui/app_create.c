#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/app.h"

static const struct {
	const char *word, *help;
	const char *option,
		*distribution; /* of the verb; distribution NULL: the option takes what is typed */
	const char *asks;      /* NULL: nothing is typed */
	size_t first, last;    /* of more that is asked; first == last: nothing */
} sources[] = {
	{ "tree", "a copy of a folder", "--tree", NULL, "folder: ", 0, 0 },
	{ "image", "a copy of one in /var/lib/machines", "--image", NULL, "image: ", 0, 0 },
	{ "tarball", "an archive, unpacked", "--tarball", NULL, "archive: ", 0, 0 },
	{ "debian", "installed by mmdebstrap", "--bootstrap", "debian", "release: ", 0, 2 },
	{ "ubuntu", "installed by mmdebstrap", "--bootstrap", "ubuntu", "release: ", 0, 2 },
	{ "fedora", "installed by dnf", "--bootstrap", "fedora", "release: ", 0, 2 },
	{ "arch", "installed by pacstrap", "--bootstrap", "arch", NULL, 1, 2 },
	{ "adopt", "the tree that is at its place already", "--adopt", NULL, NULL, 0, 0 },
	{ "system", "a system that Nix has built", "--system-path", NULL, "store path: ", 0, 0 },
	{ "config", "a NixOS configuration, built by Nix", "--config-file", NULL, "file: ", 2, 3 },
	{ "flake", "a flake, built by Nix", "--flake", NULL, "flake: ", 0, 0 },
	{ "text", "a NixOS configuration that is typed here", "--config", NULL, "configuration: ", 2, 3 },
};

/* What can be left empty. */
static const struct {
	const char *option, *asks, *help;
} extras[] = {
	{ "--mirror", "mirror: ", "empty: the usual one" },
	{ "--packages", "packages: ", "what is to be in it besides, with blanks; empty: nothing" },
	{ "--nixos-path", "NixOS: ", "a path; empty: <nixpkgs/nixos>" },
};

bool app_create_source(size_t row, const char **ret_word, const char **ret_help)
{
	if (row >= COUNT(sources))
		return false;
	*ret_word = sources[row].word;
	*ret_help = sources[row].help;
	return true;
}

const char *app_create_asks(const struct app *a)
{
	return a->prompt == PROMPT_ROOT ? sources[a->create.source].asks : extras[a->create.extra].asks;
}

/* ---- one question after the other: root, network, ports, users, start */

void app_create_named(struct app *a)
{
	memset(&a->create, 0, sizeof(a->create));
	app_say(a, STYLE_TEXT, 0, "%s", "");
	app_open_menu(a, MENU_ROOT);
}

/* From the first question on: what it takes to know it is over when it is its turn. */
bool app_wants_network(const struct app *a)
{
	bool creates = a->wish.errand == ERRAND_CREATE &&
	               (a->prompt == PROMPT_NEW || a->prompt == PROMPT_ROOT || a->prompt == PROMPT_EXTRA);

	return a->text == APP_TEXT_NETWORK || creates || a->menu == MENU_ROOT || a->menu == MENU_NETWORK;
}

/* What can be typed is said above the line. */
static void ask(struct app *a, enum app_prompt prompt, const char *text)
{
	bool usual = prompt == PROMPT_ROOT && sources[a->create.source].distribution;

	app_open_prompt(a, prompt, text);
	app_say(a, STYLE_TEXT, 0, "%s",
	        prompt == PROMPT_PORTS   ? "tcp:8080:80; auto: a free one; more with blanks; empty: none"
	        : prompt == PROMPT_EXTRA ? extras[a->create.extra].help
	        : usual                  ? "empty: the usual one"
	                                 : "");
}

static void ask_more(struct app *a, size_t extra)
{
	a->create.extra = extra;
	if (extra < sources[a->create.source].last)
		ask(a, PROMPT_EXTRA, a->create.extras[extra]);
	else
		app_open_menu(a, MENU_NETWORK);
}

static void add_root(const struct app *a, struct strs *words)
{
	size_t source = a->create.source;

	strs_add(words, sources[source].option);
	if (sources[source].distribution)
		strs_add(words, sources[source].distribution);
	if (sources[source].distribution && a->create.root[0])
		strs_add(words, "--suite");
	if (a->create.root[0])
		strs_add(words, a->create.root);
	for (size_t i = sources[source].first; i < sources[source].last; i++) {
		if (!a->create.extras[i][0])
			continue;
		strs_add(words, extras[i].option);
		strs_add(words, a->create.extras[i]);
	}
}

static void add_network(const struct app *a, struct strs *words)
{
	CLEANUP(strs_done) struct strs ports = { 0 };

	switch (a->create.network) {
	case APP_NETWORK_OWN: /* what the verb makes by itself */
		break;
	case APP_NETWORK_BRIDGE:
		strs_add(words, "--host-bridge");
		strs_add(words, a->create.bridge);
		break;
	case APP_NETWORK_HOST:
		strs_add(words, "--private-network=0");
		return;
	}
	strs_split(&ports, a->create.ports, " ");
	for (size_t i = 0; i < ports.n; i++) {
		strs_add(words, "--host-port");
		strs_add(words, ports.v[i]);
	}
}

void app_create_words(const struct app *a, struct strs *words)
{
	add_root(a, words);
	add_network(a, words);
	if (a->create.roots_are_one) {
		strs_add(words, "--private-users");
		strs_add(words, "no");
	}
	if (a->create.then == APP_THEN_START)
		strs_add(words, "--start");
}

void app_create_chosen(struct app *a, enum app_menu menu, size_t row, const char *bridge)
{
	switch (menu) {
	case MENU_ROOT:
		a->create.source = row < COUNT(sources) ? row : 0;
		a->create.root[0] = '\0';
		if (sources[a->create.source].asks)
			ask(a, PROMPT_ROOT, "");
		else
			ask_more(a, sources[a->create.source].first);
		break;
	case MENU_NETWORK:
		a->create.network = bridge     ? APP_NETWORK_BRIDGE
		                    : row == 0 ? APP_NETWORK_OWN
		                               : APP_NETWORK_HOST;
		(void)snprintf(a->create.bridge, sizeof(a->create.bridge), "%s", bridge ? bridge : "");
		if (a->create.network == APP_NETWORK_HOST) /* there is nothing to forward */
			app_open_menu(a, MENU_USERS);
		else
			ask(a, PROMPT_PORTS, a->create.ports);
		break;
	case MENU_USERS:
		a->create.roots_are_one = row > 0;
		app_open_menu(a, MENU_START);
		break;
	case MENU_START:
		a->create.then = row == 0 ? APP_THEN_START : row == 1 ? APP_THEN_NOTHING : APP_THEN_EDIT;
		app_errand_look(a);
		break;
	case MENU_NONE:
	case MENU_KILL:
	case MENU_COPY:
	case MENU_COLUMNS:
	case MENU_FORM:
	case MENU_CLASH:
	case MENU_STATES:
	case MENU_CLONE:
		break;
	}
}

void app_create_typed(struct app *a, enum app_prompt prompt, const char *text)
{
	bool is_root = prompt == PROMPT_ROOT, is_extra = prompt == PROMPT_EXTRA;
	char *to = is_root ? a->create.root : is_extra ? a->create.extras[a->create.extra] : a->create.ports;

	if (is_root && !*text && !sources[a->create.source].distribution) {
		app_open_prompt(a, prompt, "");
		return;
	}
	memcpy(to, text, strlen(text) + 1); /* all are of LINE_SIZE */
	app_say(a, STYLE_TEXT, 0, "%s", "");
	if (is_root || is_extra)
		ask_more(a, is_root ? sources[a->create.source].first : a->create.extra + 1);
	else
		app_open_menu(a, MENU_USERS);
}

void app_create_again(struct app *a)
{
	if (sources[a->create.source].asks)
		app_open_prompt(a, PROMPT_ROOT, a->create.root);
	else
		app_open_prompt(a, PROMPT_PORTS, a->create.ports);
}
