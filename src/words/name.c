#include "words/name.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool name_is_machine(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > NAME_MACHINE_MAX || !is_alnum(name[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		bool label_starts = i == 0 || name[i - 1] == '.';

		if (is_alnum(name[i]))
			continue;
		if (label_starts || (name[i] != '-' && name[i] != '.'))
			return false;
		if (name[i] == '.' && name[i - 1] == '-')
			return false;
	}
	return true;
}

bool name_is_foreign_conf(const char *name)
{
	static const char *const podman[] = { "containers", "registries", "storage", "policy", "libpod" };

	for (size_t i = 0; i < sizeof(podman) / sizeof(podman[0]); i++)
		if (strcmp(name, podman[i]) == 0)
			return true;
	return false;
}

bool name_is_link(const char *name)
{
	size_t len = strlen(name);
	bool number = true;

	if (len == 0 || len >= NAME_LINK_SIZE)
		return false;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "all") == 0 ||
	    strcmp(name, "default") == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c <= ' ' || c >= 0x7f || strchr("/:%", c))
			return false;
		number = number && c >= '0' && c <= '9';
	}
	return !number;
}

static uint64_t rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/* SipHash-2-4 (Aumasson, Bernstein) under the key of systemd's nspawn-network.c. */
static uint64_t sip_hash(const char *text, size_t len)
{
	static const unsigned char key[16] = { 0xe1, 0x90, 0xa4, 0x04, 0xa8, 0xef, 0x4b, 0x51,
		                               0x8c, 0xcc, 0xc3, 0x3a, 0x9f, 0x11, 0xfc, 0xa2 };
	uint64_t k[2] = { 0 }, v[4], word;

	for (size_t i = 0; i < 16; i++)
		k[i / 8] |= (uint64_t)key[i] << 8 * (i % 8);
	v[0] = k[0] ^ 0x736f6d6570736575;
	v[1] = k[1] ^ 0x646f72616e646f6d;
	v[2] = k[0] ^ 0x6c7967656e657261;
	v[3] = k[1] ^ 0x7465646279746573;
	for (size_t at = 0; at <= len; at += 8) {
		bool last = len - at < 8;

		word = last ? (uint64_t)len << 56 : 0;
		for (size_t i = 0; i < 8 && at + i < len; i++)
			word |= (uint64_t)(unsigned char)text[at + i] << 8 * i;
		v[3] ^= word;
		sip_round(v);
		sip_round(v);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void name_host_link(const char *prefix, const char *name, char ret[static NAME_LINK_SIZE])
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char whole[NAME_MACHINE_MAX + 8];
	int len = snprintf(whole, sizeof(whole), "%s%s", prefix, name);
	uint64_t hash;

	if (len < NAME_LINK_SIZE) {
		memcpy(ret, whole, (size_t)len + 1);
		return;
	}
	hash = sip_hash(whole, strlen(whole));
	memcpy(ret, whole, 11);
	for (unsigned i = 0; i < 4; i++)
		ret[11 + i] = base64[hash >> (18 - 6 * i) & 0x3f];
	ret[15] = '\0';
}

void name_unit(const char *name, char ret[static NAME_UNIT_SIZE])
{
	(void)snprintf(ret, NAME_UNIT_SIZE, "container@%s.service", name);
}

bool name_unit_is_alone(const char *unit)
{
	const char *end = strrchr(unit, '.');

	if (!end || strncmp(unit, "user@", 5) == 0)
		return false;
	return strcmp(end, ".service") == 0 || strncmp(unit, "machine-", 8) == 0;
}
