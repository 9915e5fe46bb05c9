/* links - the map of the network as `machdeck links` prints it. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "engine/netwanted.h"
#include "words/netmap.h"

struct links_view {
	const struct netmap *map;
	const struct netwanted *wanted;
	struct strs limits; /* which right shows more */
};

json_t *links_json(const struct links_view *v);
/* links_manager - "networkd", "NetworkManager", "dhcpcd"; NULL: not known. */
const char *links_manager(enum netmap_manager m);
