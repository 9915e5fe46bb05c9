#include "decide/hosts.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

void hosts_lines(const struct container *c, struct strs *ret)
{
	static const enum link_key keys[] = { LOCAL4, LOCAL6 };

	for (size_t i = 0; i < COUNT(keys); i++) {
		char address[ADDR_TEXT_SIZE];

		if (!addr_is_set(&c->addr[keys[i]]))
			continue;
		addr_print(&c->addr[keys[i]], false, address);
		strs_addf(ret, "%s %s.containers", address, c->name);
	}
}

static bool starts(const char *line, size_t len, const char *mark)
{
	return len >= strlen(mark) && memcmp(line, mark, strlen(mark)) == 0;
}

/* The block's first byte and the byte behind it; both len when there is none. */
static int find_block(const char *text, size_t len, size_t *ret_begin, size_t *ret_end, struct err *e)
{
	size_t begin = len, end = len, n_begin = 0, n_end = 0, line = 0;

	for (size_t at = 0, size; at < len; at += size) {
		const char *newline = memchr(text + at, '\n', len - at);
		bool is_begin, is_end;

		size = newline ? (size_t)(newline - (text + at)) + 1 : len - at;
		line++;
		is_begin = starts(text + at, size, HOSTS_BEGIN);
		is_end = starts(text + at, size, HOSTS_END);
		if (!is_begin && !is_end)
			continue;
		if (size - (newline ? 1 : 0) != strlen(is_begin ? HOSTS_BEGIN : HOSTS_END))
			return err_set(e, STATUS_DATA, EINVAL,
			               "line %zu is a changed mark; it must be just '%s'", line,
			               is_begin ? HOSTS_BEGIN : HOSTS_END);
		if (is_begin && n_begin++ == 0)
			begin = at;
		if (is_end && n_end++ == 0)
			end = at + size;
	}
	if (n_begin > 1 || n_end > 1)
		return err_set(e, STATUS_DATA, EINVAL,
		               "there is more than one '%s'; leave one block, or none",
		               n_begin > 1 ? HOSTS_BEGIN : HOSTS_END);
	if (n_begin != n_end || (n_begin && end <= begin))
		return err_set(
			e, STATUS_DATA, EINVAL,
			"'%s' and '%s' do not enclose a block; put the missing one back, or remove both",
			HOSTS_BEGIN, HOSTS_END);
	*ret_begin = begin;
	*ret_end = end;
	return 0;
}

int hosts_edit(const char *text, size_t len, const struct strs *lines, struct buf *ret, struct err *e)
{
	size_t begin = 0, end = 0;
	int r = find_block(text, len, &begin, &end, e);

	if (r < 0)
		return r;
	buf_add(ret, text, begin);
	if (lines->n) {
		if (begin && text[begin - 1] != '\n')
			buf_puts(ret, "\n");
		buf_puts(ret, HOSTS_BEGIN "\n");
		for (size_t i = 0; i < lines->n; i++)
			buf_addf(ret, "%s\n", lines->v[i]);
		buf_puts(ret, HOSTS_END "\n");
	}
	buf_add(ret, text + end, len - end);
	return ret->bad || lines->bad ? err_no_memory(e) : 0;
}
