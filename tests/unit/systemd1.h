/* A pretended systemd: listens on a socket of its own, on the test's loop, and answers as the test wants. */
#pragma once

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <systemd/sd-id128.h>

#include "base/cleanup.h"
#include "base/strs.h"
#include "drivers/bus.h"

#define OK(call)                                                                                             \
	do {                                                                                                 \
		int ok_ = (call);                                                                            \
		if (ok_ < 0) {                                                                               \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, strerror(-ok_));       \
			abort();                                                                             \
		}                                                                                            \
	} while (0)

struct systemd1 {
	sd_event *loop;
	char dir[32], path[64];
	int fd;
	sd_event_source *listener;
	sd_bus *bus; /* the last that connected */
	unsigned n_connected;
	struct strs calls; /* "StopUnit container@web.service", in their order */

	/* what it does */
	bool mute;                      /* never answers */
	bool mute_about_jobs;           /* takes jobs on, never tells their end */
	bool hang_up;                   /* closes the connection after it took a job on, once */
	bool odd_answers;               /* sends what nobody expects */
	const char *error, *error_text; /* the answer to what wants a change */
	const char *job_result;         /* NULL: "done" */
	const char *active, *sub, *result, *status_text;
	int main_code, main_status, post_status;
	uint64_t state_usec;
	bool job_pending;
	char job_unit[64]; /* of the last job */
};

static inline void systemd1_append(sd_bus_message *m, const char *name, const char *type, const char *text,
                                   uint64_t n)
{
	OK(sd_bus_message_open_container(m, 'e', "sv"));
	OK(sd_bus_message_append(m, "s", name));
	OK(sd_bus_message_open_container(m, 'v', type));
	switch (*type) {
	case 's':
		OK(sd_bus_message_append(m, "s", text));
		break;
	case 't':
		OK(sd_bus_message_append(m, "t", n));
		break;
	default:
		OK(sd_bus_message_append(m, type, (uint32_t)n));
		break;
	}
	OK(sd_bus_message_close_container(m));
	OK(sd_bus_message_close_container(m));
}

static inline void systemd1_append_command(sd_bus_message *m, const char *name, int status)
{
	OK(sd_bus_message_open_container(m, 'e', "sv"));
	OK(sd_bus_message_append(m, "s", name));
	OK(sd_bus_message_append(m, "v", "a(sasbttttuii)", 1, "/usr/bin/machdeck", 2, "machdeck", "unit", 0,
	                         (uint64_t)1, (uint64_t)1, (uint64_t)2, (uint64_t)2, (uint32_t)77, 1,
	                         status));
	OK(sd_bus_message_close_container(m));
}

static inline void systemd1_append_unit(struct systemd1 *s, sd_bus_message *m)
{
	const uint8_t id[16] = { 0xab, 0xcd };

	systemd1_append(m, "Description", "s", "not asked for", 0);
	systemd1_append(m, "LoadState", "s", "loaded", 0);
	systemd1_append(m, "ActiveState", "s", s->active ? s->active : "active", 0);
	systemd1_append(m, "SubState", "s", s->sub ? s->sub : "running", 0);
	systemd1_append(m, "StateChangeTimestamp", "t", NULL, s->state_usec ? s->state_usec : UINT64_MAX);
	OK(sd_bus_message_open_container(m, 'e', "sv"));
	OK(sd_bus_message_append(m, "s", "InvocationID"));
	OK(sd_bus_message_open_container(m, 'v', "ay"));
	OK(sd_bus_message_append_array(m, 'y', id, sizeof(id)));
	OK(sd_bus_message_close_container(m));
	OK(sd_bus_message_close_container(m));
	OK(sd_bus_message_append(m, "{sv}", "Job", "(uo)", s->job_pending ? 7U : 0U,
	                         s->job_pending ? "/org/freedesktop/systemd1/job/7" : "/"));
}

