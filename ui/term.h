/* term - the terminal: the only file that knows curses, and the only one that writes to the screen. */
#pragma once
