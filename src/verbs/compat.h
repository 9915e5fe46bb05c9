/* compat - `nixos-container`, the command line of the NixOS tool, when the program is called by that name. */
#pragma once

#include <stdbool.h>

#define COMPAT_NAME "nixos-container"

/* compat_main - argv[0] is the program itself. Prints; returns the exit status (enum status). */
int compat_main(int argc, char **argv);
