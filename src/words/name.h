/* name - the grammars of names, and the interface names that follow from a machine's name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define NAME_MACHINE_MAX 64 /* bytes, HOST_NAME_MAX as systemd-machined counts */
#define NAME_LINK_SIZE   16 /* IFNAMSIZ, NUL included */
#define NAME_UNIT_SIZE   128

/* name_is_machine - whether systemd-machined and systemd-nspawn accept it as a machine's name: labels of ASCII
 * letters and digits with inner "-", parted by single dots, 1 to 64 bytes. Everything that takes a name from
 * outside asks this first. */
bool name_is_machine(const char *name);

/* name_is_foreign_conf - whether NAME.conf in /etc/containers is podman's (containers, registries, storage,
 * policy, libpod) and so never a container of ours (BUG-21). */
bool name_is_foreign_conf(const char *name);

/* name_is_link - whether the kernel and systemd accept it as an interface name: 1 to 15 printable ASCII bytes
 * without "/", ":", "%" and blanks, not "." or "..", not a number, not "all" or "default". */
bool name_is_link(const char *name);

/* name_host_link - the host's end of a machine's main veth, as systemd-nspawn names it: prefix ("ve-" or "vb-")
 * and name when that fits 15 bytes, else its first 11 and a hash of the whole (behaviours G.3); the whole is then
 * the link's alternative name. */
void name_host_link(const char *prefix, const char *name, char ret[static NAME_LINK_SIZE]);

/* name_unit - "container@NAME.service"; a machine's name needs no escapes there. */
void name_unit(const char *name, char ret[static NAME_UNIT_SIZE]);

/* name_unit_is_alone - whether a unit that a machine runs in is one machine's alone, by its name: a service, or the
 * scope that systemd-machined or libvirt made for it; not a person's session. */
bool name_unit_is_alone(const char *unit);
