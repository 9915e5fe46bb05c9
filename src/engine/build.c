#include "engine/build.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "decide/envfile.h"
#include "drivers/files.h"
#include "drivers/program.h"
#include "drivers/rootfs.h"
#include "drivers/subvolume.h"
#include "drivers/treecopy.h"
#include "drivers/wipe.h"
#include "engine/overlay.h"

#define IMAGES         "/var/lib/machines"
#define OS_MAX         65536
#define SILENT_LIMIT_S 1800
#define EVAL_LIMIT_S   60
#define PATH_SIZE      512
#define CHANNELS       "/nix/var/nix/profiles/per-user/root/channels"
#define ID_MAX         64
#define ID_DIGITS      32
#define HOSTNAME_MAX   256

const char *built_word(enum built how)
{
	static const char *const words[] = {
		[BUILT_NEW] = "made",
		[BUILT_SNAPSHOT] = "a btrfs snapshot",
		[BUILT_SHARED] = "a copy that shares blocks",
		[BUILT_COPIED] = "a full copy",
		[BUILT_OVERLAY] = "an overlay",
	};

	return words[how];
}

static void path_of(const struct places *p, const char *leaf, char ret[static PATH_SIZE])
{
	(void)snprintf(ret, PATH_SIZE, "%s/%s", p->roots, leaf);
}

static void profile_of(const struct places *p, char ret[static PATH_SIZE])
{
	(void)snprintf(ret, PATH_SIZE, PLACES_PROFILES "/%s/system", p->name);
}

/* ---- commands */

static int bootstrap_words(const struct build *b, const char *target, struct strs *ret, struct err *e)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(envfile_done) struct envfile os = { 0 };
	const struct env_entry *id = NULL, *suite = NULL;

	if (files_read("", "/etc/os-release", OS_MAX, &text, NULL, NULL) >= 0 &&
	    envfile_parse("os-release", buf_text(&text), text.len, &os, NULL) >= 0) {
		id = envfile_find(&os, "ID");
		suite = envfile_find(&os, "VERSION_CODENAME");
		suite = suite ? suite : envfile_find(&os, "VERSION_ID");
	}
	return recipe_bootstrap(&b->bootstrap, target, id ? id->value : NULL, suite ? suite->value : NULL,
	                        ret, e);
}

