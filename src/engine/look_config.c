/* What configures a machine, and what that turns into; its plan. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "drivers/confs.h"
#include "drivers/files.h"
#include "engine/claims.h"
#include "engine/hostlint.h"
#include "engine/load.h"
#include "engine/look_read.h"

#define SETTINGS_MAX 65536 /* bytes of a .nspawn file */

static struct look_file *add_file(struct look_config *c, const char *path)
{
	struct look_file *grown = reallocarray(c->v, c->n + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	c->v = grown;
	grown[c->n] = (struct look_file){ .path = strdup(path) };
	return grown[c->n].path ? &grown[c->n++] : NULL;
}

static void add_lines(struct look_file *f, const struct buf *text)
{
	const char *p = buf_text(text), *end = p + text->len;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((newline ? newline : end) - p);

		strs_add_n(&f->lines, p, len);
		p += len + 1;
	}
}

/* ---- the conf */

/* "FILE:LINE:COLUMN: ..." */
static size_t line_of(const char *file, const char *sentence)
{
	size_t len = strlen(file);

	if (strncmp(sentence, file, len) != 0 || sentence[len] != ':')
		return 0;
	return strtoul(sentence + len + 1, NULL, 10);
}

static bool read_conf(const struct machine *m, struct look_config *ret)
{
	CLEANUP(conf_file_done) struct conf_file conf = { 0 };
	CLEANUP(loaded_done) struct loaded l = { 0 };
	struct look_file *f;
	char hash[17];
	struct err e;
	int r = confs_load("", m->name, &conf, &e);

	if (r == -ENOENT)
		return true;
	f = add_file(ret, r < 0 ? m->name : conf.path);
	if (!f)
		return false;
	if (r < 0) {
		f->problem = strdup(e.text);
		return f->problem;
	}
	if (conf.leads_to && asprintf(&f->note, "declared elsewhere, it leads to %s", conf.leads_to) < 0)
		return f->note = NULL, false;
	add_lines(f, &conf.text);
	r = load_plan("", m->name, &l, &e);
	if (r < 0) {
		f->problem = strdup(e.text);
		f->bad_line = line_of(conf.path, e.text);
	}
	strs_add_all(&ret->warnings, &l.warnings);
	if (r >= 0)
		(void)hostlint_one(&l.container, m, &ret->warnings, NULL); /* out of memory: warnings.bad */
	ret->was_started = r >= 0 && claims_conf_hash("", m->name, hash);
	ret->changed = ret->was_started && strcmp(hash, l.hash) != 0;
	r = origins_find(conf.path, m->name, buf_text(&conf.text), conf.text.len, &l.facts, &f->origins, &e);
	return r != -ENOMEM && !f->lines.bad && !ret->warnings.bad;
}

/* ---- the .nspawn file, which systemd-nspawn looks for by the machine's name (facts 9, systemd.nspawn(5)) */

static bool read_settings(const struct machine *m, struct look_config *ret)
{
	static const struct {
		const char *folder, *note;
	} places[] = {
		{ "/etc/systemd/nspawn", NULL },
		{ "/run/systemd/nspawn", NULL },
		{ "/var/lib/machines",
		  "not trusted: Bind=, Port= and what else reaches the host is ignored" },
	};

	for (size_t i = 0; i < COUNT(places); i++) {
		CLEANUP(free_p) char *path = NULL;
		CLEANUP(buf_done) struct buf text = { 0 };
		struct look_file *f;
		struct err e;
		int r;

		if (asprintf(&path, "%s/%s.nspawn", places[i].folder, m->name) < 0) {
			path = NULL;
			return false;
		}
		r = files_read("", path, SETTINGS_MAX, &text, NULL, &e);
		if (r == -ENOENT || r == -ELOOP || (r == -EACCES && m->kind == MACHINE_CONTAINER))
			continue;
		f = add_file(ret, path);
		if (!f)
			return false;
		if (r < 0)
			f->problem = strdup(e.text);
		add_lines(f, &text);
		f->note = places[i].note ? strdup(places[i].note) : NULL;
		return !f->lines.bad && (r >= 0 || f->problem);
	}
	return true;
}

