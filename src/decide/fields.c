#include "decide/fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/limitvalue.h"

static int any_text(const char *text, char **ret, struct why *w)
{
	(void)w;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

static int set_mac(struct container *c, const char *text, struct why *w)
{
	int r = value_mac(text, c->mac, w);

	c->has_mac = r == 0;
	return r;
}

static int set_release(struct container *c, const char *text, struct why *w)
{
	if (release_parse(text, &c->release) < 0)
		return value_refuse(w, "'%.40s' is not 2014, 2020, 2021-04, 2021-05 or 2021-11", text);
	return 0;
}

#define OWN(key, option, since)                                                                              \
	{                                                                                                    \
		key, option, FIELD_OWN, 0, NULL, NULL, since, false                                          \
	}
#define BOOL(key, option, member, since)                                                                     \
	{                                                                                                    \
		key, option, FIELD_BOOL, offsetof(struct container, member), NULL, NULL, since, false        \
	}
#define ADDR(key, option, index, since)                                                                      \
	{                                                                                                    \
		key, option, FIELD_ADDR, offsetof(struct container, addr[index]), NULL, NULL, since, true    \
	}
#define TEXT(key, option, member, value, since, or_null)                                                     \
	{                                                                                                    \
		key, option, FIELD_TEXT, offsetof(struct container, member), value, NULL, since, or_null     \
	}
#define WHOLE(key, option, item, since)                                                                      \
	{                                                                                                    \
		key, option, FIELD_WHOLE, 0, NULL, item, since, true                                         \
	}
#define WORDS(key, option, item, since)                                                                      \
	{                                                                                                    \
		key, option, FIELD_WORDS, 0, NULL, item, since, false                                        \
	}

/* bindMounts come before extraFlags: CF-8. */
const struct field fields[FIELDS] = {
	OWN(NULL, "config", RELEASE_2014),
	TEXT("SYSTEM_PATH", "path", system_path, value_path, RELEASE_2014, false),
	TEXT("FLAKE", "flake", flake, any_text, RELEASE_2021_11, true),
	OWN(NULL, "nixpkgs", RELEASE_2021_04),
	OWN(NULL, "pkgs", RELEASE_2021_04),
	OWN("COPY_RESOLV_CONF", "copyResolvConf", RELEASE_2021_11),
	BOOL("PRIVATE_NETWORK", "privateNetwork", private_network, RELEASE_2014),
	TEXT("HOST_BRIDGE", "hostBridge", host_bridge, value_link, RELEASE_2020, true),
	OWN("HOST_PORT", "forwardPorts", RELEASE_2020),
	ADDR("HOST_ADDRESS", "hostAddress", HOST4, RELEASE_2014),
	ADDR("HOST_ADDRESS6", "hostAddress6", HOST6, RELEASE_2020),
	ADDR("LOCAL_ADDRESS", "localAddress", LOCAL4, RELEASE_2014),
	ADDR("LOCAL_ADDRESS6", "localAddress6", LOCAL6, RELEASE_2020),
	WHOLE("LOCAL_MAC_ADDRESS", "localMacAddress", set_mac, RELEASE_2021_11),
	TEXT("NETWORK_NAMESPACE_PATH", "networkNamespace", netns_path, value_path, RELEASE_2021_11, true),
	OWN("PRIVATE_USERS", "privateUsers", RELEASE_2021_11),
	WORDS("INTERFACES", "interfaces", value_interface, RELEASE_2020),
	WORDS("MACVLANS", "macvlans", value_macvlan, RELEASE_2020),
	BOOL("AUTO_START", "autoStart", auto_start, RELEASE_2020),
	OWN(NULL, "bindMounts", RELEASE_2020),
	OWN("EXTRA_NSPAWN_FLAGS", "extraFlags", RELEASE_2020),
	BOOL("EPHEMERAL", "ephemeral", ephemeral, RELEASE_2020),
	BOOL("ENABLE_TUN", "enableTun", enable_tun, RELEASE_2020),
	TEXT("TIMEOUT_START_SEC", "timeoutStartSec", timeout_start, value_timespan, RELEASE_2020, false),
	WORDS("TMPFS", "tmpfs", value_tmpfs, RELEASE_2020),
	WORDS("ADDITIONAL_CAPABILITIES", "additionalCapabilities", value_capability, RELEASE_2020),
	OWN("ALLOWED_DEVICES", "allowedDevices", RELEASE_2020),
	OWN("EXTRA_VETHS", "extraVeths", RELEASE_2020),
	BOOL("MASQUERADE", "masquerade", masquerade, RELEASE_2014),
	TEXT("MEMORY_MAX", "memoryMax", limits[LIMIT_MEMORY], value_memory_max, RELEASE_2014, true),
	TEXT("CPU_QUOTA", "cpuQuota", limits[LIMIT_CPU], value_cpu_quota, RELEASE_2014, true),
	TEXT("TASKS_MAX", "tasksMax", limits[LIMIT_TASKS], value_tasks_max, RELEASE_2014, true),
	TEXT("IO_WEIGHT", "ioWeight", limits[LIMIT_IO], value_io_weight, RELEASE_2014, true),
	TEXT("INIT", "init", init, value_path, RELEASE_2014, true),
	WHOLE("RELEASE", NULL, set_release, RELEASE_2014),
};

const struct field *field_of_key(const char *key)
{
	for (size_t i = 0; i < FIELDS; i++)
		if (fields[i].key && strcmp(fields[i].key, key) == 0)
			return &fields[i];
	return NULL;
}

const struct field *field_of_option(const char *option)
{
	for (size_t i = 0; i < FIELDS; i++)
		if (fields[i].option && strcmp(fields[i].option, option) == 0)
			return &fields[i];
	return NULL;
}

bool *field_bool(const struct field *f, struct container *c)
{
	return (bool *)(void *)((char *)c + f->at);
}

int field_set(const struct field *f, struct container *c, const char *text, struct why *w)
{
	void *member = (char *)c + f->at;

	switch (f->type) {
	case FIELD_BOOL:
		return value_bool(text, member, w);
	case FIELD_ADDR:
		return value_addr(text, member, w);
	case FIELD_TEXT:
		return f->text(text, member, w);
	case FIELD_WHOLE:
	case FIELD_WORDS:
		return f->item(c, text, w);
	case FIELD_OWN:
		break;
	}
	return -EINVAL;
}
