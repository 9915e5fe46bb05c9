#include "ui/dashboard.h"

#include <errno.h>

int dashboard_run(struct err *e)
{
	return err_set(e, STATUS_BUG, ENOSYS, "the dashboard is not there yet; try `machdeck list`");
}