static inline void systemd1_append_service(struct systemd1 *s, sd_bus_message *m)
{
	systemd1_append(m, "Result", "s", s->result ? s->result : "success", 0);
	systemd1_append(m, "StatusText", "s", s->status_text ? s->status_text : "", 0);
	systemd1_append(m, "NRestarts", "u", NULL, 3);
	systemd1_append(m, "ExecMainCode", "i", NULL, (uint64_t)s->main_code);
	systemd1_append(m, "ExecMainStatus", "i", NULL, (uint64_t)s->main_status);
	systemd1_append(m, "TimeoutStartUSec", "t", NULL, 60 * BUS_SECOND);
	systemd1_append(m, "TimeoutStopUSec", "t", NULL, 90 * BUS_SECOND);
	systemd1_append_command(m, "ExecStart", s->main_status);
	systemd1_append_command(m, "ExecStartPost", s->post_status);
}

static inline void systemd1_job_removed(struct systemd1 *s, const char *unit, const char *result)
{
	OK(sd_bus_emit_signal(s->bus, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
	                      "JobRemoved", "uoss", 7, "/org/freedesktop/systemd1/job/7", unit, result));
}

static inline void systemd1_changed(struct systemd1 *s, const char *unit, bool service)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	CLEANUP(free_p) char *path = NULL;

	OK(sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path));
	OK(sd_bus_message_new_signal(s->bus, &m, path, "org.freedesktop.DBus.Properties",
	                             "PropertiesChanged"));
	OK(sd_bus_message_append(
		m, "s", service ? "org.freedesktop.systemd1.Service" : "org.freedesktop.systemd1.Unit"));
	OK(sd_bus_message_open_container(m, 'a', "{sv}"));
	if (service)
		systemd1_append_service(s, m);
	else
		systemd1_append_unit(s, m);
	OK(sd_bus_message_close_container(m));
	OK(sd_bus_message_append(m, "as", 1, "ExecStart"));
	OK(sd_bus_send(s->bus, m, NULL));
}

static inline void systemd1_hang_up(struct systemd1 *s)
{
	(void)sd_bus_flush(s->bus);
	s->bus = sd_bus_close_unref(s->bus);
}

static inline void systemd1_answer_change(struct systemd1 *s, sd_bus_message *m, const char *member,
                                          const char *unit)
{
	if (s->error) {
		OK(sd_bus_reply_method_errorf(m, s->error, "%s", s->error_text));
		return;
	}
	if (!strcmp(member, "EnableUnitFiles")) {
		OK(sd_bus_reply_method_return(m, "ba(sss)", true, 0));
		return;
	}
	if (!strcmp(member, "DisableUnitFiles")) {
		OK(sd_bus_reply_method_return(m, "a(sss)", 0));
		return;
	}
	if (!strcmp(member, "CancelJob")) {
		OK(sd_bus_reply_method_return(m, NULL));
		systemd1_job_removed(s, s->job_unit, "canceled");
		return;
	}
	if (strcmp(member, "StartUnit") && strcmp(member, "StopUnit") && strcmp(member, "ReloadUnit")) {
		OK(sd_bus_reply_method_return(m, NULL));
		return;
	}
	(void)snprintf(s->job_unit, sizeof(s->job_unit), "%s", unit);
	OK(sd_bus_reply_method_return(m, "o", "/org/freedesktop/systemd1/job/7"));
	if (s->hang_up) {
		s->hang_up = false;
		systemd1_hang_up(s);
	} else if (!s->mute_about_jobs) {
		systemd1_job_removed(s, unit, s->job_result ? s->job_result : "done");
	}
}

