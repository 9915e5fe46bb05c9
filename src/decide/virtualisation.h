/* virtualisation - the options of the module virtualisation.containers, and the files that podman, buildah and skopeo read,
 * made of them (behaviours A.16). Pure. */
#pragma once

#include "base/buf.h"
#include "base/strs.h"
#include "decide/jsonplace.h"

#define VIRTUALISATION_USERS_MAX 4096

struct virtualisation {
	bool enable;                         /* else nothing is written */
	struct strs search, insecure, block; /* registries */
	char *policy;                        /* JSON; NULL: skopeo's default */
	struct strs users;                   /* each once, in their order */
};
void virtualisation_done(struct virtualisation *v);

/* virtualisation_take - the module's options, those that are left out at their default. ret is zeroed before; after a
 * failure it is to be done with, too, and at is where that was. errors: -EINVAL STATUS_DATA, -ENOMEM */
int virtualisation_take(struct jsonplace *at, json_t *options, struct virtualisation *ret);

/* The two formats of registries.conf: what the module writes, and what engines since 2026 take (containers/image 5.40
 * refuses the first; containers-registries.conf(5)). */
enum registries_format { REGISTRIES_V1, REGISTRIES_V2 };

/* virtualisation_registries - append the text of /etc/containers/registries.conf. v2 has the meaning that engines give to
 * the v1 of the same options. */
void virtualisation_registries(const struct virtualisation *v, enum registries_format format,
                               struct buf *ret);
/* virtualisation_policy - the text of /etc/containers/policy.json; borrowed. */
const char *virtualisation_policy(const struct virtualisation *v);

/* Texts of the files, "" for one that is missing; borrowed. */
struct virtualisation_files {
	const char *registries, *policy, *subuid, *subgid;
};

/* virtualisation_read - the options of which import makes these files; users are all who have as many ids as it gives.
 * ret: virtualisation_done(). errors: -EINVAL STATUS_DATA: a file says what the module has no option for; -ENOMEM */
int virtualisation_read(const struct virtualisation_files *files, struct virtualisation *ret,
                        enum registries_format *ret_format, struct err *e);
/* virtualisation_export - put them into the document, as import takes them. -ENOMEM */
int virtualisation_export(const struct virtualisation *v, json_t *document, struct err *e);
