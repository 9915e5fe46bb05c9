#include "decide/overlay.h"

#include "decide/dropin.h"

void overlay_options(const char *roots, const char *name, const char *of, struct buf *ret)
{
	buf_addf(ret,
	         "lowerdir=%s/%s,upperdir=%s/" OVERLAY_FOLDER "/%s/upper,workdir=%s/" OVERLAY_FOLDER
	         "/%s/work,metacopy=on",
	         roots, of, roots, name, roots, name);
}

void overlay_unit(const char *roots, const char *name, struct buf *ret)
{
	dropin_escape(roots + 1, ret);
	buf_puts(ret, "-");
	dropin_escape(name, ret);
	buf_puts(ret, ".mount");
}

void overlay_unit_text(const char *roots, const char *name, const char *of, struct buf *ret)
{
	buf_addf(ret,
	         "# Made by machdeck-generator: %s was cloned with --overlay.\n\n[Unit]\n"
	         "Description=Root of %s, an overlay over %s\nRequiresMountsFor=%s/%s %s/" OVERLAY_FOLDER
	         "/%s\n\n"
	         "[Mount]\nWhat=overlay\nWhere=%s/%s\nType=overlay\nOptions=",
	         name, name, of, roots, of, roots, name, roots, name);
	overlay_options(roots, name, of, ret);
	buf_puts(ret, "\n");
}
