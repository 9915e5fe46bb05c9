/* unreadable - folders that fail to be read, behind what was read of them: in place of the C library's readdir(). */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

static bool unreadable; /* folders, behind what was read of them */

struct dirent *readdir(DIR *folder)
{
	if (!unreadable)
		return (struct dirent *)(void *)readdir64(folder);
	errno = EIO;
	return NULL;
}
