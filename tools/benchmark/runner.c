/* Runs the C of a generator that writes a function of pointers only, ENTRY(ARGUMENTS), where ARGUMENTS is p[0], p[1] ...;
   compiled together with that C into a library. */
#include <time.h>

void ENTRY();

static double milliseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 1e3 * (double)time.tv_sec + 1e-6 * (double)time.tv_nsec;
}

/* Runs until `seconds` are over, at least once; writes what each run took, in ms, and gives the number of runs. */
int measure(void **p, double seconds, double *times, int capacity) {
  double now = milliseconds(), end = now + 1e3 * seconds;
  int count = 0;
  do {
    double start = milliseconds();
    ENTRY(ARGUMENTS);
    now = milliseconds();
    times[count++] = now - start;
  } while (now < end && count < capacity);
  return count;
}
