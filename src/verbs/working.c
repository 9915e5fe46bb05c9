#include "verbs/working.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/snapshots.h"
#include "verbs/verbs.h"
#include "words/name.h"

static volatile sig_atomic_t asked_to_stop;
static bool plain_lines, drawn;

static void on_signal(int signal)
{
	(void)signal;
	asked_to_stop = 1;
}

static bool stopped(void *arg)
{
	(void)arg;
	return asked_to_stop;
}

static void say(const char *text, void *arg)
{
	struct winsize size = { 0 };

	(void)arg;
	if (plain_lines) {
		fprintf(stderr, "progress: %s\n", text);
		return;
	}
	(void)ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
	fprintf(stderr, "\r\033[K%.*s", size.ws_col > 1 ? size.ws_col - 1 : 79, text);
	fflush(stderr);
	drawn = true;
}

/* What is ignored stays so: nohup(1). A person's second Ctrl-C ends it at once; a program that ends sends more than one
 * signal, by itself and by its death (PR_SET_PDEATHSIG), and means the first. */
static void catch (int signal)
{
	struct sigaction action = { .sa_handler = on_signal,
		                    .sa_flags = plain_lines ? 0 : (int)SA_RESETHAND },
			 old;

	if (sigaction(signal, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		(void)sigaction(signal, &action, NULL);
}

const struct progress *working_progress(bool plain)
{
	static struct progress progress = { .stopped = stopped };

	plain_lines = plain;
	catch (SIGINT);
	catch (SIGTERM);
	catch (SIGHUP);
	if (plain) /* who reads the lines may be gone, and there is something to undo */
		(void)signal(SIGPIPE, SIG_IGN);
	progress.say = plain || isatty(STDERR_FILENO) ? say : NULL;
	return &progress;
}

void working_done(void)
{
	if (drawn)
		fputs("\r\033[K", stderr);
	drawn = false;
}

int working_keep(const char *name, const char *what)
{
	char kept[NAME_MACHINE_MAX + 1];
	struct err e = { 0 };

	if (snapshots_take_before(name, what, NULL, kept, &e) < 0)
		return verb_fail(&e);
	fprintf(stderr, "machdeck: %s: snapshot %s (machdeck restore %s %s goes back)\n", name, kept, name,
	        kept);
	return STATUS_DONE;
}

bool working_confirm(const char *name, const char *question)
{
	char line[NAME_MACHINE_MAX + 8];

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		fprintf(stderr,
		        "machdeck: it asks for the name on a terminal; scripts give --yes or --name %s\n",
		        name);
		return false;
	}
	fprintf(stderr, "%s\nType the name to go on: ", question);
	fflush(stderr);
	if (!fgets(line, sizeof(line), stdin))
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, name) == 0)
		return true;
	fprintf(stderr, "machdeck: that is not its name: nothing is changed\n");
	return false;
}
