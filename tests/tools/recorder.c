/* recorder - stands in for systemd-nspawn: writes what it was given to /run/recorded, one thing a line. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_descriptors(FILE *to)
{
	DIR *dir = opendir("/proc/self/fd");

	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.' && atol(entry->d_name) != dirfd(dir) &&
		    atol(entry->d_name) != fileno(to))
			fprintf(to, "fd %s\n", entry->d_name);
	closedir(dir);
}

int main(int argc, char **argv, char **envp)
{
	FILE *to = fopen("/run/recorded", "we");
	char cwd[4096], self[4096] = "";

	if (!to || !getcwd(cwd, sizeof(cwd)) || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	for (int i = 0; i < argc; i++)
		fprintf(to, "arg %s\n", argv[i]);
	for (; *envp; envp++)
		fprintf(to, "env %s\n", *envp);
	fprintf(to, "cwd %s\nexe %s\numask %04o\n", cwd, self, (unsigned)umask(0));
	write_descriptors(to);
	return fclose(to) == 0 ? 0 : 1;
}