static inline int systemd1_on_message(sd_bus_message *m, void *arg, sd_bus_error *unused)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
	const char *member = sd_bus_message_get_member(m), *unit = NULL;
	struct systemd1 *s = arg;

	(void)unused;
	if (sd_bus_message_is_method_call(m, NULL, NULL) <= 0)
		return 0;
	if (strcmp(member, "Subscribe") == 0)
		return sd_bus_reply_method_return(m, NULL);
	if (sd_bus_message_has_signature(m, "asbb") || sd_bus_message_has_signature(m, "asb"))
		OK(sd_bus_message_enter_container(m, 'a', "s"));
	if (!sd_bus_message_has_signature(m, "asas") && !sd_bus_message_has_signature(m, "u") &&
	    !sd_bus_message_is_empty(m))
		OK(sd_bus_message_read(m, "s", &unit));
	strs_addf(&s->calls, "%s%s%s", member, unit && *unit ? " " : "", unit ? unit : "");
	if (s->mute)
		return 1;
	if (strcmp(member, "GetAll") != 0 && strcmp(member, "ListUnitsByPatterns") != 0) {
		systemd1_answer_change(s, m, member, unit);
		return 1;
	}
	if (s->odd_answers)
		return sd_bus_reply_method_return(m, "a{sa{si}}", 1, "x", 1, "y", 5);
	OK(sd_bus_message_new_method_return(m, &answer));
	if (unit) {
		OK(sd_bus_message_open_container(answer, 'a', "{sv}"));
		systemd1_append_unit(s, answer);
		systemd1_append_service(s, answer);
		OK(sd_bus_message_close_container(answer));
	} else {
		OK(sd_bus_message_append(answer, "a(ssssssouso)", 2, "container@db.service", "Container 'db'",
		                         "loaded", "active", "running", "", "/u/db", 0U, "", "/",
		                         "container@web.service", "Container 'web'", "loaded", "activating",
		                         "start", "", "/u/web", 9U, "start",
		                         "/org/freedesktop/systemd1/job/9"));
	}
	return sd_bus_send(s->bus, answer, NULL);
}

static inline int systemd1_on_connection(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct systemd1 *s = arg;
	int got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	sd_id128_t id;

	(void)source, (void)events;
	assert(got >= 0);
	sd_bus_close_unref(s->bus);
	OK(sd_id128_randomize(&id));
	OK(sd_bus_new(&s->bus));
	OK(sd_bus_set_fd(s->bus, got, got));
	OK(sd_bus_set_server(s->bus, 1, id));
	OK(sd_bus_add_filter(s->bus, NULL, systemd1_on_message, s));
	OK(sd_bus_start(s->bus));
	OK(sd_bus_attach_event(s->bus, s->loop, SD_EVENT_PRIORITY_NORMAL));
	s->n_connected++;
	return 0;
}

static inline void systemd1_listen(struct systemd1 *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert(s->fd >= 0);
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", s->path);
	if (bind(s->fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(s->fd, 8) < 0)
		abort();
	OK(sd_event_add_io(s->loop, &s->listener, s->fd, EPOLLIN, systemd1_on_connection, s));
}

static inline void systemd1_deaf(struct systemd1 *s)
{
	s->listener = sd_event_source_disable_unref(s->listener);
	close(s->fd);
	unlink(s->path);
}

static inline void systemd1_up(struct systemd1 *s, bool listens)
{
	*s = (struct systemd1){ .fd = -1, .dir = "/tmp/systemd1-XXXXXX" };
	if (!mkdtemp(s->dir))
		abort();
	(void)snprintf(s->path, sizeof(s->path), "%s/private", s->dir);
	OK(sd_event_new(&s->loop));
	if (listens)
		systemd1_listen(s);
	bus_systemd_socket = s->path;
}

static inline void systemd1_down(struct systemd1 *s)
{
	bus_systemd_socket = NULL;
	if (s->listener)
		systemd1_deaf(s);
	sd_bus_close_unref(s->bus);
	strs_done(&s->calls);
	rmdir(s->dir);
	sd_event_unref(s->loop);
}

/* systemd1_run - the loop, until *flag or 8 s passed. */
static inline void systemd1_run(struct systemd1 *s, const bool *flag)
{
	uint64_t now, end;

	OK(sd_event_now(s->loop, CLOCK_MONOTONIC, &end));
	end += 8 * BUS_SECOND;
	while (!*flag) {
		OK(sd_event_run(s->loop, BUS_SECOND / 10));
		OK(sd_event_now(s->loop, CLOCK_MONOTONIC, &now));
		if (now > end)
			abort();
	}
}

/* systemd1_settle - until nothing happens any more. */
static inline void systemd1_settle(struct systemd1 *s)
{
	while (sd_event_run(s->loop, BUS_SECOND / 50) > 0)
		;
}
