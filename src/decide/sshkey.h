/* sshkey - whether a text is the line of a public key of OpenSSH's: "ssh-ed25519 AAAA... COMMENT". Pure. */
#pragma once

#include <stddef.h>

/* sshkey_line - the length of the key's line, its end not counted, at the start of len bytes; 0: it is none. All of a line
 * is printable: what follows a key's type and base64 is a comment. */
size_t sshkey_line(const char *text, size_t len);