static const char *why_none(const struct machine *m)
{
	switch (m->kind) {
	case MACHINE_CONTAINER:
		return "there is no conf: it starts with defaults";
	case MACHINE_NSPAWN:
	case MACHINE_IMAGE:
		return "there is no .nspawn file: systemd-nspawn@.service has its defaults (--boot, a "
		       "network of "
		       "its own, "
		       "users of its own)";
	case MACHINE_VM:
		return "a virtual machine: who runs it knows its configuration";
	case MACHINE_OTHER:
		break;
	}
	return "somebody else registered it, and knows its configuration";
}

bool look_read_config(const struct machine *m, struct look_config *ret)
{
	bool is_ours = m->kind == MACHINE_CONTAINER;

	if (is_ours && !read_conf(m, ret))
		return false;
	if (m->kind != MACHINE_VM && m->kind != MACHINE_OTHER && !read_settings(m, ret))
		return false;
	if (is_ours && ret->n > 0 && !strstr(ret->v[ret->n - 1].path, ".conf") && !ret->v[ret->n - 1].note)
		ret->v[ret->n - 1].note = strdup("systemd-nspawn adds it to the conf");
	if (ret->n == 0)
		ret->note = strdup(why_none(m));
	return ret->n > 0 || ret->note;
}

bool look_read_plan(const struct machine *m, struct look_plan *ret)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e;

	if (m->kind != MACHINE_CONTAINER) {
		ret->problem = strdup("only containers with a conf are started by a plan of ours");
		return ret->problem;
	}
	if (load_plan("", m->name, &l, &e) < 0) {
		ret->problem = strdup(e.text);
		return ret->problem;
	}
	plan_preview(&l.plan, LIBEXECDIR "/machdeck-init", &text);
	ret->text = text.bad ? NULL : take_p(&text.p);
	return ret->text;
}

/* ---- the processes */

static const struct process *find_process(const struct proctree *t, const struct process *p)
{
	for (size_t i = 0; i < t->n_processes; i++)
		if (t->processes[i].pid == p->pid && t->processes[i].cpu_usec != STATS_UNKNOWN)
			return &t->processes[i];
	return NULL;
}

/* Both are in the order of cgroups and pids, so most are found where they were. */
static float used_since(const struct look_processes *before, size_t at, const struct process *p,
                        uint64_t passed)
{
	const struct proctree *t = &before->tree;
	const struct process *was = at < t->n_processes && t->processes[at].pid == p->pid
	                                    ? &t->processes[at]
	                                    : find_process(t, p);

	if (!was || passed == 0 || p->cpu_usec == STATS_UNKNOWN || was->cpu_usec == STATS_UNKNOWN ||
	    p->cpu_usec < was->cpu_usec)
		return NAN;
	return (float)(p->cpu_usec - was->cpu_usec) * 100 / (float)passed;
}

bool look_read_processes(const struct machine *m, const struct cgroupfs *fs,
                         const struct look_processes *before, struct look_processes *ret)
{
	struct err e;

	ret->at_usec = clock_usec(CLOCK_MONOTONIC);
	if (!m->cgroup || !fs) {
		ret->problem = strdup(!look_can_run(m) ? "it does not run" : "its cgroup is not known");
		return ret->problem;
	}
	if (cgroup_processes(fs, m->cgroup, &ret->tree, &e) < 0) {
		ret->problem = strdup(look_can_run(m) ? e.text : "it does not run");
		return ret->problem;
	}
	ret->cpu = calloc(ret->tree.n_processes + 1, sizeof(*ret->cpu));
	for (size_t i = 0; ret->cpu && i < ret->tree.n_processes; i++)
		ret->cpu[i] = used_since(before, i, &ret->tree.processes[i],
		                         before->at_usec ? ret->at_usec - before->at_usec : 0);
	return ret->cpu;
}
