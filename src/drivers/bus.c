#include "drivers/bus.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SYSTEM_BUS    "unix:path=/run/dbus/system_bus_socket" /* whatever the caller's environment says */
#define CONNECT_LIMIT (3 * BUS_SECOND)
#define RETRY_FIRST   (BUS_SECOND / 4)
#define RETRY_LAST    (5 * BUS_SECOND)

const char *bus_systemd_socket;

struct bus {
	enum bus_peer peer;
	bus_changed_fn *changed;
	void *arg;
	sd_bus *bus; /* NULL: none, and the timer makes the next try */
	bool stands, told_down;
	sd_event *loop;
	sd_event_source *timer; /* the next try; while a connection is being made, its deadline */
	uint64_t delay_usec;
};

static int arm(struct bus *b, uint64_t usec)
{
	int r = sd_event_source_set_time_relative(b->timer, usec);

	return r < 0 ? r : sd_event_source_set_enabled(b->timer, SD_EVENT_ONESHOT);
}

static void lost(struct bus *b, const struct err *e)
{
	bool tell = !b->told_down;

	b->bus = sd_bus_close_unref(b->bus);
	b->stands = false;
	b->told_down = true;
	(void)arm(b, b->delay_usec);
	b->delay_usec = b->delay_usec * 2 < RETRY_LAST ? b->delay_usec * 2 : RETRY_LAST;
	if (tell)
		b->changed(NULL, e, b->arg);
}

static const char *peer_name(const struct bus *b)
{
	return b->peer == BUS_SYSTEMD ? "systemd" : "the system bus";
}

static int on_connected(sd_bus_message *m, void *arg, sd_bus_error *unused)
{
	struct bus *b = arg;

	(void)m, (void)unused;
	(void)sd_event_source_set_enabled(b->timer, SD_EVENT_OFF);
	b->stands = true;
	b->told_down = false;
	b->delay_usec = RETRY_FIRST;
	b->changed(b->bus, NULL, b->arg);
	return 0;
}

static int on_disconnected(sd_bus_message *m, void *arg, sd_bus_error *unused)
{
	struct bus *b = arg;
	struct err e;

	(void)m, (void)unused;
	(void)err_set(&e, STATUS_UNAVAILABLE, ECONNRESET, "the connection to %s was %s", peer_name(b),
	              b->stands ? "lost" : "refused");
	lost(b, &e);
	return 0;
}

static int match_local(sd_bus *bus, const char *member, sd_bus_message_handler_t handler, struct bus *b)
{
	return sd_bus_match_signal_async(bus, NULL, "org.freedesktop.DBus.Local",
	                                 "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local", member,
	                                 handler, NULL, b);
}

/* is_bus: there is a dbus-daemon behind it, which wants to be greeted first. */
static int start_at(struct bus *b, const char *address, bool is_bus)
{
	CLEANUP(sd_bus_unrefp) sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, is_bus);
	if (r >= 0)
		r = sd_bus_set_connected_signal(bus, true);
	if (r >= 0) /* a loop that ends would flush first, and wait 90 s for who does not answer */
		r = sd_bus_set_close_on_exit(bus, false);
	if (r >= 0)
		r = match_local(bus, "Connected", on_connected, b);
	if (r >= 0)
		r = match_local(bus, "Disconnected", on_disconnected, b);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0)
		r = sd_bus_attach_event(bus, b->loop, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		b->bus = take_p(&bus);
	return r;
}

static int start(struct bus *b)
{
	char address[128];
	int r;

	if (b->peer == BUS_SYSTEMD && (bus_systemd_socket || geteuid() == 0)) {
		(void)snprintf(address, sizeof(address), "unix:path=%s",
		               bus_systemd_socket ? bus_systemd_socket : "/run/systemd/private");
		r = start_at(b, address, false);
		if (r >= 0 || bus_systemd_socket)
			return r;
	}
	return start_at(b, SYSTEM_BUS, true);
}

static int on_timer(sd_event_source *s, uint64_t now, void *arg)
{
	struct bus *b = arg;
	struct err e;
	int r;

	(void)s, (void)now;
	if (b->bus) {
		(void)err_set(&e, STATUS_UNAVAILABLE, ETIMEDOUT, "%s does not answer", peer_name(b));
		lost(b, &e);
		return 0;
	}
	r = start(b);
	if (r >= 0) {
		(void)arm(b, CONNECT_LIMIT);
		return 0;
	}
	(void)err_sys(&e, -r, "cannot connect to %s", peer_name(b));
	e.status = r == -EACCES || r == -EPERM ? STATUS_NOT_PERMITTED : STATUS_UNAVAILABLE;
	lost(b, &e);
	return 0;
}

