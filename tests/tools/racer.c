/* racer A B - swaps two names as fast as the kernel does it, until it is killed: what a hostile guest would
 * do to its tree while it is prepared. */
#include <fcntl.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	while (argc == 3 && renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) == 0)
		;
	perror("racer A B");
	return 1;
}
