#include "drivers/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* ---- the user */

static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	return syscall(SYS_capset, &head, none) < 0 ? -errno : 0;
}

/* While we still may. */
static int drop_bounding(void)
{
	for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0)
			return -errno;
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ? -errno : 0;
}

int confine_user(uid_t uid, gid_t gid, gid_t group, struct err *e)
{
	int r = drop_bounding();

	if (r >= 0 && setgroups(group == (gid_t)-1 ? 0 : 1, &group) < 0)
		r = -errno;
	if (r >= 0 && (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0))
		r = -errno;
	if (r >= 0)
		r = drop_capabilities();
	if (r >= 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	/* A kernel that let us back would not be one to trust with the rest. */
	if (r >= 0 && (setuid(0) == 0 || geteuid() != uid))
		r = -EPERM;
	return r < 0 ? err_sys(e, -r, "cannot give root's rights up") : 0;
}

/* ---- files */

/* Of newer kernels than the headers we may be built with. */
#define ACCESS_REFER    (1ULL << 13) /* ABI 2 */
#define ACCESS_TRUNCATE (1ULL << 14) /* ABI 3 */
#define SCOPE_SIGNAL    (1ULL << 1)  /* ABI 6 */

#define ACCESS_WRITE LANDLOCK_ACCESS_FS_WRITE_FILE
#define ACCESS_MAKE                                                                                          \
	(LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |     \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |          \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

struct ruleset { /* struct landlock_ruleset_attr as of ABI 6 */
	uint64_t files, ports, scopes;
};

static int allow(int ruleset, const char *path, uint64_t access)
{
	CLEANUP(close_p) int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = { .allowed_access = access, .parent_fd = fd };

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

int confine_files(const char *writable, struct err *e)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t handled =
		ACCESS_WRITE | ACCESS_MAKE | (abi >= 2 ? ACCESS_REFER : 0) | (abi >= 3 ? ACCESS_TRUNCATE : 0);
	struct ruleset attr = { .files = handled, .scopes = SCOPE_SIGNAL };
	CLEANUP(close_p) int fd = -1;
	int r = 0;

	if (abi <= 0)
		return 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr,
	                  abi >= 6 ? sizeof(attr) : offsetof(struct ruleset, ports), 0);
	if (fd < 0)
		return err_sys(e, errno, "cannot limit which files are written");
	r = allow(fd, "/dev/null", ACCESS_WRITE);
	if (r >= 0)
		r = allow(fd, "/dev/tty", ACCESS_WRITE);
	if (r >= 0 && writable)
		r = allow(fd, writable, handled & ~ACCESS_REFER);
	if (r >= 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r >= 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		r = -errno;
	return r < 0 ? err_sys(e, -r, "cannot limit which files are written") : 1;
}

/* ---- system calls */

static const char *const refused[] = {
	/* programs, namespaces, mounts */
	"execve",
	"execveat",
	"setns",
	"unshare",
	"chroot",
	"pivot_root",
	"mount",
	"umount",
	"umount2",
	"move_mount",
	"open_tree",
	"fsopen",
	"fsconfig",
	"fsmount",
	"fspick",
	"mount_setattr",
	"swapon",
	"swapoff",
	/* other processes */
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"process_madvise",
	"pidfd_send_signal",
	"pidfd_getfd",
	"rt_sigqueueinfo",
	"rt_tgsigqueueinfo",
	"kcmp",
	"migrate_pages",
	"move_pages",
	/* the kernel */
	"bpf",
	"perf_event_open",
	"userfaultfd",
	"io_uring_setup",
	"init_module",
	"finit_module",
	"delete_module",
	"kexec_load",
	"kexec_file_load",
	"reboot",
	"syslog",
	"iopl",
	"ioperm",
	"acct",
	"quotactl",
	"open_by_handle_at",
	"add_key",
	"request_key",
	"keyctl",
	"sethostname",
	"setdomainname",
	"settimeofday",
	"clock_settime",
	"clock_adjtime",
	"adjtimex",
	"vhangup",
	"personality",
	/* who we are */
	"setuid",
	"setgid",
	"setreuid",
	"setregid",
	"setresuid",
	"setresgid",
	"setgroups",
	"setfsuid",
	"setfsgid",
	"capset",
	/* files */
	"creat",
	"unlink",
	"rmdir",
	"mkdir",
	"mknod",
	"mknodat",
	"link",
	"linkat",
	"symlink",
	"symlinkat",
	"chmod",
	"fchmod",
	"fchmodat",
	"chown",
	"fchown",
	"lchown",
	"fchownat",
	"truncate",
	"utime",
	"utimes",
	"futimesat",
	"utimensat",
	"setxattr",
	"lsetxattr",
	"fsetxattr",
	"removexattr",
	"lremovexattr",
	"fremovexattr",
	"name_to_handle_at",
	"fallocate",
};

/* Landlock says where these may be; without it, nowhere. */
static const char *const refused_without_landlock[] = {
	"unlinkat", "mkdirat", "rename", "renameat", "renameat2", "ftruncate", "openat2",
};

static int refuse(scmp_filter_ctx f, const char *name, int errnum, unsigned n,
                  const struct scmp_arg_cmp *args)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR) /* younger than the library */
		return 0;
	return seccomp_rule_add_array(f, SCMP_ACT_ERRNO((uint32_t)errnum), number, n, args);
}

