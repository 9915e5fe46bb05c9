#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum status err_status_of(int errnum)
{
	switch (errnum) {
	case EPERM:
	case EACCES:
		return STATUS_NOT_PERMITTED;
	case ETIMEDOUT:
	case ETIME:
		return STATUS_DEADLINE;
	case EBUSY:
	case EEXIST:
	case EADDRINUSE:
		return STATUS_BUSY;
	case ENOSPC:
	case EROFS:
	case EDQUOT:
		return STATUS_CANNOT_CREATE;
	case EIO:
		return STATUS_IO;
	default:
		return STATUS_SYSTEM;
	}
}

int(err_set)(struct err *e, enum status status, int errnum, const char *format, ...)
{
	char raw[ERR_TEXT_MAX];
	va_list ap;

	if (!e)
		return -errnum;
	va_start(ap, format);
	(void)vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	e->status = status;
	text_printable(e->text, sizeof(e->text), raw, strlen(raw));
	return -errnum;
}

int(err_sys)(struct err *e, int errnum, const char *format, ...)
{
	char raw[ERR_TEXT_MAX];
	va_list ap;

	if (!e)
		return -errnum;
	va_start(ap, format);
	(void)vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	return err_set(e, err_status_of(errnum), errnum, "%s: %s", raw, strerror(errnum));
}

int err_wrap(struct err *e, int r, const char *format, ...)
{
	char raw[ERR_TEXT_MAX], cause[ERR_TEXT_MAX];
	va_list ap;

	if (!e)
		return r;
	va_start(ap, format);
	(void)vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	memcpy(cause, e->text, sizeof(cause));
	return -err_set(e, e->status, r, "%s: %s", raw, cause);
}

int(err_no_memory)(struct err *e)
{
	return err_set(e, STATUS_SYSTEM, ENOMEM, "out of memory");
}
