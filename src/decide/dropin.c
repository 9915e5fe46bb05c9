#include "decide/dropin.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"

/* What differs from container to container; the template has the rest. */
static const char *const own[] = { "TimeoutStartSec", "KillSignal", "RuntimeDirectory" };

/* A value of the conf as one word of a unit file. */
static void put_word(struct buf *b, const char *word, size_t len)
{
	buf_puts(b, "\"");
	for (size_t i = 0; i < len; i++) {
		if (word[i] == '"' || word[i] == '\\')
			buf_puts(b, "\\");
		if (word[i] == '%')
			buf_puts(b, "%");
		buf_add(b, &word[i], 1);
	}
	buf_puts(b, "\"");
}

static void put_all(struct buf *b, const char *key, const struct strs *values)
{
	for (size_t i = 0; i < values->n; i++)
		buf_addf(b, "%s=%s\n", key, values->v[i]);
}

void dropin_escape(const char *text, struct buf *ret)
{
	for (const char *p = text; *p; p++) {
		if (isalnum((unsigned char)*p) || *p == '_' || *p == ':' || *p == '.')
			buf_add(ret, p, 1);
		else if (*p == '/')
			buf_puts(ret, "-");
		else
			buf_addf(ret, "\\x%02x", (unsigned)(unsigned char)*p);
	}
}

static void device_unit(const char *link, struct buf *ret)
{
	buf_puts(ret, "sys-subsystem-net-devices-");
	dropin_escape(link, ret);
	buf_puts(ret, ".device");
}

static void put_mounts(struct buf *b, const struct plan *p)
{
	put_all(b, "RequiresMountsFor", &p->requires_mounts);
	for (size_t i = 0; i < p->bind_sources.n; i++) {
		buf_puts(b, "RequiresMountsFor=");
		put_word(b, p->bind_sources.v[i], strlen(p->bind_sources.v[i]));
		buf_puts(b, "\n");
	}
}

/* At boot a container waits for the links that it takes; started by hand it fails at once when one is missing. */
static void put_order(struct buf *b, const struct container *c, const struct plan *p)
{
	put_all(b, "Wants", &p->wants);
	put_all(b, "After", &p->after);
	for (size_t i = 0; c->auto_start && i < c->interfaces.n; i++) {
		CLEANUP(buf_done) struct buf unit = { 0 };

		device_unit(c->interfaces.v[i], &unit);
		buf_addf(b, "Wants=%s\nAfter=%s\n", buf_text(&unit), buf_text(&unit));
		b->bad |= unit.bad;
	}
}

/* "NODE MODIFIER": only the node may hold a blank. */
static void put_device(struct buf *b, const char *device)
{
	const char *modifier = strrchr(device, ' ');

	buf_puts(b, "DeviceAllow=");
	put_word(b, device, (size_t)(modifier - device));
	buf_addf(b, "%s\n", modifier);
}

static void put_service(struct buf *b, const struct plan *p)
{
	for (size_t i = 0; i < p->n_service; i++) {
		const struct directive *d = &p->service[i];

		for (size_t k = 0; k < COUNT(own); k++) {
			if (!strcmp(d->key, own[k]))
				put_all(b, d->key, &d->values);
		}
		if (limit_named(d->key) != LIMITS)
			put_all(b, d->key, &d->values);
		for (size_t k = 0; !strcmp(d->key, "DeviceAllow") && k < d->values.n; k++)
			put_device(b, d->values.v[k]);
	}
	/* their kill signal is one that nspawn ignores; the first release ignored a failure, too (SP-1, SP-2) */
	if (p->stop_by_poweroff)
		buf_addf(b, "ExecStop=%s" LIBEXECDIR "/machdeck-unit poweroff %%i\n",
		         p->release == RELEASE_2014 ? "-" : "");
}

void dropin_text(const struct container *c, const struct plan *p, const char *conf_path, struct buf *ret)
{
	buf_addf(ret, "# Made by machdeck-generator from the conf; edit that one.\n\n[Unit]\nSourcePath=%s\n",
	         conf_path);
	put_mounts(ret, p);
	put_order(ret, c, p);
	buf_puts(ret, "\n[Service]\n");
	put_service(ret, p);
}
