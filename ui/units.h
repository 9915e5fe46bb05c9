/* units - numbers for people, short and of a width that does not change much. Pure. What is not known
 * (STATS_UNKNOWN, NAN) becomes "-". */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define UNITS_SIZE 48

/* units_bytes - 1024-based, at most four columns: "0B" "512B" "9.8K" "98K" "412M" "1.0G" "16E". */
void units_bytes(uint64_t bytes, char ret[static UNITS_SIZE]);
/* units_count - "0" to "9999", then 1000-based: "12k" "3.4M". */
void units_count(uint64_t n, char ret[static UNITS_SIZE]);
/* units_percent - one decimal, without the sign: "3.1" "88.0" "1600". */
void units_percent(double percent, char ret[static UNITS_SIZE]);
/* units_span - one number and one unit, rounded down: "59s" "59m" "47h" "12d". The unit in microseconds is
 * returned: what is shown changes when it is over. */
uint64_t units_span(uint64_t usec, char ret[static UNITS_SIZE]);
/* units_span_long - the two largest: "12d 4h", "3m 20s", "4s"; for sentences. */
void units_span_long(uint64_t usec, char ret[static UNITS_SIZE]);

/* units_parse_bytes - "512", "1.5G", "64k": len bytes of text, 1024-based; units_parse_span - "90", "5m",
 * "2h", "1d", "3w" to microseconds. -EINVAL. */
int units_parse_bytes(const char *text, size_t len, double *ret);
int units_parse_span(const char *text, size_t len, double *ret);
