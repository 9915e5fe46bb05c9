#include "drivers/journal_child.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/child.h"

enum { READER_DONE, READER_FAILED, READER_DENIED }; /* how the child ends */

/* ---- the child */

const char *journal_field(sd_journal *j, const char *name, size_t *ret_len)
{
	size_t skip = strlen(name) + 1;
	const void *data;
	size_t len;

	if (sd_journal_get_data(j, name, &data, &len) < 0 || len < skip)
		return NULL;
	*ret_len = len - skip;
	return (const char *)data + skip;
}

void journal_match(sd_journal *j, const char *key, const char *value)
{
	char text[300];

	(void)snprintf(text, sizeof(text), "%s=%s", key, value);
	(void)sd_journal_add_match(j, text, 0);
}

struct question {
	journal_look_fn *look;
	const void *of;
};

static int run(int out, void *arg)
{
	const struct question *q = arg;
	FILE *f = fdopen(out, "w");
	sd_journal *j;

	if (!f || sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY) < 0)
		return READER_FAILED;
	if (sd_journal_has_persistent_files(j) <= 0 && sd_journal_has_runtime_files(j) <= 0)
		return READER_DENIED;
	return q->look(j, f, q->of) == 0 && fflush(f) == 0 ? READER_DONE : READER_FAILED;
}

/* ---- the parent */

struct journal_child {
	journal_answer_fn *answered;
	void *arg;
	struct child *child;
};

void journal_child_cancel(struct journal_child *c)
{
	if (!c)
		return;
	child_cancel(c->child);
	free(c);
}

static int judge(int r, const struct err *how, struct err *e)
{
	switch (r) {
	case READER_DONE:
		return 0;
	case READER_DENIED:
		return err_set(e, STATUS_NOT_PERMITTED, EACCES,
		               "the journal can not be read (run as root, or join the "
		               "group systemd-journal)");
	case READER_FAILED:
		return err_set(e, STATUS_IO, EIO, "the journal can not be opened");
	case -EIO:
		return err_set(e, STATUS_IO, EIO, "%s (was a journal file truncated?)", how->text);
	case -ETIMEDOUT:
		return err_set(e, STATUS_DEADLINE, ETIMEDOUT, "the journal could not be read within 2 s");
	}
	*e = *how;
	return r < 0 ? r : -EIO;
}

static void on_end(int r, char *text, size_t len, const struct err *how, void *arg)
{
	struct journal_child *c = arg;
	struct err e = { 0 };

	(void)len;
	r = judge(r, how, &e);
	if (r < 0)
		*text = '\0';
	c->child = NULL;
	c->answered(r, text, &e, c->arg);
	free(c);
}

int journal_child_ask(sd_event *loop, journal_look_fn *look, const void *question, size_t max,
                      journal_answer_fn *answered, void *arg, struct journal_child **ret, struct err *e)
{
	struct question q = { .look = look, .of = question };
	struct journal_child *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_no_memory(e);
	*c = (struct journal_child){ .answered = answered, .arg = arg };
	r = child_start(loop, "the journal's reader", run, &q, JOURNAL_CHILD_USEC, max, on_end, c, &c->child,
	                e);
	if (r < 0) {
		free(c);
		return r;
	}
	*ret = c;
	return 0;
}
