#include "ui/term.h"
