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

#define ORIGIN                                                                                               \
	".origin" /* beside the snapshots, a link to "tree:/srv/debian", "bootstrap:debian|bookworm||vim,less" */

#define CONFIGURATION     ".configuration.nix"
#define CONFIGURATION_MAX (1024 * 1024)

static const struct {
	const char *word;
	enum build_source source;
} origins[] = { { "tree:", BUILD_TREE },
	        { "image:", BUILD_IMAGE },
	        { "tarball:", BUILD_TARBALL },
	        { "bootstrap:", BUILD_BOOTSTRAP } };

void beginning_done(struct beginning *b)
{
	strs_done(&b->build.bootstrap.packages);
}

static int write_source(const struct build *b, struct buf *ret, struct err *e)
{
	CLEANUP(free_p) char *packages = NULL;
	const struct bootstrap *s = &b->bootstrap;
	char real[PATH_MAX];

	switch (b->source) {
	case BUILD_IMAGE:
		buf_puts(ret, b->from);
		break;
	case BUILD_TREE:
	case BUILD_TARBALL:
		if (!realpath(b->from, real))
			return err_sys(e, errno, "%s", b->from);
		buf_puts(ret, real);
		break;
	case BUILD_BOOTSTRAP: /* no word of it has a "|" */
		packages = strs_join(&s->packages, ",");
		buf_addf(ret, "%s|%s|%s|%s", distribution_word(s->distribution), s->suite ? s->suite : "",
		         s->mirror ? s->mirror : "", packages ? packages : "");
		break;
	case BUILD_ADOPT:
	case BUILD_EMPTY:
	case BUILD_OVERLAY:
	case BUILD_NIX:
		break;
	}
	return ret->bad ? err_no_memory(e) : 0;
}

static bool read_source(char *text, struct build *ret)
{
	struct bootstrap *s = &ret->bootstrap;
	const char *word = text, *packages;

	ret->from = text;
	if (ret->source != BUILD_BOOTSTRAP)
		return true;
	word = strsep(&text, "|");
	s->suite = strsep(&text, "|");
	s->mirror = strsep(&text, "|");
	packages = text;
	if (!packages || distribution_parse(word, &s->distribution) < 0)
		return false;
	s->suite = *s->suite ? s->suite : NULL;
	s->mirror = *s->mirror ? s->mirror : NULL;
	strs_split(&s->packages, packages, ",");
	return !s->packages.bad;
}

static int make_folder(const struct places *p, int *ret, struct err *e)
{
	CLEANUP(close_p) int all = -1;
	char folder[SNAPSHOTS_OWN_SIZE];
	int r;

	snapshots_folder(p, folder);
	r = files_mkdir("", folder, 0700, &all, e);
	snapshots_own_folder(p, folder);
	return r < 0 ? r : files_mkdir("", folder, 0700, ret, e);
}

int beginning_note(const struct places *p, const struct build *b, struct err *e)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(close_p) int own = -1;
	int r = gate_ask(e, "cannot note what %s was made of", p->name);

	for (size_t i = 0; i < COUNT(origins); i++)
		if (origins[i].source == b->source && !b->twin_of)
			buf_puts(&text, origins[i].word);
	if (r < 0 || text.len == 0)
		return r;
	r = write_source(b, &text, e);
	if (r == 0)
		r = make_folder(p, &own, e);
	if (r < 0)
		return r;
	(void)unlinkat(own, ORIGIN, 0);
	return symlinkat(buf_text(&text), own, ORIGIN) < 0
	               ? err_sys(e, errno, "cannot note what %s was made of", p->name)
	               : 0;
}

bool beginning_read(const struct places *p, struct beginning *ret)
{
	char path[SNAPSHOTS_OWN_SIZE + sizeof(ORIGIN) + 1];
	ssize_t len;

	*ret = (struct beginning){ 0 };
	snapshots_own_folder(p, path);
	(void)snprintf(path + strlen(path), sizeof(ORIGIN) + 1, "/" ORIGIN);
	len = readlink(path, ret->text, sizeof(ret->text) - 1);
	for (size_t i = 0; len > 0 && i < COUNT(origins); i++)
		if (strncmp(ret->text, origins[i].word, strlen(origins[i].word)) == 0) {
			ret->build.source = origins[i].source;
			return read_source(ret->text + strlen(origins[i].word), &ret->build);
		}
	return false;
}

bool beginning_told(const struct places *p, struct buf *ret)
{
	CLEANUP(beginning_done) struct beginning b = { 0 };
	char base[SNAPSHOTS_OWN_SIZE + sizeof(SNAPSHOTS_BASE) + 1];

	snapshots_own_folder(p, base);
	(void)snprintf(base + strlen(base), sizeof(SNAPSHOTS_BASE) + 1, "/" SNAPSHOTS_BASE);
	if (faccessat(AT_FDCWD, base, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || !beginning_read(p, &b))
		return false;
	if (b.build.source == BUILD_BOOTSTRAP)
		buf_addf(ret, "what %s installs now", distribution_program(b.build.bootstrap.distribution));
	else
		buf_addf(ret, "what %s%s is now", b.build.source == BUILD_IMAGE ? "/var/lib/machines/" : "",
		         b.build.from);
	return true;
}

int beginning_note_configuration(const struct places *p, const struct buf *text, struct err *e)
{
	CLEANUP(close_p) int own = -1;
	char path[SNAPSHOTS_OWN_SIZE + sizeof(CONFIGURATION) + 1];
	int r = gate_ask(e, "cannot keep the configuration of %s", p->name);

	if (r == 0)
		r = make_folder(p, &own, e);
	snapshots_own_folder(p, path);
	(void)snprintf(path + strlen(path), sizeof(CONFIGURATION) + 1, "/" CONFIGURATION);
	return r < 0 ? r : files_save("", path, 0600, text->p, text->len, e);
}

bool beginning_configuration(const struct places *p, struct buf *ret)
{
	char path[SNAPSHOTS_OWN_SIZE + sizeof(CONFIGURATION) + 1];

	snapshots_own_folder(p, path);
	(void)snprintf(path + strlen(path), sizeof(CONFIGURATION) + 1, "/" CONFIGURATION);
	return files_read("", path, CONFIGURATION_MAX, ret, NULL, NULL) >= 0 && ret->len > 0;
}
