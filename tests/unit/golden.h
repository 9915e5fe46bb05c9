/* golden - larger results compared with a file that a person reviews: tests/golden/NAME. UPDATE_GOLDEN=1 rewrites. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline void assert_golden(const char *name, const char *text)
{
	static char want[65536];
	char path[256];
	size_t len = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "tests/golden/%s", name);
	if (getenv("UPDATE_GOLDEN")) {
		f = fopen(path, "we");
		assert_non_null(f);
		assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
		assert_int_equal(fclose(f), 0);
		return;
	}
	f = fopen(path, "re");
	if (f) {
		len = fread(want, 1, sizeof(want) - 1, f);
		fclose(f);
	}
	want[len] = '\0';
	if (strcmp(want, text) != 0)
		fail_msg("%s differs (UPDATE_GOLDEN=1 rewrites it, then read the diff)\n--- want\n%s\n--- "
		         "got\n%s",
		         path, want, text);
}
