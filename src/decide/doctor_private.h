/* doctor_private - what the parts of doctor share: a rule, and the case that it looks at. */
#pragma once

#include "decide/doctor.h"

struct doctor_case {
	const struct doctor_facts *f;
	const struct doctor_way *w; /* of the family that is looked at */
	enum doctor_way_index index;
};

enum doctor_weight {
	DOCTOR_FATAL,    /* the forward is broken */
	DOCTOR_IF_MEANT, /* it is, where that family counts; else a note */
	DOCTOR_LAST,     /* it is broken, and nothing else says why */
	DOCTOR_NOTE,
};

struct doctor_rule {
	const char *cause;
	enum doctor_step step;
	enum doctor_weight weight;
	bool by_family; /* looked at for each */
	bool (*holds)(const struct doctor_case *c);
	void (*say)(const struct doctor_case *c, char *ret); /* DOCTOR_TEXT bytes */
};

/* The rules of the conf, the kernel and the address; of who listens; of the way; what an attempt came to; what is worth knowing. In each the first of a
 * step that holds is said, notes all. The ends have no cause. */
extern const struct doctor_rule doctor_chain_rules[], doctor_listener_rules[], doctor_way_rules[],
	doctor_probe_rules[], doctor_note_rules[];

#define DOCTOR_ADDRESS_TEXT (ADDR_TEXT_SIZE + 8)
/* doctor_address_text - "10.0.0.2:80", "[fc00::2]:80". */
void doctor_address_text(const struct addr *a, uint16_t port, char ret[static DOCTOR_ADDRESS_TEXT]);
/* doctor_who - "sshd (pid 88, ssh.service)", with what is known. */
void doctor_who(const struct doctor_listener *l, char *ret, size_t size);
const char *doctor_protocol(const struct doctor_facts *f);
/* doctor_ip_word - "ip" or "ip6", as nft has it. */
const char *doctor_ip_word(const struct doctor_case *c);

/* doctor_can_run - whether anything of it may be there now. doctor_is_up - it is. */
bool doctor_can_run(const struct doctor_facts *f);
bool doctor_is_up(const struct doctor_facts *f);
/* doctor_way_counts - whether that family is meant to work. */
bool doctor_way_counts(const struct doctor_facts *f, enum doctor_way_index index);
/* doctor_leads_home - the kernel's rule leads to the machine itself. */
bool doctor_leads_home(const struct doctor_way *w);

/* doctor_listener_of - who takes what the rule of that way sends; NULL: nobody, or not known. */
const struct doctor_listener *doctor_listener_of(const struct doctor_facts *f, const struct doctor_way *w);
