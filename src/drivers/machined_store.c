#include "drivers/machined_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/bus.h"

#define MACHINE1 "org.freedesktop.machine1"
#define LIMIT    (3 * BUS_SECOND)

struct asking {
	sd_event *loop;
	struct images *images;
	int r;
	struct err e;
};

void images_done(struct images *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].type);
	}
	free(l->v);
	*l = (struct images){ 0 };
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct image *)a)->name, ((const struct image *)b)->name);
}

/* 1 while there are more, else 0. */
static int read_one(sd_bus_message *m, struct images *l)
{
	const char *name, *type, *object;
	struct image i = { 0 }, *grown;
	int read_only, r = sd_bus_message_read(m, "(ssbttto)", &name, &type, &read_only, &i.created_usec,
	                                       &i.modified_usec, &i.usage, &object);

	if (r <= 0)
		return r;
	if (name[0] == '.') /* .host */
		return 1;
	grown = reallocarray(l->v, l->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	l->v = grown;
	i.read_only = read_only;
	i.name = strdup(name);
	i.type = strdup(type);
	grown[l->n++] = i;
	return i.name && i.type ? 1 : -ENOMEM;
}

static int read_all(sd_bus_message *m, struct images *l)
{
	int r = sd_bus_message_enter_container(m, 'a', "(ssbttto)");

	while (r > 0)
		r = read_one(m, l);
	if (r >= 0 && l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), by_name);
	return r;
}

static int on_answer(sd_bus_message *m, void *arg, sd_bus_error *unused)
{
	const sd_bus_error *error = sd_bus_message_get_error(m);
	struct asking *a = arg;

	(void)unused;
	a->r = error ? bus_refused(error, &a->e, "cannot list images: systemd-machined")
	             : read_all(m, a->images);
	if (!error && a->r < 0)
		a->r = err_sys(&a->e, -a->r, "cannot list images: the answer of systemd-machined");
	return sd_event_exit(a->loop, 0);
}

static void on_bus(sd_bus *bus, const struct err *e, void *arg)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	struct asking *a = arg;
	int r;

	if (!bus) {
		a->r = err_set(&a->e, STATUS_UNAVAILABLE, EHOSTDOWN, "cannot list images: %s", e->text);
		(void)sd_event_exit(a->loop, 0);
		return;
	}
	r = sd_bus_message_new_method_call(bus, &m, MACHINE1, "/org/freedesktop/machine1",
	                                   MACHINE1 ".Manager", "ListImages");
	r = r < 0 ? err_sys(&a->e, -r, "cannot list images")
	          : bus_call(bus, m, LIMIT, on_answer, a, NULL, &a->e);
	if (r < 0) {
		a->r = r;
		(void)sd_event_exit(a->loop, 0);
	}
}

int machined_store(struct images *ret, struct err *e)
{
	struct images found = { 0 };
	struct asking a = { .images = &found };
	struct bus *bus = NULL;
	int r = sd_event_new(&a.loop);

	if (r < 0)
		return err_sys(e, -r, "cannot make an event loop");
	r = bus_new(a.loop, BUS_SYSTEM, on_bus, &a, &bus, &a.e);
	if (r >= 0) {
		r = sd_event_loop(a.loop);
		r = r < 0 ? err_sys(&a.e, -r, "cannot run an event loop") : a.r;
	}
	bus_free(bus);
	sd_event_unref(a.loop);
	if (r < 0) {
		*e = a.e;
		images_done(&found);
		return r;
	}
	*ret = found;
	return 0;
}
