/* The way back: the options that the files of an import came from. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/subids.h"
#include "decide/virtualisation.h"

/* ---- registries.conf, as it is written here */

static const char *read_string(const char *p, struct buf *ret)
{
	if (*p++ != '"')
		return NULL;
	for (; *p && *p != '"' && *p != '\n'; p++) {
		p += *p == '\\' && p[1];
		buf_add(ret, p, 1);
	}
	return *p == '"' ? p + 1 : NULL;
}

/* ["a", "b"], or one string. What is something else ends the list: it is not ours then, which shows. */
static void read_list(const char *p, struct strs *ret)
{
	const char *next;

	for (p += *p == '['; *p == '"'; p = next + strspn(next, ", ")) {
		CLEANUP(buf_done) struct buf item = { 0 };

		next = read_string(p, &item);
		if (!next)
			return;
		strs_add(ret, buf_text(&item));
		ret->bad |= item.bad;
	}
}

static void read_registries(const char *text, struct virtualisation *v)
{
	static const char search[] = "unqualified-search-registries = ", list[] = "registries = ",
			  at[] = "location = ";
	CLEANUP(strs_done) struct strs location = { 0 };
	struct strs *table = NULL;

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (strncmp(line, "[registries.", 12) == 0)
			table = strncmp(line + 12, "block]", 6) == 0      ? &v->block
			        : strncmp(line + 12, "insecure]", 9) == 0 ? &v->insecure
			                                                  : &v->search;
		else if (strncmp(line, search, sizeof(search) - 1) == 0)
			read_list(line + sizeof(search) - 1, &v->search);
		else if (table && strncmp(line, list, sizeof(list) - 1) == 0)
			read_list(line + sizeof(list) - 1, table);
		else if (strncmp(line, at, sizeof(at) - 1) == 0) {
			strs_done(&location);
			read_list(line + sizeof(at) - 1, &location);
		} else if (strncmp(line, "insecure = true", 15) == 0) {
			strs_add_all(&v->insecure, &location);
		} else if (strncmp(line, "blocked = true", 14) == 0) {
			strs_add_all(&v->block, &location);
		}
	}
}

static bool is_written_so(const struct virtualisation *v, enum registries_format format, const char *text)
{
	CLEANUP(buf_done) struct buf again = { 0 };

	virtualisation_registries(v, format, &again);
	return !again.bad && strcmp(buf_text(&again), text) == 0;
}

/* ---- the rest */

static int read_policy(const char *text, struct virtualisation *v, struct err *e)
{
	json_error_t why;
	json_t *policy;

	if (!*text || strcmp(text, virtualisation_policy(v)) == 0)
		return 0;
	policy = json_loads(text, JSON_REJECT_DUPLICATES, &why);
	if (json_is_object(policy))
		v->policy = json_dumps(policy, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(policy);
	return v->policy ? 0
	                 : err_set(e, STATUS_DATA, EINVAL,
	                           "/etc/containers/policy.json:%d:%d: not a JSON object: %s", why.line,
	                           why.column, why.text);
}

int virtualisation_read(const struct virtualisation_files *files, struct virtualisation *ret,
                        enum registries_format *ret_format, struct err *e)
{
	CLEANUP(virtualisation_done) struct virtualisation v = { .enable = true };
	int r;

	read_registries(files->registries, &v);
	subids_users(files->subuid, files->subgid, &v.users);
	if (v.search.bad || v.insecure.bad || v.block.bad || v.users.bad)
		return err_no_memory(e);
	*ret_format = is_written_so(&v, REGISTRIES_V1, files->registries) ? REGISTRIES_V1 : REGISTRIES_V2;
	if (!is_written_so(&v, *ret_format, files->registries))
		return err_set(e, STATUS_DATA, EINVAL,
		               "/etc/containers/registries.conf is not as import writes it: it may say what "
		               "the module has "
		               "no option for");
	r = read_policy(files->policy, &v, e);
	if (r < 0)
		return r;
	*ret = v;
	v = (struct virtualisation){ 0 };
	return 0;
}

/* ---- as JSON */

static json_t *list(const struct strs *s)
{
	json_t *array = json_array();
	bool bad = !array;

	for (size_t i = 0; i < s->n; i++)
		bad |= json_array_append_new(array, json_string(s->v[i])) < 0;
	if (!bad)
		return array;
	json_decref(array);
	return NULL;
}

int virtualisation_export(const struct virtualisation *v, json_t *document, struct err *e)
{
	json_t *policy = v->policy ? json_loads(v->policy, 0, NULL) : json_object();
	json_t *all = json_pack("{s:{s:b, s:{s:o, s:o, s:o}, s:o, s:o}}", "containers", "enable", v->enable,
	                        "registries", "search", list(&v->search), "insecure", list(&v->insecure),
	                        "block", list(&v->block), "policy", policy, "users", list(&v->users));

	return json_object_set_new(document, "virtualisation", all) < 0 ? err_no_memory(e) : 0;
}
