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
