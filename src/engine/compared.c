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

int compared_read(const char *name, struct compared *ret, struct err *e)
{
	CLEANUP(compared_done) struct compared c = { 0 };
	CLEANUP(buf_done) struct buf host = { 0 };
	CLEANUP(buf_done) struct buf guest = { 0 };
	struct compared *r = &c;
	int q = compared_file(name, "plan.json", &r->was_json, e);

	if (q >= 0)
		q = compared_file(name, "host", &host, e);
	if (q >= 0)
		q = compared_file(name, "guest/net", &guest, e);
	if (q >= 0)
		q = load_plan("", name, &r->now, e);
	if (q < 0)
		return q;
	q = started_parse(buf_text(&r->was_json), buf_text(&host), buf_text(&guest), &r->was, e);
	if (q >= 0)
		q = change_decide(&r->was, &r->now.plan, &r->change, e);
	if (q < 0)
		return err_wrap(e, q, "%s", name);
	start_plan_text(&r->now, &r->now_json);
	if (r->now_json.bad)
		return err_no_memory(e);
	*ret = c;
	c = (struct compared){ 0 };
	return 0;
}