static int find_tree(const char *path, const char *what, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(e, STATUS_NO_CONTAINER, errno, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return err_set(e, STATUS_USAGE, ENOTDIR, "%s is not a folder, but %s is one", path, what);
	return 0;
}

/* 1: it is a disk's, a file. */
static int find_image(const char *name, char ret[static PATH_SIZE], struct err *e)
{
	if (!name_is_machine(name))
		return err_set(e, STATUS_USAGE, EINVAL, "'%s' can not be the name of an image", name);
	(void)snprintf(ret, PATH_SIZE, IMAGES "/%.*s.raw", NAME_MACHINE_MAX, name);
	if (access(ret, F_OK) == 0)
		return 1;
	(void)snprintf(ret, PATH_SIZE, IMAGES "/%.*s", NAME_MACHINE_MAX, name);
	return find_tree(ret, "an image", e);
}

static int words_of(const struct build *b, const struct places *p, const char *target, struct strs *ret,
                    struct err *e)
{
	char profile[PATH_SIZE], configuration[PATH_SIZE + 32], image[PATH_SIZE];
	int r;

	switch (b->source) {
	case BUILD_BOOTSTRAP:
		return bootstrap_words(b, target, ret, e);
	case BUILD_TARBALL:
		recipe_untar(b->from, target, ret);
		break;
	case BUILD_NIX:
		profile_of(p, profile);
		(void)snprintf(configuration, sizeof(configuration), "%s/etc/nixos/configuration.nix",
		               target);
		recipe_nix_set(&b->nix, profile, configuration, "RESULT", ret);
		break;
	case BUILD_IMAGE:
		r = find_image(b->from, image, e);
		if (r < 0)
			return r;
		if (r == 1)
			recipe_dissect(image, target, ret);
		break;
	case BUILD_ADOPT:
	case BUILD_TREE:
	case BUILD_EMPTY:
	case BUILD_OVERLAY:
		break;
	}
	return ret->bad ? err_no_memory(e) : 0;
}

static void add_line(const struct strs *words, struct strs *ret)
{
	CLEANUP(free_p) char *line = strs_join(words, " ");

	ret->bad |= words->n > 0 && !line;
	if (words->n > 0 && line)
		strs_add(ret, line);
}

int build_commands(const struct build *b, const struct places *p, struct strs *ret, struct err *e)
{
	CLEANUP(strs_done) struct strs words = { 0 };
	CLEANUP(strs_done) struct strs before = { 0 };
	int r = words_of(b, p, p->root, &words, e);

	if (r < 0)
		return r;
	if (b->source == BUILD_NIX)
		recipe_nix_build(&b->nix, "RESULT", &before);
	add_line(&before, ret);
	add_line(&words, ret);
	return ret->bad || before.bad ? err_no_memory(e) : 0;
}

int build_nix_module(const char *file, struct buf *ret, struct err *e)
{
	char path[PATH_MAX];

	if (!realpath(file, path))
		return err_set(e, errno == ENOENT ? STATUS_NO_CONTAINER : err_status_of(errno), errno,
		               "%s: %s", file, strerror(errno));
	recipe_nix_import(path, ret);
	return ret->bad ? err_no_memory(e) : 0;
}

/* Links in its way are resolved, for Nix asks where a file really is. */
static void add_folder(const char *name, const char *folder, struct strs *ret)
{
	char real[PATH_MAX];

	if (realpath(folder, real) && (*name || !strchr(real, '=')))
		strs_addf(ret, "%s%s%s", name, *name ? "=" : "", real);
}

/* What <NAME> means: of NIX_PATH what is on this host, else root's channels. */
static void add_nix_path(struct strs *ret)
{
	const char *path = getenv("NIX_PATH");
	CLEANUP(strs_done) struct strs elements = { 0 };

	strs_split(&elements,
	           path ? path : "nixpkgs=" CHANNELS "/nixpkgs:nixpkgs=" CHANNELS "/nixos:" CHANNELS, ":");
	for (size_t i = 0; i < elements.n; i++) {
		char *sign = strchr(elements.v[i], '=');

		if (sign)
			*sign = '\0';
		if ((sign ? sign[1] : elements.v[i][0]) == '/')
			add_folder(sign ? elements.v[i] : "", sign ? sign + 1 : elements.v[i], ret);
	}
	ret->bad |= elements.bad;
}

int build_nix_eval(const char *file, const char *text, const struct strs *folders, size_t max,
                   struct buf *ret, struct err *e)
{
	CLEANUP(strs_done) struct strs words = { 0 }, readable = { 0 };
	const struct program program = {
		.argv = &words,
		.only_writes = geteuid() == 0 ? "" : NULL,
		.remedy = "install nix-bin, or import the JSON that it prints elsewhere",
		.limit_s = EVAL_LIMIT_S,
		.folder = ".",
		.answer = ret,
		.answer_max = max
	};
	char path[PATH_MAX], folder[PATH_MAX];
	int r;

	if (file && !realpath(file, path))
		return err_set(e, errno == ENOENT ? STATUS_NO_CONTAINER : err_status_of(errno), errno,
		               "%s: %s", file, strerror(errno));
	(void)snprintf(folder, sizeof(folder), "%.*s/", file ? (int)(strrchr(path, '/') - path) : 1,
	               file ? path : ".");
	add_folder("here", folder, &readable);
	for (size_t i = 0; i < folders->n; i++)
		add_folder("here", folders->v[i], &readable);
	add_nix_path(&readable);
	recipe_nix_eval(file ? path : NULL, text, &readable, &words);
	if (words.bad || readable.bad)
		return err_no_memory(e);
	r = program_run(&program, NULL, e);
	if (r == -EIO)
		e->status = STATUS_DATA;
	if (r == 0 && ret->bad)
		return err_no_memory(e);
	if (r < 0)
		r = err_wrap(e, r, "cannot evaluate %s", file ? file : "the expression");
	if (r == -EIO && strstr(e->text, "restricted mode")) {
		struct err why = *e;

		return err_set(e, why.status, EIO, "%s (--include FOLDER lets it be read)", why.text);
	}
	return r;
}

/* ---- before */

static int find_program(const char *name, const char *package, struct err *e)
{
	CLEANUP(free_p) char *file = NULL;
	int r = program_find(name, &file, e);

	return r != -ENOENT ? r
	                    : err_set(e, STATUS_NO_CONTAINER, ENOENT, "%s is not on this host (install %s)",
	                              name, package);
}

static int find_readable(const char *path, struct err *e)
{
	return access(path, R_OK) < 0
	               ? err_set(e, STATUS_NO_CONTAINER, errno, "%s: %s", path, strerror(errno))
	               : 0;
}

int build_check(const struct build *b, const struct places *p, struct err *e)
{
	CLEANUP(strs_done) struct strs words = { 0 };
	enum distribution d = b->bootstrap.distribution;
	char path[PATH_SIZE];
	int r;

	switch (b->source) {
	case BUILD_ADOPT:
		return find_tree(p->root, "a root", e);
	case BUILD_TREE:
	case BUILD_OVERLAY:
		return find_tree(b->from, "a tree", e);
	case BUILD_IMAGE:
		r = find_image(b->from, path, e);
		return r == 1 ? find_program("systemd-dissect", "systemd-container", e) : r;
	case BUILD_TARBALL:
		r = find_readable(b->from, e);
		return r < 0 ? r : find_program("tar", "tar", e);
	case BUILD_BOOTSTRAP:
		r = bootstrap_words(b, "/", &words, e);
		return r < 0 ? r : find_program(distribution_program(d), distribution_package(d), e);
	case BUILD_NIX:
		r = find_program("nix-env", "Nix", e);
		return r < 0 || !b->nix.flake ? r : find_program("nix", "Nix", e);
	case BUILD_EMPTY:
		return b->from ? find_readable(b->from, e) : 0;
	}
	return 0;
}

/* ---- making */

static int make_empty(int roots, const char *leaf, const char *path, struct err *e)
{
	int r = subvolume_make(roots, leaf, 0755);

	return r < 0 ? err_sys(e, -r, "cannot make %s", path) : 0;
}

static int copy_tree(const char *from, bool live, int roots, const char *leaf, const char *path,
                     const struct progress *progress, enum built *ret_how, struct err *e)
{
	CLEANUP(rootfs_done) struct rootfs t = { .fd = -1, .path = strdup(from) };
	CLEANUP(close_p) int to = -1;
	struct treecopied done;
	int r;

	t.fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!t.path)
		return err_no_memory(e);
	if (t.fd < 0)
		return err_sys(e, errno, "cannot open %s", from);
	r = live ? 0 : rootfs_lock_shared(&t, e);
	if (r < 0)
		return r;
	*ret_how = BUILT_SNAPSHOT;
	if (subvolume_snapshot(t.fd, roots, leaf, false) == 0)
		return 0;
	progress_say(progress, "%s is copied", from);
	r = make_empty(roots, leaf, path, e);
	if (r < 0)
		return r;
	to = openat(roots, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return err_sys(e, errno, "cannot open %s", path);
	r = treecopy(t.fd, to, from, TREECOPY_SHARE_OR_COPY, progress, &done, e);
	*ret_how = r == 0 && done.shared ? BUILT_SHARED : BUILT_COPIED;
	return r;
}

static int run_words(const struct strs *words, const char *only_writes, const struct progress *progress,
                     struct err *e)
{
	const struct program program = { .argv = words,
		                         .only_writes = only_writes,
		                         .limit_s = SILENT_LIMIT_S };

	return program_run(&program, progress, e);
}

/* What was unpacked is root's: its own folder has whatever mode the archive says. */
static int own_top(int roots, const char *leaf, struct err *e)
{
	CLEANUP(close_p) int fd = openat(roots, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fchown(fd, 0, 0) < 0 || fchmod(fd, 0755) < 0)
		return err_sys(e, errno, "cannot make %s root's", leaf);
	return 0;
}

static int run_builder(const struct build *b, const struct places *p, int roots, const char *leaf,
                       const char *path, const struct progress *progress, struct err *e)
{
	CLEANUP(strs_done) struct strs words = { 0 };
	int r = make_empty(roots, leaf, path, e);

	if (r == 0)
		r = words_of(b, p, path, &words, e);
	if (r == 0)
		r = run_words(&words, b->source == BUILD_TARBALL ? path : NULL, progress, e);
	return r < 0 ? r : own_top(roots, leaf, e);
}

int build_configuration(const struct places *p, const char *path, const char *nix_config, struct err *e)
{
	CLEANUP(rootfs_done) struct rootfs t = { .fd = -1 };
	CLEANUP(buf_done) struct buf text = { 0 };
	int r;

	if (!nix_config)
		return 0;
	recipe_nix_configuration(p->name, nix_config, &text);
	if (text.bad)
		return err_no_memory(e);
	r = rootfs_open(path, ROOTFS_REFUSE, 0, &t, e);
	if (r == 0)
		r = rootfs_mkdir(&t, "etc/nixos", 0755, e);
	return r < 0 ? r : rootfs_put(&t, "etc/nixos/configuration.nix", 0644, buf_text(&text), text.len, e);
}

/* A flake is built first, and what its link leads to becomes the profile. */
static int build_flake(const struct nix_source *s, const char *link, const struct progress *progress,
                       char **ret, struct err *e)
{
	CLEANUP(strs_done) struct strs words = { 0 };
	char target[PATH_SIZE];
	ssize_t len;
	int r;

	recipe_nix_build(s, link, &words);
	if (words.n == 0)
		return 0;
	r = run_words(&words, NULL, progress, e);
	if (r < 0)
		return r;
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		return err_set(e, STATUS_FAILED, errno, "nix built nothing from %s", s->flake);
	target[len] = '\0';
	(void)unlink(link);
	*ret = strdup(target);
	return *ret ? 0 : err_no_memory(e);
}

int build_profile(const struct nix_source *s, const struct places *p, const char *configuration,
                  const char *link, const struct progress *progress, struct err *e)
{
	CLEANUP(strs_done) struct strs words = { 0 };
	CLEANUP(free_p) char *built = NULL;
	CLEANUP(close_p) int above = -1;
	CLEANUP(close_p) int own = -1;
	char profile[PATH_SIZE];
	int r = files_mkdir("", PLACES_PROFILES, 0700, &above, e);

	(void)snprintf(profile, sizeof(profile), PLACES_PROFILES "/%s", p->name);
	if (r == 0)
		r = files_mkdir("", profile, 0755, &own, e);
	if (r == 0)
		r = build_flake(s, link, progress, &built, e);
	if (r < 0)
		return r;
	profile_of(p, profile);
	recipe_nix_set(s, profile, configuration, built, &words);
	return words.bad ? err_no_memory(e) : run_words(&words, NULL, progress, e);
}

static int make_nix(const struct build *b, const struct places *p, int roots, const char *leaf,
                    const char *path, const struct progress *progress, struct err *e)
{
	char configuration[PATH_SIZE + 32], link[PATH_SIZE + 16];
	int r = make_empty(roots, leaf, path, e);

	if (r == 0)
		r = build_configuration(p, path, b->nix_config, e);
	(void)snprintf(configuration, sizeof(configuration), "%s/etc/nixos/configuration.nix", path);
	(void)snprintf(link, sizeof(link), "%s/.result", path);
	return r < 0 ? r : build_profile(&b->nix, p, configuration, link, progress, e);
}

static bool has(const struct rootfs *t, const char *path)
{
	struct stat st;
	int fd = rootfs_open_dir(t, path);

	if (fd >= 0)
		close(fd);
	/* A link in the tree leads to where the host has nothing to do with; that it is there is enough. */
	return fd >= 0 || fstatat(t->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A tree that systemd-nspawn would take, and something to start in it. */
static int look_at_tree(const char *path, struct strs *warnings, struct err *e)
{
	static const char *const inits[] = { "sbin", "usr/sbin", "usr/lib/systemd", "lib/systemd" };
	CLEANUP(rootfs_done) struct rootfs t = { .fd = -1 };
	bool found = false;
	int r = rootfs_open(path, ROOTFS_REFUSE, 0, &t, e);

	if (r < 0)
		return r;
	if (!has(&t, "usr"))
		return err_set(e, STATUS_DATA, ENOENT,
		               "there is no usr in it: that is not the tree of a system");
	for (size_t i = 0; !found && i < COUNT(inits); i++) {
		CLEANUP(close_p) int dir = rootfs_open_dir(&t, inits[i]);
		struct stat st;

		found = dir >= 0 && (fstatat(dir, "init", &st, AT_SYMLINK_NOFOLLOW) == 0 ||
		                     fstatat(dir, "systemd", &st, AT_SYMLINK_NOFOLLOW) == 0);
	}
	if (!found)
		strs_add(warnings, "there is no /sbin/init in its tree: name what is to run with --init");
	return 0;
}

static int make(const struct build *b, const struct places *p, int roots, const char *leaf, const char *path,
                const struct progress *progress, enum built *ret_how, struct err *e)
{
	char image[PATH_SIZE];
	int r;

	switch (b->source) {
	case BUILD_ADOPT:
		return 0;
	case BUILD_TREE:
		return copy_tree(b->from, b->live, roots, leaf, path, progress, ret_how, e);
	case BUILD_IMAGE:
		r = find_image(b->from, image, e);
		return r < 0    ? r
		       : r == 1 ? run_builder(b, p, roots, leaf, path, progress, e)
		                : copy_tree(image, false, roots, leaf, path, progress, ret_how, e);
	case BUILD_TARBALL:
	case BUILD_BOOTSTRAP:
		return run_builder(b, p, roots, leaf, path, progress, e);
	case BUILD_EMPTY:
		return make_empty(roots, leaf, path, e);
	case BUILD_OVERLAY:
		*ret_how = BUILT_OVERLAY;
		r = overlay_make(p, b->twin_of, e);
		return r < 0 ? r : make_empty(roots, leaf, path, e);
	case BUILD_NIX:
		return make_nix(b, p, roots, leaf, path, progress, e);
	}
	return -EINVAL;
}

static bool is_tree(const struct build *b)
{
	return b->source != BUILD_EMPTY && b->source != BUILD_OVERLAY && b->source != BUILD_NIX &&
	       !b->no_system;
}

/* Two machines of one ID would write the same journal; an empty one is filled at the first boot. A tree of which several are made
 * has one when it was booted, or installed by debootstrap. */
static int part_id(const struct rootfs *t, struct err *e)
{
	CLEANUP(buf_done) struct buf id = { 0 };

	if (rootfs_read(t, "etc/machine-id", ID_MAX, &id, NULL) < 0 ||
	    strspn(buf_text(&id), "0123456789abcdef") != ID_DIGITS)
		return 0;
	return rootfs_put(t, "etc/machine-id", 0444, "", 0, e);
}

int build_part(const struct rootfs *t, const char *name, const char *twin_of, struct err *e)
{
	CLEANUP(buf_done) struct buf host = { 0 };
	char line[NAME_MACHINE_MAX + 2];
	int r = part_id(t, e);

	(void)snprintf(line, sizeof(line), "%.*s\n", NAME_MACHINE_MAX, name);
	if (r == 0 && rootfs_read(t, "etc/hostname", HOSTNAME_MAX, &host, NULL) >= 0 &&
	    strcspn(buf_text(&host), "\n") == strlen(twin_of) &&
	    strncmp(buf_text(&host), twin_of, strlen(twin_of)) == 0)
		r = rootfs_put(t, "etc/hostname", 0644, line, strlen(line), e);
	return r;
}

static bool is_copy(enum build_source source)
{
	return source == BUILD_TREE || source == BUILD_IMAGE || source == BUILD_TARBALL;
}

static int part(const struct build *b, const struct places *p, const char *path, struct err *e)
{
	CLEANUP(rootfs_done) struct rootfs t = { .fd = -1 };
	int r = b->source == BUILD_OVERLAY ? overlay_open(p, &t, e)
	                                   : rootfs_open(path, ROOTFS_REFUSE, 0, &t, e);

	if (r == 0 && b->source == BUILD_OVERLAY)
		r = overlay_hide_nodes(&t, e);
	if (r < 0)
		return r;
	return b->twin_of ? build_part(&t, p->name, b->twin_of, e) : part_id(&t, e);
}

int build_root(const struct build *b, const struct places *p, int roots, const char *leaf,
               const struct progress *progress, enum built *ret_how, struct strs *warnings, struct err *e)
{
	char path[PATH_SIZE];
	int r;

	*ret_how = BUILT_NEW;
	path_of(p, b->source == BUILD_ADOPT ? p->name : leaf, path);
	r = make(b, p, roots, leaf, path, progress, ret_how, e);
	if (r == 0 && is_tree(b))
		r = look_at_tree(path, warnings, e);
	if (r == 0 && (b->twin_of || is_copy(b->source)))
		r = part(b, p, path, e);
	if (r < 0)
		build_undo(b, p, roots, leaf);
	return r < 0 ? err_wrap(e, r, "cannot make the root of %s", p->name) : 0;
}

void build_undo(const struct build *b, const struct places *p, int roots, const char *leaf)
{
	CLEANUP(close_p) int above = -1;

	if (b->source == BUILD_ADOPT)
		return;
	(void)wipe_tree(roots, leaf, leaf, NULL, NULL);
	if (b->source == BUILD_OVERLAY)
		(void)overlay_forget(p, NULL, NULL);
	if (b->source == BUILD_NIX &&
	    files_open("", PLACES_PROFILES, O_RDONLY | O_DIRECTORY, &above, NULL) >= 0)
		(void)wipe_tree(above, p->name, p->name, NULL, NULL);
}
