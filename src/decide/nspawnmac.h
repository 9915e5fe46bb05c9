/* nspawnmac - the hardware address that systemd-nspawn gives the host's end of a machine's main link (nspawn-network.c,
 * net_generate_mac: v220 to v262): a hash of this host's id and the machine's name. Who else makes a link of that name does
 * not give it this address by chance: it tells whose it is. Pure. */
#pragma once

#include <stdint.h>

/* nspawnmac - machine_id: the 16 bytes of /etc/machine-id. */
void nspawnmac(const uint8_t machine_id[static 16], const char *machine, uint8_t ret[static 6]);