static int refuse_all(scmp_filter_ctx f, const char *const *names, size_t n)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = refuse(f, names[i], EPERM, 0, NULL);
	return r;
}

/* What has one of these bits in that argument. */
static int refuse_bits(scmp_filter_ctx f, const char *name, unsigned arg, const uint64_t *bits, size_t n)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = refuse(f, name, EPERM, 1,
		           (struct scmp_arg_cmp[]){ SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, bits[i], bits[i]) });
	return r;
}

static int refuse_sockets(scmp_filter_ctx f)
{
	int r = 0;

	for (uint64_t family = 0; r >= 0 && family < AF_NETLINK; family++)
		if (family != AF_UNIX)
			r = refuse(f, "socket", EAFNOSUPPORT, 1,
			           (struct scmp_arg_cmp[]){ { .op = SCMP_CMP_EQ, .datum_a = family } });
	return r < 0 ? r
	             : refuse(f, "socket", EAFNOSUPPORT, 1,
	                      (struct scmp_arg_cmp[]){ { .op = SCMP_CMP_GT, .datum_a = AF_NETLINK } });
}

static int refuse_typing(scmp_filter_ctx f)
{
	static const uint64_t requests[] = { TIOCSTI, TIOCLINUX, TIOCCONS };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < COUNT(requests); i++)
		r = refuse(f, "ioctl", EPERM, 1,
		           (struct scmp_arg_cmp[]){ SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, requests[i]) });
	return r;
}

static int fill(scmp_filter_ctx f, bool no_writing)
{
	static const uint64_t namespaces[] = { CLONE_NEWNS,  CLONE_NEWUTS, CLONE_NEWIPC,   CLONE_NEWUSER,
		                               CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP };
	static const uint64_t writing[] = { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC };
	static const uint64_t everybody[] = { 0x80000000 }; /* kill(-1), kill(-group) */
	int r = refuse_all(f, refused, COUNT(refused));

	if (r >= 0)
		r = refuse_bits(f, "clone", 0, namespaces, COUNT(namespaces));
	if (r >= 0)
		r = refuse(f, "clone3", ENOSYS, 0,
		           NULL); /* its flags can not be seen; clone is used instead */
	if (r >= 0)
		r = refuse_bits(f, "kill", 0, everybody, COUNT(everybody));
	if (r >= 0)
		r = refuse_sockets(f);
	if (r >= 0)
		r = refuse_typing(f);
	if (!no_writing || r < 0)
		return r;
	r = refuse_all(f, refused_without_landlock, COUNT(refused_without_landlock));
	if (r >= 0)
		r = refuse_bits(f, "open", 1, writing, COUNT(writing));
	return r < 0 ? r : refuse_bits(f, "openat", 2, writing, COUNT(writing));
}

int confine_calls(bool no_writing, struct err *e)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int r = f ? fill(f, no_writing) : -ENOMEM;

	if (r >= 0)
		r = seccomp_load(f); /* sets no_new_privs */
	if (f)
		seccomp_release(f);
	return r < 0 ? err_sys(e, -r, "cannot limit the system calls") : 0;
}
