#include "decide/nspawnmac.h"

#include <string.h>

#include "words/name.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t turn(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static uint64_t load(const uint8_t *p, size_t n)
{
	uint64_t x = 0;

	for (size_t i = 0; i < n; i++)
		x |= (uint64_t)p[i] << 8 * i;
	return x;
}

static void rounds(struct sip *s, int n)
{
	while (n-- > 0) {
		s->v0 += s->v1, s->v1 = turn(s->v1, 13) ^ s->v0, s->v0 = turn(s->v0, 32);
		s->v2 += s->v3, s->v3 = turn(s->v3, 16) ^ s->v2;
		s->v0 += s->v3, s->v3 = turn(s->v3, 21) ^ s->v0;
		s->v2 += s->v1, s->v1 = turn(s->v1, 17) ^ s->v2, s->v2 = turn(s->v2, 32);
	}
}

static void take(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

/* SipHash-2-4 (Aumasson, Bernstein 2012). */
static uint64_t siphash(const uint8_t *p, size_t len, const uint8_t key[static 16])
{
	const uint64_t k0 = load(key, 8), k1 = load(key + 8, 8);
	struct sip s = { 0x736f6d6570736575 ^ k0, 0x646f72616e646f6d ^ k1, 0x6c7967656e657261 ^ k0,
		         0x7465646279746573 ^ k1 };
	size_t i;

	for (i = 0; i + 8 <= len; i += 8)
		take(&s, load(p + i, 8));
	take(&s, load(p + i, len - i) | (uint64_t)len << 56);
	s.v2 ^= 0xff;
	rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

void nspawnmac(const uint8_t machine_id[static 16], const char *machine, uint8_t ret[static 6])
{
	static const uint8_t key[16] = { 0x1a, 0x37, 0x6f, 0xc7, 0x46, 0xec, 0x45, 0x0b,
		                         0xad, 0xa3, 0xd5, 0x31, 0x06, 0x60, 0x5d, 0xb1 };
	size_t len = strnlen(machine, NAME_MACHINE_MAX);
	uint8_t bytes[16 + NAME_MACHINE_MAX];
	uint64_t hash;

	memcpy(bytes, machine_id, 16);
	memcpy(bytes + 16, machine, len);
	hash = siphash(bytes, 16 + len, key);
	for (size_t i = 0; i < 6; i++)
		ret[i] = (uint8_t)(hash >> 8 * i);
	ret[0] = (ret[0] & 0xfe) | 0x02; /* of one station, set by hand */
}
