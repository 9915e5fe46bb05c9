/* self - what this program itself uses. */
#pragma once

#include "ui/app.h"

/* self_measure - into s, but for when it began and its frames; bytes went to the terminal. */
void self_measure(struct app_self *s, uint64_t bytes);