int bus_new(sd_event *loop, enum bus_peer peer, bus_changed_fn *changed, void *arg, struct bus **ret,
            struct err *e)
{
	struct bus *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return err_no_memory(e);
	*b = (struct bus){ .peer = peer, .changed = changed, .arg = arg, .delay_usec = RETRY_FIRST };
	b->loop = sd_event_ref(loop);
	r = sd_event_add_time_relative(loop, &b->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, b);
	if (r < 0) {
		bus_free(b);
		return err_sys(e, -r, "cannot wait for %s",
		               peer == BUS_SYSTEMD ? "systemd" : "the system bus");
	}
	*ret = b;
	return 0;
}

void bus_free(struct bus *b)
{
	if (!b)
		return;
	sd_event_source_disable_unref(b->timer);
	sd_bus_close_unref(b->bus);
	sd_event_unref(b->loop);
	free(b);
}

static uint64_t calls;

uint64_t bus_calls(void)
{
	return calls;
}

int bus_call(sd_bus *bus, sd_bus_message *m, uint64_t deadline_usec, sd_bus_message_handler_t handler,
             void *arg, sd_bus_slot **ret_slot, struct err *e)
{
	int r;

	if (sd_bus_is_ready(bus) <= 0)
		return err_set(e, STATUS_UNAVAILABLE, ENOTCONN, "there is no connection to the bus");
	calls++;
	r = sd_bus_call_async(bus, ret_slot, m, handler, arg, deadline_usec);
	return r < 0 ? err_sys(e, -r, "cannot send to the bus") : 0;
}

static int errnum_of(const sd_bus_error *answer, enum status *ret_status)
{
	static const struct {
		const char *name;
		enum status status;
		int errnum;
	} known[] = {
		{ SD_BUS_ERROR_ACCESS_DENIED, STATUS_NOT_PERMITTED, EACCES },
		{ SD_BUS_ERROR_AUTH_FAILED, STATUS_NOT_PERMITTED, EACCES },
		{ SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, STATUS_NOT_PERMITTED, EACCES },
		{ SD_BUS_ERROR_TIMEOUT, STATUS_DEADLINE, ETIMEDOUT },
		{ SD_BUS_ERROR_DISCONNECTED, STATUS_UNAVAILABLE, ECONNRESET },
		{ SD_BUS_ERROR_SERVICE_UNKNOWN, STATUS_UNAVAILABLE, EHOSTUNREACH },
		{ SD_BUS_ERROR_NAME_HAS_NO_OWNER, STATUS_UNAVAILABLE, EHOSTUNREACH },
		{ SD_BUS_ERROR_LIMITS_EXCEEDED, STATUS_UNAVAILABLE, ENOBUFS },
		{ SD_BUS_ERROR_NO_MEMORY, STATUS_SYSTEM, ENOMEM },
		{ "org.freedesktop.systemd1.NoSuchUnit", STATUS_NO_CONTAINER, ENOENT },
		{ "org.freedesktop.machine1.NoSuchMachine", STATUS_NO_CONTAINER, ENOENT },
	};

	/* sd-bus says the same for a passed deadline and for a lost connection. */
	if (sd_bus_error_has_name(answer, SD_BUS_ERROR_NO_REPLY)) {
		bool late = answer->message && strstr(answer->message, "timed out");

		*ret_status = late ? STATUS_DEADLINE : STATUS_UNAVAILABLE;
		return late ? ETIMEDOUT : ECONNRESET;
	}
	for (size_t i = 0; i < COUNT(known); i++) {
		if (!sd_bus_error_has_name(answer, known[i].name))
			continue;
		*ret_status = known[i].status;
		return known[i].errnum;
	}
	/* Who is asked for a right that nobody can be asked for hears of polkit's own unit. */
	if (answer->message && strstr(answer->message, "Unit polkit.service ")) {
		*ret_status = STATUS_NOT_PERMITTED;
		return EACCES;
	}
	*ret_status = STATUS_FAILED;
	return EREMOTEIO;
}

int bus_refused(const sd_bus_error *answer, struct err *e, const char *format, ...)
{
	char what[ERR_TEXT_MAX];
	enum status status;
	int errnum = errnum_of(answer, &status);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return err_set(e, status, errnum, "%s: %s", what, answer->message ? answer->message : answer->name);
}
