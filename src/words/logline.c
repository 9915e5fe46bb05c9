#include "words/logline.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void loglines_done(struct loglines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].text);
	free(l->v);
	*l = (struct loglines){ 0 };
}

void loglines_add(struct loglines *l, uint64_t usec, bool from_systemd, const char *text)
{
	struct logline *grown = reallocarray(l->v, l->n + 1, sizeof(*grown));
	char *copy = strdup(text);

	if (grown)
		l->v = grown;
	if (!grown || !copy) {
		free(copy);
		l->bad = true;
		return;
	}
	l->v[l->n++] = (struct logline){ .usec = usec, .from_systemd = from_systemd, .text = copy };
}

/* The length of the CSI sequence at p (ECMA-48 5.4), 0 when none starts there. */
static size_t csi(const char *p, size_t len)
{
	size_t i = 2;

	if (len < 3 || p[0] != '\x1b' || p[1] != '[')
		return 0;
	while (i < len && p[i] >= 0x30 && p[i] <= 0x3f)
		i++;
	while (i < len && p[i] >= 0x20 && p[i] <= 0x2f)
		i++;
	return i < len && p[i] >= 0x40 && p[i] <= 0x7e ? i + 1 : 0;
}

size_t logline_clean(char ret[static LOGLINE_SIZE], const char *raw, size_t len)
{
	char kept[LOGLINE_SIZE];
	size_t n = 0;

	while (len > 0 && strchr("\r\n\t ", raw[len - 1]))
		len--;
	for (size_t i = 0; i < len && n < sizeof(kept);) {
		size_t skip = csi(raw + i, len - i);

		if (skip == 0 && raw[i] == '\t')
			kept[n++] = ' ';
		else if (skip == 0)
			kept[n++] = raw[i];
		i += skip ? skip : 1;
	}
	return text_printable(ret, LOGLINE_SIZE, kept, n);
}

/* What stands at raw, as it is kept in shown; returns the bytes taken of raw, at least 1. */
static size_t next_piece(const char *raw, size_t len, char shown[static 16], size_t *ret_len)
{
	uint32_t code;
	size_t n;

	*ret_len = 0;
	if ((n = csi(raw, len)) > 0)
		return n;
	if (*raw == '\n' || *raw == '\t') {
		shown[(*ret_len)++] = *raw == '\n' ? '\n' : ' ';
		return 1;
	}
	n = text_decode(raw, len, &code);
	*ret_len = text_printable(shown, 16, raw, n > 0 ? n : 1);
	return n > 0 ? n : 1;
}

static size_t plain_run(const char *raw, size_t len)
{
	size_t n = 0;

	while (n < len && raw[n] >= ' ' && raw[n] <= '~')
		n++;
	return n;
}

size_t logline_record(char *ret, size_t size, const char *raw, size_t len)
{
	static const char mark[] = "\xe2\x80\xa6";
	size_t used = 0, room = size - sizeof(mark);

	while (len > 0 && strchr("\r\n\t ", raw[len - 1]))
		len--;
	for (size_t i = 0; i < len;) {
		char shown[16];
		size_t n = plain_run(raw + i, len - i), wanted = n;
		const char *from = raw + i;

		if (n == 0) {
			n = next_piece(raw + i, len - i, shown, &wanted);
			from = shown;
		}
		if (used + wanted > room) {
			size_t fits = from == shown ? 0 : room - used;

			memcpy(ret + used, from, fits);
			used += fits;
			memcpy(ret + used, mark, sizeof(mark) - 1);
			used += sizeof(mark) - 1;
			break;
		}
		memcpy(ret + used, from, wanted);
		used += wanted;
		i += n;
	}
	ret[used] = '\0';
	return used;
}
