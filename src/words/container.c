#include "words/container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void container_done(struct container *c)
{
	for (size_t i = 0; i < c->n_veths; i++) {
		free(c->veths[i].name);
		free(c->veths[i].bridge);
	}
	for (size_t i = 0; i < c->n_devices; i++) {
		free(c->devices[i].node);
		free(c->devices[i].modifier);
	}
	free(c->veths);
	free(c->devices);
	free(c->ports);
	free(c->name);
	free(c->system_path);
	free(c->flake);
	free(c->init);
	free(c->host_bridge);
	free(c->netns_path);
	free(c->private_users);
	free(c->timeout_start);
	for (int i = 0; i < LIMITS; i++)
		free(c->limits[i]);
	strs_done(&c->interfaces);
	strs_done(&c->macvlans);
	strs_done(&c->flags);
	strs_done(&c->tmpfs);
	strs_done(&c->capabilities);
	*c = (struct container){ 0 };
}

bool container_has_address(const struct container *c)
{
	for (int k = 0; k < LINK_KEYS; k++)
		if (addr_is_set(&c->addr[k]))
			return true;
	return false;
}

const char *container_main_link(const struct container *c)
{
	if (c->host_bridge)
		return "vb-";
	return container_has_address(c) || c->has_mac ? "ve-" : NULL;
}

bool container_has_private_net(const struct container *c)
{
	return c->private_network || container_main_link(c) || c->n_veths > 0 || c->interfaces.n > 0 ||
	       c->macvlans.n > 0 || c->netns_path;
}

bool container_root_is_hosts(const struct container *c)
{
	static const char flag[] = "--private-users";

	for (size_t i = 0; i < c->flags.n; i++) {
		const char *word = c->flags.v[i], *value = word + strlen(flag);

		if (strcmp(word, "-U") == 0 ||
		    (strncmp(word, flag, strlen(flag)) == 0 &&
		     (*value == '\0' || (*value == '=' && strcmp(value, "=no") != 0))))
			return false;
	}
	return !c->private_users || strcmp(c->private_users, "no") == 0;
}

static const char *const names[] = {
	[RELEASE_2014] = "2014",       [RELEASE_2020] = "2020",       [RELEASE_2021_04] = "2021-04",
	[RELEASE_2021_05] = "2021-05", [RELEASE_2021_11] = "2021-11",
};

const char *release_name(enum release r)
{
	return names[r];
}

int release_parse(const char *text, enum release *ret)
{
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum release)i;
			return 0;
		}
	return -EINVAL;
}
