/* racer A B - swaps two names some thousand times a second, until it is killed: what a hostile guest would do to its
 * tree while it is prepared. It rests between two, lest it take the processor from whom it races against. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	while (argc == 3 && renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) == 0)
		(void)usleep(10);
	perror("racer A B");
	return 1;
}
