#include "drivers/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/child.h"

#define ANSWER_MAX 262144

/* ---- the child */

struct question {
	const struct strs *names;
	enum resolve_sources sources;
};

static int tell(FILE *out, const struct gaicb *q)
{
	char address[NI_MAXHOST];

	for (const struct addrinfo *a = q->ar_result; a; a = a->ai_next)
		if (getnameinfo(a->ai_addr, a->ai_addrlen, address, sizeof(address), NULL, 0,
		                NI_NUMERICHOST) == 0)
			(void)fprintf(out, "%s %s\n", q->ar_name, address);
	return fflush(out);
}

/* Each as soon as it is answered: what is known at the deadline counts. */
static int answer_all(FILE *out, struct gaicb *v, struct gaicb **waiting, size_t n)
{
	for (size_t left = n; left > 0;) {
		if (gai_suspend((const struct gaicb *const *)waiting, (int)n, NULL) == EAI_SYSTEM)
			return 1;
		for (size_t i = 0; i < n; i++) {
			if (!waiting[i] || gai_error(&v[i]) == EAI_INPROGRESS)
				continue;
			waiting[i] = NULL;
			left--;
			if (gai_error(&v[i]) == 0 && tell(out, &v[i]) != 0)
				return 1;
		}
	}
	return 0;
}

static int ask(int fd, void *arg)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const struct question *q = arg;
	size_t n = q->names->n;
	struct gaicb *v = calloc(n + 1, sizeof(*v));
	struct gaicb **list = calloc(n + 1, sizeof(struct gaicb *)),
		     **waiting = calloc(n + 1, sizeof(struct gaicb *));
	FILE *out = fdopen(fd, "w");

	if (!v || !list || !waiting || !out)
		return 1;
	if (q->sources == RESOLVE_HERE && __nss_configure_lookup("hosts", "files mymachines myhostname") < 0)
		return 1;
	for (size_t i = 0; i < n; i++) {
		v[i] = (struct gaicb){ .ar_name = q->names->v[i], .ar_request = &hints };
		list[i] = waiting[i] = &v[i];
	}
	if (n > 0 && getaddrinfo_a(GAI_NOWAIT, list, (int)n, NULL) != 0)
		return 1;
	return answer_all(out, v, waiting, n);
}

/* ---- who waits for it */

struct resolve {
	struct child *child;
	resolve_done_fn *done;
	void *arg;
};

static void on_answer(int r, char *text, size_t len, const struct err *e, void *arg)
{
	CLEANUP(free_p) struct resolve *q = arg;
	CLEANUP(strs_done) struct strs found = { 0 };
	struct err failed;

	(void)len;
	strs_split(&found, text, "\n");
	if (r > 0) {
		r = err_set(&failed, STATUS_SYSTEM, EIO, "the name service can not be asked");
		e = &failed;
	} else if (found.bad) {
		r = err_no_memory(&failed);
		e = &failed;
	}
	q->done(r, &found, e, q->arg);
}

int resolve_start(sd_event *loop, const struct strs *names, enum resolve_sources sources,
                  uint64_t deadline_usec, resolve_done_fn *done, void *arg, struct resolve **ret,
                  struct err *e)
{
	struct question question = { names, sources };
	struct resolve *q = calloc(1, sizeof(*q));
	int r;

	if (!q)
		return err_no_memory(e);
	q->done = done;
	q->arg = arg;
	r = child_start(loop, "the name service", ask, &question, deadline_usec, ANSWER_MAX, on_answer, q,
	                &q->child, e);
	if (r < 0) {
		free(q);
		return r;
	}
	*ret = q;
	return 0;
}

void resolve_cancel(struct resolve *q)
{
	if (!q)
		return;
	child_cancel(q->child);
	free(q);
}

struct waiting {
	sd_event *loop;
	struct strs *found;
	struct err *e;
	int r;
};

static void on_done(int r, const struct strs *found, const struct err *e, void *arg)
{
	struct waiting *w = arg;

	strs_add_all(w->found, found);
	w->r = r;
	if (r < 0 && w->e)
		*w->e = *e;
	(void)sd_event_exit(w->loop, 0);
}

int resolve_wait(const struct strs *names, enum resolve_sources sources, uint64_t deadline_usec,
                 struct strs *found, struct err *e)
{
	CLEANUP(sd_event_unrefp) sd_event *loop = NULL;
	struct waiting w = { .found = found, .e = e };
	struct resolve *q = NULL;
	int r = sd_event_new(&loop);

	w.loop = loop;
	if (r < 0)
		return err_sys(e, -r, "cannot make an event loop");
	r = resolve_start(loop, names, sources, deadline_usec, on_done, &w, &q, e);
	if (r < 0)
		return r;
	r = sd_event_loop(loop);
	if (r < 0) {
		resolve_cancel(q);
		return err_sys(e, -r, "the event loop broke");
	}
	return w.r;
}
