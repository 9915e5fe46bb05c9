#include "drivers/loginshell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strs.h"

#define PASSWD_SIZE  65536
#define DEFAULT_PATH "/run/current-system/sw/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct login {
	char home[256], shell[256];
};

/* Whether it takes -c 'exec "$@"' as a POSIX shell does. */
static bool is_posix_shell(const char *path)
{
	static const char *const known[] = { "sh", "bash", "dash", "ash", "zsh", "ksh", "mksh" };
	const char *base = strrchr(path, '/');

	for (size_t i = 0; base && i < COUNT(known); i++)
		if (strcmp(base + 1, known[i]) == 0)
			return true;
	return false;
}

static void find_login(struct login *ret)
{
	CLEANUP(close_p) int fd = open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	static char text[PASSWD_SIZE];
	char *rest = text, *line;
	struct stat st;
	ssize_t n;

	(void)snprintf(ret->home, sizeof(ret->home), "/root");
	(void)snprintf(ret->shell, sizeof(ret->shell), "/bin/sh");
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		char *field[7];

		if (strncmp(line, "root:", 5) != 0)
			continue;
		for (size_t i = 0; i < COUNT(field); i++)
			field[i] = strsep(&line, ":");
		if (field[5] && *field[5] == '/')
			(void)snprintf(ret->home, sizeof(ret->home), "%s", field[5]);
		if (field[6] && is_posix_shell(field[6]))
			(void)snprintf(ret->shell, sizeof(ret->shell), "%s", field[6]);
		return;
	}
}

static bool is_terminal_name(const char *term)
{
	size_t len = term ? strlen(term) : 0;

	return len > 0 && len <= 64 &&
	       strspn(term, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+._-") == len;
}

static void set_environment(const struct login *l, bool terminal)
{
	char term[65] = "";

	if (terminal && is_terminal_name(getenv("TERM")))
		(void)snprintf(term, sizeof(term), "%s", getenv("TERM"));
	clearenv();
	(void)setenv("PATH", DEFAULT_PATH, 1);
	(void)setenv("HOME", l->home, 1);
	(void)setenv("SHELL", l->shell, 1);
	(void)setenv("USER", "root", 1);
	(void)setenv("LOGNAME", "root", 1);
	(void)setenv("LANG", "C.UTF-8", 1);
	if (*term)
		(void)setenv("TERM", term, 1);
}

int loginshell_exec(char *const argv[], bool terminal)
{
	struct strs words = { 0 };
	struct login l;
	int r;

	find_login(&l);
	set_environment(&l, terminal);
	if (chdir(l.home) < 0 && chdir("/") < 0)
		return -errno;
	strs_addf(&words, "-%s", strrchr(l.shell, '/') + 1); /* the dash makes it a login shell */
	if (argv[0]) {
		strs_add(&words, "-c");
		strs_add(&words, "exec \"$@\"");
		strs_add(&words, "machdeck");
	}
	for (size_t i = 0; argv[i]; i++)
		strs_add(&words, argv[i]);
	if (words.bad)
		return -ENOMEM;
	(void)execv(l.shell, words.v);
	if (argv[0])
		(void)execvp(argv[0], argv);
	r = -errno;
	strs_done(&words);
	return r;
}
