#include "decide/sshkey.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static size_t span(const char *text, size_t len, const char *of)
{
	size_t n = 0;

	while (n < len && text[n] && strchr(of, text[n]))
		n++;
	return n;
}

static bool names_type(const char *text, size_t len)
{
	static const char *const families[] = { "ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-" };

	for (size_t i = 0; i < COUNT(families); i++)
		if (len > strlen(families[i]) && memcmp(text, families[i], strlen(families[i])) == 0)
			return true;
	return false;
}

static bool is_visible(const char *text, size_t len)
{
	while (len > 0) {
		uint32_t code;
		size_t n = text_decode(text, len, &code);

		if (n == 0 || text_width(code) == 0)
			return false;
		text += n;
		len -= n;
	}
	return true;
}

size_t sshkey_line(const char *text, size_t len)
{
	static const char types[] = "abcdefghijklmnopqrstuvwxyz0123456789-@.";
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
	const char *end = memchr(text, '\n', len);
	size_t line = end ? (size_t)(end - text) : len;
	size_t type = span(text, line, types), blob;

	if (!names_type(text, type) || type == line || text[type] != ' ')
		return 0;
	blob = span(text + type + 1, line - type - 1, base64);
	if (blob == 0 || (type + 1 + blob < line && text[type + 1 + blob] != ' '))
		return 0;
	return is_visible(text, line) ? line : 0;
}
