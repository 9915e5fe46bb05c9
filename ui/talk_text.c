#include "ui/talk_text.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define SHOWN_MAX 1024 /* bytes of a line; what is longer is cut */

void talk_add_shown(struct buf *to, const char *text)
{
	char shown[SHOWN_MAX];

	(void)text_printable(shown, sizeof(shown), text, strlen(text));
	buf_puts(to, shown);
}

void talk_add_doc(struct buf *to, const struct doc *doc)
{
	CLEANUP(buf_done) struct buf line = { 0 };

	for (size_t i = 0; i < doc->n_lines; i++) {
		doc_plain(doc, i, &line);
		talk_add_shown(to, buf_text(&line));
		buf_puts(to, "\n");
	}
}
