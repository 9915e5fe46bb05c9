/* envmap SEED - a random environment file on stdout, made of what makes such files hard.
 * envmap FILE   - the map that we read from FILE, as env -0 prints it, sorted; exit 65 when we refuse it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "decide/envfile.h"

static const char *const pieces[] = {
	"A=",
	"B=",
	"C_1=",
	"LONG_NAME=",
	" A =",
	"export A=",
	"1A=",
	"a-b=",
	"=",
	"A",
	"\n",
	"\n",
	"\n",
	"\n\n",
	"\r\n",
	"\r",
	" ",
	"  ",
	"\t",
	"x",
	"y z",
	"é",
	"#",
	";",
	"# comment",
	"; comment \\",
	"\\",
	"\\\n",
	"\\\r\n",
	"\\ ",
	"\\\\",
	"\\\"",
	"\\$",
	"\\x",
	"\"",
	"\"",
	"'",
	"'",
	"\"q w\"",
	"'s t'",
	"\"a\\\"b\"",
	"\"a\\nb\"",
	"\"a\\\nb\"",
	"\"$HOME\"",
	"`id`",
	"%i",
	"\"\"",
	"''",
	"=b",
	"0",
	"10.0.0.1/24",
	"tcp:80:80,udp:1:2",
	"--bind=/a:/b",
};

static void generate(unsigned seed)
{
	size_t n;

	srand(seed);
	n = (size_t)(rand() % 30) + 1;
	for (size_t i = 0; i < n; i++)
		fputs(pieces[(size_t)rand() % COUNT(pieces)], stdout);
	if (rand() % 4)
		putchar('\n');
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int print_map(const char *path)
{
	CLEANUP(envfile_done) struct envfile f = { 0 };
	CLEANUP(free_p) char **lines = NULL;
	static char bytes[65536];
	FILE *file = fopen(path, "re");
	struct err e = { 0 };
	size_t len, n = 0;

	if (!file)
		return 1;
	len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	if (envfile_parse(path, bytes, len, &f, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return 65;
	}
	lines = calloc(f.n + 1, sizeof(*lines));
	for (size_t i = 0; lines && i < f.n; i++)
		if (!f.v[i].ignored && envfile_find(&f, f.v[i].key) == &f.v[i] &&
		    asprintf(&lines[n], "%s=%s", f.v[i].key, f.v[i].value) >= 0)
			n++;
	if (lines)
		qsort(lines, n, sizeof(*lines), compare);
	for (size_t i = 0; lines && i < n; i++) {
		fwrite(lines[i], 1, strlen(lines[i]) + 1, stdout);
		free(lines[i]);
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t seed;

	if (argc != 2)
		return 64;
	if (num_parse(argv[1], 0, UINT32_MAX, &seed) < 0)
		return print_map(argv[1]);
	generate((unsigned)seed);
	return 0;
}
