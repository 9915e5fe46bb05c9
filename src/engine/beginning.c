#include "engine/beginning.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/files.h"
#include "engine/snapshots.h"

#define ORIGIN ".origin" /* beside the snapshots, a link to "tree:/srv/debian" */

static const struct {
	const char *word;
	enum build_source source;
} origins[] = { { "tree:", BUILD_TREE }, { "image:", BUILD_IMAGE }, { "tarball:", BUILD_TARBALL } };

int beginning_note(const struct places *p, const struct build *b, struct err *e)
{
	char real[PATH_MAX], text[PATH_MAX + 16];
	const char *word = NULL, *from = b->from;
	CLEANUP(close_p) int all = -1;
	CLEANUP(close_p) int own = -1;
	char folder[SNAPSHOTS_OWN_SIZE];
	int r = gate_ask(e, "cannot note what %s was made of", p->name);

	for (size_t i = 0; i < COUNT(origins); i++)
		if (origins[i].source == b->source && !b->twin_of)
			word = origins[i].word;
	if (r < 0 || !word)
		return r;
	if (b->source != BUILD_IMAGE && !(from = realpath(b->from, real)))
		return err_sys(e, errno, "%s", b->from);
	snapshots_folder(p, folder);
	r = files_mkdir("", folder, 0700, &all, e);
	snapshots_own_folder(p, folder);
	if (r == 0)
		r = files_mkdir("", folder, 0700, &own, e);
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "%s%s", word, from);
	(void)unlinkat(own, ORIGIN, 0);
	return symlinkat(text, own, ORIGIN) < 0 ? err_sys(e, errno, "cannot note what %s was made of", p->name) : 0;
}

bool beginning_read(const struct places *p, char text[static PATH_MAX], struct build *ret)
{
	char path[SNAPSHOTS_OWN_SIZE + sizeof(ORIGIN) + 1];
	ssize_t len;

	snapshots_own_folder(p, path);
	(void)snprintf(path + strlen(path), sizeof(ORIGIN) + 1, "/" ORIGIN);
	len = readlink(path, text, PATH_MAX - 1);
	if (len < 0)
		return false;
	text[len] = '\0';
	for (size_t i = 0; i < COUNT(origins); i++)
		if (strncmp(text, origins[i].word, strlen(origins[i].word)) == 0) {
			*ret = (struct build){ .source = origins[i].source, .from = text + strlen(origins[i].word) };
			return true;
		}
	return false;
}

bool beginning_shown(const struct places *p, char ret[static PATH_MAX])
{
	char text[PATH_MAX], base[SNAPSHOTS_OWN_SIZE + sizeof(SNAPSHOTS_BASE) + 1];
	struct build b;

	snapshots_own_folder(p, base);
	(void)snprintf(base + strlen(base), sizeof(SNAPSHOTS_BASE) + 1, "/" SNAPSHOTS_BASE);
	if (faccessat(AT_FDCWD, base, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || !beginning_read(p, text, &b))
		return false;
	(void)snprintf(ret, PATH_MAX, "%s%s", b.source == BUILD_IMAGE ? "/var/lib/machines/" : "", b.from);
	return true;
}
