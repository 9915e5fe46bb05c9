#include "ui/fuzzy.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define MATCH      16
#define FOLLOWS    22 /* directly behind the match before */
#define WORD_START 20
#define TEXT_START 12 /* on top of WORD_START */
#define GAP        1  /* for each byte left out between two matches, up to GAP_MAX */
#define GAP_MAX    10
#define NEVER      INT16_MIN

static char fold(char c)
{
	return (char)tolower((unsigned char)c);
}

static bool starts_word(const char *text, size_t at)
{
	unsigned char here = (unsigned char)text[at], before;

	if (at == 0)
		return true;
	before = (unsigned char)text[at - 1];
	return (isalnum(here) && !isalnum(before) && before < 0x80) || (isupper(here) && islower(before)) ||
	       (isdigit(here) && isalpha(before));
}

static int bonus(const char *text, size_t at)
{
	return MATCH + (starts_word(text, at) ? WORD_START : 0) + (at == 0 ? TEXT_START : 0);
}

/* best[i][j]: of the first i + 1 letters with the last one at text[j]; from[i][j]: where the one before is.
 */
struct scores {
	int16_t best[FUZZY_PATTERN][FUZZY_TEXT];
	uint8_t from[FUZZY_PATTERN][FUZZY_TEXT];
};

static void fill_row(struct scores *s, size_t i, char letter, const char *text, size_t len)
{
	for (size_t j = 0; j < len; j++) {
		s->best[i][j] = NEVER;
		s->from[i][j] = 0;
		if (fold(text[j]) != letter)
			continue;
		if (i == 0) {
			s->best[i][j] = (int16_t)bonus(text, j);
			continue;
		}
		for (size_t k = 0; k < j; k++) {
			int gap = (int)(j - k - 1), score = s->best[i - 1][k];

			if (score == NEVER)
				continue;
			score += bonus(text, j) + (gap == 0 ? FOLLOWS : 0) -
			         GAP * (gap < GAP_MAX ? gap : GAP_MAX);
			if (score > s->best[i][j]) {
				s->best[i][j] = (int16_t)score;
				s->from[i][j] = (uint8_t)k;
			}
		}
	}
}

int fuzzy_score(const char *pattern, const char *text, uint8_t *ret_at, size_t *ret_n)
{
	char letters[FUZZY_PATTERN];
	struct scores s;
	size_t n = 0, len = strnlen(text, FUZZY_TEXT), last = 0;

	for (; *pattern && n < FUZZY_PATTERN; pattern++)
		if (*pattern != ' ')
			letters[n++] = fold(*pattern);
	if (ret_n)
		*ret_n = n;
	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		fill_row(&s, i, letters[i], text, len);
	for (size_t j = 1; j < len; j++)
		if (s.best[n - 1][j] > s.best[n - 1][last])
			last = j;
	if (len == 0 || s.best[n - 1][last] == NEVER)
		return -1;
	for (size_t i = n, at = last; ret_at && i-- > 0; at = s.from[i][at])
		ret_at[i] = (uint8_t)at;
	return s.best[n - 1][last] < 0 ? 0 : s.best[n - 1][last];
}
