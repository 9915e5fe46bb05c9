/* bus - connections to systemd and to the system bus: made without waiting, and made again when they are
 * lost.
 *
 * sd-bus itself never connects again and waits 25 s for an answer; here every connection and every call has a
 * deadline. What comes from the other side is foreign text: it goes through err_set or text_printable. */
#pragma once

#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/err.h"

#define BUS_SECOND 1000000ULL

enum bus_peer {
	BUS_SYSTEMD, /* as root PID 1's own socket, which needs no dbus-daemon; else the system bus. Only
	              * org.freedesktop.systemd1 is there; no unique names, no NameOwnerChanged */
	BUS_SYSTEM,  /* dbus-daemon */
};

/* bus_changed_fn - bus: the connection stands, calls and matches can be made (all earlier ones are gone).
 * NULL: it was lost or can not be made; e says why. It is tried again after 0.25 s, then slower, up to every
 * 5 s. */
typedef void bus_changed_fn(sd_bus *bus, const struct err *e, void *arg);

/* bus_new - keep a connection on the loop; changed is called from the loop only, first with the outcome of
 * the first try (at most 3 s later). Calls that wait for an answer when it is lost get an error reply first.
 */
struct bus;
int bus_new(sd_event *loop, enum bus_peer peer, bus_changed_fn *changed, void *arg, struct bus **ret,
            struct err *e);
/* bus_free - closes it; outstanding calls are forgotten without a call-back. NULL is fine. */
void bus_free(struct bus *b);

/* bus_call - send m; handler is called from the loop exactly once, with the answer or an error (after
 * deadline_usec at the latest), unless ret_slot is dropped before. ret_slot may be NULL. */
int bus_call(sd_bus *bus, sd_bus_message *m, uint64_t deadline_usec, sd_bus_message_handler_t handler,
             void *arg, sd_bus_slot **ret_slot, struct err *e);

/* bus_calls - how many were sent by this process so far. */
uint64_t bus_calls(void);

/* bus_refused - the sentence for an error answer: "FORMAT: what the other side said", with the status that
 * fits (NOT_PERMITTED, DEADLINE, UNAVAILABLE, FAILED). Returns the negative errno. */
int bus_refused(const sd_bus_error *answer, struct err *e, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For tests: the path of a pretended systemd's socket, used instead, whoever we are. */
extern const char *bus_systemd_socket;
