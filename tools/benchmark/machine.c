/* Prints what the machine can do, as JSON: peak and read bandwidth for the numbers of threads given as arguments. */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments) {
  static const struct {
    const char *name;
    size_t bytes;
  } levels[] = {{"L1", 16 << 10}, {"L2", 256 << 10}, {"L3", 4 << 20}, {"memory", 256 << 20}};
  printf("{");
  for (int i = 1; i < count; i++) {
    int threads = atoi(arguments[i]);
    printf("%s\"%d\": {\"peak_gflops\": %.1f", i > 1 ? ", " : "", threads, probe_peak(threads, 0.5));
    for (size_t level = 0; level < sizeof levels / sizeof *levels; level++) {
      printf(", \"%s_gbs\": %.1f", levels[level].name, probe_bandwidth(threads, levels[level].bytes, 0.3));
    }
    printf("}");
  }
  printf("}\n");
  return 0;
}
