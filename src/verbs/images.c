/* machdeck images: what systemd-machined keeps to start machines from. */
#include <stdio.h>

#include "base/cleanup.h"
#include "drivers/machined_store.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

#define MIB 1048576.0

static void add_row(struct buf *to, const struct image *i)
{
	char usage[24] = "-", modified[32] = "-";
	CLEANUP(buf_done) struct buf name = { 0 }, type = { 0 };

	show_text(&name, i->name);
	show_text(&type, i->type);
	if (i->usage != UINT64_MAX)
		(void)snprintf(usage, sizeof(usage), "%.1f", (double)i->usage / MIB);
	if (i->modified_usec)
		show_local_time(i->modified_usec, modified);
	buf_addf(to, "%-24s  %-9s  %s  %10s  %s\n", buf_text(&name), buf_text(&type),
	         i->read_only ? "ro" : "rw", usage, modified);
}

static json_t *row(const struct image *i)
{
	char created[32] = "", modified[32] = "";

	if (i->created_usec)
		show_time(i->created_usec, created);
	if (i->modified_usec)
		show_time(i->modified_usec, modified);
	return json_pack("{s:o, s:o, s:b, s:o, s:o, s:o}", "name", show_json_text(i->name), "type",
	                 show_json_text(i->type), "readOnly", i->read_only, "created",
	                 show_json_text(*created ? created : NULL), "modified",
	                 show_json_text(*modified ? modified : NULL), "usage",
	                 i->usage == UINT64_MAX ? json_null() : json_integer((json_int_t)i->usage));
}

static json_t *document(const struct images *l)
{
	json_t *images = json_array();

	for (size_t i = 0; i < l->n; i++)
		(void)json_array_append_new(images, row(&l->v[i]));
	return json_pack("{s:i, s:o}", "schema", 1, "images", images);
}

int verb_images(const struct verb *v, int argc, char **argv)
{
	CLEANUP(images_done) struct images l = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	bool json;
	struct err e;
	int r = verb_no_name(v, argc, argv, &json, "it lists all images");

	if (r != STATUS_DONE)
		return r;
	if (machined_store(&l, &e) < 0)
		return verb_fail(&e);
	if (json)
		return show_json(document(&l));
	buf_addf(&text, "%-24s  %-9s  RW  %10s  MODIFIED\n", "NAME", "TYPE", "MIB");
	for (size_t i = 0; i < l.n; i++)
		add_row(&text, &l.v[i]);
	return verb_print_buf(&text);
}
