#ifndef LATHE_PROBE_H
#define LATHE_PROBE_H

#include <stddef.h>

/* What this machine can do at best, measured: the figures that speeds are set in proportion to. Both functions run
   `threads` threads at once for about `seconds` and give the sum of each thread's best moment, so that other work on
   the machine hardly matters. They give 0 where threads or memory cannot be had. */

/* Multiply-adds in the widest vectors, in 1e9 f32 operations a second; a multiply-add counts as two. */
double probe_peak(int threads, double seconds);

/* Reading `bytes` of memory in order, again and again, each thread its own, in 1e9 bytes a second. */
double probe_bandwidth(int threads, size_t bytes, double seconds);

#endif
