#include "drivers/idlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/files.h"

#define LEAF    ".pwd.lock"
#define WAIT_MS 15000
#define STEP_MS 20

/* One of the open file: it conflicts with those of processes, which lckpwdf() takes (fcntl(2)). */
static bool is_locked(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

int idlock_take(const char *host_root, struct idlock *ret, struct err *e)
{
	CLEANUP(close_p) int etc = -1;
	CLEANUP(close_p) int fd = -1;
	int r = gate_ask(e, "cannot lock /etc/" LEAF);

	if (r == 0)
		r = files_mkdir(host_root, "/etc", 0755, &etc, e);
	if (r < 0)
		return r;
	fd = openat(etc, LEAF, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, errno, "cannot lock /etc/" LEAF);
	for (int waited = 0; !is_locked(fd); waited += STEP_MS) {
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return err_sys(e, errno, "cannot lock /etc/" LEAF);
		if (waited >= WAIT_MS)
			return err_set(e, STATUS_BUSY, EBUSY,
			               "somebody else changes users (useradd, vipw, ...): /etc/" LEAF
			               " has been held for "
			               "%d s",
			               WAIT_MS / 1000);
		(void)nanosleep(&(struct timespec){ .tv_nsec = STEP_MS * 1000000 }, NULL);
	}
	ret->fd = take_fd(&fd);
	return 0;
}

void idlock_done(struct idlock *l)
{
	close_p(&l->fd);
	l->fd = -1;
}
