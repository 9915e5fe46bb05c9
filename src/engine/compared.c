#include "engine/compared.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "drivers/files.h"
#include "engine/start.h"

#define FILE_MAX (4U << 20)

void compared_done(struct compared *r)
{
	loaded_done(&r->now);
	buf_done(&r->was_json);
	buf_done(&r->now_json);
	started_done(&r->was);
	change_done(&r->change);
}

int compared_file(const char *name, const char *leaf, struct buf *ret, struct err *e)
{
	char path[256];
	int r;

	(void)snprintf(path, sizeof(path), PLAN_RUN_DIR "/%s/%s", name, leaf);
	r = files_read("", path, FILE_MAX, ret, NULL, e);
	if (r == -ENOENT)
		return err_set(e, STATUS_NO_CONTAINER, ENOENT,
		               "%s: it is not running, or was not started by machdeck: there is no %s", name,
		               path);
	return r;
}

/* c->now is filled; taken when it succeeds. */
static int compare(const char *name, struct compared *c, struct compared *ret, struct err *e)
{
	CLEANUP(buf_done) struct buf host = { 0 };
	CLEANUP(buf_done) struct buf guest = { 0 };
	int r = compared_file(name, "host", &host, e);

	if (r >= 0)
		r = compared_file(name, "guest/net", &guest, e);
	if (r < 0)
		return r;
	r = started_parse(buf_text(&c->was_json), buf_text(&host), buf_text(&guest), &c->was, e);
	if (r >= 0)
		r = change_decide(&c->was, &c->now.plan, &c->change, e);
	if (r < 0)
		return err_wrap(e, r, "%s", name);
	start_plan_text(&c->now, &c->now_json);
	if (c->now_json.bad)
		return err_no_memory(e);
	*ret = *c;
	*c = (struct compared){ 0 };
	return 0;
}

int compared_read(const char *name, struct compared *ret, struct err *e)
{
	CLEANUP(compared_done) struct compared c = { 0 };
	int r = compared_file(name, "plan.json", &c.was_json, e);

	if (r >= 0)
		r = load_plan("", name, &c.now, e);
	return r < 0 ? r : compare(name, &c, ret, e);
}

int compared_text(const char *name, const char *path, bool nixos_dirs, const struct buf *text,
                  struct compared *ret, struct err *e)
{
	CLEANUP(compared_done) struct compared c = { 0 };
	int r = compared_file(name, "plan.json", &c.was_json, e);

	if (r >= 0)
		r = load_text(name, path, nixos_dirs, text, &c.now, e);
	return r < 0 ? r : compare(name, &c, ret, e);
}
