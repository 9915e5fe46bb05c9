/* Where the ports of a machine are declared: HOST_PORT= of its conf, else Port= of its .nspawn file, which
 * systemd-nspawn takes for container@ too when its command line has no port (systemd.nspawn(5)). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/envfile.h"
#include "drivers/confs.h"
#include "drivers/files.h"
#include "engine/doctor_read.h"
#include "engine/look_read.h"

#define SETTINGS_MAX 65536 /* bytes of a .nspawn file */

static void add(struct doctor_patient *p, const char *text, size_t line)
{
	struct doctor_declaration new = { .line = line }, *grown;

	if (port_parse(text, &new.port, NULL) < 0)
		return;
	grown = reallocarray(p->declared, p->n_declared + 1, sizeof(*grown));
	if (!grown)
		return;
	p->declared = grown;
	grown[p->n_declared++] = new;
}

/* A conf that can not be used tells its ports all the same, and whether it wants a network. */
static void read_conf(struct doctor_patient *p)
{
	static const char *const networks[] = { "HOST_BRIDGE", "INTERFACES", "MACVLANS", "EXTRA_VETHS",
		                                "NETWORK_NAMESPACE_PATH" };
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	CLEANUP(envfile_done) struct envfile doc = { 0 };
	CLEANUP(strs_done) struct strs ports = { 0 };
	const struct env_entry *entry;
	size_t line = 0, column;

	if (confs_load("", p->m->name, &file, NULL) < 0 ||
	    envfile_parse(file.path, buf_text(&file.text), file.text.len, &doc, NULL) < 0)
		return;
	entry = envfile_find(&doc, "HOST_PORT");
	if (entry) {
		envfile_place(buf_text(&file.text), entry->key_at, &line, &column);
		strs_split(&ports, entry->value, ",");
	}
	for (size_t i = 0; i < ports.n; i++)
		add(p, ports.v[i], line);
	p->file = take_p(&file.path);
	entry = envfile_find(&doc, "PRIVATE_NETWORK");
	p->shares_host = !entry || strcmp(entry->value, "1") != 0;
	for (size_t i = 0; i < COUNT(networks); i++)
		if ((entry = envfile_find(&doc, networks[i])) && *entry->value)
			p->shares_host = false;
}

/* Port= anywhere in it: no other section has such a key. */
static bool read_settings(struct doctor_patient *p, const char *folder)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(free_p) char *path = NULL;
	char *line, *rest;
	size_t number = 0;

	if (asprintf(&path, "%s/%s.nspawn", folder, p->m->name) < 0) {
		path = NULL;
		return false;
	}
	if (files_read("", path, SETTINGS_MAX, &text, NULL, NULL) < 0 || !text.p)
		return false;
	for (rest = text.p; (line = strsep(&rest, "\n"));) {
		char *value = strchr(line, '=');

		number++;
		line += strspn(line, " \t");
		if (!value || strncmp(line, "Port", 4) != 0 || line + 4 + strspn(line + 4, " \t") != value)
			continue;
		value += 1 + strspn(value + 1, " \t");
		value[strcspn(value, " \t\r")] = '\0';
		add(p, value, number);
	}
	if (p->n_declared > 0) {
		free(p->file);
		p->file = take_p(&path);
		p->is_settings = true;
	}
	return true;
}

void doctor_read_declared(struct doctor_patient *p)
{
	if (p->m->configured) {
		read_conf(p);
		p->has_conf = load_container("", p->m->name, &p->conf, NULL) == 0;
		if (p->has_conf)
			p->shares_host = !container_has_private_net(&p->conf.container);
		if (look_can_run(p->m))
			(void)claims_read("", p->m->name, &p->claims, NULL);
	}
	if (p->n_declared == 0 && (p->m->kind == MACHINE_CONTAINER || p->m->kind == MACHINE_NSPAWN) &&
	    !read_settings(p, "/etc/systemd/nspawn"))
		(void)read_settings(p, "/run/systemd/nspawn");
}
